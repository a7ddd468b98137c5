//! One question to one JVM and its answer: the common part of the commands that ask and print.

use std::io;

use jgraft_attach::{AttachError, Client, Process, Reply, Request, Target, Warm, error_in, examine};

use crate::cli::{Asked, Patience};
use crate::failure::{EXIT_FAILED, EXIT_INTERRUPTED, Failure};
use crate::hung::explain_hang;
use crate::interrupt::Interrupt;
use crate::relay::{SAID_LIMIT, shown_on_stdout};
use crate::target;

/// The longest answer that is taken whole. What is printed as it arrives has no limit.
const ANSWER_LIMIT: u64 = 256 << 20;

/// A JVM that is being asked.
pub(crate) struct Asking<'i> {
    pid: i32,
    patience: &'i Patience,
    interrupt: &'i Interrupt,
    /// Not looked at yet: where its listener is up there may be no need to.
    client: Option<Client<'i>>,
    /// Held from the first request on: a later one is for the same process, whoever has its number by then.
    process: Option<Process>,
}

/// What a JVM did not do, and the remedy for that: the part of a failure that its command knows.
pub(crate) struct Task<'t> {
    /// Such as "print its flag X".
    pub(crate) what: &'t str,
    pub(crate) remedy: &'t str,
}

impl<'i> Asking<'i> {
    pub(crate) fn of(asked: &'i Asked, interrupt: &'i Interrupt) -> Result<Asking<'i>, Failure> {
        Asking::named(&asked.target, &asked.patience, interrupt)
    }

    /// By its pid or its name.
    pub(crate) fn named(
        text: &str,
        patience: &'i Patience,
        interrupt: &'i Interrupt,
    ) -> Result<Asking<'i>, Failure> {
        match text.parse() {
            Ok(pid) if pid > 0 && !text.starts_with('+') => {
                Ok(Asking { pid, patience, interrupt, client: None, process: None })
            }
            _ => Ok(Asking::on(target::find(text)?, patience, interrupt)),
        }
    }

    pub(crate) fn on(target: Target, patience: &'i Patience, interrupt: &'i Interrupt) -> Asking<'i> {
        let pid = target.pid();
        let client = Some(patience.client(target, interrupt));
        Asking { pid, patience, interrupt, client, process: None }
    }

    /// As [`Asking::of`], with the facts of a JVM that has created itself: its version decides about the request.
    pub(crate) fn created(asked: &'i Asked, interrupt: &'i Interrupt) -> Result<Asking<'i>, Failure> {
        let mut target = target::find(&asked.target)?;
        if examine(&target).starting {
            target = asked.patience.client(target, interrupt).await_created()?;
        }
        Ok(Asking::on(target, &asked.patience, interrupt))
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// An error where there is no such process; for what is said before anything is sent.
    pub(crate) fn must_exist(&mut self) -> Result<(), Failure> {
        if self.client.is_some() || self.process.is_some() {
            return Ok(());
        }
        match Process::open(self.pid) {
            Ok(process) => self.process = Some(process),
            // The long way has the words for it.
            Err(_) => drop(self.client()?),
        }
        Ok(())
    }

    pub(crate) fn target(&mut self) -> Result<&Target, Failure> {
        Ok(self.client()?.target())
    }

    fn client(&mut self) -> Result<&mut Client<'i>, Failure> {
        match &mut self.client {
            Some(client) => Ok(client),
            slot => {
                let target = match &self.process {
                    Some(process) => target::look_at(process)?,
                    None => target::find(&self.pid.to_string())?,
                };
                Ok(slot.insert(self.patience.client(target, self.interrupt)))
            }
        }
    }

    /// Sends, by the short way where that is open, and hands the reply to `take`.
    pub(crate) fn send<T>(
        &mut self,
        request: &Request,
        take: impl FnOnce(Reply<'_>) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        let warm = match self.client.is_none() && request.version_1().is_ok() {
            true => self.warm(),
            false => None,
        };
        let done = match &warm {
            Some(warm) => {
                let Patience { timeout, reply_timeout } = *self.patience;
                let reply = warm.send(request, timeout, reply_timeout, self.interrupt.fd());
                reply.map_err(Trouble::Attach).and_then(take)
            }
            None => self.client()?.send(request).map_err(Trouble::Attach).and_then(take),
        };
        done.map_err(|trouble| match trouble {
            Trouble::Failed(failure) => failure,
            Trouble::Attach(error) => match self.target() {
                Ok(target) => explain_hang(error, target),
                Err(_) => Failure::from(error),
            },
        })
    }

    fn warm(&mut self) -> Option<Warm> {
        let warm = match &self.process {
            Some(process) => Warm::connect_to(process.try_clone().ok()?),
            None => Warm::connect(self.pid),
        }?;
        if self.process.is_none() {
            self.process = warm.process().try_clone().ok();
        }
        Some(warm)
    }

    /// The whole answer.
    pub(crate) fn text(&mut self, request: &Request, task: &Task<'_>) -> Result<String, Failure> {
        let (header, text) = self.send(request, |reply| {
            let header = reply.header();
            Ok((header, reply.into_text(ANSWER_LIMIT)?.0))
        })?;
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
        let (pid, interrupt) = (self.pid, self.interrupt);
        let said = self.send(request, |reply| {
            if reply.header() != 0 {
                let header = reply.header();
                let text =
                    reply.into_text(SAID_LIMIT as u64).map_or_else(|_| String::new(), |(text, _)| text);
                let text = if text.trim().is_empty() { format!("its answer was {header}") } else { text };
                return Err(Trouble::Failed(not_done(pid, task, &text)));
            }
            shown_on_stdout(reply, interrupt)
                .map_err(|error| Trouble::Failed(cut_off(pid, &error, interrupt)))
        })?;
        match error_in(request, &String::from_utf8_lossy(&said)) {
            None => Ok(()),
            Some(error) => Err(not_done(pid, task, error)),
        }
    }
}

/// Why a reply was not taken.
pub(crate) enum Trouble {
    /// It did not come.
    Attach(AttachError),
    /// It says no, or was cut off.
    Failed(Failure),
}

impl From<AttachError> for Trouble {
    fn from(error: AttachError) -> Trouble {
        Trouble::Attach(error)
    }
}

/// The JVM's own words are the evidence.
pub(crate) fn not_done(pid: i32, task: &Task<'_>, said: &str) -> Failure {
    let said = said.trim().lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>();
    Failure::new(EXIT_FAILED, "command-failed", format!("pid {pid} did not {}", task.what))
        .evidence(said.join("; "))
        .remedy(task.remedy)
}

pub(crate) fn cut_off(pid: i32, error: &io::Error, interrupt: &Interrupt) -> Failure {
    if interrupt.came() {
        let cause = format!("interrupted while the answer of pid {pid} was printed");
        return Failure::new(EXIT_INTERRUPTED, "interrupted", cause)
            .evidence("what was printed is not all of it")
            .remedy("the jvm need not wait for who reads stdout; run it again");
    }
    Failure::new(EXIT_FAILED, "unanswered", format!("the answer of pid {pid} was cut off"))
        .evidence(error.to_string())
        .remedy("what was printed is not all of it; look at the jvm before asking again")
}
