//! Faults at any step, by the hundred, and counted: jgraft killed, the JVM killed, the JVM stopped, at a chosen system call
//! of a whole command; and peers that answer wrongly. After each: the next run works, nothing piles up, the target is
//! unharmed.
//!
//! The steps are enumerated: a command is run through once to count them, then fault number n of N strikes at the step
//! n/N of the way. `JGRAFT_FAULTS` says how many there are to be; `cargo xtask faults` sets it.

#[path = "faults/aftermath.rs"]
mod aftermath;
mod common;
#[path = "faults/fakes.rs"]
mod fakes;
#[path = "faults/real.rs"]
mod real;
#[path = "faults/strike.rs"]
mod strike;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use jgraft_jvm_harness::{Jdk, skip};

/// How many there are without `JGRAFT_FAULTS`.
const FEW: usize = 150;

/// Faults that struck, by what they were.
type Counts = BTreeMap<String, usize>;

#[test]
fn nothing_that_fails_does_harm_or_piles_up() -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        skip("faults", "needs root: its JVMs have a /tmp of their own");
        return Ok(());
    }
    let wanted = std::env::var("JGRAFT_FAULTS").ok().and_then(|text| text.parse().ok()).unwrap_or(FEW);
    let jdks: Vec<&Jdk> = Jdk::all().iter().filter(|jdk| jdk.runnable().is_ok()).collect();
    if jdks.is_empty() {
        skip("faults of real JVMs", jgraft_jvm_harness::jdks::no_jdk_hint());
    }
    let share = if jdks.is_empty() { wanted } else { wanted / 2 };
    // Fakes and real JVMs side by side: each mostly waits for its own.
    let (fakes, real) = std::thread::scope(|scope| {
        let fakes = scope.spawn(|| fakes::run(share));
        let real = real::run(&jdks, wanted - share);
        (fakes.join().unwrap_or_else(|_| anyhow::bail!("panic among the fakes")), real)
    });
    let (mut counts, real) = match (fakes, real) {
        (Err(fakes), Err(real)) => anyhow::bail!("{fakes:#}\nand {real:#}"),
        (fakes, real) => (fakes?, real?),
    };
    counts.extend(real);
    println!(
        "faults that struck, and after each the next run worked, nothing was left, the target was unharmed:"
    );
    for (what, count) in &counts {
        println!("  {count:>5}  {what}");
    }
    let all: usize = counts.values().sum();
    println!("  {all:>5}  in all, of {wanted} that were to be");
    // A command can end before a late step comes; that most come is what makes this a test.
    ensure!(all * 10 >= wanted * 9, "only {all} of {wanted} faults struck: {counts:#?}");
    Ok(())
}
