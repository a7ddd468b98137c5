//! `jgraft start-management`: the JVM's own JMX agent, which from then on listens in it until it ends or is told to stop.

use std::process::ExitCode;

use jgraft_attach::Request;
use serde::Serialize;

use super::properties;
use crate::ask::{Asking, Task};
use crate::cli::StartManagement;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{human, json, output};

const TASK: Task<'_> = Task {
    what: "start its management agent",
    remedy: "it may be started already (jgraft agent-properties says where it listens), or its runtime image lack jdk.management.agent",
};
const LOCAL_ADDRESS: &str = "com.sun.management.jmxremote.localConnectorAddress";

#[derive(Serialize)]
struct Answer {
    pid: i32,
    /// Of the local agent; `null` where settings say where it listens.
    address: Option<String>,
    output: String,
}

/// Runs the command.
pub(crate) fn run(options: &StartManagement) -> Result<ExitCode, Failure> {
    if let Some(word) =
        options.settings.iter().find(|word| !word.contains('=') || word.contains(char::is_whitespace))
    {
        let remedy = "settings are NAME=VALUE, such as jmxremote.port=9010 jmxremote.ssl=false";
        return Err(Failure::usage("a setting makes no sense", format!("{word:?}"), remedy));
    }
    let is_local = options.settings.is_empty();
    let line = match is_local {
        true => "ManagementAgent.start_local".to_owned(),
        false => format!("ManagementAgent.start {}", options.settings.join(" ")),
    };
    let interrupt = Interrupt::catch();
    let mut asking = Asking::of(&options.asked, &interrupt)?;
    let request = Request::jcmd(&line).map_err(|finding| Failure::blocked(&finding))?;
    let output = asking.text(&request, &TASK)?.trim().to_owned();
    let address = match is_local {
        true => properties::read(&mut asking, "agentProperties")?.remove(LOCAL_ADDRESS),
        false => None,
    };
    let pid = asking.pid();
    let out = human::Stream::stdout();
    match &address {
        _ if options.asked.json => json::print("start-management", &Answer { pid, address, output }),
        Some(address) => out.line(&human::clean(address)),
        None if output.is_empty() => out.line(&format!("pid {pid} has started its management agent")),
        None => output.lines().for_each(|line| out.line(&human::clean(line))),
    }
    output::finish(ExitCode::SUCCESS, &format!("pid {pid} has started its management agent"))
}
