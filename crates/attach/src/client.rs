//! The handshake from end to end: wait until the JVM is ready, connect, and where there is no listener yet, wake it.
//!
//! The order is the safety. Checks first; then the trigger file; then, as the last thing before the signal, the checks
//! that matter once more, on a process held by its pidfd.

use std::io::ErrorKind;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::connection::{Attempt, Reply, gave_up, send_request, try_connect};
use crate::error::AttachError;
use crate::finding::{Finding, FindingKind, kernel_too_old};
use crate::listener::{MeetingPlace, socket_not_lost, trigger_name};
use crate::preflight::{examine, no_such_process, signal_is_safe};
use crate::request::Request;
use crate::sys;
use crate::target::{Kind, Target};
use crate::trigger::{Placed, Trigger, WorkingDirectory};
use crate::version;
use crate::wait::{DirectoryWatch, Patience, Woken};

/// A leftover trigger file may be another client's in the middle of its handshake: so long is its socket waited for
/// before we signal as well. Two signals in the wrong order make an old JVM dump its threads.
const OTHERS_TURN: Duration = Duration::from_millis(300);

/// Attaches to one JVM.
///
/// ```no_run
/// use std::time::Duration;
/// use jgraft_attach::{Client, Request, Target};
///
/// let target = Target::inspect(4711)?;
/// let mut client = Client::new(target).timeout(Duration::from_secs(5));
/// let reply = client.send(&Request::jcmd("VM.version")?)?;
/// println!("{}", reply.into_text(1 << 20)?.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Client<'c> {
    target: Target,
    timeout: Duration,
    reply_timeout: Option<Duration>,
    cancel: Option<BorrowedFd<'c>>,
    timings: Timings,
}

/// How long the steps took that depend on the JVM.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timings {
    /// From SIGQUIT to a connection; none where the listener was up already.
    pub listener: Option<Duration>,
}

impl<'c> Client<'c> {
    /// A client with ten seconds for trigger, connect and send, and no limit for the reply.
    pub fn new(target: Target) -> Client<'c> {
        let timeout = Duration::from_secs(10);
        Client { target, timeout, reply_timeout: None, cancel: None, timings: Timings::default() }
    }

    /// Time for everything up to the sending of the request.
    pub fn timeout(self, timeout: Duration) -> Self {
        Client { timeout, ..self }
    }

    /// Time for the whole reply, from the moment the request was sent. A request cannot be recalled: giving up only
    /// means not to know.
    pub fn reply_timeout(self, reply_timeout: Option<Duration>) -> Self {
        Client { reply_timeout, ..self }
    }

    /// Gives up, cleaning up, as soon as this descriptor is readable (a signalfd, the read end of a pipe).
    pub fn cancel(self, cancel: BorrowedFd<'c>) -> Self {
        Client { cancel: Some(cancel), ..self }
    }

    /// The target, for another client.
    pub fn into_target(self) -> Target {
        self.target
    }

    /// The target's facts, as last read.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What the last [`Client::send`] waited for.
    pub fn timings(&self) -> Timings {
        self.timings
    }

    /// Waits until a JVM that is still creating itself is ready, and gives it back with its facts complete: its version
    /// and its counters are not there before. Sends nothing.
    pub fn await_created(mut self) -> Result<Target, AttachError> {
        let patience = self.patience();
        self.await_ready(&patience)?;
        Ok(self.target)
    }

    /// Connects, sends, and waits for the head of the reply.
    pub fn send(&mut self, request: &Request) -> Result<Reply<'_>, AttachError> {
        let patience = self.patience();
        self.await_ready(&patience)?;
        if self.target.kind() == Kind::OpenJ9 {
            self.timings = Timings::default();
            return crate::openj9::send(&self.target, request, &patience, self.reply_timeout);
        }
        let (target, mut timings) = (&self.target, Timings::default());
        let bytes = match request.version_1() {
            Ok(bytes) => bytes,
            Err(too_long) => {
                let bytes = request.version_2().map_err(AttachError::Blocked)?;
                version::must_be_2(
                    target,
                    too_long,
                    || handshake(target, &patience, &mut timings),
                    &patience,
                )?;
                bytes
            }
        };
        let socket = handshake(target, &patience, &mut timings)?;
        self.timings = timings;
        let process = self.target.process();
        // Before it is sent: a JVM can have answered before we get to look at the clock again.
        let sent_at = Instant::now();
        send_request(&socket, process, &bytes, &patience)?;
        let deadline = self.reply_timeout.and_then(|time| Instant::now().checked_add(time));
        Reply::await_header(socket, process, Patience { deadline, cancel: self.cancel }, sent_at)
    }

    /// A time too long for the clock to count is for ever.
    fn patience(&self) -> Patience<'c> {
        Patience { deadline: Instant::now().checked_add(self.timeout), cancel: self.cancel }
    }

    /// A JVM in its first milliseconds is waited for; anything else that stands against attaching is an error.
    fn await_ready(&mut self, patience: &Patience<'_>) -> Result<(), AttachError> {
        let mut pause = Duration::from_millis(1);
        loop {
            let preflight = examine(&self.target);
            if let Some(blocker) = preflight.blockers.into_iter().next() {
                return Err(AttachError::Blocked(blocker));
            }
            if !preflight.starting {
                return Ok(());
            }
            match patience.wait(None, self.target.process().pidfd(), Some(pause)) {
                Woken::Ready => {}
                Woken::TimeOut => {
                    let warning = preflight.warnings.into_iter().find(|w| w.kind == FindingKind::Starting);
                    return Err(match warning {
                        Some(finding) => AttachError::Blocked(finding),
                        None => gave_up(Woken::TimeOut, self.target.pid(), "it is still starting"),
                    });
                }
                other => return Err(gave_up(other, self.target.pid(), "waiting for the jvm to start")),
            }
            pause = (pause * 2).min(Duration::from_millis(20));
            self.look_again()?;
        }
    }

    fn look_again(&mut self) -> Result<(), AttachError> {
        let pid = self.target.pid();
        self.target.refresh().map_err(|error| match error.kind() {
            ErrorKind::NotFound => AttachError::Blocked(no_such_process(pid)),
            _ => AttachError::system("looking at the process again", pid, error),
        })
    }
}

