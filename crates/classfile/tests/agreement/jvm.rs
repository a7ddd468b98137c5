//! Classes put to a real JVM that verifies all it loads, by `DefineAll.java`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use jgraft_jvm_harness::cache::{lock, target_dir};
use jgraft_jvm_harness::{Jdk, Jvm, javac};

const PATIENCE: Duration = Duration::from_secs(120);

/// What a JVM makes of a class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Linked,
    /// The throwable's class and message.
    Refused(String, String),
    /// The JVM crashed or hung, and another one went on with the next class.
    Ended(String),
}

/// What a JVM makes of each class, each in a loader of its own over `jars`.
pub(crate) fn define_all(
    jdk: &Jdk,
    classes: &[Vec<u8>],
    jars: &[PathBuf],
    scratch: &Path,
) -> Result<Vec<Outcome>> {
    let (batch, results) = (scratch.join("batch"), scratch.join("results"));
    let mut bytes = (classes.len() as u32).to_be_bytes().to_vec();
    for class in classes {
        bytes.extend((class.len() as u32).to_be_bytes());
        bytes.extend(class);
    }
    fs::write(&batch, bytes)?;
    let mut outcomes = Vec::new();
    while outcomes.len() < classes.len() {
        let first = outcomes.len();
        fs::write(&results, "")?;
        let ended = run(jdk, [&batch, &results], first, jars, scratch)?;
        let text = fs::read_to_string(&results)?;
        // A line that was cut is of the class that ended it.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            outcomes.push(outcome(line)?);
        }
        match ended {
            None => {
                ensure!(outcomes.len() == classes.len(), "{} of {} classes", outcomes.len(), classes.len())
            }
            Some(how) if outcomes.len() < classes.len() => outcomes.push(Outcome::Ended(how)),
            Some(how) => bail!("behind the last class: {how}"),
        }
    }
    Ok(outcomes)
}

/// How the JVM ended, unless it did all of it.
fn run(
    jdk: &Jdk,
    files: [&PathBuf; 2],
    first: usize,
    jars: &[PathBuf],
    scratch: &Path,
) -> Result<Option<String>> {
    let mut builder = Jvm::builder(jdk)
        .args(["-XX:+UnlockDiagnosticVMOptions", "-XX:+BytecodeVerificationLocal", "-Xmx512m"])
        .args(["-XX:+BytecodeVerificationRemote", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .args([
            format!("-XX:ErrorFile={}", scratch.join("crash").display()),
            "-XX:-CreateCoredumpOnCrash".into(),
        ])
        .args(["-XX:+IgnoreUnrecognizedVMOptions"])
        .class_path(harness()?)
        .visible(scratch);
    for jar in jars {
        builder = builder.visible(jar);
    }
    let first = first.to_string();
    let arguments = [files[0].as_os_str(), files[1].as_os_str(), first.as_ref()];
    let jvm = builder
        .main("DefineAll")
        .program_args(arguments.into_iter().chain(jars.iter().map(|jar| jar.as_os_str())))
        .start()?;
    let done = jvm.wait_for_stdout(|line| line == "done", PATIENCE);
    if let Err(error) = done {
        let how = format!("{error:#}: {}", jvm.stderr());
        jvm.kill()?;
        return Ok(Some(how.chars().take(500).collect()));
    }
    let end = jvm.finish()?;
    ensure!(end.status.success(), "{}\n{}", end.status, end.stderr);
    Ok(None)
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
