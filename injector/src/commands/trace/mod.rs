//! `jgraft trace`: the native agent weaves probes into methods, and what they write into memory is printed here as it comes.
//!
//! What is in the target ends with this process, however that ends: it holds a lock that the kernel lets go of.

mod lines;
mod opened;
mod table;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use jgraft_attach::{Target, files};
use jgraft_protocol::events::{END, EXCEPTIONS, Reader, WORD_REQUEST, status};
use jgraft_protocol::native::trace as keys;
use jgraft_protocol::pattern::{Pattern, shown_method};
use jgraft_protocol::properties;
use jgraft_protocol::session::reply;

use super::reset::put_back;
use crate::bundle::NATIVE_AGENT_NAME;
use crate::cli::Trace;
use crate::failure::{EXIT_FAILED, EXIT_INTERRUPTED, Failure};
use crate::interrupt::Interrupt;
use crate::session::{announce, may_change_classes};
use crate::{consent, human, json, output, target};
use lines::Lines;
use opened::{Begun, Opened};

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
    let pid = target.pid();
    may_be_traced(&target)?;
    if let Some(flush) = consent::first_flush(&target) {
        let agreed = options.yes || options.dry_run;
        flush.agree(&format!("pid {pid} was not traced"), agreed, options.json, &stderr, &interrupt)?;
    }
    if options.dry_run {
        return dry_run(target, &patterns, options, &interrupt);
    }
    let opened = match Opened::open(target, &patterns, options, false, &interrupt)? {
        Begun::Yes(opened) => opened,
        Begun::AskFirst(target, cost) => {
            match options.yes {
                true => stderr.warning(&human::clean(&cost)),
                false => consent::ask(
                    &format!("pid {pid} was not traced"),
                    &cost,
                    "a pattern that means less costs less, and --dry-run lists what is meant",
                    options.json,
                    &interrupt,
                )?,
            }
            match Opened::open(target, &patterns, options, true, &interrupt)? {
                Begun::Yes(opened) => opened,
                Begun::AskFirst(..) => return Err(opened::refused(pid, &[])),
            }
        }
    };
    let memory = opened.memory()?;
    let mut reader = Reader::new(&memory).map_err(|error| {
        Failure::new(EXIT_FAILED, "bad-event-memory", format!("what pid {pid} traces cannot be read"))
            .evidence(error.to_string())
            .remedy("the classes are put back; jgraft doctor says how the jvm is")
    })?;
    let limit = options.limit.or(std::io::stdout().is_terminal().then_some(TERMINAL_LIMIT));
    let mut lines = Lines::new(options.json);
    let (until, mut told) = (options.time.map(|time| Instant::now() + time), Instant::now());
    let nothing = opened.number(keys::METHODS) == 0;
    if nothing && options.time.is_some() {
        stderr.warning("no method of a loaded class is meant; waiting for classes that are loaded");
    } else if !nothing {
        stderr.line(&format!(
            "tracing {} of {} in pid {pid}, the longest step took {:.1} ms; Ctrl-C ends it",
            human::count(opened.number(keys::METHODS), "method"),
            human::count(opened.number(keys::CLASSES), "class"),
            opened.number(keys::LONGEST) as f64 / 1e3
        ));
    }
    if !nothing {
        for pattern in unmatched(opened.reply(), options) {
            stderr.warning(&format!("{} means no method of a loaded class", human::clean(pattern)));
        }
    }
    for left in opened.left_alone() {
        stderr.line(&format!("{}: {}", stderr.yellow("left alone"), human::clean(left)));
    }
    reader.beat();
    let (mut calls, mut interrupted) = (0_u64, false);
    while (!nothing || until.is_some())
        && limit.is_none_or(|limit| calls < limit)
        && until.is_none_or(|until| Instant::now() < until)
        && !output::is_closed()
        && !opened.ended(&memory)
    {
        let mut batch = Vec::new();
        reader.drain(Instant::now(), |event| batch.push(event));
        batch.sort_by_key(|event| event.end);
        batch.truncate(usize::try_from(limit.map_or(u64::MAX, |limit| limit - calls)).unwrap_or(usize::MAX));
        calls += batch.len() as u64;
        lines.print(&batch, &opened, &memory, &reader);
        if told.elapsed() >= BEAT {
            reader.beat();
            told = Instant::now();
        }
        if interrupt.wait(LOOK) {
            interrupted = true;
            break;
        }
    }
    let cut_short = !interrupted && opened.ended(&memory);
    // What finds no room from here on was not wanted any more.
    let lost = reader.lost();
    memory.or_and_wake(WORD_REQUEST, END);
    let ended = opened.wait_for_end(&memory, PATIENCE).inspect_err(|_| {
        stderr.line(&format!("{}, {lost} lost", human::count(calls, "call")));
    })?;
    if cut_short {
        let why = match properties::get(&ended, keys::WHY) {
            Some("silent") => "jgraft had not read for too long",
            Some("lost") => "the target lost sight of jgraft",
            _ => "somebody has ended it, by jgraft reset or otherwise",
        };
        stderr.warning(&format!("it ended early: {why}"));
    }
    let number = |key: &str| properties::get(&ended, key).and_then(|number| number.parse().ok());
    let back = put_back(number);
    stderr.line(&format!("{}, {lost} lost; {back}", human::count(calls, "call")));
    if lines.unnamed > 0 {
        stderr.warning(&format!(
            "{} without a name: a trace has room for those of {} classes",
            human::count(lines.unnamed, "exception"),
            EXCEPTIONS - 1
        ));
    }
    // Some may have been woven when they were loaded.
    let woven = status(&memory).map(|text| properties::parse(&text)).unwrap_or_default();
    if nothing && properties::get(&woven, keys::METHODS).is_none_or(|methods| methods == "0") {
        return Err(nothing_matches(pid, options));
    }
    if interrupted && calls == 0 {
        return Ok(ExitCode::from(EXIT_INTERRUPTED));
    }
    let done = output::finish(ExitCode::SUCCESS, &format!("pid {pid} was traced"))?;
    match &unmatched(&ended, options)[..] {
        [] => Ok(done),
        some => Err(some_match(pid, some)),
    }
}

