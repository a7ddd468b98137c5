//! What a recorded call costs: a method of some 2 ns, called in a loop that the JIT does not take away. Each contestant has a
//! JVM of its own, and only one is busy at a time.
//!
//! What counts is processor time of the threads that call, since that is what a call costs whoever calls, and a machine
//! with other work on it says little by the clock. Where a contestant makes its threads wait, the clock says more: that
//! is shown too.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use jgraft_attach::EventMemory;
use jgraft_jvm_harness::{Jdk, Jvm, JvmBuilder};
use jgraft_protocol::events::Layout;

use super::drain::{self, Drain};
use super::{fetch, peers, session};
use crate::bench::Samples;
use crate::bench::attach::in_turn;
use crate::build::Made;

/// What is traced.
pub(super) const CLASS: &str = "TracedCalls$Work";
pub(super) const METHOD: &str = "step";

/// How long one window is, in milliseconds. Of so many windows the best is a sample: the others were disturbed.
const WINDOW: u64 = 20;
const WINDOWS: usize = 5;
/// How many rounds come before any counts.
const WARM_UP: usize = 6;
/// What a recorded call may cost beside two clock reads, in nanoseconds.
const OWN_SHARE: f64 = 15.0;

const PLAIN: &str = "plain";
const CLOCKS: &str = "two clock reads";
const JGRAFT: &str = "jgraft trace";

/// One that is measured, in its JVM.
pub(super) struct Contestant {
    pub(super) name: String,
    pub(super) jvm: Jvm,
    /// Who reads what it records, where that is this process.
    pub(super) drain: Option<Drain>,
    /// How many calls it has told of, where it says.
    pub(super) delivered: Option<Arc<AtomicU64>>,
    /// Ends with it.
    pub(super) held: Vec<Box<dyn std::any::Any>>,
}

impl Contestant {
    pub(super) fn new(name: impl Into<String>, jvm: Jvm) -> Contestant {
        Contestant { name: name.into(), jvm, drain: None, delivered: None, held: Vec::new() }
    }
}

/// Nanoseconds a call on so many threads.
#[derive(Default)]
struct Figures {
    cpu: Samples,
    wall: Samples,
    /// More than two clock reads cost in the same round.
    above: Samples,
    calls: u64,
    recorded: u64,
    /// Rounds that do not count: it told of no call, as if the command had ended.
    silent: usize,
}

pub(super) fn run(jdk: &'static Jdk, made: &Made, rounds: usize) -> Result<()> {
    let all = available_parallelism()?.get();
    println!("\nJDK {jdk}, {rounds} rounds, interleaved");
    let contestants = see_calls(contestants(jdk, &made.native_agent)?)?;
    let clocks = contestants.iter().position(|contestant| contestant.name == CLOCKS);
    let clocks = clocks.context("two clock reads cost what none does")?;
    let mut figures: Vec<[Figures; 2]> = contestants.iter().map(|_| Default::default()).collect();
    for round in 0..WARM_UP + rounds {
        let mut samples: Vec<[Option<Window>; 2]> = contestants.iter().map(|_| [None, None]).collect();
        for at in in_turn(round, contestants.len()) {
            for (sample, threads) in samples[at].iter_mut().zip([1, all]) {
                let contestant = &contestants[at];
                *sample = Some(sample_of(contestant, threads).with_context(|| contestant.name.clone())?);
            }
        }
        if round < WARM_UP {
            continue;
        }
        let reads = samples[clocks].each_ref().map(|sample| sample.as_ref().map_or(f64::NAN, |s| s.cpu));
        for (figures, samples) in figures.iter_mut().zip(&samples) {
            for ((figures, sample), reads) in figures.iter_mut().zip(samples.iter().flatten()).zip(reads) {
                figures.add(sample, reads);
            }
        }
    }
    print(&contestants, &figures, all);
    Ok(())
}

impl Figures {
    fn add(&mut self, sample: &Window, reads: f64) {
        if sample.recorded == Some(0) {
            self.silent += 1;
            return;
        }
        self.cpu.push(sample.cpu);
        self.wall.push(sample.wall);
        self.above.push(sample.cpu - reads);
        self.calls += sample.calls;
        self.recorded += sample.recorded.unwrap_or(0);
    }
}

/// The best window, with the calls of all.
fn sample_of(contestant: &Contestant, threads: usize) -> Result<Window> {
    let mut best = window(contestant, threads)?;
    for _ in 1..WINDOWS {
        let next = window(contestant, threads)?;
        best.calls += next.calls;
        best.recorded = best.recorded.zip(next.recorded).map(|(so_far, more)| so_far + more);
        best.cpu = best.cpu.min(next.cpu);
        best.wall = best.wall.min(next.wall);
    }
    Ok(best)
}

/// Leaves out who does nothing to the calls: what costs as much as plain calls sees none.
fn see_calls(contestants: Vec<Contestant>) -> Result<Vec<Contestant>> {
    let mut plain = f64::NAN;
    let mut kept = Vec::new();
    for contestant in contestants {
        let mut windows = Samples::default();
        for _ in 0..3 {
            windows.push(window(&contestant, 1).with_context(|| contestant.name.clone())?.cpu);
        }
        if contestant.name == PLAIN {
            plain = windows.median();
        } else if windows.median() < plain * 2.0 {
            println!("{} is left out: its calls cost what plain ones do, so it sees none", contestant.name);
            continue;
        }
        kept.push(contestant);
    }
    Ok(kept)
}

struct Window {
    calls: u64,
    cpu: f64,
    wall: f64,
    recorded: Option<u64>,
}

