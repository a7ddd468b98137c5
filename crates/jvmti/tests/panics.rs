//! An agent that panics at every turn, in every JDK found: the JVM goes on as if it had done nothing, and no one has
//! printed anything.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use jgraft_attach::{Client, LoadOutcome, Request, Target};
use jgraft_jvm_harness::{Jdk, Jvm, JvmBuilder, artifacts, each_jdk, targets};

fn library() -> Result<PathBuf> {
    artifacts::agent("jgraft-panics")
}

fn service(jdk: &Jdk) -> Result<JvmBuilder<'_>> {
    let classes = targets::order_service_classes()?;
    Ok(Jvm::builder(jdk)
        .class_path(classes)
        .main("OrderService")
        .program_args(["--quiet"])
        .visible(library()?))
}

fn load(jvm: &Jvm, options: &str) -> Result<LoadOutcome> {
    let request = Request::load_native_agent(&library()?.display().to_string(), Some(options))?;
    let mut client = Client::new(Target::inspect(jvm.pid().cast_signed())?);
    let reply = client.send(&request)?;
    let header = reply.header();
    Ok(LoadOutcome::parse(header, &reply.into_text(1 << 16)?.0))
}

fn works_and_ends_in_silence(jvm: Jvm) -> Result<()> {
    jvm.ask("order", |line| line.starts_with("order "))?;
    jvm.send_line("quit")?;
    let finished = jvm.finish()?;
    ensure!(finished.status.success(), "{finished:?}");
    let is_known = |line: &str| ["ready ", "order ", "WARNING: "].iter().any(|start| line.starts_with(start));
    let foreign = finished.stdout.lines().chain(finished.stderr.lines()).find(|line| !is_known(line));
    ensure!(foreign.is_none(), "{finished:?}");
    Ok(())
}

#[test]
fn by_attach() {
    each_jdk("by_attach", .., |jdk| {
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        for (options, code) in [("entry", 150), ("", 161), ("thread", 170), ("", 161), ("entry", 150)] {
            let outcome = load(&jvm, options)?;
            ensure!(outcome == LoadOutcome::AgentFailed(code), "{options}: {outcome:?}");
        }
        works_and_ends_in_silence(jvm)
    });
}

#[test]
fn from_the_start_to_the_end() {
    each_jdk("from_the_start_to_the_end", .., |jdk| {
        let jvm = service(jdk)?.args([format!("-agentpath:{}", library()?.display())]).start()?;
        jvm.wait_ready()?;
        works_and_ends_in_silence(jvm)
    });
}
