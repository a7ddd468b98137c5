//! `cargo xtask build`: the agent jar and the native agent first, then a `jgraft` with both inside, one file.

use std::path::PathBuf;
use std::process::Command;

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
    let mut build = cargo(&["build", "--quiet", "--release", "--package", "jgraft"]);
    let native_agent = embed_agents(&mut build, "release")?;
    run_command(&mut build)?;
    Ok(Made { jgraft: cache::target_dir().join("release/jgraft"), native_agent })
}

/// Builds both agents, the native one in this profile, and has a build of jgraft take them in; where the native one is.
pub(crate) fn embed_agents(build: &mut Command, profile: &str) -> Result<PathBuf> {
    let agent_jar = agents::bundled()?;
    run_command(&mut cargo(&["build", "--quiet", "--profile", profile, "--package", "jgraft-agent"]))?;
    let native_agent = cache::target_dir().join(profile).join("libjgraft_agent.so");
    build.env("JGRAFT_EMBED_AGENT_JAR", agent_jar).env("JGRAFT_EMBED_NATIVE_AGENT", &native_agent);
    Ok(native_agent)
}
