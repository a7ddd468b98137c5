//! Several traces in one JVM, of one copy of the library and of two, on the same methods: each sees all calls, and who ends
//! takes out what is its own.

mod common;

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use common::trace::{PATIENCE, Trace};
use common::{Attached, expect, is_unharmed, service};
use jgraft_jvm_harness::{Jvm, artifacts, each_jdk};

#[test]
fn two_traces_of_one_method() {
    each_jdk("trace_together::one_library", .., |jdk| {
        let jvm = paused(jdk)?;
        let one = Trace::begin(&jvm, &["OrderService::euros"], PATIENCE)?;
        let other = Trace::begin(&jvm, &["OrderService::*"], PATIENCE)?;
        ensure!(one.reply != other.reply, "they share a memory");
        both(&jvm, &one, &other)?;
        // A third one takes the place of the first.
        let memory = |trace: &Trace| common::number(&trace.reply, "memory.fd");
        let start = Instant::now();
        let third = loop {
            let third = Trace::begin(&jvm, &["OrderService::euros"], PATIENCE)?;
            if memory(&third)? == memory(&one)? {
                break third;
            }
            // The first has answered that it has ended, and gives its memory back after that.
            ensure!(start.elapsed() < PATIENCE, "memories are not used again");
            third.end();
            expect(&third.ended()?, &[("outcome", "ok")])?;
        };
        other.end();
        expect(&other.ended()?, &[("outcome", "ok"), ("proved", "0"), ("shared", "1"), ("changed", "0")])?;
        third.end();
        expect(&third.ended()?, &[("outcome", "ok"), ("proved", "1"), ("shared", "0"), ("changed", "0")])?;
        is_unharmed(&jvm, jdk, Attached::Times(1))
    });
}

#[test]
fn two_versions_of_the_library() {
    each_jdk("trace_together::two_libraries", .., |jdk| {
        let jvm = paused(jdk)?;
        // Another file, and so another library to the JVM.
        let copy = jvm.cwd().join("libjgraft_agent.so");
        fs::copy(artifacts::native_agent()?, &copy)?;
        let one = Trace::begin(&jvm, &["OrderService::euros"], PATIENCE)?;
        let other = Trace::begin_by(&jvm, &copy, &["OrderService::*"], PATIENCE, "false")?;
        both(&jvm, &one, &other)?;
        other.end();
        // It has no idea of what was there before the first one came.
        expect(&other.ended()?, &[("outcome", "ok"), ("shared", "0")])?;
        let order = jvm.ask("order", |line| line.starts_with("order "))?;
        ensure!(order.ends_with(": 2 x lamp = 2598.00 EUR"), "{order}");
        Ok(())
    });
}

/// The service, with nobody placing orders but who asks.
fn paused(jdk: &jgraft_jvm_harness::Jdk) -> Result<Jvm> {
    let jvm = service(jdk)?.args(["-Dorders.pauseMillis=100000000"]).start()?;
    jvm.wait_ready()?;
    Ok(jvm)
}

/// Both see the same calls; the first ends, the other goes on.
fn both(jvm: &Jvm, one: &Trace, other: &Trace) -> Result<()> {
    // The other one sees three methods more for each order.
    let euros = |trace: &Trace| -> Result<u32> {
        let names = trace.names()?;
        let found = names.iter().find(|(_, name)| name.contains("::euros("));
        Ok(*found.context("no euros")?.0)
    };
    let (one_id, other_id) = (euros(one)?, euros(other)?);
    let (mut one_reader, mut other_reader) = (one.reader()?, other.reader()?);
    let mut count = |wanted: [usize; 2]| -> Result<()> {
        for _ in 0..10 {
            jvm.ask("order", |line| line.starts_with("order "))?;
        }
        let (mut counts, start) = ([0; 2], Instant::now());
        while counts != wanted {
            one_reader.drain(Instant::now(), |event| counts[0] += usize::from(event.probe == one_id));
            other_reader.drain(Instant::now(), |event| counts[1] += usize::from(event.probe == other_id));
            ensure!(start.elapsed() < PATIENCE, "{counts:?}, not {wanted:?}");
        }
        Ok(())
    };
    count([10, 10])?;
    one.end();
    expect(&one.ended()?, &[("outcome", "ok"), ("proved", "0"), ("shared", "1"), ("changed", "0")])?;
    count([0, 10])
}

#[test]
fn the_sessions_directory_may_go() {
    each_jdk("trace_together::no_session", .., |jdk| {
        let jvm = paused(jdk)?;
        let trace = Trace::begin(&jvm, &["OrderService::*"], PATIENCE)?;
        fs::remove_dir_all(trace.session.path())?;
        let mut reader = trace.reader()?;
        jvm.ask("order", |line| line.starts_with("order "))?;
        let start = Instant::now();
        while reader.drain(Instant::now(), |_| ()) == 0 {
            ensure!(start.elapsed() < PATIENCE, "no events");
        }
        expect(&trace.status()?, &[("state", "tracing"), ("by", "a test"), ("classes", "1")])?;
        trace.end();
        expect(&trace.status_at_the_end()?, &[("outcome", "ok"), ("proved", "1"), ("why", "wanted")])?;
        ensure!(!Path::new(trace.session.path()).exists(), "it was made again");
        is_unharmed(&jvm, jdk, Attached::Times(1))
    });
}