/// A connection to the listener, made as the target's user.
fn handshake(
    target: &Target,
    patience: &Patience<'_>,
    timings: &mut Timings,
) -> Result<OwnedFd, AttachError> {
    // With our own rights, before the handshake takes the target's.
    let cwd = WorkingDirectory::of(target);
    let connect = || connect_or_wake(target, cwd, patience, timings);
    sys::run_as(target.status().identity(), connect)
        .map_err(|e| AttachError::system("taking the target's user and group", target.pid(), e))?
}

/// Runs as the target's user.
fn connect_or_wake(
    target: &Target,
    cwd: Result<WorkingDirectory, Finding>,
    patience: &Patience<'_>,
    timings: &mut Timings,
) -> Result<OwnedFd, AttachError> {
    let place = &MeetingPlace::of(target).map_err(AttachError::Blocked)?;
    let mut watch = DirectoryWatch::new(place.dir());
    let process = target.process();
    loop {
        match try_connect(place, process, patience)? {
            Attempt::Connected(socket) => {
                Trigger::remove_leftovers(target, place, cwd.as_ref());
                return Ok(socket);
            }
            Attempt::Absent | Attempt::Stale => {}
        }
        let cwd = cwd.as_ref().map_err(|finding| AttachError::Blocked(finding.clone()))?;
        match Trigger::place(target, place, cwd).map_err(AttachError::Blocked)? {
            Placed::Ours(trigger) if trigger.was_adopted() => {
                return match await_socket(target, place, &mut watch, &patience.at_most(OTHERS_TURN)) {
                    Ok(socket) => {
                        trigger.remove();
                        Ok(socket)
                    }
                    // Nobody's any more, so ours.
                    Err(Stop::Woken(Woken::TimeOut)) => {
                        wake(target, place, &mut watch, trigger, patience, timings)
                    }
                    Err(Stop::Woken(woken)) => {
                        Err(gave_up(woken, target.pid(), "another client's trigger file is there"))
                    }
                    Err(Stop::Error(error)) => Err(error),
                };
            }
            Placed::Ours(trigger) => return wake(target, place, &mut watch, trigger, patience, timings),
            // Another of ours is about to signal, or its janitor waits for a late JVM.
            Placed::Busy => match watch.wait(patience, process.pidfd()) {
                Woken::Ready => {}
                other => {
                    let doing = "another jgraft has signalled it and waits for its listener";
                    return Err(gave_up(other, target.pid(), doing));
                }
            },
        }
    }
}

/// Sends SIGQUIT and waits for the listener. The trigger is removed on every path but one: signal sent, no answer.
fn wake(
    target: &Target,
    place: &MeetingPlace,
    watch: &mut DirectoryWatch<'_>,
    trigger: Trigger,
    patience: &Patience<'_>,
    timings: &mut Timings,
) -> Result<OwnedFd, AttachError> {
    let process = target.process();
    match last_look(target, place, patience) {
        Ok(None) if patience.is_over() => {
            trigger.remove();
            let doing = "the time was over before the jvm could be asked to start its attach listener";
            return Err(gave_up(Woken::TimeOut, target.pid(), doing));
        }
        Ok(None) => {}
        // Somebody else woke it meanwhile.
        Ok(Some(socket)) => {
            trigger.remove();
            return Ok(socket);
        }
        Err(error) => {
            trigger.remove();
            return Err(error);
        }
    }
    watch.restart();
    if let Err(error) = sys::pidfd_send_signal(process.pidfd(), Signal::SIGQUIT) {
        trigger.remove();
        return Err(match kernel_too_old(&error) {
            Some(finding) => AttachError::Blocked(finding),
            None => AttachError::system("pidfd_send_signal(SIGQUIT)", target.pid(), error),
        });
    }
    let signalled = Instant::now();
    match await_socket(target, place, watch, patience) {
        Ok(socket) => {
            timings.listener = Some(signalled.elapsed());
            trigger.remove();
            Ok(socket)
        }
        Err(Stop::Woken(Woken::Ended)) => {
            trigger.remove();
            Err(gave_up(Woken::Ended, target.pid(), "it ended after it was asked to start its listener"))
        }
        Err(stop) => {
            let janitor = trigger.leave_to_janitor(place, process.pidfd());
            let left = left_behind(target, janitor);
            Err(match stop {
                Stop::Error(error) => after_the_signal(error, &left),
                Stop::Woken(woken) => no_answer(woken, target, left),
            })
        }
    }
}

