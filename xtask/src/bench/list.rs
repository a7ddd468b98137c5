//! `cargo xtask bench list`: how long `jgraft list` takes on a host with hundreds of idle JVMs, beside the JDK's `jps`.
//!
//! The JVMs are small and few start at once. Where memory does not suffice for all, there are fewer, and the time for the
//! whole number is what each further one costs, added up.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use jgraft_jvm_harness::{Jdk, Jvm, jdks::no_jdk_hint, targets};

use super::Samples;
use crate::build;

/// What a JVM of 16 MiB heap takes at most, in KiB, and what others on this machine are to keep.
const EACH_KIB: u64 = 64 << 10;
const KEEP_KIB: u64 = 4 << 20;
/// How many start at once.
const AT_ONCE: usize = 4;

pub(super) fn run(wanted: usize, rounds: usize) -> Result<()> {
    let jgraft = build::run()?.jgraft;
    let Some(jdk) = Jdk::compiler() else { bail!("{}", no_jdk_hint()) };
    let room = usize::try_from(available_kib()?.saturating_sub(KEEP_KIB) / EACH_KIB)?;
    let count = wanted.min(room);
    ensure!(count > 0, "no memory for a single JVM more");
    println!("starting {count} JVMs of {jdk} (wanted: {wanted}; memory for {room})");
    let mut jvms = Vec::new();
    while jvms.len() < count {
        let some = AT_ONCE.min(count - jvms.len());
        let started = (0..some).map(|_| start(jdk)).collect::<Result<Vec<_>>>()?;
        for jvm in started {
            jvm.wait_ready()?;
            jvms.push(jvm);
        }
    }

    let mut contestants = vec![("jgraft list", Command::new(&jgraft), Samples::default())];
    contestants[0].1.arg("list");
    if let Some(jps) = jdk.tool("jps") {
        contestants.push(("jps -lv", Command::new(jps), Samples::default()));
        contestants[1].1.arg("-lv");
    }
    for _ in 0..rounds {
        for (name, command, samples) in &mut contestants {
            let begin = Instant::now();
            let output =
                command.stdin(Stdio::null()).output().with_context(|| format!("can't run {name}"))?;
            samples.push(begin.elapsed().as_secs_f64() * 1000.0);
            let text = String::from_utf8_lossy(&output.stdout);
            let listed: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
            for jvm in &jvms {
                let pid = jvm.pid().to_string();
                ensure!(listed.contains(&&*pid), "{name} does not list {pid}:\n{text}");
            }
        }
    }
    println!("{count} idle JVMs, {rounds} rounds, interleaved\n{}", Samples::header());
    let median = contestants.first().map_or(f64::NAN, |(_, _, samples)| samples.median());
    for (name, _, samples) in &contestants {
        println!("{}", samples.line(name, median));
    }
    if count < wanted {
        println!("  for {wanted}: {:.1} ms", median * wanted as f64 / count as f64);
    }
    Ok(())
}

fn start(jdk: &Jdk) -> Result<Jvm> {
    let options = ["-Xmx16m", "-Xss256k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
    // Its workers place one order a minute.
    let builder = Jvm::builder(jdk).args(options).args(["-Dorders.pauseMillis=60000"]);
    let builder = builder.class_path(targets::order_service_classes()?).main("OrderService");
    builder.program_args(["--quiet"]).start()
}

/// What the kernel thinks can be used without swapping.
fn available_kib() -> Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:")).context("MemAvailable")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
