//! What of ours is in a JVM, seen from outside: its files that are mapped or open, and the event memories, which say
//! themselves what is going on. Nothing is sent to the JVM, and nothing is loaded into it.

use std::path::PathBuf;

use jgraft_attach::{EventMemory, Target, files};
use jgraft_protocol::events::status;
use jgraft_protocol::native::trace as keys;
use jgraft_protocol::properties;

use crate::bundle::{AGENT_JAR_NAME, NATIVE_AGENT_NAME};
use crate::failure::{EXIT_FAILED, Failure};
use crate::human::clean;

/// See the head of this file.
pub(crate) struct Residents {
    pub(crate) channels: Vec<Channel>,
    /// Agents' files.
    pub(crate) files: Vec<PathBuf>,
}

/// One event memory with what it says.
pub(crate) struct Channel {
    pub(crate) memory: EventMemory,
    pairs: Vec<(String, String)>,
}

impl Channel {
    /// What the status says for a key. The target may write anything there.
    pub(crate) fn says(&self, key: &str) -> Option<String> {
        properties::get(&self.pairs, key).map(clean)
    }

    /// Reads the status again.
    pub(crate) fn refresh(&mut self) {
        self.pairs = status(&self.memory).map(|text| properties::parse(&text)).unwrap_or_default();
    }

    /// Whether a trace has it.
    pub(crate) fn is_active(&self) -> bool {
        properties::get(&self.pairs, keys::STATE).is_some_and(|state| state != "ended")
    }

    /// A number that it says.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        properties::get(&self.pairs, key)?.parse().ok()
    }
}

impl Residents {
    /// Looks at a target.
    pub(crate) fn of(target: &Target) -> Result<Residents, Failure> {
        let cannot = |error: std::io::Error| {
            let cause = format!("it cannot be seen what of ours is in pid {}", target.pid());
            Failure::new(EXIT_FAILED, "no-event-memory", cause)
                .evidence(error.to_string())
                .remedy("run jgraft as root or as the jvm's user")
        };
        let mut channels = Vec::new();
        for descriptor in EventMemory::descriptors(target).map_err(cannot)? {
            // One that is closed meanwhile, or that somebody else has named so.
            let Ok(memory) = EventMemory::open(target, descriptor) else { continue };
            let mut channel = Channel { memory, pairs: Vec::new() };
            channel.refresh();
            channels.push(channel);
        }
        let files = [NATIVE_AGENT_NAME, AGENT_JAR_NAME];
        let files = files.iter().flat_map(|name| files::in_use(target, name)).collect();
        Ok(Residents { channels, files })
    }

    /// Bytes of event memory.
    pub(crate) fn event_memory(&self) -> usize {
        self.channels.iter().map(|channel| channel.memory.len() * 8).sum()
    }
}
