//! Waiting for one of several things with a deadline: a change in a directory, bytes on a socket, the end of the
//! target, the caller's wish to stop.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::{TimeSpec, TimeValLike};

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

    /// The same, and no longer than `time` from now.
    pub(crate) fn at_most(&self, time: Duration) -> Patience<'_> {
        let deadline = self.deadline.into_iter().chain(Instant::now().checked_add(time)).min();
        Patience { deadline, cancel: self.cancel }
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
            match ppoll(&mut fds, until.map(remaining), None) {
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

fn remaining(until: Instant) -> TimeSpec {
    let left = until.saturating_duration_since(Instant::now());
    TimeSpec::nanoseconds(i64::try_from(left.as_nanos()).unwrap_or(i64::MAX))
}

/// So long a change of the directory is looked for again and again: a JVM makes its socket 0.4 to 5 ms after the signal,
/// and to close an inotify descriptor can take the kernel 10 ms (it waits out a grace period of its own).
const IMPATIENT: Duration = Duration::from_millis(12);
/// The pause between two looks meanwhile. A look is one failing system call.
const GLANCE: Duration = Duration::from_micros(150);
/// Inotify tells of a change; but an overlay file system can swallow the news, so one looks anyway.
const LOOK_ANYWAY: Duration = Duration::from_millis(20);
/// Where the kernel grants no more inotify instances.
const WITHOUT_INOTIFY: Duration = Duration::from_millis(1);

/// Waits for new names in a directory: by looking at first, by inotify when it takes longer.
pub(crate) struct DirectoryWatch<'d> {
    dir: BorrowedFd<'d>,
    since: Instant,
    inotify: Option<Option<nix::sys::inotify::Inotify>>,
}

impl<'d> DirectoryWatch<'d> {
    pub(crate) fn new(dir: BorrowedFd<'d>) -> DirectoryWatch<'d> {
        DirectoryWatch { dir, since: Instant::now(), inotify: None }
    }

    /// Begins the impatient time anew: something has just been asked for.
    pub(crate) fn restart(&mut self) {
        self.since = Instant::now();
    }

    /// Waits for something to look at. The caller has looked since the last wait.
    pub(crate) fn wait(&mut self, patience: &Patience<'_>, pidfd: BorrowedFd<'_>) -> Woken {
        if self.since.elapsed() < IMPATIENT {
            return patience.wait(None, pidfd, Some(GLANCE));
        }
        if self.inotify.is_none() {
            self.inotify = Some(self.arm());
            // What came between the caller's last look and now is not told.
            return Woken::Ready;
        }
        match self.fd() {
            None => patience.wait(None, pidfd, Some(WITHOUT_INOTIFY)),
            Some(fd) => {
                let woken = patience.wait(Some(fd), pidfd, Some(LOOK_ANYWAY));
                self.drain();
                woken
            }
        }
    }

    /// Readable once a name was added, where inotify is in use.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.inotify.as_ref()?.as_ref().map(AsFd::as_fd)
    }

    /// Uses inotify from now on.
    pub(crate) fn arm(&mut self) -> Option<nix::sys::inotify::Inotify> {
        use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).ok()?;
        let path = crate::connection::fd_path(self.dir, "");
        inotify.add_watch(path.as_path(), AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO).ok()?;
        Some(inotify)
    }

    fn drain(&self) {
        if let Some(Some(inotify)) = &self.inotify {
            while inotify.read_events().is_ok_and(|events| !events.is_empty()) {}
        }
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
        let mut watch = DirectoryWatch::new(handle.as_fd());
        let me = me();
        let patience = Patience { deadline: Some(Instant::now() + Duration::from_secs(10)), cancel: None };
        // Looks first, arms then; after that the kernel tells.
        while watch.fd().is_none() {
            assert_eq!(watch.wait(&patience, me.pidfd()), Woken::Ready);
        }
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
    fn a_turn_does_not_outlast_the_deadline() {
        let now = Instant::now();
        let (short, long) = (Duration::from_millis(1), Duration::from_secs(3600));
        let patience = Patience { deadline: Some(now + short), cancel: None };
        assert_eq!(patience.at_most(long).deadline, patience.deadline);
        let patient = Patience { deadline: None, cancel: None };
        assert!(patient.at_most(long).deadline.is_some_and(|deadline| deadline >= now + long));
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
