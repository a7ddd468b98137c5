//! Waiting for one of several things with a deadline: a change in a directory, bytes on a socket, the end of the
//! target, the caller's wish to stop.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// How long, and until whose word, a caller is ready to wait.
#[derive(Clone, Copy, Debug)]
pub struct Patience<'a> {
    /// No deadline means for ever.
    pub deadline: Option<Instant>,
    /// Readable once the caller wants to stop: a signalfd, a pipe.
    pub cancel: Option<BorrowedFd<'a>>,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// What was waited for may be there.
    Ready,
    /// The target has ended.
    Ended,
    /// The time given is over.
    TimeOut,
    /// The caller wants to stop.
    Cancelled,
}

impl Patience<'_> {
    /// Over?
    pub(crate) fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Waits until `ready` is readable, `pidfd`'s process ends, `at_most` passes (which counts as ready: look again),
    /// or patience ends.
    pub(crate) fn wait(
        &self,
        ready: Option<BorrowedFd<'_>>,
        pidfd: BorrowedFd<'_>,
        at_most: Option<Duration>,
    ) -> Woken {
        let look_again = at_most.map(|time| Instant::now() + time);
        let mut fds = vec![PollFd::new(pidfd, PollFlags::POLLIN)];
        let ready_at = ready.map(|fd| push(&mut fds, fd));
        let cancel_at = self.cancel.map(|fd| push(&mut fds, fd));
        loop {
            let until = [self.deadline, look_again].into_iter().flatten().min();
            match poll(&mut fds, until.map_or(PollTimeout::NONE, remaining)) {
                Err(Errno::EINTR) => continue,
                // No memory for a poll: give up as if the time were over rather than spin.
                Err(_) => return Woken::TimeOut,
                Ok(_) => {}
            }
            let fired = |at: usize| fds[at].revents().is_some_and(|events| !events.is_empty());
            if cancel_at.is_some_and(fired) {
                return Woken::Cancelled;
            }
            // Bytes before the end: a JVM may answer and exit.
            if ready_at.is_some_and(fired) {
                return Woken::Ready;
            }
            if fired(0) {
                return Woken::Ended;
            }
            if self.is_over() {
                return Woken::TimeOut;
            }
            if look_again.is_some_and(|time| Instant::now() >= time) {
                return Woken::Ready;
            }
        }
    }
}

fn push<'fd>(fds: &mut Vec<PollFd<'fd>>, fd: BorrowedFd<'fd>) -> usize {
    fds.push(PollFd::new(fd, PollFlags::POLLIN));
    fds.len() - 1
}

/// Rounded up: a poll that wakes a fraction too early would spin.
fn remaining(until: Instant) -> PollTimeout {
    let left = until.saturating_duration_since(Instant::now());
    let millis = left.as_millis() + u128::from(!left.subsec_nanos().is_multiple_of(1_000_000));
    PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
}

/// Tells of new names in a directory, by inotify; where the kernel grants no more instances, nothing is told and the
/// waits fall back to looking again.
pub(crate) struct DirectoryWatch {
    inotify: Option<nix::sys::inotify::Inotify>,
}

impl DirectoryWatch {
    pub(crate) fn new(dir: BorrowedFd<'_>) -> DirectoryWatch {
        use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
        let make = || {
            let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
            let path = crate::connection::fd_path(dir, "");
            inotify.add_watch(path.as_path(), AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO)?;
            Ok::<_, Errno>(inotify)
        };
        DirectoryWatch { inotify: make().ok() }
    }

    /// Readable once a name was added. `None`: look again from time to time.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.inotify.as_ref().map(AsFd::as_fd)
    }

    /// Takes what has been told, so that the next wait waits for news.
    pub(crate) fn drain(&self) {
        if let Some(inotify) = &self.inotify {
            while inotify.read_events().is_ok_and(|events| !events.is_empty()) {}
        }
    }

    /// How long a wait may last before looking anyway: an overlay can keep news from inotify.
    pub(crate) fn look_again(&self) -> Duration {
        Duration::from_millis(if self.inotify.is_some() { 20 } else { 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proc::Process;
    use std::os::fd::AsFd;

    fn me() -> Process {
        Process::open(std::process::id() as i32).unwrap()
    }

    #[test]
    fn a_new_name_wakes() {
        let dir = tempfile::tempdir().unwrap();
        let handle = std::fs::File::open(dir.path()).unwrap();
        let watch = DirectoryWatch::new(handle.as_fd());
        let me = me();
        let patience = Patience { deadline: Some(Instant::now() + Duration::from_secs(10)), cancel: None };
        std::fs::write(dir.path().join("x"), "").unwrap();
        assert_eq!(patience.wait(watch.fd(), me.pidfd(), None), Woken::Ready);
        watch.drain();
        let short = Patience { deadline: Some(Instant::now()), cancel: None };
        assert_eq!(short.wait(watch.fd(), me.pidfd(), None), Woken::TimeOut);
    }

    #[test]
    fn the_callers_word_comes_first() {
        let (read, write) = nix::unistd::pipe().unwrap();
        nix::unistd::write(&write, b"x").unwrap();
        let me = me();
        let patience = Patience { deadline: None, cancel: Some(read.as_fd()) };
        assert_eq!(patience.wait(None, me.pidfd(), None), Woken::Cancelled);
    }

    #[test]
    fn an_ended_process_wakes() {
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let process = Process::open(child.id() as i32).unwrap();
        drop(child.stdin.take());
        let patience = Patience { deadline: None, cancel: None };
        assert_eq!(patience.wait(None, process.pidfd(), None), Woken::Ended);
        child.wait().unwrap();
    }
}
