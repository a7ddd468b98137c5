//! Runs the golden programs in a JVM.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::{Jdk, Jvm, cache};

use crate::programs::Programs;

/// What a run left behind.
pub(crate) struct Ran {
    /// What the programs printed, under a line `program NAME` each.
    pub(crate) printed: String,
    /// What the probes noted, under the same lines.
    pub(crate) log: String,
}

/// Runs all programs that the JDK can run, with their classes from `folder` and the harness's beside.
pub(crate) fn run(jdk: &Jdk, programs: &Programs, folder: &Path, options: &[&str]) -> Result<Ran> {
    let scratch = tempfile::Builder::new().prefix("golden-").tempdir_in(cache::target_dir())?;
    let (printed, log) = (scratch.path().join("printed"), scratch.path().join("log"));
    let jvm = Jvm::builder(jdk)
        .class_path(folder)
        .class_path(programs.harness())
        .args(["-Xmx128m", "-Xshare:auto", "-XX:TieredStopAtLevel=1"])
        .args(options)
        .main("probe.Run")
        .program_args([&printed, &log])
        .program_args(programs.for_jdk(jdk).map(|name| format!("golden.{name}")))
        .visible(scratch.path())
        .start()?;
    let finished = jvm.finish()?;
    ensure!(finished.status.success(), "{}: {}{}", finished.status, finished.stdout, finished.stderr);
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("no {}", path.display()));
    Ok(Ran { printed: read(&printed)?, log: read(&log)? })
}
