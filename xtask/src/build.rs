//! `cargo xtask build`: the agent jar and the native agent first, then a `jgraft` with both inside, one file.

use std::path::PathBuf;

use anyhow::Result;
use jgraft_jvm_harness::{agents, cache};

use crate::cargo::{cargo, run as run_command};

/// What was made.
pub(crate) struct Made {
    pub(crate) jgraft: PathBuf,
    pub(crate) native_agent: PathBuf,
}

/// Builds all of it in the release profile.
pub(crate) fn run() -> Result<Made> {
    let agent_jar = agents::bundled()?;
    let release = cache::target_dir().join("release");
    run_command(&mut cargo(&["build", "--quiet", "--release", "--package", "jgraft-agent"]))?;
    let native_agent = release.join("libjgraft_agent.so");
    let mut build = cargo(&["build", "--quiet", "--release", "--package", "jgraft"]);
    run_command(build.env("JGRAFT_EMBED_AGENT_JAR", agent_jar))?;
    Ok(Made { jgraft: release.join("jgraft"), native_agent })
}
