//! Several jgraft patch one JVM at the same time, and one that is told to stop in the middle: each has its turn, and nothing
//! of what was given up stays.

mod common;
#[path = "patch/mod.rs"]
mod patched;

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Instant;
use std::{fs, thread};

use anyhow::{Result, ensure};
use common::{PATIENCE, agent_jar, ended, interruptible, load, text};
use jgraft_jvm_harness::each_jdk;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use patched::{Classes, Service};

const HOLDING: &str = include_str!("patch/agents/Holding.java");
/// A class of each kind, and the name of the kind.
const KINDS: [(&str, &str); 4] =
    [("Lambdas", "lambda"), ("Outer$Inner", "inner"), ("Shade", "enum"), ("Saying", "default")];

#[test]
fn each_has_its_turn() {
    each_jdk("patch_together::turns", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let all = |words: &(dyn Fn(&str, &str) -> Vec<String> + Sync)| -> Result<()> {
            thread::scope(|scope| {
                let patching: Vec<_> = KINDS
                    .iter()
                    .map(|(class, kind)| {
                        let words = words(class, kind);
                        let service = &service;
                        scope.spawn(move || {
                            let words: Vec<&str> = words.iter().map(String::as_str).collect();
                            service.patch(&words)?.expect(0)
                        })
                    })
                    .collect();
                for one in patching {
                    one.join().map_err(|_| anyhow::anyhow!("a panic"))??;
                }
                Ok(())
            })
        };
        for _ in 0..3 {
            all(&|class, kind| {
                let words = ["apply", &classes.file("new", class), "--id", kind, "--yes", "--timeout", "60s"];
                words.map(str::to_owned).to_vec()
            })?;
            for (_, kind) in KINDS {
                ensure!(service.says(kind)? == "NEW", "{kind}: {}", service.says(kind)?);
            }
            let listed = service.patch(&["list", "--json"])?.expect(0)?.json()?;
            ensure!(listed["patches"].as_array().is_some_and(|all| all.len() == KINDS.len()), "{listed}");
            all(&|_, kind| ["revert", kind, "--timeout", "60s"].map(str::to_owned).to_vec())?;
            for (_, kind) in KINDS {
                ensure!(service.says(kind)? == "OLD", "{kind}: {}", service.says(kind)?);
            }
        }
        service.is_unharmed()
    });
}

/// A service in which whoever changes `Shade` waits for a file.
fn held(classes: &Classes, jdk: &jgraft_jvm_harness::Jdk, file: &Path) -> Result<Service> {
    let jar = agent_jar(
        "holding",
        "Holding",
        HOLDING,
        "Agent-Class: Holding\nCan-Retransform-Classes: true\nCan-Redefine-Classes: true\n",
    )?;
    let service = classes.start(jdk, &[])?;
    load(service.jvm.pid(), &format!("{}=Shade {}", text(&jar), file.display()), &[])?.expect(0)?;
    Ok(service)
}

fn start(service: &Service, words: &[&str]) -> Result<Child> {
    let mut command = interruptible();
    command.args(["patch", &service.pid()]).args(words).arg("--json");
    Ok(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
}

#[test]
fn a_signal_ends_a_step_that_the_jvm_is_not_done_with() {
    each_jdk("patch_together::signal", .., |jdk| {
        let classes = Classes::made()?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("go");
        let service = held(&classes, jdk, &file)?;
        let (new, next) = (classes.file("new", "Shade"), classes.file("new", "Lambdas"));
        let mark = service.jvm.stdout_mark();
        let patching = start(&service, &["apply", &new, "--yes"])?;
        service.jvm.wait_for_stdout_after(mark, |line| line == "held Shade", PATIENCE)?;

        // Another comes meanwhile, waits for its turn as long as it was told, and says who keeps it waiting.
        let late =
            service.patch(&["apply", &next, "--yes", "--timeout", "1s", "--json"])?.expect(1)?.json()?;
        ensure!(
            late["evidence"].as_str().is_some_and(|why| why.contains("another jgraft is patching")),
            "{late}"
        );

        let since = Instant::now();
        kill(Pid::from_raw(patching.id().try_into()?), Signal::SIGTERM)?;
        let run = ended(patching)?.expect(130)?.json()?;
        ensure!(run["code"] == "interrupted", "{run}");
        ensure!(run["evidence"].as_str().is_some_and(|why| why.contains("the step apply")), "{run}");
        ensure!(since.elapsed() < PATIENCE, "it took {:?}", since.elapsed());

        // What the JVM is not done with goes back as soon as it is; the next is let in then.
        fs::write(&file, "")?;
        service.patch(&["apply", &next, "--yes", "--timeout", "60s"])?.expect(0)?;
        ensure!(service.says("enum")? == "OLD", "{}", service.says("enum")?);
        ensure!(service.says("lambda")? == "NEW", "{}", service.says("lambda")?);
        let listed = service.patch(&["list", "--json"])?.expect(0)?.json()?;
        ensure!(listed["patches"].as_array().is_some_and(|all| all.len() == 1), "{listed}");
        service.patch(&["apply", &new])?.expect(0)?;
        ensure!(service.says("enum")? == "NEW", "{}", service.says("enum")?);
        service.patch(&["revert", "--all"])?.expect(0)?;
        ensure!(service.says("enum")? == "OLD" && service.says("lambda")? == "OLD");
        service.is_unharmed()
    });
}

#[test]
fn of_two_that_take_out_one_patch_the_second_says_so() {
    each_jdk("patch_together::twice", 17.., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        for _ in 0..5 {
            service.patch(&["apply", &classes.file("new", "Shade"), "--id", "a", "--yes"])?.expect(0)?;
            let two = [start(&service, &["revert", "a"])?, start(&service, &["revert", "a"])?];
            let two = two.into_iter().map(ended).collect::<Result<Vec<_>>>()?;
            let mut taken = 0;
            for run in two {
                match run.code {
                    0 => taken += run.json()?["patches"].as_array().map_or(0, Vec::len),
                    // It had come after the other had ended.
                    2 => ensure!(run.stdout.contains("has no patch a"), "{run:?}"),
                    _ => anyhow::bail!("{run:?}"),
                }
            }
            ensure!(taken == 1, "{taken} have taken it out");
            ensure!(service.says("enum")? == "OLD");
        }
        service.is_unharmed()
    });
}
