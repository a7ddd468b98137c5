//! However a trace ends, nothing of it is left: jgraft is killed, its session is deleted, the disk is full, somebody resets.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::{Jdk, Jvm, artifacts, each_jdk, skip, targets};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::common::{self, jgraft};
use crate::{is_unharmed, nothing_is_active_soon, service, tracing};

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
            nothing_is_active_soon(&pid)?;
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
        nothing_is_active_soon(&pid)?;
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
        nothing_is_active_soon(&pid)?;
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
        nothing_is_active_soon(&pid)?;
        is_unharmed(&jvm)
    });
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
