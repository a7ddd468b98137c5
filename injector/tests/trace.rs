//! `jgraft trace`: lines for calls, and nothing left, however it ends.

mod common;

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, jgraft};
use jgraft_jvm_harness::{Jdk, Jvm, artifacts, each_jdk, targets};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn service(jdk: &Jdk) -> Result<Jvm> {
    // Beside the executable, where a plain build has it.
    artifacts::native_agent()?;
    let jvm = Jvm::builder(jdk).class_path(targets::order_service_classes()?).main("OrderService").start()?;
    jvm.wait_ready()?;
    Ok(jvm)
}

#[test]
fn a_line_a_call() {
    each_jdk("trace::lines", .., |jdk| {
        let jvm = service(jdk)?;
        let pid = jvm.pid().to_string();
        let run = jgraft(["trace", &pid, "OrderService::place", "Stock::*", "--limit", "500"])?;
        let run = run.expect(0)?;
        ensure!(run.stdout.lines().count() == 500, "{}", run.stdout);
        for line in run.stdout.lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            let [time, thread, _, unit, method, exception @ ..] = &words[..] else { anyhow::bail!("{line}") };
            ensure!(
                time.len() == 12 && thread.starts_with('#') && ["ns", "us", "ms", "s"].contains(unit),
                "{line}"
            );
            ensure!(method.starts_with("Stock::") || method.starts_with("OrderService::place("), "{line}");
            ensure!(exception.is_empty() || exception == ["Refused"], "{line}");
        }
        ensure!(run.stdout.contains(" Refused"), "no exception: {}", run.stdout);
        ensure!(run.stderr.contains("500 calls, 0 lost; 2 classes are as they were"), "{}", run.stderr);

        let run = jgraft(["trace", &pid, "Stock::take", "--limit", "3", "--json"])?;
        let run = run.expect(0)?;
        for line in run.stdout.lines() {
            let call: serde_json::Value = serde_json::from_str(line)?;
            ensure!(call["schema"] == "jgraft.call/1" && call["cost_ns"].as_i64().is_some(), "{line}");
            ensure!(call["method"] == "Stock::take(Ljava/lang/String;I)V", "{line}");
        }
        ensure!(run.stdout.lines().count() == 3, "{}", run.stdout);
        Ok(())
    });
}

#[test]
fn what_is_not_traced() {
    each_jdk("trace::refused", 17.., |jdk| {
        let jvm = service(jdk)?;
        let pid = jvm.pid().to_string();
        let run = jgraft(["trace", &pid, "java.util.HashMap::get"])?;
        let run = run.expect(3)?;
        ensure!(
            run.stderr.contains("one of the jdk's own classes") && run.stderr.contains("--yes"),
            "{}",
            run.stderr
        );
        let run = jgraft(["trace", &pid, "NoSuchClass::get"])?;
        let run = run.expect(1)?;
        ensure!(run.stderr.contains("NoSuchClass::get"), "{}", run.stderr);
        jgraft(["trace", &pid, "Stock.take"])?.expect(2)?;
        jvm.ask("order", |line| line.starts_with("order "))?;
        Ok(())
    });
}

#[test]
fn it_ends_with_us() {
    each_jdk("trace::killed", .., |jdk| {
        let jvm = service(jdk)?;
        let pid = jvm.pid().to_string();
        for signal in [Signal::SIGINT, Signal::SIGKILL] {
            let mut tracing = common::interruptible()
                .args(["trace", &pid, "Stock::*"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()?;
            let mut lines = BufReader::new(tracing.stdout.take().context("no stdout")?).lines();
            lines.next().context("no line")??;
            kill(Pid::from_raw(tracing.id().cast_signed()), signal)?;
            lines.for_each(drop);
            let status = tracing.wait()?;
            if signal == Signal::SIGINT {
                let mut said = String::new();
                tracing.stderr.take().context("no stderr")?.read_to_string(&mut said)?;
                ensure!(
                    status.code() == Some(0) && said.contains("1 classes are as they were"),
                    "{status} {said}"
                );
            }
            // One trace at a time: the next begins when the one before is gone.
            let start = Instant::now();
            loop {
                let run = jgraft(["trace", &pid, "Stock::take", "--limit", "1"])?;
                if run.code == 0 {
                    break;
                }
                ensure!(run.stderr.contains("another trace is running"), "{}", run.stderr);
                ensure!(start.elapsed() < PATIENCE, "it does not end");
            }
        }
        let order = jvm.ask("order", |line| line.starts_with("order "))?;
        ensure!(order.ends_with(": 2 x lamp = 2598.00 EUR"), "{order}");
        Ok(())
    });
}
