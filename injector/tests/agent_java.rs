//! The bundled agent's own tests (`agent-java/test`), run on every JDK found: they are a Java program that says at its end
//! how many passed and failed.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::{Jvm, agents, cache, each_jdk, javac};

#[test]
fn agent_java_tests_pass() {
    each_jdk("agent_java", .., |jdk| {
        let jar = agents::bundled()?;
        let mut sources = Vec::new();
        agents::java_files(&cache::workspace().join("agent-java/test"), &mut sources)?;
        sources.sort();
        // A folder for each JDK: it is compiled once, but the program writes its jars beside its classes.
        let classes = cache::target_dir().join("harness/agent-java-tests");
        let class_path = jar.to_str().context("the target folder's name is not UTF-8")?;
        javac::compile(&sources, &classes, &["-cp", class_path])?;
        let done = run(jdk, vec![jar.clone(), classes])?;
        let summary = done.lines().rfind(|line| line.contains(" passed, ")).unwrap_or_default().to_owned();
        ensure!(summary.contains(" 0 failed"), "{done}");
        Ok(())
    });
}

/// Everything it printed; an exit code other than 0 is an error.
fn run(jdk: &'static jgraft_jvm_harness::Jdk, class_path: Vec<PathBuf>) -> Result<String> {
    let mut builder = Jvm::builder(jdk);
    for entry in class_path {
        builder = builder.class_path(entry);
    }
    let finished = builder.main("AgentJavaTests").start()?.finish()?;
    ensure!(finished.status.success(), "{}\n{}{}", finished.status, finished.stdout, finished.stderr);
    Ok(finished.stdout)
}
