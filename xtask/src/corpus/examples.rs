//! The programs that do the class-file work, and the facts that they tell, a line each.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};
use jgraft_jvm_harness::cache;

use crate::cargo::{cargo, run as run_command};

/// Runs an example of `crates/classfile`; the fields of the lines it prints.
pub(super) fn facts(example: &str, args: &[String]) -> Result<Vec<Vec<String>>> {
    let program = built()?.join(example);
    let output = Command::new(&program)
        .args(args)
        .output()
        .with_context(|| format!("can't run {}", program.display()))?;
    if !output.status.success() {
        bail!("{example}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

/// Runs an example that tells a person what it does.
pub(super) fn run(example: &str, args: &[String]) -> Result<()> {
    run_command(Command::new(built()?.join(example)).args(args))
}

/// The folder of the examples, built for speed, once for each process.
fn built() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    let build = || {
        let args = ["build", "--quiet", "--release", "--package", "jgraft-classfile", "--examples"];
        run_command(&mut cargo(&args)).map_err(|error| format!("{error:#}"))
    };
    BUILT.get_or_init(build).clone().map_err(|error| anyhow!(error))?;
    Ok(cache::target_dir().join("release/examples"))
}
