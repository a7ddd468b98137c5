//! One question to one JVM and its answer: the common part of the commands that ask and print.

use std::io::{self, Read};

use jgraft_attach::{Client, Request, Target, error_in, examine};

use crate::cli::{Asked, Patience};
use crate::failure::{EXIT_FAILED, Failure};
use crate::hung::explain_hang;
use crate::interrupt::Interrupt;
use crate::{output, target};

/// The longest answer that is taken whole. What is printed as it arrives has no limit.
const ANSWER_LIMIT: u64 = 256 << 20;
/// So much of a streamed answer is kept, to see whether it says an error: such answers are short.
const SAID_LIMIT: usize = 16 << 10;

/// A JVM that is being asked.
pub(crate) struct Asking<'i> {
    client: Client<'i>,
    pid: i32,
}

/// What a JVM did not do, and the remedy for that: the part of a failure that its command knows.
pub(crate) struct Task<'t> {
    /// Such as "print its flag X".
    pub(crate) what: &'t str,
    pub(crate) remedy: &'t str,
}

impl<'i> Asking<'i> {
    pub(crate) fn of(asked: &Asked, interrupt: &'i Interrupt) -> Result<Asking<'i>, Failure> {
        Ok(Asking::on(target::find(&asked.target)?, &asked.patience, interrupt))
    }

    pub(crate) fn on(target: Target, patience: &Patience, interrupt: &'i Interrupt) -> Asking<'i> {
        let pid = target.pid();
        Asking { client: patience.client(target, interrupt), pid }
    }

    /// As [`Asking::of`], with the facts of a JVM that has created itself: its version decides about the request.
    pub(crate) fn created(asked: &Asked, interrupt: &'i Interrupt) -> Result<Asking<'i>, Failure> {
        let mut target = target::find(&asked.target)?;
        if examine(&target).starting {
            target = asked.patience.client(target, interrupt).await_created()?;
        }
        Ok(Asking::on(target, &asked.patience, interrupt))
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    pub(crate) fn target(&self) -> &Target {
        self.client.target()
    }

    /// The whole answer.
    pub(crate) fn text(&mut self, request: &Request, task: &Task<'_>) -> Result<String, Failure> {
        let answer = self.client.send(request).and_then(|reply| {
            let header = reply.header();
            Ok((header, reply.into_text(ANSWER_LIMIT)?.0))
        });
        let (header, text) = answer.map_err(|error| explain_hang(error, self.client.target()))?;
        match (header, error_in(request, &text)) {
            (0, None) => Ok(text),
            (0, Some(error)) => Err(not_done(self.pid, task, error)),
            (header, _) if text.trim().is_empty() => {
                Err(not_done(self.pid, task, &format!("its answer was {header}")))
            }
            _ => Err(not_done(self.pid, task, &text)),
        }
    }

    /// The answer on stdout, as it arrives, until its reader has had enough.
    pub(crate) fn print(&mut self, request: &Request, task: &Task<'_>) -> Result<(), Failure> {
        let mut reply = match self.client.send(request) {
            Ok(reply) => reply,
            Err(error) => return Err(explain_hang(error, self.client.target())),
        };
        if reply.header() != 0 {
            let header = reply.header();
            let text = reply.into_text(SAID_LIMIT as u64).map_or_else(|_| String::new(), |(text, _)| text);
            let text = if text.trim().is_empty() { format!("its answer was {header}") } else { text };
            return Err(not_done(self.pid, task, &text));
        }
        let (mut said, mut piece) = (Vec::new(), [0; 8192]);
        loop {
            let got = reply.read(&mut piece).map_err(|error| cut_off(self.pid, &error))?;
            said.extend_from_slice(&piece[..got.min(SAID_LIMIT - said.len())]);
            if got == 0 || !output::bytes(&piece[..got]) {
                break;
            }
        }
        match error_in(request, &String::from_utf8_lossy(&said)) {
            None => Ok(()),
            Some(error) => Err(not_done(self.pid, task, error)),
        }
    }
}

/// The JVM's own words are the evidence.
pub(crate) fn not_done(pid: i32, task: &Task<'_>, said: &str) -> Failure {
    let said = said.trim().lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>();
    Failure::new(EXIT_FAILED, "command-failed", format!("pid {pid} did not {}", task.what))
        .evidence(said.join("; "))
        .remedy(task.remedy)
}

fn cut_off(pid: i32, error: &io::Error) -> Failure {
    Failure::new(EXIT_FAILED, "unanswered", format!("the answer of pid {pid} was cut off"))
        .evidence(error.to_string())
        .remedy("what was printed is not all of it; look at the jvm before asking again")
}
