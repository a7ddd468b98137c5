//! The bundled agent's own tests (`agent-java/test`), run on every JDK found: they are a Java program that says at its end
//! how many passed and failed.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::{Jdk, Jvm, agents, cache, each_jdk, each_release, javac};

/// All but the one below takes 5 to 15 seconds a JDK on a busy machine, that one a minute.
const LIMIT: Duration = Duration::from_secs(300);

#[test]
fn agent_java_tests_pass() {
    each_jdk("agent_java", .., |jdk| run(jdk, &[]));
}

/// 500 patches and reverts.
#[test]
fn many_patches_leave_nothing() {
    each_release("agent_java_many", .., |jdk| run(jdk, &["many"]));
}

/// Runs it; a failed check is an error.
fn run(jdk: &'static Jdk, args: &[&str]) -> Result<()> {
    let jar = agents::bundled()?;
    let mut sources = Vec::new();
    agents::java_files(&cache::workspace().join("agent-java/test"), &mut sources)?;
    sources.sort();
    // It is compiled once for all JDKs.
    let classes = cache::target_dir().join("harness/agent-java-tests");
    let class_path = jar.to_str().context("the target folder's name is not UTF-8")?;
    javac::compile(&sources, &classes, &["-cp", class_path])?;
    let jvm = Jvm::builder(jdk)
        .class_path(jar)
        .class_path(classes)
        .main("AgentJavaTests")
        .program_args(args)
        .start()?;
    let summary = jvm.wait_for_stdout(|line| line.contains(" passed, "), LIMIT)?;
    let finished = jvm.finish()?;
    let all_hold = finished.status.success() && summary.contains(" 0 failed");
    ensure!(all_hold, "{}\n{}{}", finished.status, finished.stdout, finished.stderr);
    Ok(())
}
