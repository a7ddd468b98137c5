//! `cargo xtask bench attach`: how long a person waits for a whole command, from typing to the prompt; of the very file
//! that `cargo xtask dist` makes.
//!
//! Cold means a JVM whose listener was never woken, so each sample has a JVM of its own; warm means one whose listener is
//! up. A cheap command (`jcmd VM.version`) and a `load` of example 01's agent. jcmd loads by `JVMTI.agent_load`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use jgraft_jvm_harness::{Jdk, Jvm, agents, targets};

use super::Samples;
use crate::dist;

/// The one of `--other`.
const OTHER: &str = "other jgraft";
/// What a cold attach may take beside the JVM's own time, in milliseconds.
const OWN_SHARE: f64 = 4.0;

/// What is measured against what.
struct Contestant {
    name: &'static str,
    program: PathBuf,
}

/// What they are asked to do.
#[derive(Clone, Copy, PartialEq)]
enum Task {
    Cheap,
    Load,
}

pub(super) fn run(rounds: usize, other: Option<&Path>) -> Result<()> {
    let jgraft = dist::build()?;
    let agent = agents::example("01-load-jar-agent", "MANIFEST.MF")?;
    let agent = format!("{}=class=Pricing,from=129900,to=99900", agent.display());
    let jdks = Jdk::all()
        .iter()
        .filter(|jdk| jdk.root.is_none() && matches!(jdk.feature, 17 | 25) && jdk.has_tool("jcmd"));
    let mut measured = false;
    for jdk in jdks {
        let mut contestants = vec![Contestant { name: "jgraft", program: jgraft.clone() }];
        contestants.extend(other.map(|file| Contestant { name: OTHER, program: file.to_owned() }));
        match which("jattach") {
            Some(program) => contestants.push(Contestant { name: "jattach", program }),
            None => println!("jattach is not installed (Debian: apt-get install jattach): left out"),
        }
        contestants.extend(jdk.tool("jcmd").map(|program| Contestant { name: "jcmd", program }));
        println!("\nJDK {jdk}, {rounds} rounds, interleaved");
        for task in [Task::Cheap, Task::Load] {
            cold(jdk, &contestants, task, &agent, rounds)?;
            warm(jdk, &contestants, task, &agent, rounds * 3)?;
        }
        measured = true;
    }
    if !measured {
        bail!("no JDK 17 or 25 with jcmd was found: cargo xtask jdks");
    }
    Ok(())
}

fn cold(jdk: &Jdk, contestants: &[Contestant], task: Task, agent: &str, rounds: usize) -> Result<()> {
    let mut walls: Vec<Samples> = contestants.iter().map(|_| Samples::default()).collect();
    let (mut own, mut wake) = (Samples::default(), Samples::default());
    for round in 0..rounds {
        for at in in_turn(round, contestants.len()) {
            let (contestant, samples) = (&contestants[at], &mut walls[at]);
            let service = start(jdk)?;
            let (wall, stdout) = measure(contestant, task, agent, service.pid())?;
            samples.push(wall);
            if contestant.name == "jgraft" && task == Task::Load {
                let (listener, answer) = timing(&stdout)?;
                wake.push(listener);
                own.push(wall - listener - answer);
            }
        }
    }
    print(&format!("cold {}", name(task)), contestants, &walls);
    if task == Task::Load {
        println!("{}", wake.line("the jvm, SIGQUIT → socket", f64::NAN).replace("NaN", "  -"));
        println!("{}", own.line("jgraft's own share", f64::NAN).replace("NaN", "  -"));
        wanted(&format!("jgraft's own share at most {OWN_SHARE} ms"), own.median() <= OWN_SHARE);
    }
    Ok(())
}

fn warm(jdk: &Jdk, contestants: &[Contestant], task: Task, agent: &str, rounds: usize) -> Result<()> {
    let service = start(jdk)?;
    let first = contestants.first().context("nobody to measure")?;
    measure(first, Task::Cheap, agent, service.pid())?;
    let mut walls: Vec<Samples> = contestants.iter().map(|_| Samples::default()).collect();
    for round in 0..rounds {
        for at in in_turn(round, contestants.len()) {
            let (contestant, samples) = (&contestants[at], &mut walls[at]);
            samples.push(measure(contestant, task, agent, service.pid())?.0);
        }
    }
    print(&format!("warm {}", name(task)), contestants, &walls);
    let of =
        |name: &str| contestants.iter().zip(&walls).find(|(c, _)| c.name == name).map(|(_, w)| w.median());
    if let (Task::Cheap, Some(theirs)) = (task, of("jattach")) {
        for ours in ["jgraft", OTHER] {
            if let Some(median) = of(ours) {
                wanted(&format!("{ours} at most jattach"), median <= theirs);
            }
        }
    }
    Ok(())
}