/// The patterns that mean nothing, as the agent says.
fn unmatched<'o>(pairs: &[(String, String)], options: &'o Trace) -> Vec<&'o str> {
    let numbers = properties::get(pairs, keys::UNMATCHED).unwrap_or_default().split(' ');
    let numbers = numbers.filter_map(|number| number.parse::<usize>().ok()?.checked_sub(1));
    numbers.filter_map(|at| options.patterns.get(at).map(String::as_str)).collect()
}

/// What stands against it, before anything is sent.
fn may_be_traced(target: &Target) -> Result<(), Failure> {
    let evidence = "the native agent is tried on hotspot alone";
    let warning = may_change_classes(target, evidence, "the vm's own -Xtrace")?;
    // It says so once for a library.
    let is_new = files::in_use(target, NATIVE_AGENT_NAME).is_empty();
    warning.filter(|_| is_new).iter().for_each(announce);
    Ok(())
}

/// What would be rewritten. The agent is loaded for it, and changes nothing.
fn dry_run(
    target: Target,
    patterns: &[Pattern],
    options: &Trace,
    interrupt: &Interrupt,
) -> Result<ExitCode, Failure> {
    let pid = target.pid();
    let Begun::Yes(opened) = Opened::open(target, patterns, options, true, interrupt)? else {
        return Err(opened::refused(pid, &[]));
    };
    let plan = opened.plan();
    let (mut methods, mut bytes) = (0, 0);
    for class in &plan {
        methods += class.methods.len();
        bytes += class.bytes;
        match options.json {
            true => json::print("trace-plan", class),
            false => {
                for method in &class.methods {
                    output::line(&shown_method(&format!("{}::{method}", class.class)));
                }
            }
        }
    }
    human::Stream::stderr().line(&format!(
        "{} of {}, {} KiB of code and constants; nothing was changed",
        human::count(methods as u64, "method"),
        human::count(plan.len() as u64, "loaded class"),
        bytes.div_ceil(1024)
    ));
    if plan.is_empty() {
        return Err(nothing_matches(pid, options));
    }
    match &unmatched(opened.reply(), options)[..] {
        [] => output::finish(ExitCode::SUCCESS, &format!("pid {pid} was asked")),
        some => Err(some_match(pid, some)),
    }
}

/// Of some patterns only; what the others mean was traced, or listed.
fn some_match(pid: i32, patterns: &[&str]) -> Failure {
    let which = human::count(patterns.len() as u64, "pattern");
    Failure::new(
        EXIT_FAILED,
        "nothing-matches",
        format!("{which} found no method of a loaded class in pid {pid}"),
    )
    .evidence(patterns.join(" "))
    .remedy(NAMES_CLASSES)
}

/// What helps where nothing is found.
const NAMES_CLASSES: &str = "jgraft histogram lists classes; a class is named with its package, as shop.Orders::place; with \
                             --for TIME classes are waited for";

fn nothing_matches(pid: i32, options: &Trace) -> Failure {
    Failure::new(EXIT_FAILED, "nothing-matches", format!("no method of a loaded class in pid {pid} is meant"))
        .evidence(options.patterns.join(" "))
        .remedy(NAMES_CLASSES)
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
