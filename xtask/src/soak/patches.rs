//! `cargo xtask soak --of patches`: a patch is applied and reverted hundreds of times while eight threads call the method. No
//! call may fail, the class has to be what it was, and metaspace may not grow.
//!
//! A lambda expression is linked anew in each version of its method, and HotSpot keeps the class that it makes of it for as
//! long as the loader, whoever redefines. So the class of the limit has none; what one costs is printed.

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
/// A class without lambda expressions, and its kind.
const PLAIN: (&str, &str) = ("Shade", "enum");
/// A class with two in a method.
const WITH_LAMBDAS: (&str, &str) = ("Lambdas", "lambda");
const LAMBDAS: i64 = 2;
/// The share of its cycles.
const FEWER: usize = 5;

/// The program of the tests, as it is and with another word in it: the folders of classes.
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
    Ok((folder.join("old/classes"), folder.join("new/classes")))
}

/// Runs it on one JDK.
pub(super) fn one(jgraft: &Path, jdk: &Jdk, cycles: usize) -> Result<()> {
    println!("JDK {jdk}");
    let (old, new) = program()?;
    let log = tempfile::NamedTempFile::new()?;
    let pauses = format!("-Xlog:safepoint:file={}:uptime", log.path().display());
    let mut options = vec!["-XX:NativeMemoryTracking=summary", "-Xms64m", "-Xmx64m", "-XX:+UseSerialGC"];
    // The tests' program rests in between.
    options.push("-Dpatched.busy=true");
    options.extend((jdk.feature > 8).then_some(pauses.as_str()));
    let jvm =
        Jvm::builder(jdk).args(options).class_path(&old).main("Patched").program_args([&old]).start()?;
    jvm.wait_ready()?;
    let service = Patched { jgraft, jvm, old, new };
    let grown = service.cycles(PLAIN, cycles)?;
    let lambdas = cycles / FEWER;
    let more = service.cycles(WITH_LAMBDAS, lambdas)?;
    let versions = 2 * i64::try_from(lambdas)?;
    println!("  for a lambda expression of a version: {} bytes", more / versions.max(1) / LAMBDAS);
    let text = fs::read_to_string(log.path())?;
    let pause = |line: &str| {
        let at = line.contains("RedefineClasses").then(|| line.split_once("Total: "))??.1;
        at.split(' ').next()?.parse::<f64>().ok()
    };
    let longest = text.lines().filter_map(pause).fold(0.0, f64::max) / 1e6;
    println!("  longest pause for one: {longest:.1} ms");
    ensure!(grown < GROWTH, "metaspace has grown by {grown} bytes");
    Ok(())
}

/// The service, and what it is patched with.
struct Patched<'a> {
    jgraft: &'a Path,
    jvm: Jvm,
    old: PathBuf,
    new: PathBuf,
}

impl Patched<'_> {
    /// Patches a class so often, after a warm-up; by how many bytes metaspace has grown since that.
    fn cycles(&self, (class, kind): (&str, &str), cycles: usize) -> Result<i64> {
        let (mut apply, mut revert) = (Samples::default(), Samples::default());
        for _ in 0..WARM_UP {
            self.cycle(class, &mut Samples::default(), &mut Samples::default())?;
        }
        let before = Memory::of(self.jgraft, &self.jvm)?;
        for cycle in 0..cycles {
            self.cycle(class, &mut apply, &mut revert).with_context(|| format!("cycle {cycle}"))?;
        }
        let counted = self.jvm.ask("count", |line| line.starts_with("count "))?;
        let said = self.jvm.ask("say", |line| line.starts_with("says "))?;
        println!("  {class}: {cycles} times patched and reverted: {counted}");
        println!("  ms of a redefinition: {} to apply, {} to revert", apply.spread(), revert.spread());
        ensure!(counted.contains(" failed 0 ") && said.contains(&format!("{kind}=OLD")), "{counted}; {said}");
        let file = self.old.join(format!("{class}.class")).display().to_string();
        let pid = self.jvm.pid().to_string();
        let dry = jgraft_says(self.jgraft, &["patch", &pid, "diff", &file])?;
        ensure!(dry.is_empty(), "it is not what it was: {dry}");
        let after = Memory::of(self.jgraft, &self.jvm)?;
        let grown = after.metaspace - before.metaspace;
        println!(
            "  after {WARM_UP} more and the GC: metaspace {grown:+} bytes, the jvm's memory {:+} bytes",
            after.native - before.native
        );
        for (of, more) in before.differences(&after) {
            println!("    {of}: {more:+} KiB");
        }
        Ok(grown)
    }

    fn cycle(&self, class: &str, apply: &mut Samples, revert: &mut Samples) -> Result<()> {
        let (pid, path) = (self.jvm.pid().to_string(), self.new.join(format!("{class}.class")));
        let path = path.display().to_string();
        for (words, took) in [(vec!["apply", &path, "--yes"], apply), (vec!["revert"], revert)] {
            let said =
                Command::new(self.jgraft).args(["patch", &pid]).args(&words).args(["--json"]).output()?;
            let text = String::from_utf8_lossy(&said.stdout);
            ensure!(said.status.success(), "{words:?}: {}{text}", String::from_utf8_lossy(&said.stderr));
            let told: serde_json::Value = serde_json::from_str(&text)?;
            took.push(told["took_us"].as_f64().context("no took_us")? / 1e3);
        }
        Ok(())
    }
}

/// Runs it on each.
pub(super) fn run(cycles: usize, jdks: &[&Jdk]) -> Result<()> {
    let jgraft = build::run()?.jgraft;
    jdks.iter().try_for_each(|jdk| one(&jgraft, jdk, cycles).with_context(|| format!("JDK {jdk}")))
}
