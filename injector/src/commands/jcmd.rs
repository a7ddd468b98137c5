//! `jgraft jcmd`: one diagnostic command, its answer on stdout as it arrives.

use std::io::{self, Read};
use std::process::ExitCode;

use jgraft_attach::{Client, Reply, Request, Target, agent_loading, examine};
use serde::Serialize;

use crate::cli::Jcmd;
use crate::commands::doctor::{FindingJson, print_finding};
use crate::failure::{EXIT_FAILED, Failure};
use crate::interrupt::Interrupt;
use crate::{human, json, output, target};

#[derive(Serialize)]
struct Answer {
    pid: i32,
    command: String,
    output: String,
}

/// Runs the command.
pub(crate) fn run(options: &Jcmd) -> Result<ExitCode, Failure> {
    let line = options.words.join(" ");
    if line.trim().is_empty() {
        return Err(Failure::usage(
            "no command was given",
            format!("{line:?}"),
            "jgraft jcmd TARGET help lists them",
        ));
    }
    let request = Request::jcmd(&line).map_err(|finding| Failure::blocked(&finding))?;
    let mut target = target::find(&options.target)?;
    let pid = target.pid();
    let interrupt = Interrupt::catch();
    if loads_an_agent(&line) {
        if examine(&target).starting {
            target = options.patience.client(target, &interrupt).await_created()?;
        }
        agents_are_welcome(&target, options)?;
    }
    let mut client = options.patience.client(target, &interrupt);
    let mut reply = client.send(&request)?;
    if reply.header() != 0 {
        return Err(refused(pid, &options.words, reply));
    }
    if options.json {
        let mut output = Vec::new();
        reply.read_to_end(&mut output).map_err(|e| cut_off(pid, &e))?;
        let output = String::from_utf8_lossy(&output).into_owned();
        json::print("jcmd", &Answer { pid, command: line.clone(), output });
    } else {
        copy(&mut reply).map_err(|e| cut_off(pid, &e))?;
    }
    output::finish(ExitCode::SUCCESS, &format!("pid {pid} has carried out \"{line}\""))
}

/// Since 9 a JVM has a command that loads a native agent, and up to 20 it does not ask the operator's flag there.
fn loads_an_agent(line: &str) -> bool {
    // A JVM takes each line as a command of its own.
    line.lines().any(|command| command.split_whitespace().next() == Some("JVMTI.agent_load"))
}

/// The same policy as for `load`.
fn agents_are_welcome(target: &Target, options: &Jcmd) -> Result<(), Failure> {
    let warning = agent_loading(target).map_err(|blocker| Failure::blocked(&blocker))?;
    if let Some(warning) = warning.filter(|_| !options.json) {
        let say = human::Stream::stderr();
        print_finding(&say, &say.yellow("warning"), &FindingJson::of(&warning));
    }
    Ok(())
}

/// A JVM says "java.lang.IllegalArgumentException: Unknown diagnostic command", which is text worth showing.
fn refused(pid: i32, words: &[String], reply: Reply<'_>) -> Failure {
    let header = reply.header();
    let text = reply.into_text(64 << 10).map_or_else(|_| String::new(), |(text, _)| text);
    let text = text.trim();
    let evidence = if text.is_empty() { format!("its answer was {header}") } else { text.to_owned() };
    let line = words.join(" ");
    Failure::new(EXIT_FAILED, "command-failed", format!("pid {pid} did not carry out \"{line}\""))
        .evidence(evidence)
        .remedy(remedy(pid, words, text))
}

fn remedy(pid: i32, words: &[String], said: &str) -> String {
    let name = words[0].split_whitespace().next().unwrap_or_default();
    let ours = |word: &&String| {
        ["--json", "--timeout", "--reply-timeout"].contains(&word.split('=').next().unwrap_or_default())
    };
    if let Some(option) = words.iter().skip(1).find(ours) {
        return format!(
            "{option} went to the jvm; an option for jgraft goes in front: jgraft jcmd {option} {pid} …"
        );
    }
    if said.contains("Unknown diagnostic command") {
        return format!("jgraft jcmd {pid} help lists the commands this jvm has");
    }
    format!("jgraft jcmd {pid} help {name} says what it takes")
}

/// As it arrives, until its reader has had enough.
fn copy(reply: &mut Reply<'_>) -> io::Result<()> {
    let mut piece = [0; 8192];
    loop {
        let got = reply.read(&mut piece)?;
        if got == 0 || !output::bytes(&piece[..got]) {
            return Ok(());
        }
    }
}

fn cut_off(pid: i32, error: &io::Error) -> Failure {
    Failure::new(EXIT_FAILED, "unanswered", format!("the answer of pid {pid} was cut off"))
        .evidence(error.to_string())
        .remedy("what was printed is not all of it; look at the jvm before asking again")
}

impl crate::cli::Patience {
    /// A client that waits as the user said.
    pub(crate) fn client<'c>(&self, target: Target, interrupt: &'c Interrupt) -> Client<'c> {
        let client = Client::new(target).timeout(self.timeout).reply_timeout(self.reply_timeout);
        match interrupt.fd() {
            Some(fd) => client.cancel(fd),
            None => client,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_loads_an_agent_is_known_in_every_place() {
        for line in ["JVMTI.agent_load /a.so", " \tJVMTI.agent_load", "VM.version\nJVMTI.agent_load /a.so"] {
            assert!(loads_an_agent(line), "{line}");
        }
        for line in ["help JVMTI.agent_load", "JVMTI.agent_loads", "VM.version"] {
            assert!(!loads_an_agent(line), "{line}");
        }
    }

    #[test]
    fn remedies() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(remedy(7, &words("VM.version --json"), "Unknown argument").contains("jgraft jcmd --json 7"));
        assert!(remedy(7, &words("VM.vers"), "x: Unknown diagnostic command").contains("jcmd 7 help lists"));
        assert!(remedy(7, &words("JFR.dump"), "is mandatory").contains("jcmd 7 help JFR.dump"));
    }
}
