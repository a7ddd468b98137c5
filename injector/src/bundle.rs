//! The agents that come with jgraft: inside the executable when `cargo xtask build` made it, else beside it.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::failure::{EXIT_BLOCKED, Failure};

static AGENT_JAR: Option<&[u8]> = include!(concat!(env!("OUT_DIR"), "/agent_jar.rs"));

static NATIVE_AGENT: Option<&[u8]> = include!(concat!(env!("OUT_DIR"), "/native_agent.rs"));

/// The version, and which agents are inside.
pub(crate) fn version() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let inside = [(AGENT_JAR_NAME, AGENT_JAR), ("libjgraft_agent.so", NATIVE_AGENT)];
        let inside = inside
            .iter()
            .filter_map(|(name, bytes)| Some(format!("{name} ({} bytes)", bytes.as_ref()?.len())));
        let inside: Vec<String> = inside.collect();
        let inside = if inside.is_empty() { "no agents".to_owned() } else { inside.join(", ") };
        format!("{}\ninside: {inside}", env!("CARGO_PKG_VERSION"))
    })
}

/// The file's name, beside the executable and in a target's directory.
pub(crate) const AGENT_JAR_NAME: &str = "jgraft-agent.jar";

/// The bundled Java agent.
pub(crate) fn agent_jar() -> Result<Cow<'static, [u8]>, Failure> {
    if let Some(embedded) = AGENT_JAR {
        return Ok(Cow::Borrowed(embedded));
    }
    let missing = |evidence: String| {
        Failure::new(EXIT_BLOCKED, "agent-missing", "this jgraft comes without its bundled java agent")
            .evidence(evidence)
            .remedy("cargo xtask build makes a jgraft with both agents in it")
    };
    let executable = std::env::current_exe().map_err(|e| missing(e.to_string()))?;
    let beside = executable.with_file_name(AGENT_JAR_NAME);
    std::fs::read(&beside).map(Cow::Owned).map_err(|e| missing(format!("{}: {e}", beside.display())))
}
