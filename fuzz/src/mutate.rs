//! Mutations of real inputs by the million, where cargo-fuzz is not installed: `mutate TARGET SEEDS COUNT FIRST WHERE`.
//!
//! Every input follows from its number alone, so one that fails is made again by it. Before each the number is written to
//! the file WHERE, for whoever watches this process: a panic, too much memory or an input without end is fatal to it.
//! `mutate TARGET SEEDS --write NUMBER` prints an input instead.

#[path = "../../crates/classfile/tests/hostile/mutations.rs"]
mod mutations;
mod seeds;
mod targets;

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use mutations::{XorShift, mutate};
use nix::sys::resource::{Resource, setrlimit};
use nix::time::{ClockId, clock_gettime};

/// What an input may take beside four times its own size.
const MEMORY: u64 = 64 << 20;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        [name, seeds, "--write", number] => {
            let target = targets::find(name)?;
            let seeds = seeds::of(target, Path::new(seeds))?;
            Ok(std::io::stdout().write_all(&input(&seeds, number.parse()?))?)
        }
        [name, seeds, count, first, at] => {
            let target = targets::find(name)?;
            let seeds = seeds::of(target, Path::new(seeds))?;
            ensure!(!seeds.is_empty(), "no inputs to begin with");
            run(target, &seeds, count.parse()?, first.parse()?, Path::new(at))
        }
        _ => bail!("usage: mutate TARGET SEEDS COUNT FIRST WHERE, or TARGET SEEDS --write NUMBER"),
    }
}

/// Number `number`: some seed, broken in some way.
fn input(seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
    // Numbers that follow each other are far apart.
    let mut random = XorShift((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    random.next();
    let seed = &seeds[random.below(seeds.len())];
    mutate(seed, &mut random)
}

fn run(target: &targets::Target, seeds: &[Vec<u8>], count: u64, first: u64, at: &Path) -> Result<()> {
    let longest = seeds.iter().map(Vec::len).max().unwrap_or_default() as u64;
    let before = memory()?;
    let limit = (before.size << 10) + MEMORY + 4 * longest;
    setrlimit(Resource::RLIMIT_AS, limit, limit).context("cannot limit its memory")?;
    let at = File::create(at).with_context(|| at.display().to_string())?;
    let (mut slowest, mut its_number, mut bytes) = (Duration::ZERO, first, 0);
    let (begin, mut told) = (Instant::now(), Instant::now());
    for number in first..first + count {
        at.write_at(&number.to_le_bytes(), 0)?;
        let input = input(seeds, number);
        bytes += input.len();
        let start = busy()?;
        (target.body)(&input);
        let took = busy()?.saturating_sub(start);
        if took > slowest {
            (slowest, its_number) = (took, number);
        }
        if told.elapsed() > Duration::from_secs(1) {
            // Whoever watches sees that it goes on.
            println!("at {number}");
            told = Instant::now();
        }
    }
    let (seconds, busy) = (begin.elapsed().as_secs_f64(), busy()?.as_secs_f64());
    let after = memory()?;
    println!(
        "{count} inputs ({} MB) from {} seeds in {seconds:.0} s ({busy:.0} s computed), {:.0} a second; slowest {:.1} ms (number {its_number}); \
         memory {} KiB beyond the {} KiB of its seeds, limit {} KiB",
        bytes / 1_000_000,
        seeds.len(),
        count as f64 / busy,
        slowest.as_secs_f64() * 1000.0,
        after.peak.saturating_sub(before.size),
        before.resident,
        (limit >> 10) - before.size,
    );
    Ok(())
}

/// What this thread has computed so far: on a busy machine the clock on the wall says little.
fn busy() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}

/// KiB of this process.
struct Memory {
    size: u64,
    peak: u64,
    resident: u64,
}

fn memory() -> Result<Memory> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).context("/proc/self/status")
    };
    Ok(Memory { size: field("VmSize:")?, peak: field("VmPeak:")?, resident: field("VmRSS:")? })
}
