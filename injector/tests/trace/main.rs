//! `jgraft trace`: lines for calls, and nothing left, however it ends.

mod asked;
#[path = "../common/mod.rs"]
mod common;
mod ending;
mod lines;

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, jgraft};
use jgraft_jvm_harness::{Jdk, Jvm, artifacts, targets};

fn service(jdk: &Jdk) -> Result<Jvm> {
    // Beside the executable, where a plain build has it.
    artifacts::native_agent()?;
    let builder = Jvm::builder(jdk).args(["-Xcheck:jni"]).class_path(targets::order_service_classes()?);
    let jvm = builder.main("OrderService").start()?;
    jvm.wait_ready()?;
    Ok(jvm)
}

/// It takes orders, and neither an exception of ours nor a complaint of `-Xcheck:jni` was seen.
fn is_unharmed(jvm: &Jvm) -> Result<()> {
    let order = jvm.ask("order", |line| line.starts_with("order "))?;
    ensure!(order.ends_with(": 2 x lamp = 2598.00 EUR"), "{order}");
    let said = jvm.stdout() + &jvm.stderr();
    for harm in ["WARNING in native", "Error", "Exception in thread", "JgraftProbe"] {
        ensure!(!said.contains(harm), "{harm}: {said}");
    }
    Ok(())
}

/// A trace that runs, and its first line has been read.
fn tracing(pid: &str, pattern: &str) -> Result<(Child, Lines<BufReader<ChildStdout>>)> {
    let (tracing, mut lines) = spawned(pid, &[pattern])?;
    lines.next().context("no line")??;
    Ok((tracing, lines))
}

/// A trace of what is not called yet; `status` says that it runs.
fn started(pid: &str, what: &[&str]) -> Result<(Child, Lines<BufReader<ChildStdout>>)> {
    let (tracing, lines) = spawned(pid, what)?;
    let start = Instant::now();
    while !jgraft(["status", pid])?.expect(0)?.stdout.contains("tracing: ") {
        ensure!(start.elapsed() < PATIENCE, "it does not begin");
    }
    Ok((tracing, lines))
}

fn spawned(pid: &str, what: &[&str]) -> Result<(Child, Lines<BufReader<ChildStdout>>)> {
    let mut tracing = common::interruptible()
        .args(["trace", pid])
        .args(what)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(tracing.stdout.take().context("no stdout")?).lines();
    Ok((tracing, lines))
}

/// Returns when `status` says so.
fn nothing_is_active_soon(pid: &str) -> Result<()> {
    let start = Instant::now();
    while !jgraft(["status", pid])?.expect(0)?.stdout.contains("nothing of ours is active") {
        ensure!(start.elapsed() < PATIENCE, "it does not end");
    }
    Ok(())
}
