//! `jgraft list` and TARGET by name: every JVM is shown, or it is said that one could not be looked at.

mod common;

use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use common::{Run, jgraft, service, unharmed};
use jgraft_jvm_harness::fake_jvm::FakeJvm;
use jgraft_jvm_harness::{Jdk, jdks::no_jdk_hint, skip};
use serde_json::Value;

const READY: &str = "play hotspot 17\nlisten at-start\n";

/// jgraft with a limit on open files, soft (`-Sn 12`) or hard (`-n 12`).
fn limited(limit: &str, args: &str) -> Result<Run> {
    let script = format!("ulimit {limit}; exec \"$0\" {args}");
    common::run(Command::new("sh").args(["-c", &script, env!("CARGO_BIN_EXE_jgraft")]))
}

fn row<'a>(listed: &'a Value, fake: &FakeJvm) -> Option<&'a Value> {
    listed["jvms"].as_array()?.iter().find(|row| row["pid"] == fake.pid())
}

#[test]
fn no_jvm_vanishes_for_want_of_descriptors() -> Result<()> {
    let fakes = (0..6).map(|_| FakeJvm::start(READY)).collect::<Result<Vec<_>>>()?;
    // More than it takes to hold one at a time; less than all of them need.
    for limit in ["-Sn 12", "-n 12"] {
        let listed = limited(limit, "list --json")?.expect(0)?.json()?;
        for fake in &fakes {
            let row = row(&listed, fake).with_context(|| format!("{limit}: {} of {listed}", fake.pid()))?;
            ensure!(row["attachable"] == true && row["starting"] == false, "{row}");
        }
    }
    // Not even enough for one.
    let listed = limited("-n 5", "list --json")?.expect(0)?.json()?;
    let missed = listed["missed"].as_array().with_context(|| format!("nothing missed: {listed}"))?;
    for fake in &fakes {
        ensure!(missed.iter().any(|missed| missed["pid"] == fake.pid()), "{} of {listed}", fake.pid());
    }
    let table = limited("-n 5", "list")?.expect(0)?;
    ensure!(table.stderr.contains("could not be looked at"), "{table:?}");
    Ok(())
}

#[test]
fn a_name_means_nobody_while_a_namesake_may_be_unseen() -> Result<()> {
    let fake = FakeJvm::start(READY)?;
    let shown = jgraft(["doctor", "--json", &fake.pid().to_string()])?.json()?;
    let name = shown["target"]["name"].as_str().context("no name")?;
    let refused = limited("-n 5", &format!("jcmd {name} VM.version"))?.expect(1)?;
    refused.explained("could not be looked at: Too many open files")?;
    fake.is_quiet()
}

#[test]
fn a_jvm_that_creates_itself_is_called_starting() -> Result<()> {
    let fake = FakeJvm::start(READY)?;
    let mut folders = std::fs::read_dir("/tmp")?.flatten().map(|entry| entry.path());
    let is_counters =
        |path: &PathBuf| path.to_string_lossy().starts_with("/tmp/hsperfdata_") && path.exists();
    let counters = folders.find_map(|folder| Some(folder.join(fake.pid().to_string())).filter(is_counters));
    let counters = std::fs::OpenOptions::new().write(true).open(counters.context("no counters")?)?;
    // Its last counter is sun.rt.createVmEndTime, which is 0 until then.
    let last = counters.metadata()?.len() - 8;
    for (time, starting) in [(0i64, true), (1, false)] {
        counters.write_at(&time.to_le_bytes(), last)?;
        let listed = jgraft(["list", "--json"])?.expect(0)?.json()?;
        let row = row(&listed, &fake).context("not listed")?;
        ensure!(row["starting"] == starting && row["attachable"] == true, "{row}");
    }
    Ok(())
}

#[test]
fn many_real_jvms_are_all_listed() -> Result<()> {
    let jdks: Vec<_> = Jdk::all().iter().filter(|jdk| jdk.runnable().is_ok()).collect();
    if jdks.is_empty() {
        skip("list::many_real_jvms", no_jdk_hint());
        return Ok(());
    }
    let services: Vec<_> = (0..8)
        .map(|n| jdks[n % jdks.len()])
        .map(|jdk| Ok((jdk, service(jdk, &["-Xmx16m", "-XX:+UseSerialGC"])?)))
        .collect::<Result<_>>()?;
    let listed = jgraft(["list", "--json"])?.expect(0)?.json()?;
    let table = jgraft(["list"])?.expect(0)?;
    for (jdk, service) in &services {
        let rows = listed["jvms"].as_array().context("no array")?;
        let row = rows.iter().find(|row| row["pid"] == service.pid()).context("not listed")?;
        ensure!(row["feature"] == jdk.feature && row["attachable"] == true, "{row}");
        let pid = service.pid().to_string();
        let line = table.stdout.lines().find(|line| line.split_whitespace().next() == Some(&pid));
        ensure!(line.is_some_and(|line| line.contains("OrderService")), "{pid}:\n{}", table.stdout);
        unharmed(service)?;
    }
    Ok(())
}
