//! How many calls a second are seen without loss: by a bare reader, and by `jgraft trace` that writes lines to a file. What was
//! seen and what was lost has to be what was called.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::{Jdk, Jvm, cache, javac};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::drain::Drain;
use super::session;
use crate::build::Made;

const PATTERN: &str = "PacedCalls::step";
const BARE: u64 = 1_000_000;
const BARE_SECONDS: u64 = 60;
/// Rates for the file, each for so many seconds.
const RATES: [u64; 7] = [50_000, 100_000, 200_000, 400_000, 600_000, 800_000, 1_000_000];
const SECONDS: u64 = 5;

pub(super) fn run(jdk: &Jdk, made: &Made) -> Result<()> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bench/trace/PacedCalls.java");
    let classes = cache::target_dir().join("bench-paced");
    javac::compile(&[source], &classes, &["--release", "8", "-nowarn"])?;
    let jvm = Jvm::builder(jdk).class_path(&classes).main("PacedCalls").start()?;
    jvm.wait_ready()?;
    println!("calls a second without loss, JDK {jdk}");
    bare(&jvm, made)?;
    let mut begins = None;
    for rate in RATES {
        let (called, seen, lost) = to_a_file(&jvm, &made.jgraft, rate)?;
        println!("  to a file, {rate} a second for {SECONDS} s: {seen} lines, {lost} lost");
        ensure!(seen + lost == called, "{called} were called");
        if lost > 0 {
            begins.get_or_insert(rate);
        }
    }
    match begins {
        Some(rate) => println!("  loss begins at {rate} a second or before"),
        None => println!("  no loss up to {} a second", RATES[RATES.len() - 1]),
    }
    Ok(())
}

fn bare(jvm: &Jvm, made: &Made) -> Result<()> {
    let (session, memory) = session::begin(jvm, &made.native_agent, PATTERN)?;
    let drain = Drain::start(memory)?;
    let before = drain.counts();
    let called = pace(jvm, BARE, BARE_SECONDS)?;
    let read = drain.account(before, called)?;
    let lost = called - read;
    println!(
        "  bare reader, {BARE} a second for {BARE_SECONDS} s: {called} called, {read} read, {lost} lost"
    );
    drop((drain, session));
    Ok(())
}

fn pace(jvm: &Jvm, rate: u64, seconds: u64) -> Result<u64> {
    let limit = Duration::from_secs(seconds * 3 + 10);
    let mark = jvm.stdout_mark();
    jvm.send_line(&format!("pace {rate} {seconds}"))?;
    let line = jvm.wait_for_stdout_after(mark, |line| line.starts_with("paced "), limit)?;
    Ok(line.trim_start_matches("paced ").parse()?)
}

/// Calls, lines and losses.
fn to_a_file(jvm: &Jvm, jgraft: &Path, rate: u64) -> Result<(u64, u64, u64)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("lines");
    let mut tracing = Command::new(jgraft)
        .args(["trace", &jvm.pid().to_string(), PATTERN])
        .stdin(Stdio::null())
        .stdout(File::create(&path)?)
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stderr = BufReader::new(tracing.stderr.take().context("no stderr")?);
    let mut said = String::new();
    while !said.contains("Ctrl-C ends it") {
        ensure!(stderr.read_line(&mut said)? > 0, "{said}");
    }
    let called = pace(jvm, rate, SECONDS)?;
    // What is in the memory by now is read first.
    let begin = Instant::now();
    let lines = |path: &Path| -> Result<u64> { Ok(BufReader::new(File::open(path)?).lines().count() as u64) };
    let mut seen = lines(&path)?;
    loop {
        thread::sleep(Duration::from_millis(200));
        let now = lines(&path)?;
        if now == seen && begin.elapsed().as_secs() > 0 {
            break;
        }
        seen = now;
    }
    kill(Pid::from_raw(tracing.id().cast_signed()), Signal::SIGINT)?;
    stderr.read_to_string(&mut said)?;
    ensure!(tracing.wait()?.success(), "{said}");
    let lost = said.split(" calls, ").nth(1).and_then(|rest| rest.split(" lost").next());
    Ok((called, lines(&path)?, lost.with_context(|| said.clone())?.parse()?))
}
