//! The agent named on the command line, on every JDK found: it waits for its class, reports it once, and whatever is
//! wrong with it, the JVM starts.

mod common;

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use common::trace::{PATIENCE, Trace};
use common::{
    Attached, agent_path, count, expect, is_unharmed, look, open_files_fall_to, options, reply, service,
};
use jgraft_attach::{Client, LoadOutcome, Request, Target};
use jgraft_jvm_harness::{Jdk, Jvm, each_jdk, targets};
use jgraft_protocol::properties;
use tempfile::TempDir;

/// A JVM with the agent in it, and the session's directory.
fn start(jdk: &Jdk, class: &str, more: &[&str]) -> Result<(Jvm, TempDir)> {
    let session = tempfile::tempdir_in("/tmp")?;
    let jvm = service(jdk)?
        .visible(session.path())
        .args([agent_path(&options(session.path(), class))?])
        .args(more)
        .start()?;
    Ok((jvm, session))
}

#[test]
fn a_class_is_seen_when_it_is_loaded() {
    each_jdk("a_class_is_seen_when_it_is_loaded", .., |jdk| {
        let (jvm, session) = start(jdk, "OrderService", &[])?;
        jvm.wait_ready()?;
        let reply = reply(session.path())?;
        let size = fs::metadata(targets::order_service_classes()?.join("OrderService.class"))?.len();
        expect(
            &reply,
            &[
                ("outcome", "ok"),
                ("class", "OrderService"),
                ("bytes", &size.to_string()),
                ("major", "52"),
                ("redefined", "false"),
                ("hook.calls", "1"),
            ],
        )?;
        let loader = properties::get(&reply, "loader").context("no loader")?;
        ensure!(loader.ends_with("$AppClassLoader"), "{loader}");
        is_unharmed(&jvm, jdk, Attached::Never)
    });
}

#[test]
fn a_class_that_was_there_before_us_is_retransformed() {
    each_jdk("a_class_that_was_there_before_us_is_retransformed", .., |jdk| {
        for class in ["java.lang.Object", "java.lang.String"] {
            let (jvm, session) = start(jdk, class, &[])?;
            jvm.wait_ready()?;
            let reply = reply(session.path())?;
            expect(&reply, &[("outcome", "ok"), ("loader", "boot"), ("hook.calls", "1")])?;
            is_unharmed(&jvm, jdk, Attached::Never)?;
        }
        Ok(())
    });
}

#[test]
fn a_class_that_never_came_is_reported_at_the_end() {
    each_jdk("a_class_that_never_came_is_reported_at_the_end", .., |jdk| {
        let (jvm, session) = start(jdk, "shop.Absent", &[])?;
        jvm.wait_ready()?;
        ensure!(count_files(&session)? == 0, "a reply too early");
        is_unharmed(&jvm, jdk, Attached::Never)?;
        jvm.send_line("quit")?;
        let finished = jvm.finish()?;
        ensure!(finished.status.success() && finished.stderr.is_empty(), "{finished:?}");
        expect(
            &reply(session.path())?,
            &[
                ("outcome", "failed"),
                ("stage", "find"),
                ("message", "the jvm ended before it loaded shop.Absent"),
                ("hook.calls", "0"),
            ],
        )
    });
}

#[test]
fn with_options_of_no_use_the_jvm_starts_all_the_same() {
    each_jdk("with_options_of_no_use_the_jvm_starts_all_the_same", .., |jdk| {
        for options in ["", "class=OrderService", "session=/proc/absent,class=OrderService"] {
            let jvm = service(jdk)?.args([agent_path(options)?]).start()?;
            jvm.wait_ready().with_context(|| options.to_owned())?;
            is_unharmed(&jvm, jdk, Attached::Never)?;
        }
        let (jvm, session) = start(jdk, "no;class", &[])?;
        jvm.wait_ready()?;
        expect(&reply(session.path())?, &[("outcome", "failed"), ("stage", "options")])?;
        is_unharmed(&jvm, jdk, Attached::Never)
    });
}

