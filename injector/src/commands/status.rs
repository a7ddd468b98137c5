//! `jgraft status`: what of ours is active in a JVM, who put it there, since when, and what stays until it ends.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use jgraft_protocol::native::trace as keys;
use serde::Serialize;

use super::patch::{self, PatchJson};
use crate::cli::Status;
use crate::failure::Failure;
use crate::residents::{Channel, Residents};
use crate::target::{self, TargetJson};
use crate::{human, json, output};

#[derive(Serialize)]
struct StatusJson {
    target: TargetJson,
    traces: Vec<TraceJson>,
    /// The oldest first.
    patches: Vec<PatchJson>,
    /// Paths of agents, as the target has them open or mapped.
    agents: Vec<String>,
    event_memory_bytes: usize,
}

/// A trace that is active.
#[derive(Serialize)]
pub(crate) struct TraceJson {
    state: Option<String>,
    patterns: Option<String>,
    by: Option<String>,
    since_ms: Option<u64>,
    classes: Option<u64>,
    methods: Option<u64>,
    agent_version: Option<String>,
}

impl TraceJson {
    fn of(channel: &Channel) -> TraceJson {
        TraceJson {
            state: channel.says(keys::STATE),
            patterns: channel.says(keys::PATTERNS),
            by: channel.says(keys::BY),
            since_ms: channel.number(keys::SINCE),
            classes: channel.number(keys::CLASSES),
            methods: channel.number(keys::METHODS),
            agent_version: channel.says(keys::VERSION),
        }
    }

    fn line(&self) -> String {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "?".to_owned());
        let number = |value: Option<u64>, what| {
            value.map_or_else(|| format!("? {what}"), |value| human::count(value, what))
        };
        let since = SystemTime::UNIX_EPOCH + Duration::from_millis(self.since_ms.unwrap_or(0));
        let age = SystemTime::now().duration_since(since).unwrap_or_default();
        format!(
            "{}: {} of {}, for {}, by {}; {}",
            text(&self.state),
            number(self.methods, "method"),
            number(self.classes, "class"),
            human::age(age),
            text(&self.by),
            text(&self.patterns)
        )
    }
}

/// Runs the command.
pub(crate) fn run(options: &Status) -> Result<ExitCode, Failure> {
    let target = target::find(&options.target)?;
    let residents = Residents::of(&target)?;
    let traces: Vec<_> =
        residents.channels.iter().filter(|channel| channel.is_active()).map(TraceJson::of).collect();
    let agents: Vec<_> = residents.files.iter().map(|path| human::clean(&path.to_string_lossy())).collect();
    let patches = patch::patches(&target);
    if options.json {
        let (target, event_memory_bytes) = (TargetJson::of(&target), residents.event_memory());
        json::print("status", &StatusJson { target, traces, patches, agents, event_memory_bytes });
        return Ok(ExitCode::SUCCESS);
    }
    for trace in &traces {
        output::line(&trace.line());
    }
    for patch in &patches {
        output::line(&format!("patch {}", patch.line()));
    }
    match (traces.is_empty() && patches.is_empty(), agents.is_empty() && residents.channels.is_empty()) {
        (_, true) => output::line(&format!("nothing of ours is in pid {}", target.pid())),
        (true, false) => output::line(&format!("nothing of ours is active in pid {}", target.pid())),
        (false, _) => {}
    }
    for agent in &agents {
        output::line(&format!("stays until the jvm ends: {agent}"));
    }
    if !residents.channels.is_empty() {
        let (count, bytes) = (residents.channels.len() as u64, residents.event_memory());
        output::line(&format!(
            "stays until the jvm ends: {}, {} MiB of event memory",
            human::count(count, "probe class"),
            bytes.div_ceil(1 << 20)
        ));
    }
    Ok(ExitCode::SUCCESS)
}
