//! `cargo xtask test`: every test there is, and at the end what was left out and why, and what took long.

mod slowest;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use jgraft_jvm_harness::Jdk;

use crate::cargo::{cargo, run as run_command};
use crate::tidy;

/// In CI a run without one of these proves too little.
const NEEDED_IN_CI: [u32; 4] = [11, 17, 21, 25];

/// Runs all of it. A failing step does not stop the others.
pub(crate) fn run() -> Result<()> {
    println!("JDKs found: {}", list(Jdk::all().iter().map(ToString::to_string)));
    let notes = tempfile::tempdir().context("no temporary folder")?;
    let (skips, ran) = (notes.path().join("skips"), notes.path().join("ran"));
    let mut failed = Vec::new();
    let mut step = |name: &str, done: Result<()>| {
        if let Err(error) = done {
            eprintln!("error: {name}: {error:#}");
            failed.push(name.to_owned());
        }
    };
    step("tidy", tidy::run());
    // Artefacts that several tests share are built once, before they would wait for each other.
    step("build", run_command(&mut cargo(&["build", "--quiet", "--workspace"])));
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    tests.env("JGRAFT_SKIPS", &skips).env("JGRAFT_RAN", &ran);
    let (tests, times) = slowest::run(tests);
    step("tests", tests);
    step("corpus", quick_corpus(&skips));

    print_skips(&read_pairs(&skips));
    slowest::print(times);
    let features = features_that_ran(&read_pairs(&ran));
    println!("live tests ran on JDK {}", list(features.iter().map(ToString::to_string)));
    let missing = NEEDED_IN_CI.iter().filter(|feature| !features.contains(feature));
    let missing = list(missing.map(ToString::to_string));
    if std::env::var_os("CI").is_some() && missing != "none" {
        failed.push(format!("JDK {missing} did not run, and CI needs it: cargo xtask jdks fetches it"));
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join("; "));
    }
    println!("all passed");
    Ok(())
}

/// A process of its own, so that its skips go where those of the tests go; by cargo, since the tests' build may have put
/// another file in this one's place.
fn quick_corpus(skips: &Path) -> Result<()> {
    let mut corpus = cargo(&["run", "--quiet", "--package", "xtask", "--", "corpus", "quick"]);
    run_command(corpus.env("JGRAFT_SKIPS", skips))
}

/// Lines of `KEY\tVALUE`; a file that nobody has written to has none.
fn read_pairs(file: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let pair = |line: &str| line.split_once('\t').map(|(key, value)| (key.to_owned(), value.to_owned()));
    text.lines().filter_map(pair).collect()
}

/// One line a reason, with the tests that it left out.
fn print_skips(skips: &[(String, String)]) {
    if skips.is_empty() {
        println!("\nnothing was skipped");
        return;
    }
    let mut by_reason: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (test, reason) in skips {
        by_reason.entry(reason).or_default().insert(test);
    }
    println!("\nskipped:");
    for (reason, tests) in by_reason {
        println!("  {reason}\n    {}", tests.into_iter().collect::<Vec<_>>().join(", "));
    }
}

fn features_that_ran(ran: &[(String, String)]) -> BTreeSet<u32> {
    ran.iter().filter_map(|(feature, _)| feature.parse().ok()).collect()
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}
