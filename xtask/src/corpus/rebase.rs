//! `cargo xtask corpus rebase`: every class of every java.base, re-based on itself with everything in another order, and
//! back, verifies and is the same class; nothing is appended.

use anyhow::{Context, Result, bail};

use super::examples::facts;
use super::{archives, runnable};

pub(super) fn run() -> Result<()> {
    println!(
        "{:<44} {:>7} {:>7} {:>6} {:>9} {:>6}",
        "re-based both ways", "classes", "MB", "MB/s", "appended", "wrong"
    );
    let (mut wrong, mut done) = (Vec::new(), 0);
    for jdk in runnable() {
        let archive = archives::of_jdk(jdk)?;
        let base = archive
            .jars
            .iter()
            .filter(|jar| jar.file_stem().is_some_and(|stem| stem == "java.base" || stem == "rt"));
        let args: Vec<String> = base.map(|jar| jar.display().to_string()).collect();
        let before = wrong.len();
        for fact in facts("rebase", &args)? {
            let ["jar", _, numbers @ ..] = &fact.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
                wrong.push(format!("{}: {}", archive.name, fact.join(" ")));
                continue;
            };
            let numbers = numbers.iter().map(|number| number.parse().context("rebase: no number"));
            let [classes, bytes, micros, appended] = numbers.collect::<Result<Vec<u64>>>()?[..] else {
                bail!("rebase says {fact:?}");
            };
            // Bytes a microsecond are megabytes a second; each class was done twice.
            let (megabytes, rate) = (bytes as f64 / 1e6, 2.0 * bytes as f64 / micros.max(1) as f64);
            let (name, ours) = (&archive.name, wrong.len() - before);
            println!("{name:<44} {classes:>7} {megabytes:>7.1} {rate:>6.0} {appended:>9} {ours:>6}");
            done += classes;
            if appended > 0 {
                wrong.push(format!("{name}: {appended} constants that were there are appended"));
            }
        }
    }
    if done == 0 {
        bail!("nothing was re-based");
    }
    if !wrong.is_empty() {
        let first = wrong.iter().take(10).map(|line| format!("\n  {line}")).collect::<String>();
        bail!("{} wrong:{first}", wrong.len());
    }
    println!("{done} classes re-based: each verifies, and is the same class");
    Ok(())
}