/// Who comes when in this round: each as often behind each other one, for whoever follows jcmd finds the caches full of it.
pub(super) fn in_turn(round: usize, contestants: usize) -> impl Iterator<Item = usize> {
    let backwards = round / contestants % 2 == 1;
    (0..contestants).map(move |at| (round + if backwards { contestants - 1 - at } else { at }) % contestants)
}

fn wanted(what: &str, holds: bool) {
    println!("  wanted: {what}: {}", if holds { "holds" } else { "DOES NOT HOLD" });
}

fn print(what: &str, contestants: &[Contestant], walls: &[Samples]) {
    println!("{what}\n{}", Samples::header());
    let reference = walls.first().map_or(f64::NAN, Samples::median);
    for (contestant, samples) in contestants.iter().zip(walls) {
        println!("{}", samples.line(contestant.name, reference));
    }
}

/// A quiet service: its own work must not take the core that is measured.
fn start(jdk: &Jdk) -> Result<Jvm> {
    let classes = targets::order_service_classes()?;
    let options = ["-Xmx64m", "-Dorders.pauseMillis=50"];
    let service =
        Jvm::builder(jdk).args(options).class_path(classes).main("OrderService").program_args(["--quiet"]);
    let service = service.start()?;
    service.wait_ready()?;
    Ok(service)
}

/// Milliseconds from start to exit, and what it printed.
fn measure(contestant: &Contestant, task: Task, agent: &str, pid: u32) -> Result<(f64, Vec<u8>)> {
    let pid = pid.to_string();
    let (jar, options) = agent.split_once('=').context("an agent without options")?;
    let args: Vec<&str> = match (contestant.name, task) {
        ("jgraft" | OTHER, Task::Cheap) => vec!["jcmd", &pid, "VM.version"],
        ("jgraft" | OTHER, Task::Load) => vec!["load", "--json", &pid, agent],
        ("jattach", Task::Cheap) => vec![&pid, "jcmd", "VM.version"],
        ("jattach", Task::Load) => vec![&pid, "load", "instrument", "false", agent],
        (_, Task::Cheap) => vec![&pid, "VM.version"],
        (_, Task::Load) => vec![&pid, "JVMTI.agent_load", jar, options],
    };
    let mut command = Command::new(&contestant.program);
    command.args(&args).stdin(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let output = command.output().with_context(|| format!("can't run {}", contestant.name))?;
    let wall = start.elapsed().as_secs_f64() * 1000.0;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        bail!("{} {}: {}\n{said}", contestant.name, args.join(" "), output.status);
    }
    Ok((wall, output.stdout))
}

/// `listener_ms` and `answer_ms` of `jgraft load --json`.
fn timing(stdout: &[u8]) -> Result<(f64, f64)> {
    let report: serde_json::Value = serde_json::from_slice(stdout).context("jgraft load --json")?;
    let field = |name: &str| report["timing"][name].as_f64();
    Ok((
        field("listener_ms").context("the listener was up already")?,
        field("answer_ms").context("answer_ms")?,
    ))
}

fn name(task: Task) -> &'static str {
    match task {
        Task::Cheap => "jcmd VM.version",
        Task::Load => "load of an agent jar",
    }
}

fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| Path::new(&folder).join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::in_turn;

    #[test]
    fn nobody_always_follows_jcmd() {
        // Two times every order there is, and who comes next.
        let order: Vec<usize> = (0..13).flat_map(|round| in_turn(round, 3)).take(37).collect();
        let follows = |who| order.windows(2).filter(|pair| **pair == [2, who]).count();
        assert_eq!((follows(0), follows(1)), (6, 6));
        assert!(order[..36].chunks(3).all(|round| round.iter().sum::<usize>() == 3));
    }
}
