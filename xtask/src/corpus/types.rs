//! `cargo xtask corpus types`: our verifier takes every class that a JVM takes, unwoven and woven.
//!
//! No class of the corpus is one that a JVM refuses for itself, so that any refusal is ours alone.

use anyhow::{Context, Result, bail};
use jgraft_jvm_harness::skip;

use super::archives::{self, Archive};
use super::examples::facts;
use super::runnable;

/// As in `crates/classfile/examples/weave/variants.rs`.
const VARIANTS: [&str; 6] = ["asis", "plain", "calls", "arguments", "guarded", "conditions"];

/// Verifies all of it in each variant and prints a line for each.
pub(super) fn run(archives: &[Archive]) -> Result<()> {
    check(archives, &VARIANTS)
}

/// See [`super::What::Quick`].
pub(super) fn quick() -> Result<()> {
    let Some(jdk) = runnable().last().copied() else {
        skip("corpus types", "no JDK runs here");
        return Ok(());
    };
    let mut archive = archives::of_jdk(jdk)?;
    let base = |stem: &std::ffi::OsStr| stem == "java.base" || stem == "rt";
    archive.jars.retain(|jar| jar.file_stem().is_some_and(base));
    check(&[archive], &["asis", "guarded"])
}

fn check(archives: &[Archive], variants: &[&str]) -> Result<()> {
    println!(
        "{:<44} {:<10} {:>7} {:>7} {:>6} {:>7}",
        "verified by us", "variant", "classes", "MB", "MB/s", "refused"
    );
    let (mut refused, mut classes) = (Vec::new(), 0);
    for archive in archives {
        for variant in variants {
            let mut args = vec![(*variant).to_owned()];
            args.extend(archive.jars.iter().map(|jar| jar.display().to_string()));
            let (mut sum, before) = ([0_u64; 3], refused.len());
            for fact in facts("verify", &args)? {
                match fact.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                    ["jar", _, numbers @ ..] => {
                        for (sum, number) in sum.iter_mut().zip(numbers) {
                            *sum += number.parse::<u64>().context("verify: no number")?;
                        }
                    }
                    _ => refused.push(format!("{}, {variant}: {}", archive.name, fact.join(" "))),
                }
            }
            let [seen, bytes, micros] = sum;
            // Bytes a microsecond are megabytes a second.
            let rate = bytes as f64 / micros.max(1) as f64;
            let (megabytes, ours) = (bytes as f64 / 1e6, refused.len() - before);
            println!("{:<44} {variant:<10} {seen:>7} {megabytes:>7.1} {rate:>6.0} {ours:>7}", archive.name);
            classes += seen;
        }
    }
    println!("{classes} classes verified, {} refused", refused.len());
    if classes == 0 {
        bail!("nothing was verified");
    }
    if !refused.is_empty() {
        let first = refused.iter().take(10).map(|line| format!("\n  {line}")).collect::<String>();
        bail!("{} classes refused that a JVM takes:{first}", refused.len());
    }
    Ok(())
}
