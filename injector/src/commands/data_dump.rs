//! `jgraft data-dump`: threads and heap, printed by the JVM to its own stdout. The one command that makes it print there.

use std::process::ExitCode;

use jgraft_attach::{Request, files};
use serde::Serialize;

use crate::ask::{Asking, Task};
use crate::cli::Asked;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{human, json, output};

const TASK: Task<'_> =
    Task { what: "print its data", remedy: "jgraft threads and jgraft histogram print here" };

#[derive(Serialize)]
struct Answer {
    pid: i32,
    /// As the kernel names it: a file's path, `pipe:[…]`, `socket:[…]`.
    printed_to: Option<String>,
}

/// Runs the command.
pub(crate) fn run(asked: &Asked) -> Result<ExitCode, Failure> {
    let interrupt = Interrupt::catch();
    let mut asking = Asking::of(asked, &interrupt)?;
    let request = Request::new("datadump", &[]).map_err(|finding| Failure::blocked(&finding))?;
    asking.text(&request, &TASK)?;
    let pid = asking.pid();
    // It has printed; that it can no longer be looked at does not make that fail.
    let printed_to = asking.target().ok().and_then(|target| files::destination(target, 1));
    let place = human::clean(printed_to.as_deref().unwrap_or("unknown"));
    if asked.json {
        json::print("data-dump", &Answer { pid, printed_to });
    } else {
        human::Stream::stdout()
            .line(&format!("pid {pid} has printed its threads to its own stdout: {place}"));
    }
    output::finish(ExitCode::SUCCESS, &format!("pid {pid} has printed its data to {place}"))
}
