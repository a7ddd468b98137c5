//! `jgraft jcmd`: one diagnostic command, its answer on stdout as it arrives.

use std::process::ExitCode;

use jgraft_attach::{Client, Request, Target, agent_loading, examine};
use serde::Serialize;

use crate::ask::{Asking, Task};
use crate::cli::Jcmd;
use crate::commands::doctor::{FindingJson, print_finding};
use crate::failure::Failure;
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
    let interrupt = Interrupt::catch();
    let mut asking = match loads_an_agent(&line) {
        true => {
            let mut target = target::find(&options.target)?;
            if examine(&target).starting {
                target = options.patience.client(target, &interrupt).await_created()?;
            }
            agents_are_welcome(&target, options)?;
            Asking::on(target, &options.patience, &interrupt)
        }
        false => Asking::named(&options.target, &options.patience, &interrupt)?,
    };
    let pid = asking.pid();
    let (what, remedy) = (format!("carry out \"{line}\""), remedy(pid, &options.words));
    let task = Task { what: &what, remedy: &remedy };
    if options.json {
        let output = asking.text(&request, &task)?;
        json::print("jcmd", &Answer { pid, command: line.clone(), output });
    } else {
        asking.print(&request, &task)?;
    }
    output::finish(ExitCode::SUCCESS, &format!("pid {pid} has carried out \"{line}\""))
}

/// Since 9 a JVM has a command that loads a native agent, and up to 20 it does not ask the operator's flag there.
pub(crate) fn loads_an_agent(line: &str) -> bool {
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

/// A JVM says "java.lang.IllegalArgumentException: Unknown diagnostic command", or what is wrong with its arguments.
fn remedy(pid: i32, words: &[String]) -> String {
    let name = words[0].split_whitespace().next().unwrap_or_default();
    let ours = |word: &&String| {
        ["--json", "--timeout", "--reply-timeout"].contains(&word.split('=').next().unwrap_or_default())
    };
    if let Some(option) = words.iter().skip(1).find(ours) {
        return format!(
            "{option} went to the jvm; an option for jgraft goes in front: jgraft jcmd {option} {pid} …"
        );
    }
    format!("jgraft jcmd {pid} help lists the commands this jvm has, help {name} says what that one takes")
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
        assert!(remedy(7, &words("VM.version --json")).contains("jgraft jcmd --json 7"));
        assert!(remedy(7, &words("JFR.dump")).contains("jcmd 7 help lists"));
        assert!(remedy(7, &words("JFR.dump")).contains("help JFR.dump says"));
    }
}
