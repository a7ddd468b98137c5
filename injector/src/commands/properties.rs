//! `jgraft properties` and `jgraft agent-properties`: sorted, one a line, escapes undone.

use std::collections::BTreeMap;
use std::process::ExitCode;

use jgraft_attach::Request;
use jgraft_protocol::properties;
use serde::Serialize;

use crate::ask::{Asking, Task};
use crate::cli::Asked;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{human, json, output};

const TASK: Task<'_> = Task { what: "tell its properties", remedy: "jgraft doctor --probe says how it is" };

#[derive(Serialize)]
struct Answer<'a> {
    pid: i32,
    properties: &'a BTreeMap<String, String>,
}

/// The system properties.
pub(crate) fn system(asked: &Asked) -> Result<ExitCode, Failure> {
    run(asked, "properties", "properties")
}

/// The agent properties.
pub(crate) fn agent(asked: &Asked) -> Result<ExitCode, Failure> {
    run(asked, "agentProperties", "agent-properties")
}

fn run(asked: &Asked, verb: &str, schema: &str) -> Result<ExitCode, Failure> {
    let interrupt = Interrupt::catch();
    let mut asking = Asking::of(asked, &interrupt)?;
    let properties = read(&mut asking, verb)?;
    if asked.json {
        json::print(schema, &Answer { pid: asking.pid(), properties: &properties });
    } else {
        let out = human::Stream::stdout();
        for (key, value) in &properties {
            out.line(&human::clean(&format!("{key}={value}")));
        }
    }
    output::finish(ExitCode::SUCCESS, &format!("pid {} has told its properties", asking.pid()))
}

/// What the JVM writes as the text of `java.util.Properties`. A key that comes twice keeps its last value.
pub(crate) fn read(asking: &mut Asking<'_>, verb: &str) -> Result<BTreeMap<String, String>, Failure> {
    let request = Request::new(verb, &[]).map_err(|finding| Failure::blocked(&finding))?;
    Ok(properties::parse(asking.text(&request, &TASK)?.as_bytes()).into_iter().collect())
}
