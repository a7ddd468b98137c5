//! `jgraft trace`: lines for calls, and nothing left, however it ends.

mod common;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Lines, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, jgraft};
use jgraft_jvm_harness::{Jdk, Jvm, artifacts, cache, each_jdk, javac, skip, targets};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

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
    each_jdk("trace::unnamed", 17.., |jdk| {
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
                ensure!(status.code() == Some(0) && said.contains("1 class is as before"), "{status} {said}");
            }
            let start = Instant::now();
            while !jgraft(["status", &pid])?.expect(0)?.stdout.contains("nothing of ours is active") {
                ensure!(start.elapsed() < PATIENCE, "it does not end");
            }
            jgraft(["trace", &pid, "Stock::take", "--limit", "1"])?.expect(0)?;
        }
        is_unharmed(&jvm)
    });
}

/// The moments are those of a trace that takes some 50 ms to begin.
#[test]
fn it_ends_with_us_whatever_we_are_at() {
    each_jdk("trace::killed_anywhere", .., |jdk| {
        let jvm = service(jdk)?;
        let pid = jvm.pid().to_string();
        for moment in (0..20).map(|n| Duration::from_millis(n * 4)) {
            let mut tracing = common::interruptible()
                .args(["trace", &pid, "Stock::*", "OrderService::place"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?;
            thread::sleep(moment);
            tracing.kill()?;
            tracing.wait()?;
        }
        // A JVM takes one request at a time: what the last of them has sent is behind it then.
        jgraft(["trace", &pid, "Stock::take", "--limit", "1"])?.expect(0)?;
        let start = Instant::now();
        while !jgraft(["status", &pid])?.expect(0)?.stdout.contains("nothing of ours is active") {
            ensure!(start.elapsed() < PATIENCE, "it does not end");
        }
        let run = jgraft(["trace", &pid, "Stock::*", "OrderService::place", "--limit", "9"])?.expect(0)?;
        ensure!(run.stderr.contains("9 calls, 0 lost; 2 classes are as before"), "{}", run.stderr);
        is_unharmed(&jvm)
    });
}

#[test]
fn reset_removes_the_session_of_one_that_was_killed() {
    if !nix::unistd::geteuid().is_root() {
        return skip(
            "trace::leftover",
            "only root gives a JVM a /tmp of its own, where nobody else removes anything",
        );
    }
    each_jdk("trace::leftover", 17.., |jdk| {
        let jvm = service_in_its_own_tmp(jdk)?;
        let pid = jvm.pid().to_string();
        let (mut tracing, _) = tracing(&pid, "Stock::*")?;
        let session = session_of(&tracing, &format!("/proc/{pid}/root/tmp"))?;
        tracing.kill()?;
        tracing.wait()?;
        let start = Instant::now();
        while !jgraft(["status", &pid])?.expect(0)?.stdout.contains("nothing of ours is active") {
            ensure!(start.elapsed() < PATIENCE, "it does not end");
        }
        ensure!(session.exists(), "nobody has removed it");
        jgraft(["reset", &pid])?.expect(0)?;
        ensure!(!session.exists(), "{}", session.display());
        is_unharmed(&jvm)
    });
}

fn service_in_its_own_tmp(jdk: &Jdk) -> Result<Jvm> {
    artifacts::native_agent()?;
    let builder = Jvm::builder(jdk).class_path(targets::order_service_classes()?).main("OrderService");
    let jvm = builder.own_tmp("size=256m").start()?;
    jvm.wait_ready()?;
    Ok(jvm)
}

/// Where a trace has its session, by where the JVM has its /tmp.
fn session_of(tracing: &Child, tmp: &str) -> Result<PathBuf> {
    let home = format!("{tmp}/.jgraft-{}", nix::unistd::geteuid());
    let mark = format!("s-{}-", tracing.id());
    let sessions = fs::read_dir(home)?.filter_map(Result::ok).map(|entry| entry.path());
    let ours: Vec<_> = sessions
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&mark)))
        .collect();
    ensure!(ours.len() == 1, "{ours:?}");
    Ok(ours[0].clone())
}

