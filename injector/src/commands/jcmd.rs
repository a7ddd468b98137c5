//! `jgraft jcmd`: one diagnostic command, its answer on stdout as it arrives.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use jgraft_attach::{Client, Reply, Request};
use serde::Serialize;

use crate::cli::Jcmd;
use crate::failure::{EXIT_FAILED, Failure};
use crate::interrupt::Interrupt;
use crate::{json, target};

#[derive(Serialize)]
struct Answer {
    pid: i32,
    command: String,
    output: String,
}

/// Runs the command.
pub(crate) fn run(options: &Jcmd) -> Result<ExitCode, Failure> {
    let line = options.words.join(" ");
    let request = Request::jcmd(&line).map_err(|finding| Failure::blocked(&finding))?;
    let target = target::find(&options.target)?;
    let pid = target.pid();
    let interrupt = Interrupt::catch();
    let mut client = options.patience.client(target, &interrupt);
    let mut reply = client.send(&request)?;
    if reply.header() != 0 {
        return Err(refused(pid, &line, reply));
    }
    if options.json {
        let mut output = Vec::new();
        reply.read_to_end(&mut output).map_err(|e| cut_off(pid, &e))?;
        let output = String::from_utf8_lossy(&output).into_owned();
        json::print("jcmd", &Answer { pid, command: line, output });
        return Ok(ExitCode::SUCCESS);
    }
    match copy(&mut reply) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(e) => Err(cut_off(pid, &e)),
    }
}

/// A JVM says "java.lang.IllegalArgumentException: Unknown diagnostic command", which is text worth showing.
fn refused(pid: i32, line: &str, reply: Reply<'_>) -> Failure {
    let header = reply.header();
    let text = reply.into_text(64 << 10).map_or_else(|_| String::new(), |(text, _)| text);
    let text = text.trim();
    let evidence = if text.is_empty() { format!("its answer was {header}") } else { text.to_owned() };
    Failure::new(EXIT_FAILED, "command-failed", format!("pid {pid} did not carry out \"{line}\""))
        .evidence(evidence)
        .remedy(format!("jgraft jcmd {pid} help lists the commands this jvm has"))
}

/// As it arrives; a reader that has had enough ends it quietly.
fn copy(reply: &mut Reply<'_>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let mut piece = [0; 8192];
    loop {
        let got = reply.read(&mut piece)?;
        if got == 0 {
            return Ok(());
        }
        match stdout.write_all(&piece[..got]).and_then(|()| stdout.flush()) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
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
    pub(crate) fn client<'c>(&self, target: jgraft_attach::Target, interrupt: &'c Interrupt) -> Client<'c> {
        let client = Client::new(target).timeout(self.timeout).reply_timeout(self.reply_timeout);
        match interrupt.fd() {
            Some(fd) => client.cancel(fd),
            None => client,
        }
    }
}