#[test]
fn the_checks_of_jni_have_nothing_to_say() {
    each_jdk("the_checks_of_jni_have_nothing_to_say", .., |jdk| {
        // The checks of JDK 8 complain of its own launcher, so this compares with a JVM without the agent.
        let alone = service(jdk)?.args(["-Xcheck:jni"]).start()?;
        alone.wait_ready()?;
        let warnings = |jvm: &Jvm| jvm.stdout().lines().filter(|line| !line.starts_with("ready")).count();
        for class in ["OrderService", "java.lang.String"] {
            let (jvm, session) = start(jdk, class, &["-Xcheck:jni"])?;
            jvm.wait_ready()?;
            expect(&reply(session.path())?, &[("outcome", "ok")])?;
            ensure!(warnings(&jvm) == warnings(&alone), "{}", jvm.stdout());
            ensure!(jvm.stderr().is_empty(), "{}", jvm.stderr());
        }
        Ok(())
    });
}

#[test]
fn attach_finds_it_loaded_and_works() {
    each_jdk("attach_finds_it_loaded_and_works", .., |jdk| {
        let (jvm, session) = start(jdk, "OrderService", &[])?;
        jvm.wait_ready()?;
        expect(&reply(session.path())?, &[("outcome", "ok")])?;
        let files = count(&jvm, "fd")?;
        let (outcome, reply) = look(&jvm, "OrderService")?;
        ensure!(outcome == LoadOutcome::Loaded, "{outcome:?}: {reply:?}");
        expect(&reply, &[("redefined", "true"), ("hook.calls", "1")])?;
        // The socket of the attach listener.
        open_files_fall_to(&jvm, files + 1)?;
        // A library that came with the JVM was loaded by nobody since: no warning.
        is_unharmed(&jvm, jdk, Attached::Never)
    });
}

fn count_files(session: &TempDir) -> Result<usize> {
    Ok(fs::read_dir(session.path())?.count())
}

#[test]
fn a_trace_may_begin_with_the_jvm() {
    each_jdk("a_trace_may_begin_with_the_jvm", .., |jdk| {
        let (session, lease) = Trace::prepare("/tmp".as_ref(), &["Stock::*"], PATIENCE, "false")?;
        let jvm = service(jdk)?
            .visible(session.path())
            .args([agent_path(&format!("session={}", session.path().display()))?])
            .start()?;
        jvm.wait_ready()?;
        let trace = Trace::opened(&jvm, session, lease)?;
        expect(&trace.reply, &[("classes", "0")])?;
        let mut reader = trace.reader()?;
        let (mut events, start) = (0, Instant::now());
        while events < 100 {
            events += reader.drain(Instant::now(), |_| ());
            ensure!(start.elapsed() < PATIENCE, "{events} events");
        }
        ensure!(trace.names()?.values().all(|name| name.starts_with("Stock::")), "{:?}", trace.names()?);
        trace.end();
        expect(&trace.ended()?, &[("outcome", "ok"), ("restored", "1"), ("clean", "1")])?;
        is_unharmed(&jvm, jdk, Attached::Never)
    });
}

/// How many methods are compiled and run as such: `Compiler.codelist` has id, level and state of each, 0 for one in use.
fn compiled(jvm: &Jvm) -> Result<usize> {
    let mut client = Client::new(Target::inspect(jvm.pid().cast_signed())?);
    let (text, _) = client.send(&Request::jcmd("Compiler.codelist")?)?.into_text(1 << 24)?;
    let in_use = text.lines().filter(|line| line.split_whitespace().nth(2) == Some("0")).count();
    ensure!(in_use > 0, "{text}");
    Ok(in_use)
}

/// On 8 to 22 the first retransformation throws all compiled code away, but not where an agent could retransform from the
/// start. JDK 8 does not tell how much code it has.
#[test]
fn an_agent_that_was_there_from_the_start_keeps_compiled_code() {
    each_jdk("an_agent_that_was_there_from_the_start_keeps_compiled_code", 11.., |jdk| {
        for ready in [false, true] {
            let path = agent_path("")?;
            let options: &[&str] = if ready { &[path.trim_end_matches('=')] } else { &[] };
            let jvm = service(jdk)?.args(options).start()?;
            jvm.wait_ready()?;
            let start = Instant::now();
            let mut before = 0;
            while before < 150 {
                jvm.ask("order", |line| line.starts_with("order "))?;
                before = compiled(&jvm)?;
                ensure!(start.elapsed() < PATIENCE, "{before} compiled");
            }
            let trace = Trace::begin(&jvm, &["Stock::take"], PATIENCE)?;
            let after = compiled(&jvm)?;
            let kept = ready || jdk.feature >= 23;
            ensure!((after > before / 2) == kept, "ready {ready}: {before} compiled, {after} after");
            drop(trace);
        }
        Ok(())
    });
}
