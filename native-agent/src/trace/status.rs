//! What the event memory says of its trace to whoever looks from outside, without asking the JVM.

use std::time::{SystemTime, UNIX_EPOCH};

use jgraft_protocol::events::put_status;
use jgraft_protocol::native::trace as keys;
use jgraft_protocol::properties;

use super::Trace;
use crate::session::Session;

/// Patterns are cut, so that all else finds room.
const LONGEST: usize = 1024;

/// Whose it is, and since when.
#[derive(Debug)]
pub(super) struct About {
    by: String,
    since: String,
    session: String,
}

impl About {
    pub(super) fn new(session: &Session, request: &[(String, String)]) -> About {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        About {
            by: properties::get(request, keys::BY).unwrap_or_default().chars().take(200).collect(),
            since: since.as_millis().to_string(),
            session: session.path().to_string_lossy().into_owned(),
        }
    }
}

pub(super) fn put(trace: &Trace, state: &str, more: &[(&str, &str)]) {
    let (classes, methods) = {
        let edits = trace.edits();
        (edits.woven.len().to_string(), edits.methods.len().to_string())
    };
    let patterns: Vec<_> = trace.wanted.patterns.iter().map(ToString::to_string).collect();
    let patterns: String = patterns.join(" ").chars().take(LONGEST).collect();
    let pairs = [
        (keys::STATE, state),
        (keys::VERSION, env!("CARGO_PKG_VERSION")),
        (keys::BY, &trace.about.by),
        (keys::SINCE, &trace.about.since),
        (keys::SESSION, &trace.about.session),
        (keys::CLASSES, &classes),
        (keys::METHODS, &methods),
    ];
    let text = properties::write(
        pairs.into_iter().chain(more.iter().copied()).chain([(keys::PATTERNS, &*patterns)]),
    );
    put_status(trace.channel.memory.words(), &text);
}
