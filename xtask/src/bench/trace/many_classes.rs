//! What it takes to trace 5,000 classes at once: until they are traced, the longest pause of the JVM by its own log, memory,
//! and until they are as they were.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use jgraft_jvm_harness::{Jdk, Jvm};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::fetch;
use crate::bench::Samples;
use crate::build::Made;

const CLASSES: usize = 5_000;
/// The classes of the target that are copied.
const TEMPLATES: [&str; 2] = ["Small", "Usual"];

/// What is measured, in this order.
const ROWS: [&str; 10] = [
    "ms from the command until they are traced",
    "ms longest pause meanwhile",
    "ms all pauses meanwhile",
    "ms from Ctrl-C to the exit",
    "ms longest pause meanwhile",
    "ms all pauses meanwhile",
    "MiB of class files",
    "MiB more resident while they are traced, without the event memory",
    "MiB more resident after that, without the event memory",
    "times the class files, while traced",
];

pub(super) fn run(jdk: &'static Jdk, made: &Made, rounds: usize) -> Result<()> {
    TEMPLATES.iter().try_for_each(|template| copies(jdk, made, rounds, template))
}

fn copies(jdk: &'static Jdk, made: &Made, rounds: usize, template: &str) -> Result<()> {
    let mut rows: [Samples; ROWS.len()] = Default::default();
    let mut said = String::new();
    for _ in 0..rounds {
        let (figures, line) = round(jdk, &made.jgraft, template)?;
        for (row, figure) in rows.iter_mut().zip(figures) {
            row.push(figure);
        }
        said = line;
    }
    println!(
        "\n{CLASSES} classes, {template}, JDK {jdk}, {rounds} rounds with a JVM each: median (min to max)"
    );
    for (name, samples) in ROWS.iter().zip(&rows) {
        println!("  {name:<66} {}", samples.spread());
    }
    println!("  it said: {said}");
    Ok(())
}

fn round(jdk: &'static Jdk, jgraft: &Path, template: &str) -> Result<([f64; ROWS.len()], String)> {
    let files = tempfile::tempdir()?;
    let log = files.path().join("safepoints");
    let option = format!("-Xlog:safepoint:file={}:uptime", log.display());
    let classes = fetch::program("ManyClasses")?;
    // A heap that neither grows nor shrinks, so that what comes and goes is not of it.
    let heap = ["-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch", &option];
    let target = Jvm::builder(jdk).args(heap).class_path(classes).main("ManyClasses");
    let jvm = target.program_args([CLASSES.to_string(), template.to_owned()]).start()?;
    let ready = jvm.wait_ready()?;
    let bytes =
        ready.split(' ').nth(2).and_then(|bytes| bytes.parse::<f64>().ok()).context("how many bytes?")?;

    let resident = || resident_mib(jvm.pid());
    let (before, mark) = (resident()?, pauses(&log)?.len());
    let start = Instant::now();
    let mut command = Command::new(jgraft);
    command.args(["trace", &jvm.pid().to_string(), &format!("ManyClasses${template}*::*"), "--yes"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stderr.take().context("no stderr")?).lines();
    let mut others = String::new();
    let line = loop {
        match lines.next().transpose()? {
            Some(line) if line.starts_with("tracing ") => break line,
            Some(line) => others.push_str(&line),
            None => bail!("jgraft trace ended: {}\n{others}", child.wait()?),
        }
    };
    let tracing = start.elapsed();
    ensure!(line.contains(&format!(" {CLASSES} classes ")), "{line}");
    let (traced, begun) = (resident()?, pauses(&log)?);

    let start = Instant::now();
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT)?;
    let rest: Vec<String> = lines.collect::<Result<_, _>>()?;
    child.wait()?;
    let back = start.elapsed();
    ensure!(rest.iter().any(|line| line.contains("lost;")), "it did not say that they are back: {rest:?}");
    let (after, all) = (resident()?, pauses(&log)?);

    let (weaving, undoing) = (&begun[mark..], &all[begun.len()..]);
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let (longest, total) =
        (|of: &[f64]| of.iter().copied().fold(0.0, f64::max), |of: &[f64]| of.iter().sum());
    let (mib, events) = (bytes / f64::from(1 << 20), event_memory_mib(jvm.pid())?);
    let figures = [
        milliseconds(tracing),
        longest(weaving),
        total(weaving),
        milliseconds(back),
        longest(undoing),
        total(undoing),
        mib,
        traced - before - events,
        after - before - events,
        (traced - before - events) / mib,
    ];
    Ok((figures, format!("{line}; {}", rest.last().map_or("", String::as_str))))
}

/// Of event memory, in MiB. It is resident from the start, and its size does not depend on the classes.
fn event_memory_mib(pid: u32) -> Result<f64> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let size = |line: &str| {
        let (start, end) = line.split(' ').next()?.split_once('-')?;
        Some(u64::from_str_radix(end, 16).ok()? - u64::from_str_radix(start, 16).ok()?)
    };
    let bytes: u64 = maps.lines().filter(|line| line.contains("memfd:jgraft")).filter_map(size).sum();
    Ok(bytes as f64 / f64::from(1 << 20))
}

/// The pauses in the JVM's log, in milliseconds.
fn pauses(log: &Path) -> Result<Vec<f64>> {
    let text = fs::read_to_string(log).with_context(|| log.display().to_string())?;
    let total = |line: &str| {
        let nanoseconds = line.split_once("Total: ")?.1.split(' ').next()?;
        Some(nanoseconds.parse::<f64>().ok()? / 1e6)
    };
    Ok(text.lines().filter_map(total).collect())
}

fn resident_mib(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}
