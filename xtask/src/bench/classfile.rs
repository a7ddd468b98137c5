//! `cargo xtask bench classfile`: how fast java.base is woven, by our engine and by what a user would pick instead.
//!
//! Each contestant is a process of its own that holds all classes in memory and, for each line that it gets, does them
//! once and tells how long that took: so the rounds alternate, and the JVM has warmed up before they count.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use jgraft_jvm_harness::{Jdk, cache, javac, maven};

use super::Samples;
use crate::cargo::{cargo, run as run_command};

const ASM: [&str; 4] = [
    "org.ow2.asm:asm:9.8",
    "org.ow2.asm:asm-tree:9.8",
    "org.ow2.asm:asm-analysis:9.8",
    "org.ow2.asm:asm-commons:9.8",
];

pub(super) fn run(rounds: usize) -> Result<()> {
    let jdk = Jdk::compiler().context("no JDK with javac")?;
    let classes = jdk.host_home().join("jmods/java.base.jmod");
    if !classes.is_file() {
        bail!("{} is not there: the bench needs a JDK with jmods", classes.display());
    }
    let ours = ours()?;
    let mut contestants = Vec::new();
    for (name, what) in [
        ("jgraft: entry, return", "entry-return"),
        ("jgraft: entry, return, throw", "entry-return-throw"),
        ("jgraft: verify", "verify"),
        ("jgraft: look at each name", "look"),
    ] {
        contestants.push(Contestant::start(name, Command::new(&ours).arg(&classes).arg(what))?);
    }
    match asm() {
        Ok(class_path) => {
            let java = jdk.java();
            for (name, what) in [("ASM: LocalVariablesSorter", "sorter"), ("ASM: AdviceAdapter", "advice")] {
                let mut command = Command::new(&java);
                // One core each: a collector with threads of its own would use the other.
                command
                    .args(["-Xmx2g", "-XX:+UseSerialGC", "-cp", &class_path, "AsmRounds"])
                    .arg(&classes)
                    .arg(what);
                contestants.push(Contestant::start(name, &mut command)?);
            }
        }
        Err(reason) => println!("ASM is left out: {reason:#}"),
    }
    match ristretto() {
        Ok(program) => {
            let name = "ristretto: parse, write";
            contestants.push(Contestant::start(name, Command::new(program).arg(&classes))?);
        }
        Err(reason) => println!("ristretto_classfile is left out: {reason:#}"),
    }
    let bytes = contestants.first().map_or(0, |first| first.bytes);
    println!(
        "java.base of JDK {jdk}: {}, {rounds} rounds, interleaved, after as many to warm up",
        contestants[0].hello
    );
    for round in 0..2 * rounds {
        for contestant in &mut contestants {
            let milliseconds = contestant.round()?;
            if round >= rounds {
                contestant.samples.push(milliseconds);
            }
        }
    }
    let reference = contestants.first().map_or(f64::NAN, |first| first.samples.median());
    println!("{} {:>9}", Samples::header(), "MB/s");
    for contestant in &contestants {
        let rate = bytes as f64 / 1e3 / contestant.samples.median();
        println!("{} {rate:>9.0}", contestant.samples.line(contestant.name, reference));
    }
    Ok(())
}

struct Contestant {
    name: &'static str,
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// What it says of its classes.
    hello: String,
    bytes: u64,
    samples: Samples,
}

impl Contestant {
    fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("can't run {command:?}"))?;
        let stdin = process.stdin.take().context("no stdin")?;
        let mut stdout = BufReader::new(process.stdout.take().context("no stdout")?);
        let hello = line(&mut stdout, name)?;
        let bytes = hello.split(' ').nth(2).and_then(|bytes| bytes.parse().ok());
        let bytes = bytes.with_context(|| format!("{name} said {hello:?}"))?;
        Ok(Self { name, process, stdin, stdout, hello, bytes, samples: Samples::default() })
    }

    /// Milliseconds for all classes.
    fn round(&mut self) -> Result<f64> {
        self.stdin.write_all(b"\n")?;
        self.stdin.flush()?;
        let said = line(&mut self.stdout, self.name)?;
        let nanoseconds = said.split(' ').next().and_then(|first| first.parse::<f64>().ok());
        Ok(nanoseconds.with_context(|| format!("{} said {said:?}", self.name))? / 1e6)
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        // It ends by itself when its stdin does, or is ended here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn line(from: &mut BufReader<ChildStdout>, name: &str) -> Result<String> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        bail!("{name} ended");
    }
    Ok(line.trim_end().to_owned())
}

fn ours() -> Result<PathBuf> {
    run_command(&mut cargo(&[
        "build",
        "--quiet",
        "--release",
        "--package",
        "jgraft-classfile",
        "--example",
        "rounds",
    ]))?;
    Ok(cache::target_dir().join("release/examples/rounds"))
}

/// The class path of the ASM contestant.
fn asm() -> Result<String> {
    let jars = ASM.iter().map(|jar| maven::artifact(jar).map_err(|reason| anyhow!(reason)));
    let mut path: Vec<String> = Vec::new();
    for jar in jars {
        path.push(jar?.display().to_string());
    }
    let source = cache::workspace().join("xtask/contestants/asm/AsmRounds.java");
    let classes = cache::target_dir().join("contestants/asm");
    javac::compile(&[source], &classes, &["--release", "17", "-cp", &path.join(":")])?;
    path.push(classes.display().to_string());
    Ok(path.join(":"))
}

fn ristretto() -> Result<PathBuf> {
    let manifest = cache::workspace().join("xtask/contestants/ristretto/Cargo.toml");
    let target = cache::target_dir().join("contestants/ristretto");
    let mut build = cargo(&["build", "--quiet", "--release"]);
    build.arg("--manifest-path").arg(&manifest).arg("--target-dir").arg(&target);
    run_command(&mut build)?;
    Ok(Path::new(&target).join("release/ristretto-rounds"))
}
