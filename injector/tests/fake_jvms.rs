//! Runs every script of `crates/jvm-harness/fakes`: a fake JVM that does what the file says, jgraft against it, and what
//! must come of it. Whatever a fake does, nothing of ours is left behind.

mod common;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use common::{good_jar, jgraft, text};
use jgraft_jvm_harness::fake_jvm::{FakeJvm, Script, Trial, scripts};
use jgraft_jvm_harness::{Jdk, artifacts, skip};

/// How many fakes at once: they mostly wait.
const THREADS: usize = 4;

#[test]
fn every_script_comes_out_as_it_says() -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        skip("fake_jvms", "needs root: some scripts give a socket away");
        return Ok(());
    }
    let scripts = scripts()?;
    ensure!(scripts.len() > 20, "{scripts:?}");
    let next = AtomicUsize::new(0);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut failures = Vec::new();
            while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = run(script) {
                    failures.push(format!("{}: {error:#}", script.display()));
                }
            }
            failures
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|_| vec!["panic".to_owned()]))
            .collect()
    });
    ensure!(failures.is_empty(), "{} of {} scripts\n{}", failures.len(), scripts.len(), failures.join("\n"));
    Ok(())
}

fn run(path: &Path) -> Result<()> {
    let source = std::fs::read_to_string(path)?;
    let script: Script = source.parse()?;
    let folder = tempfile::tempdir()?;
    let jar = folder.path().join("agent.so");
    // A real one: what is no library is refused before it is sent.
    std::fs::copy(artifacts::native_agent()?, &jar)?;
    let wants_agent =
        script.trials.iter().flat_map(|trial| &trial.words).any(|word| word.contains("{agent}"));
    let agent = match wants_agent {
        true if Jdk::all().is_empty() => {
            skip(&format!("fake_jvms {}", path.display()), "no JDK to make a jar with");
            return Ok(());
        }
        true => good_jar()?,
        false => PathBuf::new(),
    };
    let fake = FakeJvm::start(&source)?;
    ensure!(!script.trials.is_empty(), "it tries nothing");
    for trial in &script.trials {
        // A heap dump's file must not be there before.
        let new = tempfile::tempdir()?;
        attempt(&fake, trial, [text(&jar), text(&agent), text(&new.path().join("dump"))])
            .with_context(|| format!("try {}", trial.words.join(" ")))?;
        fake.nothing_is_left()?;
    }
    ensure!(
        !fake.printed().iter().any(|line| line == "thread dump printed" || line == "javacore written"),
        "harm was done"
    );
    Ok(())
}

fn attempt(fake: &FakeJvm, trial: &Trial, [jar, agent, new]: [&str; 3]) -> Result<()> {
    let pid = fake.pid().to_string();
    let fill = |text: &String| {
        text.replace("{pid}", &pid).replace("{jar}", jar).replace("{agent}", agent).replace("{new}", new)
    };
    let words: Vec<_> = trial.words.iter().map(fill).collect();
    let run = jgraft(words.iter().map(String::as_str))?.expect(trial.exit)?;
    if let Some(prints) = &trial.prints {
        ensure!(run.stdout == *prints, "{run:#?}");
    }
    for words in trial.says.iter().map(fill) {
        ensure!(
            run.stdout.contains(&words) || run.stderr.contains(&words),
            "{words:?} is not said: {run:#?}"
        );
    }
    for line in &trial.seen {
        fake.expect_among(line, &["will"])?;
    }
    Ok(())
}
