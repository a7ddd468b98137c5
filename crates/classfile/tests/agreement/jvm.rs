//! Classes put to a real JVM that verifies all it loads, by `DefineAll.java`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use jgraft_jvm_harness::cache::{lock, target_dir};
use jgraft_jvm_harness::{Jdk, Jvm, javac};

const PATIENCE: Duration = Duration::from_secs(120);

/// What a JVM makes of a class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Linked,
    /// The throwable's class and message.
    Refused(String, String),
}

/// What a JVM makes of each class, each in a loader of its own.
pub(crate) fn define_all(jdk: &Jdk, classes: &[Vec<u8>], scratch: &Path) -> Result<Vec<Outcome>> {
    let (batch, results) = (scratch.join("batch"), scratch.join("results"));
    let mut bytes = (classes.len() as u32).to_be_bytes().to_vec();
    for class in classes {
        bytes.extend((class.len() as u32).to_be_bytes());
        bytes.extend(class);
    }
    fs::write(&batch, bytes)?;
    let jvm = Jvm::builder(jdk)
        .args(["-XX:+UnlockDiagnosticVMOptions", "-XX:+BytecodeVerificationLocal", "-Xmx256m"])
        .args(["-XX:+BytecodeVerificationRemote", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .class_path(harness()?)
        .visible(scratch)
        .main("DefineAll")
        .program_args([batch.as_os_str(), results.as_os_str(), "0".as_ref()])
        .start()?;
    jvm.wait_for_stdout(|line| line == "done", PATIENCE).with_context(|| jvm.stderr())?;
    let end = jvm.finish()?;
    if !end.status.success() {
        bail!("{}\n{}", end.status, end.stderr);
    }
    let text = fs::read_to_string(&results)?;
    let outcomes: Vec<Outcome> = text.lines().map(outcome).collect::<Result<_>>()?;
    ensure!(outcomes.len() == classes.len(), "{} of {} classes", outcomes.len(), classes.len());
    Ok(outcomes)
}

fn outcome(line: &str) -> Result<Outcome> {
    match line.split('\t').collect::<Vec<_>>().as_slice() {
        [_, "linked"] => Ok(Outcome::Linked),
        [_, class, message] => Ok(Outcome::Refused((*class).to_owned(), (*message).to_owned())),
        _ => bail!("DefineAll says {line:?}"),
    }
}

fn harness() -> Result<PathBuf> {
    let dir = target_dir().join("agreement");
    fs::create_dir_all(&dir)?;
    let _lock = lock(&dir.join("lock"))?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agreement/DefineAll.java");
    let out = dir.join("harness");
    javac::compile(&[source], &out, &["--release", "8"])?;
    Ok(out)
}
