//! `jgraft threads`: the stack of every thread.

use std::process::ExitCode;

use jgraft_attach::{Kind, Request};
use serde::Serialize;

use crate::ask::{Asking, Task};
use crate::cli::Threads;
use crate::failure::{EXIT_BLOCKED, Failure};
use crate::interrupt::Interrupt;
use crate::{json, output};

const TASK: Task<'_> = Task { what: "print its threads", remedy: "jgraft doctor --probe says how it is" };

/// The first release whose thread dump takes -e.
const EXTENDED_SINCE: u32 = 11;

#[derive(Serialize)]
struct Answer {
    pid: i32,
    output: String,
}

/// Runs the command.
pub(crate) fn run(options: &Threads) -> Result<ExitCode, Failure> {
    let interrupt = Interrupt::catch();
    let mut asking = match options.extended {
        true => Asking::created(&options.asked, &interrupt)?,
        false => Asking::of(&options.asked, &interrupt)?,
    };
    if options.extended {
        knows_extended(&mut asking)?;
    }
    // One argument for both: a listener looks for the letters in it.
    let flags = match (options.locks, options.extended) {
        (false, false) => "",
        (true, false) => "-l",
        (false, true) => "-e",
        (true, true) => "-le",
    };
    let request = Request::new("threaddump", &[flags.as_bytes()]).map_err(|f| Failure::blocked(&f))?;
    if options.asked.json {
        let output = asking.text(&request, &TASK)?;
        json::print("threads", &Answer { pid: asking.pid(), output });
    } else {
        asking.print(&request, &TASK)?;
    }
    output::finish(ExitCode::SUCCESS, &format!("pid {} has printed its threads", asking.pid()))
}

/// An older listener would leave it out without a word.
fn knows_extended(asking: &mut Asking<'_>) -> Result<(), Failure> {
    let pid = asking.pid();
    let target = asking.target()?;
    let version = target.version().unwrap_or("?");
    let evidence = match (target.kind(), target.feature()) {
        (Kind::OpenJ9, _) => "an openj9 vm prints no such details".to_owned(),
        (_, Some(feature)) if feature < EXTENDED_SINCE => {
            format!("java {version}; -e came with {EXTENDED_SINCE}")
        }
        _ => return Ok(()),
    };
    Err(Failure::new(EXIT_BLOCKED, "not-in-this-release", format!("pid {pid} knows no -e"))
        .evidence(evidence)
        .remedy("leave -e out"))
}
