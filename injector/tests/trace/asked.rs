//! What is asked of it and not done: refusals, dry runs, consent.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use jgraft_jvm_harness::each_release;

use crate::common::jgraft;
use crate::service;

#[test]
fn what_is_not_traced() {
    each_release("trace::refused", 17.., |jdk| {
        let jvm = service(jdk)?;
        let pid = jvm.pid().to_string();
        let run = jgraft(["trace", &pid, "java.util.HashMap::get"])?;
        let run = run.expect(3)?;
        ensure!(
            run.stderr.contains("one of the jdk's own classes") && run.stderr.contains("--yes"),
            "{}",
            run.stderr
        );
        // Agreed to, it is said all the same, before it is done.
        let run = jgraft(["trace", &pid, "java.util.HashMap::clone", "--yes", "--for", "50ms"])?.expect(0)?;
        let (warned, traced) = (run.stderr.find("one of the jdk's own"), run.stderr.find("tracing 1 method"));
        ensure!(warned.is_some() && warned < traced, "{}", run.stderr);
        let run = jgraft(["trace", &pid, "NoSuchClass::get"])?;
        let run = run.expect(1)?;
        ensure!(
            run.stderr.contains("no loaded class that can be changed is called NoSuchClass"),
            "{}",
            run.stderr
        );
        let run = jgraft(["trace", &pid, "Stok::take"])?.expect(1)?.explained("was not traced")?;
        ensure!(run.stderr.contains("there is Stock"), "{}", run.stderr);
        let run = jgraft(["trace", &pid, "Stock::taek"])?.expect(1)?.explained("was not traced")?;
        let (found, remedy) = ("it has take(String,int)", "'CLASS::*' --dry-run lists the methods");
        ensure!(run.stderr.contains(found) && run.stderr.contains(remedy), "{}", run.stderr);
        ensure!(!run.stderr.contains("histogram"), "{}", run.stderr);
        let run = jgraft(["trace", &pid, "NoSuch*::get"])?.expect(1)?;
        ensure!(run.stderr.contains("NoSuch*::get"), "{}", run.stderr);
        jgraft(["trace", &pid, "NoSuch*::get", "--for", "50ms"])?.expect(1)?;
        // Beside one that means something.
        let run = jgraft(["trace", &pid, "Stock::*", "NoSuch*::get", "--limit", "3"])?.expect(1)?;
        let warning = "warning: NoSuch*::get means no method of a loaded class";
        ensure!(run.stderr.contains(warning) && run.stdout.lines().count() == 3, "{}", run.stderr);
        ensure!(run.stderr.contains("error: 1 pattern found no method"), "{}", run.stderr);
        let run =
            jgraft(["trace", &pid, "Stock::*", "Stock::nosuch*", "--limit", "3", "--json"])?.expect(1)?;
        let last: serde_json::Value = serde_json::from_str(run.stdout.lines().last().context("nothing")?)?;
        ensure!(last["code"] == "nothing-matches" && last["evidence"] == "Stock::nosuch*", "{last}");
        ensure!(run.stdout.lines().count() == 4, "{}", run.stdout);
        let run = jgraft(["trace", &pid, "Stock::*", "NoSuch*::get", "--dry-run"])?.expect(1)?;
        ensure!(run.stdout.contains("Stock::take") && run.stderr.contains("NoSuch*::get"), "{}", run.stderr);
        let run = jgraft(["trace", &pid, "Stock::*", "Stok::take", "--dry-run"])?.expect(1)?;
        ensure!(run.stdout.is_empty() && run.stderr.contains("there is Stock"), "{}", run.stderr);
        jgraft(["trace", &pid, "Stock.take"])?.expect(2)?;
        jvm.ask("order", |line| line.starts_with("order "))?;
        Ok(())
    });
}

#[test]
fn a_dry_run_changes_nothing() {
    each_release("trace::dry", .., |jdk| {
        let jvm = service(jdk)?;
        let pid = jvm.pid().to_string();
        let run = jgraft(["trace", &pid, "Stock::*", "java.util.HashMap::get", "--dry-run"])?.expect(0)?;
        for line in ["Stock::take(String,int)", "java.util.HashMap::get(Object)"] {
            ensure!(run.stdout.lines().any(|shown| shown == line), "{}", run.stdout);
        }
        ensure!(run.stderr.contains("nothing was changed"), "{}", run.stderr);
        ensure!(!jgraft(["status", &pid])?.expect(0)?.stdout.contains("probe"));
        let run = jgraft(["trace", &pid, "Stock::*", "--dry-run", "--json"])?.expect(0)?.json()?;
        ensure!(run["class"] == "Stock" && run["bytes"].as_u64().is_some_and(|bytes| bytes > 100), "{run}");
        Ok(())
    });
}

/// What is asked on a terminal, and what comes of each answer. script(1) makes the terminal.
#[test]
fn a_cost_is_asked_about_on_a_terminal() {
    each_release("trace::consent", 25.., |jdk| {
        let jvm = service(jdk)?;
        let pid = jvm.pid();
        let trace = format!(
            "{} trace {pid} java.util.concurrent.locks.ReentrantReadWriteLock::readLock --limit 1",
            env!("CARGO_BIN_EXE_jgraft")
        );
        for (answer, code, words) in
            [("y\n", 0, "1 call,"), ("n\n", 3, "--yes agrees"), ("\n", 3, "--yes agrees")]
        {
            let mut script = Command::new("script")
                .args(["-qec", &trace, "/dev/null"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            script.stdin.take().context("no stdin")?.write_all(answer.as_bytes())?;
            let mut shown = String::new();
            script.stdout.take().context("no stdout")?.read_to_string(&mut shown)?;
            let status = script.wait()?;
            ensure!(shown.contains("Go on? [y/N]"), "{shown}");
            ensure!(status.code() == Some(code) && shown.contains(words), "{answer:?}: {status} {shown}");
        }
        Ok(())
    });
}
