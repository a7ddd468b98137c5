//! `jgraft trace`: the native agent weaves probes into methods, and what they write into memory is printed here as it comes.
//!
//! What is in the target ends with this process, however that ends: it holds a lock that the kernel lets go of.

mod lines;
mod opened;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use jgraft_attach::{Kind, agent_loading, examine, first_retransform};
use jgraft_protocol::events::{Reader, WORD_END};
use jgraft_protocol::native::trace as keys;
use jgraft_protocol::pattern::Pattern;
use jgraft_protocol::properties;
use jgraft_protocol::session::reply;

use crate::cli::Trace;
use crate::failure::{EXIT_BLOCKED, EXIT_FAILED, EXIT_INTERRUPTED, Failure};
use crate::interrupt::Interrupt;
use crate::{human, output, target};
use lines::Lines;
use opened::Opened;

/// On a terminal nobody reads more.
const TERMINAL_LIMIT: u64 = 100;
/// How often is looked for events; a shard holds what a million calls a second make in three times that.
const LOOK: Duration = Duration::from_millis(10);
/// How often the target is told that somebody reads.
const BEAT: Duration = Duration::from_millis(500);
/// For the classes to go back.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the command.
pub(crate) fn run(options: &Trace) -> Result<ExitCode, Failure> {
    let patterns: Vec<Pattern> = options
        .patterns
        .iter()
        .map(|typed| {
            Pattern::parse(typed).map_err(|error| {
                Failure::usage(format!("{typed} names no methods"), error.to_string(), "jgraft trace --help")
            })
        })
        .collect::<Result<_, _>>()?;
    let interrupt = Interrupt::catch();
    let target = target::find(&options.target)?;
    let stderr = human::Stream::stderr();
    may_be_traced(&target, &stderr)?;

    let pid = target.pid();
    let opened = Opened::open(target, &patterns, options, &interrupt)?;
    let memory = opened.memory()?;
    let mut reader = Reader::new(&memory).map_err(|error| {
        Failure::new(EXIT_FAILED, "bad-event-memory", format!("what pid {pid} traces cannot be read"))
            .evidence(error.to_string())
            .remedy("the classes are put back; jgraft doctor says how the jvm is")
    })?;
    let limit = options.limit.or(std::io::stdout().is_terminal().then_some(TERMINAL_LIMIT));
    let mut lines = Lines::new(options.json);
    let (until, mut told) = (options.time.map(|time| Instant::now() + time), Instant::now());
    let nothing_matches = opened.number(keys::METHODS) == 0;
    if !nothing_matches {
        stderr.line(&format!(
            "tracing {} methods of {} classes in pid {pid}; Ctrl-C ends it",
            opened.number(keys::METHODS),
            opened.number(keys::CLASSES)
        ));
    }
    for left in opened.left_alone() {
        stderr.line(&format!("{}: {}", stderr.yellow("left alone"), human::clean(left)));
    }
    reader.beat();
    let (mut calls, mut interrupted) = (0_u64, false);
    while !nothing_matches
        && limit.is_none_or(|limit| calls < limit)
        && until.is_none_or(|until| Instant::now() < until)
        && !output::is_closed()
        && !opened.ended()
    {
        let mut batch = Vec::new();
        reader.drain(Instant::now(), |event| batch.push(event));
        batch.sort_by_key(|event| event.end);
        batch.truncate(usize::try_from(limit.map_or(u64::MAX, |limit| limit - calls)).unwrap_or(usize::MAX));
        calls += batch.len() as u64;
        lines.print(&batch, &opened, &reader);
        if told.elapsed() >= BEAT {
            reader.beat();
            told = Instant::now();
        }
        if interrupt.wait(LOOK) {
            interrupted = true;
            break;
        }
    }
    // What finds no room from here on was not wanted any more.
    let lost = reader.lost();
    memory.set_and_wake(WORD_END, 1);
    let restored = opened.wait_for_end(PATIENCE)?;
    stderr.line(&format!("{calls} calls, {lost} lost; {restored} classes are as they were"));
    if nothing_matches {
        return Err(Failure::new(
            EXIT_FAILED,
            "nothing-matches",
            format!("no method of a loaded class in pid {pid} is meant"),
        )
        .evidence(options.patterns.join(" "))
        .remedy("jgraft histogram lists classes; a class is named with its package, as shop.Orders::place"));
    }
    match interrupted && calls == 0 {
        true => Ok(ExitCode::from(EXIT_INTERRUPTED)),
        false => output::finish(ExitCode::SUCCESS, &format!("pid {pid} was traced")),
    }
}

/// What stands against it, before anything is sent.
fn may_be_traced(target: &jgraft_attach::Target, stderr: &human::Stream) -> Result<(), Failure> {
    if target.kind() == Kind::OpenJ9 {
        let cause = format!("pid {} is an openj9 vm", target.pid());
        return Err(Failure::new(EXIT_BLOCKED, "not-hotspot", cause)
            .evidence("the native agent is tried on hotspot alone")
            .remedy("the vm's own -Xtrace"));
    }
    if let Some(blocker) = examine(target).blockers.first() {
        return Err(Failure::blocked(blocker));
    }
    agent_loading(target).map_err(|blocker| Failure::blocked(&blocker))?;
    if let Some(cost) = first_retransform(target) {
        stderr.line(&format!(
            "{}: {}; {}",
            stderr.yellow("warning"),
            cost.cause,
            human::clean(&cost.evidence)
        ));
    }
    Ok(())
}

/// The outcome that an agent has written.
fn outcome(pairs: &[(String, String)]) -> Result<(), String> {
    if properties::get(pairs, reply::OUTCOME) == Some(reply::OK) {
        return Ok(());
    }
    let said = |key| properties::get(pairs, key).map(human::clean);
    let parts = [said(reply::STAGE), said(reply::MESSAGE), said(jgraft_protocol::native::reply::ERROR)];
    Err(parts.into_iter().flatten().collect::<Vec<_>>().join(": "))
}
