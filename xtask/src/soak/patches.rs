//! `cargo xtask soak --of patches`: a patch is applied and reverted hundreds of times while eight threads call the method. No
//! call may fail, the class has to be what it was, and metaspace may not grow.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::{Jdk, Jvm, cache, javac};

use super::{Memory, jgraft_says};
use crate::bench::Samples;
use crate::build;

/// Cycles before memory is measured for the first time.
const WARM_UP: usize = 50;
/// Bytes that may be added to metaspace.
const GROWTH: i64 = 4 << 20;

/// The program of the tests, as it is and with another word in it; the class file of the patch.
fn program() -> Result<(PathBuf, PathBuf)> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../injector/tests/patch");
    let folder = cache::target_dir().join("soak-patches");
    for (version, word) in [("old", "\"OLD\""), ("new", "\"NEW\"")] {
        let mut files = Vec::new();
        fs::create_dir_all(folder.join(version))?;
        for name in ["Patched.java", "Twice.java", "OnBoot.java"] {
            let file = folder.join(version).join(name);
            fs::write(&file, fs::read_to_string(sources.join(name))?.replace("\"OLD\"", word))?;
            files.push(file);
        }
        javac::compile(&files, &folder.join(version).join("classes"), &["--release", "8", "-nowarn"])?;
    }
    Ok((folder.join("old/classes"), folder.join("new/classes/Lambdas.class")))
}

/// Runs it on one JDK.
pub(super) fn one(jgraft: &Path, jdk: &Jdk, cycles: usize) -> Result<()> {
    println!("JDK {jdk}");
    let (classes, patch) = program()?;
    let log = tempfile::NamedTempFile::new()?;
    let pauses = format!("-Xlog:safepoint:file={}:uptime", log.path().display());
    let mut options = vec!["-XX:NativeMemoryTracking=summary", "-Xms64m", "-Xmx64m", "-XX:+UseSerialGC"];
    options.extend((jdk.feature > 8).then_some(pauses.as_str()));
    let jvm = Jvm::builder(jdk)
        .args(options)
        .class_path(&classes)
        .main("Patched")
        .program_args([&classes])
        .start()?;
    jvm.wait_ready()?;
    let pid = jvm.pid().to_string();
    let (mut apply, mut revert, mut before) = (Samples::default(), Samples::default(), None);
    for cycle in 0..cycles {
        if cycle == WARM_UP {
            before = Some(Memory::of(jgraft, &jvm)?);
        }
        let path = patch.display().to_string();
        for (words, took) in [(vec!["apply", &path], &mut apply), (vec!["revert"], &mut revert)] {
            let said = Command::new(jgraft).args(["patch", &pid]).args(&words).args(["--json"]).output()?;
            let text = String::from_utf8_lossy(&said.stdout);
            ensure!(
                said.status.success(),
                "cycle {cycle}, {words:?}: {}{text}",
                String::from_utf8_lossy(&said.stderr)
            );
            let told: serde_json::Value = serde_json::from_str(&text)?;
            took.push(told["took_us"].as_f64().context("no took_us")? / 1e3);
        }
    }
    let counted = jvm.ask("count", |line| line.starts_with("count "))?;
    let said = jvm.ask("say", |line| line.starts_with("says "))?;
    println!("  {cycles} patches applied and reverted: {counted}");
    println!("  ms of a redefinition: {} to apply, {} to revert", apply.spread(), revert.spread());
    let text = fs::read_to_string(log.path())?;
    let pause = |line: &str| {
        let at = line.contains("RedefineClasses").then(|| line.split_once("Total: "))??.1;
        at.split(' ').next()?.parse::<f64>().ok()
    };
    let longest = text.lines().filter_map(pause).fold(0.0, f64::max) / 1e6;
    println!("  longest pause for one: {longest:.1} ms");
    ensure!(counted.contains(" failed 0 ") && said.contains("lambda=OLD"), "{counted}; {said}");
    let dry =
        jgraft_says(jgraft, &["patch", &pid, "diff", &classes.join("Lambdas.class").display().to_string()])?;
    ensure!(dry.is_empty(), "it is not what it was: {dry}");
    if let Some(before) = before {
        let after = Memory::of(jgraft, &jvm)?;
        let grown = after.metaspace - before.metaspace;
        println!(
            "  after {WARM_UP} and the GC: metaspace {grown:+} bytes, the jvm's memory {:+} bytes",
            after.native - before.native
        );
        ensure!(grown < GROWTH, "metaspace has grown by {grown} bytes");
    }
    Ok(())
}

/// Runs it on each.
pub(super) fn run(cycles: usize, jdks: &[&Jdk]) -> Result<()> {
    let jgraft = build::run()?.jgraft;
    jdks.iter().try_for_each(|jdk| one(&jgraft, jdk, cycles).with_context(|| format!("JDK {jdk}")))
}
