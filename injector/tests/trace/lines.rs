//! What a trace prints.

use std::io::Read;

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::{Jvm, artifacts, cache, each_jdk, each_release, javac};

use crate::common::jgraft;
use crate::{service, started};

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
            let [time, thread, name, _, unit, method, exception @ ..] = &words[..] else {
                anyhow::bail!("{line}")
            };
            ensure!(time.len() == 13 && time.ends_with('Z') && thread.starts_with('#'), "{line}");
            ensure!(name.starts_with("order-"), "{line}");
            ensure!(["ns", "us", "ms", "s"].contains(unit), "{line}");
            let expected: &[&str] = match *method {
                "Stock::take(String,int)" | "Stock::reserve(String,int)" => &["Refused", "thrown"],
                "OrderService::place(String,int)" => &["Refused", "passed", "through"],
                _ => &[],
            };
            let passed = method.starts_with("Stock::reserve") && exception.ends_with(&["passed", "through"]);
            ensure!(exception.is_empty() || exception == expected || passed, "{line}");
            ensure!(method.starts_with("Stock::") || method.starts_with("OrderService::place("), "{line}");
        }
        ensure!(run.stdout.contains(" Refused"), "no exception: {}", run.stdout);
        ensure!(run.stderr.contains("500 calls, 0 lost; 2 classes are as before"), "{}", run.stderr);

        let run = jgraft(["trace", &pid, "Stock::take", "--limit", "3", "--json"])?;
        let run = run.expect(0)?;
        for line in run.stdout.lines() {
            let call: serde_json::Value = serde_json::from_str(line)?;
            ensure!(call["schema"] == "jgraft.call/1" && call["cost_ns"].as_i64().is_some(), "{line}");
            let (ended, ms) = (call["ended"].as_str().context("no time")?, &call["ended_ms"]);
            let millis = format!(".{:03}Z", ms.as_u64().context("no milliseconds")? % 1000);
            ensure!(ended.len() == 24 && ended.ends_with(&millis), "{line}");
            ensure!(call["method"] == "Stock::take(Ljava/lang/String;I)V", "{line}");
            ensure!(call["thread_name"].as_str().is_some_and(|name| name.starts_with("order-")), "{line}");
            ensure!(call["own_exception"].is_null() == call["exception"].is_null(), "{line}");
        }
        ensure!(run.stdout.lines().count() == 3, "{}", run.stdout);
        Ok(())
    });
}

/// A program that throws exceptions of as many classes as it is told to.
#[test]
fn an_exception_without_a_name_is_said_to_be_one() {
    each_release("trace::unnamed", 17.., |jdk| {
        artifacts::native_agent()?;
        let (source, classes) = (
            cache::workspace().join("native-agent/tests/TraceCases.java"),
            cache::target_dir().join("injector-trace-cases"),
        );
        javac::compile(&[source], &classes, &["--release", "8", "-nowarn"])?;
        let jvm = Jvm::builder(jdk).class_path(classes).main("TraceCases").start()?;
        jvm.wait_ready()?;
        let (mut tracing, lines) = started(&jvm.pid().to_string(), &["Cases::many", "--limit", "1500"])?;
        jvm.ask("many 0 1500", |line| line == "done many 0 1500 1500")?;
        let lines: Vec<_> = lines.collect::<Result<_, _>>()?;
        let mut said = String::new();
        tracing.stderr.take().context("no stderr")?.read_to_string(&mut said)?;
        ensure!(tracing.wait()?.code() == Some(0), "{said}");
        for (number, line) in lines.iter().enumerate() {
            let known = line.ends_with(&format!("  Broken{number:04} thrown"));
            ensure!(known == (number < 1023), "{line}");
            ensure!(known || line.ends_with("  (unknown) thrown"), "{line}");
        }
        ensure!(lines.len() == 1500 && said.contains("warning: 477 exceptions without a name"), "{said}");
        Ok(())
    });
}
