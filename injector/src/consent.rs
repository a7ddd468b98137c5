//! Consent to a named cost: asked for on a terminal, else only `--yes` is one.

use std::io::{IsTerminal, Read, Write};
use std::os::fd::AsFd;

use jgraft_attach::{EventMemory, LARGE_FLUSH, Target, compiled_at_risk, first_retransform};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::commands::patch::patches;
use crate::failure::{EXIT_BLOCKED, EXIT_INTERRUPTED, Failure};
use crate::human::{Stream, clean};
use crate::interrupt::Interrupt;

/// Fails where the user does not agree, or cannot be asked. `what` was not done, and costs `cost`; `else_` is what to do beside
/// agreeing.
pub(crate) fn ask(
    what: &str,
    cost: &str,
    else_: &str,
    json: bool,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let refused = Failure::new(EXIT_BLOCKED, "consent", what)
        .evidence(clean(cost))
        .remedy(format!("--yes agrees to it; {else_}"));
    if json || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(refused);
    }
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{}. Go on? [y/N] ", clean(cost));
    let _ = stderr.flush();
    match answer(interrupt) {
        Some(true) => Ok(()),
        Some(false) => Err(refused),
        None => {
            let _ = writeln!(stderr);
            Err(Failure::new(EXIT_INTERRUPTED, "interrupted", what)
                .evidence("a signal came before an answer")
                .remedy("nothing was changed"))
        }
    }
}

/// The compiled code that a JVM of 8 to 22 throws away when a class is changed for the first time.
pub(crate) struct Flush {
    pub(crate) text: String,
    is_large: bool,
}

/// What a first change of a class costs; none where that is nothing, or was paid already, as far as can be seen from outside.
pub(crate) fn first_flush(target: &Target) -> Option<Flush> {
    let traced = EventMemory::descriptors(target).is_ok_and(|found| !found.is_empty());
    let cost = first_retransform(target).filter(|_| !traced && patches(target).is_empty())?;
    let is_large = compiled_at_risk(target).is_some_and(|methods| methods >= LARGE_FLUSH);
    Some(Flush { text: format!("{}; {}", cost.cause, cost.evidence), is_large })
}

impl Flush {
    /// Says it, and, where it is much, asks.
    pub(crate) fn agree(
        &self,
        what: &str,
        yes: bool,
        json: bool,
        stderr: &Stream,
        interrupt: &Interrupt,
    ) -> Result<(), Failure> {
        if self.is_large && !yes {
            let once = "it is paid once, however little is changed; --dry-run says what is meant";
            return ask(what, &self.text, once, json, interrupt);
        }
        stderr.warning(&clean(&self.text));
        Ok(())
    }
}

/// Whether the line that is typed says yes; none where Ctrl-C comes first.
fn answer(interrupt: &Interrupt) -> Option<bool> {
    let mut stdin = std::io::stdin().lock();
    let typed = stdin.as_fd();
    let mut wanted = vec![PollFd::new(typed, PollFlags::POLLIN)];
    wanted.extend(interrupt.fd().map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
    while let Err(nix::errno::Errno::EINTR) = poll(&mut wanted, PollTimeout::NONE) {}
    if interrupt.came() {
        return None;
    }
    // A terminal hands over a line at a time.
    let mut line = [0; 16];
    let length = stdin.read(&mut line).unwrap_or(0);
    let line = line.get(..length).unwrap_or_default();
    Some(matches!(line.trim_ascii(), b"y" | b"Y" | b"yes"))
}
