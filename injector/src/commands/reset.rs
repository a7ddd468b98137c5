//! `jgraft reset`: every trace in a JVM ends, whoever began it, and its classes go back.
//!
//! It is asked for in the event memory, which the agent watches: so it works where nothing can be attached to, and where
//! the session's directory is gone.

use std::process::ExitCode;
use std::time::Instant;

use jgraft_attach::staging;
use jgraft_protocol::events::{END, WORD_REQUEST};
use jgraft_protocol::native::trace as keys;
use jgraft_protocol::session::reply;
use serde::Serialize;

use super::patch::{self, PatchJson};
use crate::cli::{Patience, Reset};
use crate::failure::{EXIT_FAILED, EXIT_INTERRUPTED, Failure};
use crate::interrupt::Interrupt;
use crate::residents::{Channel, Residents};
use crate::target::{self, TargetJson};
use crate::{human, json, output};

/// How often is looked whether it is done.
const LOOK: std::time::Duration = std::time::Duration::from_millis(5);

#[derive(Serialize)]
struct ResetJson {
    target: TargetJson,
    traces: Vec<EndedJson>,
    /// Those that were taken out.
    patches: Vec<PatchJson>,
}

#[derive(Serialize)]
struct EndedJson {
    patterns: Option<String>,
    by: Option<String>,
    restored: Option<u64>,
    proved: Option<u64>,
    clean: Option<u64>,
    changed: Option<u64>,
    shared: Option<u64>,
    #[serde(skip)]
    put_back: String,
}

/// Runs the command.
pub(crate) fn run(options: &Reset) -> Result<ExitCode, Failure> {
    let interrupt = Interrupt::catch();
    let target = target::find(&options.target)?;
    let pid = target.pid();
    let mut residents = Residents::of(&target)?;
    residents.channels.retain(Channel::is_active);
    let (start, mut ended) = (Instant::now(), Vec::new());
    // One after another: the last of those that share a class proves that it is as it was.
    for mut channel in residents.channels {
        channel.memory.or_and_wake(WORD_REQUEST, END);
        loop {
            channel.refresh();
            if !channel.is_active() {
                break;
            }
            let failed = |code, cause: String| {
                Failure::new(EXIT_FAILED, code, cause)
                    .evidence(format!("state {}", channel.says(keys::STATE).unwrap_or_default()))
                    .remedy("no event is written any more, and the agent goes on; jgraft status says how far it is")
            };
            if target.process().has_ended() {
                return Err(failed("target-ended", format!("pid {pid} has ended meanwhile")));
            }
            if start.elapsed() > options.timeout {
                return Err(failed("not-restored", format!("probes may be left in pid {pid}")));
            }
            if interrupt.wait(LOOK) {
                let cause = format!("nobody waited for the end of a trace in pid {pid}");
                return Err(Failure::new(EXIT_INTERRUPTED, "interrupted", cause)
                    .evidence(format!("state {}", channel.says(keys::STATE).unwrap_or_default()))
                    .remedy("the agent goes on; jgraft status says how far it is"));
            }
        }
        if channel.says(reply::OUTCOME).as_deref() != Some(reply::OK) {
            return Err(Failure::new(
                EXIT_FAILED,
                "not-restored",
                format!("probes may be left in pid {pid}"),
            )
            .evidence(channel.says(reply::MESSAGE).unwrap_or_else(|| "the agent does not say why".to_owned()))
            .remedy(
                "no event is written any more; a later trace of the same methods puts them back when it ends",
            ));
        }
        ended.push(EndedJson {
            patterns: channel.says(keys::PATTERNS),
            by: channel.says(keys::BY),
            restored: channel.number(keys::RESTORED),
            proved: channel.number(keys::PROVED),
            clean: channel.number(keys::CLEAN),
            changed: channel.number(keys::CHANGED),
            shared: channel.number(keys::SHARED),
            put_back: put_back(|key| channel.number(key)),
        });
    }
    // What a jgraft has left that was killed; what cannot be removed now is removed by whoever stages there next.
    staging::sweep(&target);
    let told = TargetJson::of(&target);
    let patches = patch::patches(&target);
    let ids: Vec<_> = patches.iter().map(|patch| patch.id.clone()).collect();
    let patience = Patience { timeout: options.timeout, reply_timeout: None };
    let mut client = patience.client(target, &interrupt);
    patch::end_leftovers(&mut client);
    let target = client.into_target();
    let reverted = match ids.is_empty() {
        true => None,
        false => Some(patch::revert(target, &patches, &ids, &patience, &interrupt)?),
    };
    if options.json {
        let patches = reverted.map(|reverted| reverted.patches).unwrap_or_default();
        json::print("reset", &ResetJson { target: told, traces: ended, patches });
        return Ok(ExitCode::SUCCESS);
    }
    if ended.is_empty() && reverted.is_none() {
        output::line(&format!("nothing of ours is active in pid {pid}"));
    }
    for trace in ended {
        output::line(&format!(
            "ended: {}, by {}; {}",
            trace.patterns.unwrap_or_default(),
            trace.by.unwrap_or_default(),
            trace.put_back
        ));
    }
    reverted.iter().flat_map(patch::Reverted::lines).for_each(|line| output::line(&line));
    Ok(ExitCode::SUCCESS)
}

/// What has become of the classes of a trace, in words.
pub(crate) fn put_back(number: impl Fn(&str) -> Option<u64>) -> String {
    let said = [
        (keys::PROVED, if number(keys::PROVED) == Some(1) { "is as before" } else { "are as before" }),
        (keys::CLEAN, "loaded meanwhile without a probe"),
        (keys::CHANGED, "changed by another agent meanwhile"),
        (keys::SHARED, "still traced by another trace"),
    ];
    let some = said.iter().filter_map(|(key, what)| {
        let n = number(key).unwrap_or(0);
        (n > 0).then(|| format!("{} {what}", human::count(n, "class")))
    });
    let all: Vec<_> = some.collect();
    if all.is_empty() { "no class was woven".to_owned() } else { all.join(", ") }
}