fn window(contestant: &Contestant, threads: usize) -> Result<Window> {
    let told_of = || contestant.delivered.as_ref().map(|count| count.load(Ordering::Acquire));
    let (before, told) = (contestant.drain.as_ref().map(Drain::counts), told_of());
    let said = contestant.jvm.ask(&format!("run {threads} {WINDOW}"), |line| line.starts_with("window "))?;
    let numbers: Vec<u64> = said.split(' ').skip(1).take(3).flat_map(str::parse).collect();
    let [calls, wall, cpu] = numbers[..] else { anyhow::bail!("it said {said:?}") };
    let recorded = match (&contestant.drain, before) {
        (Some(drain), Some(before)) => Some(drain.account(before, calls)?),
        _ => told.zip(told_of()).map(|(before, now)| now - before),
    };
    let each = |nanos: u64| nanos as f64 / calls as f64;
    Ok(Window { calls, cpu: each(cpu), wall: each(wall), recorded })
}

/// A target that waits for its first line.
pub(super) fn target(jdk: &'static Jdk) -> Result<JvmBuilder<'static>> {
    let classes = fetch::program("TracedCalls")?;
    Ok(Jvm::builder(jdk).args(["-Xmx512m"]).class_path(classes).main("TracedCalls"))
}

pub(super) fn started(builder: JvmBuilder<'_>) -> Result<Jvm> {
    let jvm = builder.start()?;
    jvm.wait_ready()?;
    Ok(jvm)
}

fn contestants(jdk: &'static Jdk, library: &Path) -> Result<Vec<Contestant>> {
    let plain = Contestant::new(PLAIN, started(target(jdk)?)?);
    let clocks = Contestant::new(CLOCKS, started(target(jdk)?.program_args(["clocks"]))?);
    let mut jgraft = Contestant::new(JGRAFT, started(target(jdk)?)?);
    let (session, memory) = session::begin(&jgraft.jvm, library, &format!("{CLASS}::{METHOD}"))?;
    let layout = layout_of(&memory)?;
    jgraft.drain = Some(Drain::start(memory)?);
    jgraft.held.push(Box::new(session));
    let mut all = vec![plain, clocks, jgraft];
    let peers: [(&str, &dyn Fn() -> Result<Contestant>); 1] = [("Byte Buddy", &|| byte_buddy(jdk, layout))];
    for (name, start) in peers {
        match start() {
            Ok(peer) => all.push(peer),
            Err(reason) => println!("{name} is left out: {reason:#}"),
        }
    }
    all.extend(peers::start(jdk));
    Ok(all)
}

fn layout_of(memory: &EventMemory) -> Result<Layout> {
    let size = |word: usize| memory.get(word).map(|at| at.load(Ordering::Acquire) as usize);
    let sizes = size(1).zip(size(2)).zip(size(3));
    let ((shards, records), slack) = sizes.context("no event memory")?;
    Layout::new(shards, records, slack).context("no event memory")
}

/// Advice that writes the same record into memory of the same layout, which the same reader drains.
fn byte_buddy(jdk: &'static Jdk, layout: Layout) -> Result<Contestant> {
    let library = fetch::BYTE_BUDDY.file()?;
    let agent = fetch::advice_agent(&library)?;
    let (file, path, memory) = drain::memory(layout)?;
    let option = format!("-javaagent:{}={path},{CLASS},{METHOD}", agent.display());
    let jvm = started(target(jdk)?.class_path(library).args([option]))?;
    let mut contestant = Contestant::new(format!("Byte Buddy {} Advice", fetch::BYTE_BUDDY.version()), jvm);
    contestant.drain = Some(Drain::start(memory)?);
    contestant.held.push(Box::new(file));
    Ok(contestant)
}

fn print(contestants: &[Contestant], figures: &[[Figures; 2]], all: usize) {
    let ours = contestants.iter().position(|contestant| contestant.name == JGRAFT);
    for (which, threads) in [1, all].into_iter().enumerate() {
        let ours = ours.map_or(f64::NAN, |at| figures[at][which].above.median());
        println!(
            "\nns a call on {threads} at once, best of {WINDOWS} windows: median (min to max) of the rounds"
        );
        println!(
            "  {:<32} {:<30} {:<30} {:<26} {:>7} {:>9}",
            "", "processor time", "by the clock", "above two clock reads", "to ours", "recorded"
        );
        for (contestant, figures) in contestants.iter().zip(figures) {
            let (name, figures) = (&*contestant.name, &figures[which]);
            if figures.silent > 0 {
                println!("  {name}: {} rounds do not count, it told of no call", figures.silent);
            }
            if figures.calls == 0 {
                continue;
            }
            let is_peer = ![PLAIN, CLOCKS].contains(&name);
            let ratio = if is_peer { format!("{:.1}", figures.above.median() / ours) } else { String::new() };
            let counts = contestant.drain.is_some() || contestant.delivered.is_some();
            let share = figures.recorded as f64 / figures.calls as f64 * 100.0;
            let recorded = if counts { format!("{share:.1} %") } else { String::new() };
            println!(
                "  {name:<32} {:<30} {:<30} {:<26} {ratio:>7} {recorded:>9}",
                figures.cpu.spread(),
                figures.wall.spread(),
                figures.above.spread(),
            );
        }
        let holds = if ours <= OWN_SHARE { "holds" } else { "DOES NOT HOLD" };
        println!("  wanted: jgraft at most {OWN_SHARE} ns above two clock reads: {holds}");
    }
}
