//! Patches beside other agents that retransform the same class, one that came before us and one that comes after, and beside
//! our own trace: nobody's code is lost. The other agents are Byte Buddy's, from Maven Central.

mod common;
#[path = "patch/mod.rs"]
mod patched;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, jgraft, load, text};
use jgraft_jvm_harness::{cache, each_jdk, javac, maven, skip};
use patched::{Classes, Service};

const BYTE_BUDDY: &str = "net.bytebuddy:byte-buddy:1.18.17";

fn agent(byte_buddy: &Path) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/patch/agents/Counting.java");
    let classes = cache::target_dir().join("counting");
    javac::compile(&[source], &classes, &["--release", "8", "-nowarn", "-cp", text(byte_buddy)])?;
    let jar = cache::target_dir().join("counting.jar");
    let manifest = format!(
        "Agent-Class: Counting\nCan-Retransform-Classes: true\nCan-Redefine-Classes: true\nClass-Path: {}\n",
        text(byte_buddy)
    );
    javac::jar(&wrapped(&manifest), &classes, &jar)?;
    Ok(jar)
}

/// A line of a manifest has 72 bytes at most, and goes on behind a blank.
fn wrapped(manifest: &str) -> String {
    let line =
        |line: &str| line.as_bytes().chunks(70).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n ");
    manifest.lines().map(|text| line(text) + "\n").collect()
}

/// Asks the other agent for something; how often its code has run since.
fn ask(service: &Service, jar: &Path, words: &str) -> Result<u64> {
    let mark = service.jvm.stdout_mark();
    let option = format!("{}={words}", jar.display());
    load(service.jvm.pid(), &option, &[])?.expect(0)?;
    let line = service.jvm.wait_for_stdout_after(mark, |line| line.starts_with("hits "), PATIENCE)?;
    line.rsplit(' ').next().context("no number")?.parse().context("no number")
}

/// Its code runs.
fn counts(service: &Service, jar: &Path, name: &str) -> Result<()> {
    let (before, start) = (ask(service, jar, &format!("hits {name}"))?, Instant::now());
    while ask(service, jar, &format!("hits {name}"))? == before {
        ensure!(start.elapsed() < PATIENCE, "the code of the {name} agent is gone");
    }
    Ok(())
}

#[test]
fn nobody_loses_what_they_have_woven() {
    let byte_buddy = match maven::artifact(BYTE_BUDDY) {
        Ok(jar) => jar,
        Err(reason) => return skip("patch_agents", &reason),
    };
    let jar = agent(&byte_buddy).unwrap();
    each_jdk("patch_agents::both", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start_seeing(jdk, &[], &[&byte_buddy])?;
        let pid = service.pid();
        let is = |said: &str| -> Result<()> {
            let now = service.says("enum")?;
            ensure!(now == said, "{now} instead of {said}");
            Ok(())
        };
        ask(&service, &jar, "on first Shade says")?;
        let applied =
            service.patch(&["apply", &classes.file("new", "Shade"), "--json"])?.expect(0)?.json()?;
        ensure!(applied["classes"][0]["foreign"].as_array().is_some_and(|all| all.len() == 1), "{applied}");
        is("NEW")?;
        counts(&service, &jar, "first")?;
        // It retransforms, from which a jvm of 19 and older starts with what was there before the patch.
        ask(&service, &jar, "on second Shade says")?;
        for name in ["first", "second"] {
            is("NEW")?;
            counts(&service, &jar, name)?;
        }
        let traced = jgraft(["trace", &pid, "Shade::says", "--limit", "20", "--json"])?.expect(0)?;
        ensure!(traced.stdout.lines().count() == 20, "{traced:?}");
        for name in ["first", "second"] {
            is("NEW")?;
            counts(&service, &jar, name)?;
        }
        service.patch(&["apply", &classes.file("next", "Shade")])?.expect(0)?;
        is("NEXT")?;
        counts(&service, &jar, "first")?;
        counts(&service, &jar, "second")?;
        ask(&service, &jar, "off second")?;
        is("NEXT")?;
        counts(&service, &jar, "first")?;
        service.patch(&["revert", "--all"])?.expect(0)?;
        is("OLD")?;
        counts(&service, &jar, "first")?;
        ask(&service, &jar, "off first")?;
        is("OLD")?;
        service.is_unharmed()
    });
}

/// A patch while a trace is on, and a trace that ends while a patch is there.
#[test]
fn a_trace_goes_on_when_its_class_is_patched() {
    each_jdk("patch_agents::trace", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let pid = service.pid();
        // A pipe would be full at times, and what Ctrl-C cuts off then is a loss that jgraft reports.
        let printed = tempfile::NamedTempFile::new()?;
        let mut tracing = common::interruptible()
            .args(["trace", &pid, "Shade::says", "--for", "60s"])
            .stdout(printed.reopen()?)
            .stderr(std::process::Stdio::piped())
            .spawn()?;
        let prints_more = || -> Result<()> {
            let (start, length) = (Instant::now(), || printed.as_file().metadata().map(|file| file.len()));
            // More than is under way between the two.
            let wanted = length()? + 1000 * 60;
            while length()? < wanted {
                ensure!(start.elapsed() < PATIENCE, "no lines come any more");
                std::thread::yield_now();
            }
            Ok(())
        };
        prints_more()?;
        service.patch(&["apply", &classes.file("new", "Shade")])?.expect(0)?;
        ensure!(service.says("enum")? == "NEW");
        let reset = jgraft(["status", &pid])?.expect(0)?.stdout;
        ensure!(reset.contains("tracing: 1 method") && reset.contains("patch p1"), "{reset}");
        prints_more()?;
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(tracing.id().cast_signed()),
            nix::sys::signal::Signal::SIGINT,
        )?;
        let mut said = String::new();
        std::io::Read::read_to_string(&mut tracing.stderr.take().context("no stderr")?, &mut said)?;
        ensure!(tracing.wait()?.code() == Some(0), "{said}");
        ensure!(service.says("enum")? == "NEW", "the end of the trace took the patch with it: {said}");
        service.patch(&["revert"])?.expect(0)?;
        ensure!(service.says("enum")? == "OLD");
        service.is_unharmed()
    });
}
