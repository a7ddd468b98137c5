//! `cargo xtask soak`: a JVM is traced and let go a thousand times under load. Its code has to be as before each time, its
//! memory may not grow, and in the end it has to be as fast as a twin that nobody touched.

mod patches;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::{Jdk, Jvm, cache, javac};

use crate::build;

/// Cycles before memory is measured for the first time: the JVM sets up what it keeps.
const WARM_UP: usize = 200;
/// Bytes that may be added to metaspace, and to what the JVM has allocated for itself.
const GROWTH: i64 = 1 << 20;
/// Calls that a trace waits for.
const CALLS: &str = "50";
/// Windows of the twins, and milliseconds of one.
const WINDOWS: usize = 240;
const WINDOW: &str = "run 250";

/// What is done again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Of {
    /// A trace, on and off
    Traces,
    /// A patch, applied and reverted
    Patches,
}

/// Runs it on each JDK that is meant.
pub(crate) fn run(of: Of, cycles: usize, features: &[u32]) -> Result<()> {
    if of == Of::Patches {
        return patches::run(cycles, &meant(features)?);
    }
    let jgraft = build::run()?.jgraft;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/soak/Load.java");
    let classes = cache::target_dir().join("soak");
    javac::compile(&[source], &classes, &["--release", "8", "-nowarn"])?;
    let failed: Vec<_> = meant(features)?
        .into_iter()
        .filter_map(|jdk| {
            one(&jgraft, jdk, &classes, cycles).err().map(|error| format!("JDK {jdk}: {error:#}"))
        })
        .collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

fn meant(features: &[u32]) -> Result<Vec<&'static Jdk>> {
    let mut jdks: Vec<&'static Jdk> =
        features.iter().filter_map(|feature| Jdk::all().iter().find(|jdk| jdk.feature == *feature)).collect();
    jdks.dedup_by_key(|jdk| jdk.feature);
    ensure!(!jdks.is_empty(), "none of JDK {features:?} is here; cargo xtask jdks fetches them");
    Ok(jdks)
}

fn one(jgraft: &Path, jdk: &Jdk, classes: &Path, cycles: usize) -> Result<()> {
    println!("JDK {jdk}");
    let start = || -> Result<Jvm> {
        let jvm = Jvm::builder(jdk)
            .class_path(classes)
            .main("Load")
            .args(["-XX:NativeMemoryTracking=summary", "-Xms64m", "-Xmx64m", "-XX:+UseSerialGC"])
            .start()?;
        jvm.wait_ready()?;
        Ok(jvm)
    };
    let (traced, twin) = (start()?, start()?);
    traced.ask("start", |line| line.starts_with("start"))?;
    let (begin, mut before, mut failed) = (Instant::now(), None, Vec::new());
    for cycle in 0..cycles {
        if cycle == WARM_UP {
            before = Some(Memory::of(jgraft, &traced)?);
        } else if let Some(before) = before.as_ref().filter(|_| cycle % WARM_UP == 0) {
            let now = Memory::of(jgraft, &traced)?;
            let (metaspace, native) = (now.metaspace - before.metaspace, now.native - before.native);
            println!("    cycle {cycle}: metaspace {metaspace:+} bytes, the jvm's memory {native:+} bytes");
        }
        trace(jgraft, &traced).with_context(|| format!("cycle {cycle}"))?;
    }
    let each = begin.elapsed().as_secs_f64() * 1e3 / cycles as f64;
    traced.ask("stop", |line| line.starts_with("stop"))?;
    println!("  {cycles} traces on and off, {each:.0} ms each: the code was as before each time");
    if let Some(before) = before {
        let after = Memory::of(jgraft, &traced)?;
        let (metaspace, native) = (after.metaspace - before.metaspace, after.native - before.native);
        for (of, more) in before.differences(&after) {
            println!("    {of}: {more:+} KiB");
        }
        println!(
            "  after {WARM_UP} and the GC: metaspace {metaspace:+} bytes, the jvm's memory {native:+} bytes"
        );
        if metaspace >= GROWTH || native >= GROWTH {
            failed.push(format!("it has grown by {GROWTH} bytes or more"));
        }
    }
    let ratio = compare(&traced, &twin)?;
    println!(
        "  throughput against the twin, {WINDOWS} windows each: {:.4}, 95 % interval {:.4} to {:.4}",
        ratio.mean, ratio.low, ratio.high
    );
    if ratio.low <= 0.95 || ratio.high >= 1.05 {
        failed.push("the interval is not within 5 %".to_owned());
    }
    let (stdout, stderr) = (traced.stdout(), traced.stderr());
    ensure!(!(stdout.clone() + &stderr).contains("Error"), "{stdout}{stderr}");
    ensure!(failed.is_empty(), "{}", failed.join("; "));
    Ok(())
}