/// Right before the signal: still no socket, no listener in the making, and the signal still harmless.
fn last_look(
    target: &Target,
    place: &MeetingPlace,
    patience: &Patience<'_>,
) -> Result<Option<OwnedFd>, AttachError> {
    match try_connect(place, target.process(), patience)? {
        Attempt::Connected(socket) => return Ok(Some(socket)),
        Attempt::Stale => remove_stale(place)?,
        Attempt::Absent => {}
    }
    if let Err(finding) = socket_not_lost(target) {
        // A listener that has its thread and not yet its socket looks the same for a moment.
        let turn = patience.at_most(OTHERS_TURN);
        return match await_socket(target, place, &mut DirectoryWatch::new(place.dir()), &turn) {
            Ok(socket) => Ok(Some(socket)),
            Err(Stop::Woken(Woken::TimeOut)) if !patience.is_over() => Err(AttachError::Blocked(finding)),
            Err(Stop::Woken(woken)) => Err(gave_up(woken, target.pid(), "its listener has no socket")),
            Err(Stop::Error(error)) => Err(error),
        };
    }
    signal_is_safe(target.process()).map_err(AttachError::Blocked)?;
    Ok(None)
}

/// A socket that nobody listens on, of the target's own user, left by a JVM that was killed. A JVM that finds one
/// there believes that its listener is up, and dumps its threads.
fn remove_stale(place: &MeetingPlace) -> Result<(), AttachError> {
    use nix::unistd::{UnlinkatFlags, unlinkat};
    match unlinkat(place.dir(), place.socket_name().as_str(), UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(nix::errno::Errno::ENOENT) => Ok(()),
        Err(error) => Err(AttachError::Blocked(Finding::new(
            FindingKind::ForeignSocket,
            format!("/tmp/{} is a dead socket that cannot be removed", place.socket_name()),
            error.to_string(),
            "remove it as root",
        ))),
    }
}

/// Why a socket was not waited for any longer.
enum Stop {
    Woken(Woken),
    Error(AttachError),
}

fn await_socket(
    target: &Target,
    place: &MeetingPlace,
    watch: &mut DirectoryWatch<'_>,
    patience: &Patience<'_>,
) -> Result<OwnedFd, Stop> {
    loop {
        if let Attempt::Connected(socket) =
            try_connect(place, target.process(), patience).map_err(Stop::Error)?
        {
            return Ok(socket);
        }
        match watch.wait(patience, target.process().pidfd()) {
            Woken::Ready => {}
            other => return Err(Stop::Woken(other)),
        }
    }
}

/// The signal is out and the JVM has not answered: the one case in which something of ours stays behind.
fn left_behind(target: &Target, janitor: bool) -> String {
    let name = trigger_name(target.status());
    match janitor {
        true => {
            format!("{name} stays until the jvm has answered or ended; a janitor process removes it then")
        }
        false => format!(
            "{name} stays until the next jgraft: removed now, it would turn the signal into a thread dump"
        ),
    }
}

fn no_answer(woken: Woken, target: &Target, left: String) -> AttachError {
    if woken == Woken::Cancelled {
        let cause = format!("interrupted after pid {} was asked to start its attach listener", target.pid());
        let finding = Finding::new(FindingKind::Interrupted, cause, left, "no command was sent");
        return AttachError::Interrupted { sent: false, finding };
    }
    AttachError::NotSent(Finding::new(
        FindingKind::NoListener,
        format!("pid {} was asked to start its attach listener and has not yet", target.pid()),
        left,
        "a long safepoint or a starved cpu delays it; try again with a longer --timeout",
    ))
}

/// A check that fails now no longer means that nothing was touched.
fn after_the_signal(error: AttachError, left: &str) -> AttachError {
    let add = |finding: Finding| Finding { evidence: format!("{}; {left}", finding.evidence), ..finding };
    match error {
        AttachError::Blocked(finding) | AttachError::NotSent(finding) => AttachError::NotSent(add(finding)),
        AttachError::Unanswered(finding) => AttachError::Unanswered(add(finding)),
        AttachError::Interrupted { sent, finding } => {
            AttachError::Interrupted { sent, finding: add(finding) }
        }
    }
}
