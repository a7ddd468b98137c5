//! `cargo xtask corpus`: the class-file engine against every class of every JDK found and of popular jars.
//!
//! Rust does no class-file work here: the examples of `crates/classfile` do, built with optimisation, and tell what
//! they did a line a fact. This chore finds the classes, has JVMs link what was woven, and adds it up.

mod archives;
mod examples;
mod identity;
mod jars;
mod link;
mod mutations;
mod rebase;
mod report;
mod types;
mod verify;

use anyhow::{Result, bail};
use clap::Subcommand;
use jgraft_jvm_harness::Jdk;

use archives::Archive;

/// Fewer popular jars than this prove too little.
const FEWEST_JARS: usize = 25;

/// What to do with the corpus. Nothing named: fetch it.
#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Every class reads, is left alone where nothing is asked for, and is copied byte for byte
    Identity,
    /// Every method woven in every variant links under full verification
    Verify(verify::Choice),
    /// Our verifier takes every class, unwoven and woven in every variant
    Types,
    /// Classes broken at random get the same verdict from our verifier and from the JVM
    Mutations(mutations::Choice),
    /// Every class of java.base, re-based on itself in another order and back, verifies and is the same
    Rebase,
    /// The part that `cargo xtask test` runs: java.base of two JDKs, two variants, three jars
    Quick,
}

/// Fetches what is not there yet, and does what is asked.
pub(crate) fn run(what: Option<&What>) -> Result<()> {
    match what {
        None => fetch(),
        Some(What::Identity) => identity::run(&all_archives()?),
        Some(What::Verify(choice)) => verify::run(choice),
        Some(What::Types) => types::run(&all_archives()?),
        Some(What::Mutations(choice)) => mutations::run(choice),
        Some(What::Rebase) => rebase::run(),
        Some(What::Quick) => verify::quick().and_then(|()| types::quick()),
    }
}

fn fetch() -> Result<()> {
    for archive in all_archives()? {
        println!("{archive}");
    }
    Ok(())
}

/// Every JDK, then the popular jars.
fn all_archives() -> Result<Vec<Archive>> {
    let mut all = Vec::new();
    for jdk in runnable() {
        all.push(archives::of_jdk(jdk)?);
    }
    all.extend(popular()?);
    Ok(all)
}

fn popular() -> Result<Vec<Archive>> {
    let (jars, missing) = jars::all();
    for missing in missing {
        println!("skipped: {missing}");
    }
    if jars.len() < FEWEST_JARS {
        bail!("{} popular jars are there, {FEWEST_JARS} are needed", jars.len());
    }
    Ok(jars)
}

/// The JDKs that run here; the others are named with the reason.
fn runnable() -> Vec<&'static Jdk> {
    let (run, not): (Vec<_>, Vec<_>) = Jdk::all().iter().partition(|jdk| jdk.runnable().is_ok());
    for jdk in not {
        println!("skipped: {}", jdk.runnable().err().unwrap_or_default());
    }
    run
}