/// A trace of all methods of a class; fails where a class is not as before.
fn trace(jgraft: &Path, jvm: &Jvm) -> Result<()> {
    let pid = jvm.pid().to_string();
    let traced = Command::new(jgraft)
        .args(["trace", &pid, "Work::*", "--limit", CALLS])
        .stdin(Stdio::null())
        .output()
        .context("jgraft")?;
    let said = String::from_utf8_lossy(&traced.stderr);
    ensure!(traced.status.success() && said.contains("; 1 class is as before"), "{}: {said}", traced.status);
    Ok(())
}

/// What a JVM has after a full GC, in bytes.
struct Memory {
    metaspace: i64,
    /// Committed, as its own account has it (NMT), the heap aside.
    native: i64,
    /// The account by its parts, in KiB.
    parts: BTreeMap<String, i64>,
}

impl Memory {
    /// Parts that have changed.
    fn differences<'m>(&'m self, later: &'m Memory) -> impl Iterator<Item = (&'m str, i64)> {
        let more = |(of, size): (&'m String, &i64)| {
            let more = size - self.parts.get(of).copied().unwrap_or(0);
            (more != 0).then_some((of.as_str(), more))
        };
        later.parts.iter().filter_map(more)
    }

    fn of(jgraft: &Path, jvm: &Jvm) -> Result<Memory> {
        // What compiled code refers to goes once that has gone, which takes the JVM several rounds.
        for _ in 0..4 {
            ask(jgraft, jvm, "GC.run")?;
        }
        // As the GC has noted it.
        let counters = jgraft_says(jgraft, &["stat", &jvm.pid().to_string(), "--json"])?;
        let counters: serde_json::Value = serde_json::from_str(&counters)?;
        let metaspace = counters["metaspace"]["used_bytes"].as_i64().context("no metaspace")?;
        let account = ask(jgraft, jvm, "VM.native_memory summary")?;
        let committed =
            |of: &str| account.split(of).nth(1).and_then(|rest| number_behind(rest, "committed="));
        let total = committed("Total:").context("no total")?;
        let heap = committed("Java Heap").context("no heap")?;
        // The JIT's code and memory are those of the load, which goes on, and what the account takes for itself is there only
        // because it was asked for. JDK 25 never frees the lock of a method's profile (JDK-8390874), whoever redefines.
        let aside = ["Code (", "Compiler (", "Native Memory Tracking (", "Synchronization ("];
        let aside: i64 = aside.iter().filter_map(|of| committed(of)).sum();
        let parts = account.lines().filter_map(|line| {
            let (of, rest) = line.trim_start().strip_prefix('-')?.trim_start().split_once(" (")?;
            Some((of.to_owned(), number_behind(rest, "committed=")?))
        });
        let parts = parts.collect();
        Ok(Memory { metaspace, parts, native: (total - heap - aside) << 10 })
    }
}

fn ask(jgraft: &Path, jvm: &Jvm, command: &str) -> Result<String> {
    let pid = jvm.pid().to_string();
    let words: Vec<_> = ["jcmd", &pid].into_iter().chain(command.split(' ')).collect();
    jgraft_says(jgraft, &words)
}

fn jgraft_says(jgraft: &Path, words: &[&str]) -> Result<String> {
    let answer = Command::new(jgraft).args(words).output().context("jgraft")?;
    ensure!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    Ok(String::from_utf8(answer.stdout)?)
}

fn number_behind(text: &str, word: &str) -> Option<i64> {
    let rest = text.split(word).nth(1)?;
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

struct Ratio {
    mean: f64,
    low: f64,
    high: f64,
}

/// Both work in turn, never at the same time; which comes first changes. The ratio of neighbouring windows, and the interval
/// of its mean.
fn compare(traced: &Jvm, twin: &Jvm) -> Result<Ratio> {
    let rate = |jvm: &Jvm| -> Result<f64> {
        let line = jvm.ask(WINDOW, |line| line.starts_with("run "))?;
        let words: Vec<_> = line.split(' ').collect();
        let [_, count, nanos] = words[..] else { anyhow::bail!("{line}") };
        Ok(count.parse::<f64>()? / nanos.parse::<f64>()?)
    };
    for _ in 0..10 {
        rate(traced)?;
        rate(twin)?;
    }
    let mut logs = Vec::new();
    for n in 0..WINDOWS {
        let ratio = match n % 2 {
            0 => {
                let first = rate(traced)?;
                first / rate(twin)?
            }
            _ => {
                let first = rate(twin)?;
                rate(traced)? / first
            }
        };
        logs.push(ratio.ln());
    }
    let count = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / count;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (count - 1.0);
    // Student's t for so many is 1.97.
    let half = 2.0 * (variance / count).sqrt();
    Ok(Ratio { mean: mean.exp(), low: (mean - half).exp(), high: (mean + half).exp() })
}
