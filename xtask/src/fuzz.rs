//! `cargo xtask fuzz [TARGET]`: hostile bytes for every parser, for as long as one likes: by cargo-fuzz where it is
//! installed, else by mutations of real inputs (`fuzz/src/mutate.rs`), in a process whose memory and patience end.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jgraft_jvm_harness::{Jdk, cache};

use crate::cargo::{cargo, run as run_command};

mod seeds;

/// As in `fuzz/src/targets.rs`.
const TARGETS: [&str; 11] = [
    "class_read",
    "class_rewrite",
    "class_verify",
    "class_compare",
    "class_rebase",
    "class_text",
    "manifest",
    "jar",
    "properties",
    "hsperfdata",
    "reply",
];

/// An input that takes longer hangs: the slowest honest ones take tens of milliseconds.
const HANGS: Duration = Duration::from_secs(60);
/// Inputs that one process takes on; the next one begins with fresh memory.
const BATCH: u64 = 100_000;

/// Runs one target, or all of them in turn, for so many minutes each.
pub(crate) fn run(target: Option<&str>, minutes: u64, first: u64) -> Result<()> {
    let targets = match target {
        Some(target) => vec![target],
        None => TARGETS.to_vec(),
    };
    if let Some(unknown) = targets.iter().find(|target| !TARGETS.contains(target)) {
        bail!("{unknown} is none of {}", TARGETS.join(", "));
    }
    let seeds = cache::target_dir().join("fuzz/seeds");
    seeds::gather(&seeds)?;
    if cargo(&["fuzz", "--version"]).output().is_ok_and(|output| output.status.success()) {
        return targets.iter().try_for_each(|target| with_cargo_fuzz(target, &seeds, minutes));
    }
    println!("cargo-fuzz is not installed (cargo install cargo-fuzz): mutations of our own instead");
    let workspace = cache::workspace();
    let mut build = cargo(&["build", "--quiet", "--release", "--bin", "mutate", "--target-dir"]);
    build.arg(cache::target_dir().join("fuzz")).current_dir(workspace.join("fuzz"));
    run_command(&mut build)?;
    let mutate = cache::target_dir().join("fuzz/release/mutate");
    targets.iter().try_for_each(|target| by_mutation(&mutate, target, &seeds, minutes, first))
}

/// libFuzzer needs the sanitizers of a nightly compiler; a stable one takes them when told to.
fn with_cargo_fuzz(target: &str, seeds: &Path, minutes: u64) -> Result<()> {
    let corpus = cache::target_dir().join("fuzz/corpus").join(target);
    fs::create_dir_all(&corpus)?;
    let mut fuzz = cargo(&["fuzz", "run", "--features", "libfuzzer", "--target-dir"]);
    fuzz.arg(cache::target_dir().join("fuzz")).arg(target).arg(corpus).arg(seeds.join(target)).arg("--");
    fuzz.arg(format!("-max_total_time={}", minutes * 60)).args(["-timeout=60", "-rss_limit_mb=2048"]);
    run_command(fuzz.env("RUSTC_BOOTSTRAP", "1"))
}

fn by_mutation(mutate: &Path, target: &str, seeds: &Path, minutes: u64, first: u64) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(minutes * 60);
    let at = cache::target_dir().join("fuzz").join(format!("{target}.at"));
    let mut next = first;
    println!("{target}, from input {first} on");
    while next == first || Instant::now() < end {
        let mut command = Command::new(mutate);
        command.arg(target).arg(seeds.join(target)).args([BATCH.to_string(), next.to_string()]).arg(&at);
        // What a backtrace takes is more than it may have.
        let child =
            command.env("RUST_BACKTRACE", "0").stdout(Stdio::piped()).spawn().context("can't run mutate")?;
        let ended = watch(child, end)?;
        match ended {
            Ended::Done => next += BATCH,
            Ended::OutOfTime => break,
            Ended::Failed(how) => {
                let number = fs::read(&at)?.try_into().map(u64::from_le_bytes);
                let number = number.map_err(|_| anyhow::anyhow!("{how}, before the first input"))?;
                let input = keep(mutate, target, seeds, number)?;
                bail!("{target}: input {number}: {how}; it is in {}", input.display());
            }
        }
    }
    Ok(())
}

enum Ended {
    Done,
    /// The minutes are over; it was ended in the middle.
    OutOfTime,
    Failed(String),
}

/// It says every second where it is; one that is silent for long hangs.
fn watch(mut child: Child, end: Instant) -> Result<Ended> {
    let (tell, lines) = channel();
    let stdout = child.stdout.take().context("stdout")?;
    let reader = std::thread::spawn(move || {
        BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
    });
    let ended = loop {
        match lines.recv_timeout(HANGS) {
            Ok(line) if line.starts_with("at ") && Instant::now() >= end => {
                println!("  ended at input {}", line.trim_start_matches("at "));
                break Some(Ended::OutOfTime);
            }
            Ok(line) if line.starts_with("at ") => {}
            Ok(line) => println!("  {line}"),
            Err(RecvTimeoutError::Timeout) => break Some(Ended::Failed(format!("it hangs ({HANGS:?})"))),
            Err(RecvTimeoutError::Disconnected) => break None,
        }
    };
    if ended.is_some() {
        child.kill()?;
    }
    let status: ExitStatus = child.wait()?;
    drop(lines);
    // It ends with the pipe.
    let _ = reader.join();
    Ok(match ended {
        Some(ended) => ended,
        None if status.success() => Ended::Done,
        None => Ended::Failed(status.to_string()),
    })
}

/// The input that failed, in a file.
fn keep(mutate: &Path, target: &str, seeds: &Path, number: u64) -> Result<PathBuf> {
    let mut command = Command::new(mutate);
    let output =
        command.arg(target).arg(seeds.join(target)).args(["--write", &number.to_string()]).output()?;
    ensure!(output.status.success(), "{output:?}");
    let file = cache::target_dir().join("fuzz").join(format!("{target}-{number}"));
    fs::write(&file, output.stdout)?;
    Ok(file)
}

/// For [`seeds`]: the JDKs whose counters and answers are real ones.
fn jdks() -> impl Iterator<Item = &'static Jdk> {
    Jdk::all().iter().filter(|jdk| jdk.runnable().is_ok())
}
