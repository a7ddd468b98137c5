//! The agents that come with jgraft: inside the executable when `cargo xtask build` made it, else beside it.

use std::io::Read;
use std::sync::OnceLock;

use flate2::read::ZlibDecoder;

use crate::failure::{EXIT_BLOCKED, Failure};

/// A file as the build has packed it.
struct Packed {
    /// Of the file, in bytes.
    length: usize,
    bytes: &'static [u8],
}

static AGENT_JAR: Option<Packed> = include!(concat!(env!("OUT_DIR"), "/agent_jar.rs"));

static NATIVE_AGENT: Option<Packed> = include!(concat!(env!("OUT_DIR"), "/native_agent.rs"));

/// The version, and which agents are inside.
pub(crate) fn version() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let inside = [(AGENT_JAR_NAME, &AGENT_JAR), (NATIVE_AGENT_NAME, &NATIVE_AGENT)];
        let inside = inside
            .iter()
            .filter_map(|(name, file)| Some(format!("{name} ({} bytes)", file.as_ref()?.length)));
        let inside: Vec<String> = inside.collect();
        let inside = if inside.is_empty() { "no agents".to_owned() } else { inside.join(", ") };
        format!("{}\ninside: {inside}", env!("CARGO_PKG_VERSION"))
    })
}

/// The file's name, beside the executable and in a target's directory.
pub(crate) const AGENT_JAR_NAME: &str = "jgraft-agent.jar";

/// The same of the native agent.
pub(crate) const NATIVE_AGENT_NAME: &str = "libjgraft_agent.so";

/// An agent that comes with jgraft.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bundled {
    Java,
    Native,
}

impl Bundled {
    /// Its file's name.
    pub(crate) fn file_name(self) -> &'static str {
        match self {
            Bundled::Java => AGENT_JAR_NAME,
            Bundled::Native => NATIVE_AGENT_NAME,
        }
    }

    /// Its file.
    pub(crate) fn bytes(self) -> Result<Vec<u8>, Failure> {
        let (embedded, what) = match self {
            Bundled::Java => (&AGENT_JAR, "java"),
            Bundled::Native => (&NATIVE_AGENT, "native"),
        };
        if let Some(embedded) = embedded {
            let mut bytes = Vec::with_capacity(embedded.length);
            let unpacked = ZlibDecoder::new(embedded.bytes).read_to_end(&mut bytes);
            return unpacked.map(|_| bytes).map_err(|error| {
                let cause = format!("the {what} agent within this jgraft cannot be unpacked");
                Failure::new(EXIT_BLOCKED, "agent-missing", cause)
                    .evidence(error.to_string())
                    .remedy("the file is damaged: get jgraft again")
            });
        }
        let missing = |evidence: String| {
            let cause = format!("this jgraft comes without its bundled {what} agent");
            Failure::new(EXIT_BLOCKED, "agent-missing", cause)
                .evidence(evidence)
                .remedy("cargo xtask build makes a jgraft with both agents in it")
        };
        let executable = std::env::current_exe().map_err(|e| missing(e.to_string()))?;
        let beside = executable.with_file_name(self.file_name());
        std::fs::read(&beside).map_err(|e| missing(format!("{}: {e}", beside.display())))
    }
}