#[test]
fn a_session_that_is_deleted_ends_the_trace_and_no_more() {
    each_jdk("trace::deleted", .., |jdk| {
        let jvm = service(jdk)?;
        let pid = jvm.pid().to_string();
        let (mut tracing, lines) = tracing(&pid, "Stock::*")?;
        fs::remove_dir_all(session_of(&tracing, "/tmp")?)?;
        kill(Pid::from_raw(tracing.id().cast_signed()), Signal::SIGINT)?;
        lines.for_each(drop);
        tracing.wait()?;
        let start = Instant::now();
        while !jgraft(["status", &pid])?.expect(0)?.stdout.contains("nothing of ours is active") {
            ensure!(start.elapsed() < PATIENCE, "it does not end");
        }
        is_unharmed(&jvm)
    });
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

#[test]
fn status_says_what_is_active_and_reset_ends_it() {
    each_jdk("trace::status", .., |jdk| {
        let jvm = service(jdk)?;
        let pid = jvm.pid().to_string();
        let nothing = format!("nothing of ours is in pid {pid}\n");
        ensure!(jgraft(["status", &pid])?.expect(0)?.stdout == nothing);
        jgraft(["reset", &pid])?.expect(0)?;
        ensure!(jgraft(["status", &pid])?.expect(0)?.stdout == nothing, "reset loads nothing");
        ensure!(!jvm.stderr().contains("WARNING"), "{}", jvm.stderr());

        let (mut one, one_lines) = tracing(&pid, "Stock::*")?;
        let (mut two, two_lines) = tracing(&pid, "Stock::take")?;
        let shown = jgraft(["status", &pid, "--json"])?.expect(0)?.json()?;
        let traces = shown["traces"].as_array().context("no traces")?;
        ensure!(traces.len() == 2 && traces.iter().all(|trace| trace["state"] == "tracing"), "{shown}");
        let by = format!("jgraft pid {}", two.id());
        ensure!(
            traces.iter().any(|trace| trace["by"].as_str().is_some_and(|who| who.contains(&by))),
            "{shown}"
        );
        ensure!(traces.iter().any(|trace| trace["patterns"] == "Stock::take"), "{shown}");
        let text = jgraft(["status", &pid])?.expect(0)?.stdout;
        ensure!(text.contains("2 probe classes") && text.contains("libjgraft_agent.so"), "{text}");

        let reset = jgraft(["reset", &pid])?.expect(0)?.stdout;
        let back: Vec<_> =
            reset.lines().filter_map(|line| line.split_once("; ")).map(|(_, back)| back).collect();
        let shared = "1 class still traced by another trace";
        ensure!(back == [shared, "1 class is as before"], "{reset}");
        one_lines.for_each(drop);
        two_lines.for_each(drop);
        ensure!(one.wait()?.code() == Some(0) && two.wait()?.code() == Some(0));
        let text = jgraft(["status", &pid])?.expect(0)?.stdout;
        ensure!(text.starts_with("nothing of ours is active"), "{text}");
        is_unharmed(&jvm)
    });
}

#[test]
fn a_tmp_that_fills_up_meanwhile_harms_nobody() {
    if !nix::unistd::geteuid().is_root() {
        return skip("trace::full", "only root gives a JVM a /tmp of its own");
    }
    each_jdk("trace::full", .., |jdk| {
        let jvm = service_in_its_own_tmp(jdk)?;
        let pid = jvm.pid().to_string();
        let (mut tracing, mut lines) = tracing(&pid, "Stock::*")?;
        let mut fill = File::create(format!("/proc/{pid}/root/tmp/fill"))?;
        let full = loop {
            if let Err(error) = fill.write_all(&[1; 1 << 16]) {
                break error;
            }
        };
        ensure!(full.kind() == ErrorKind::StorageFull, "{full}");
        for line in lines.by_ref().take(200) {
            line?;
        }
        kill(Pid::from_raw(tracing.id().cast_signed()), Signal::SIGINT)?;
        lines.for_each(drop);
        let mut said = String::new();
        tracing.stderr.take().context("no stderr")?.read_to_string(&mut said)?;
        ensure!(tracing.wait()?.code() == Some(0) && said.contains("1 class is as before"), "{said}");
        let order = jvm.ask("order", |line| line.starts_with("order "))?;
        ensure!(order.ends_with(": 2 x lamp = 2598.00 EUR"), "{order}");
        ensure!(!jvm.stderr().contains("Exception"), "{}", jvm.stderr());
        Ok(())
    });
}

#[test]
fn a_dry_run_changes_nothing() {
    each_jdk("trace::dry", .., |jdk| {
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
    each_jdk("trace::consent", 25.., |jdk| {
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
