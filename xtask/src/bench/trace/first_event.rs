//! How long a person waits for the first call: from the command to its line, where nothing was loaded before and again.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use jgraft_jvm_harness::{Jdk, Jvm};

use super::calls::{CLASS, METHOD, started, target};
use super::{arthas, fetch};
use crate::bench::Samples;
use crate::build::Made;

/// What a command is told by, and its samples: the first line cold and warm, the exit cold and warm.
struct Contestant {
    name: String,
    /// For the pid.
    command: Box<dyn Fn(u32) -> Command>,
    samples: [Samples; 4],
}

pub(super) fn run(jdk: &'static Jdk, made: &Made, rounds: usize) -> Result<()> {
    let jgraft = made.jgraft.clone();
    let mut contestants = vec![Contestant {
        name: "jgraft trace --limit 1".to_owned(),
        command: Box::new(move |pid| {
            let mut command = Command::new(&jgraft);
            command.args(["trace", &pid.to_string(), &format!("{CLASS}::{METHOD}"), "--limit", "1"]);
            command
        }),
        samples: Default::default(),
    }];
    match fetch::ARTHAS.unpacked() {
        Ok(home) => {
            let (java, ports) = (jdk.java(), [arthas::free_port()?, arthas::free_port()?]);
            let files = tempfile::tempdir()?;
            contestants.push(Contestant {
                name: format!("Arthas {} watch -n 1", fetch::ARTHAS.version()),
                command: Box::new(move |pid| {
                    let mut command = Command::new(&java);
                    command.current_dir(files.path()).arg("-Duser.home=.");
                    command.args(arthas::first_call(&home, pid, ports));
                    command
                }),
                samples: Default::default(),
            });
        }
        Err(reason) => println!("Arthas is left out: {reason:#}"),
    }
    for _ in 0..rounds {
        for contestant in &mut contestants {
            let jvm = pulsing(jdk)?;
            for warm in 0..2 {
                let mut command = (contestant.command)(jvm.pid());
                let (first, exit) = measure(&mut command).with_context(|| contestant.name.clone())?;
                contestant.samples[warm].push(first);
                contestant.samples[2 + warm].push(exit);
            }
        }
    }
    println!(
        "\nms from the command to the first call, JDK {jdk}, {rounds} rounds, interleaved\n{}",
        Samples::header()
    );
    for (at, what) in
        ["first call, cold", "first call, again", "exit, cold", "exit, again"].iter().enumerate()
    {
        println!("{what}");
        let ours = contestants.first().map_or(f64::NAN, |first| first.samples[at].median());
        for contestant in &contestants {
            println!("{}", contestant.samples[at].line(&contestant.name, ours));
        }
    }
    Ok(())
}

/// A target that makes a call a millisecond.
fn pulsing(jdk: &'static Jdk) -> Result<Jvm> {
    // Where Arthas writes its logs: a folder that goes with the JVM.
    let jvm = started(target(jdk)?.args(["-Duser.home=."]))?;
    jvm.ask("pulse", |line| line == "pulsing")?;
    Ok(jvm)
}

/// Milliseconds to the line that tells of a call, and to the exit.
fn measure(command: &mut Command) -> Result<(f64, f64)> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let since = || start.elapsed().as_secs_f64() * 1000.0;
    let (mut first, mut said) = (None, String::new());
    let stdout = child.stdout.take().context("no stdout")?;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        // jgraft's line, and the one of Arthas that comes with the result; not the echo of the command.
        if [format!("{CLASS}::{METHOD}"), format!("method={CLASS}.{METHOD}")]
            .iter()
            .any(|name| line.contains(name))
        {
            first.get_or_insert_with(since);
        }
        said.push_str(&line);
        said.push('\n');
    }
    let status = child.wait()?;
    let exit = since();
    match first {
        Some(first) if status.success() => Ok((first, exit)),
        _ => bail!("{status}, told of no call:\n{said}"),
    }
}
