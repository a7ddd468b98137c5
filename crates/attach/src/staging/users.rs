//! Who uses what is staged: marks of one process each, by which a later command sees whether anybody is left.
//!
//! A mark is the name of an empty file, `u-<pid>-<start>-<pid namespace>-<entry>`: the number that the process has in
//! its own namespace, the ticks since boot at which it started, that namespace's inode. A process of a namespace that
//! cannot be seen into counts as alive: what is too much is removed by who can see.

use std::ffi::OsStr;
use std::io;

use crate::proc::Process;
use crate::proc::status::Status;
use crate::target::read_status;

/// The inode of the pid namespace that a machine boots with (`PROC_PID_INIT_INO`): who is in it sees every process.
const INITIAL_PID_NAMESPACE: u64 = 0xeffffffc;

/// A process that uses something, by what it is wherever it is looked at from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    inner_pid: i32,
    start_ticks: u64,
    pid_namespace: u64,
}

impl User {
    pub(super) fn of(process: &Process) -> io::Result<User> {
        let inner_pid = read_status(process)?.ns_pid;
        let pid_namespace = process.file_id("ns/pid")?.1;
        Ok(User { inner_pid, start_ticks: process.start_ticks()?, pid_namespace })
    }

    /// The name of its mark on `entry`.
    pub(super) fn mark(&self, entry: &str) -> String {
        format!("u-{}-{}-{}-{entry}", self.inner_pid, self.start_ticks, self.pid_namespace)
    }

    /// A mark's user and entry; `None` for what is no mark.
    pub(super) fn parse(name: &OsStr) -> Option<(User, &str)> {
        let mut parts = name.to_str()?.strip_prefix("u-")?.splitn(4, '-');
        let user = User {
            inner_pid: parts.next()?.parse().ok()?,
            start_ticks: parts.next()?.parse().ok()?,
            pid_namespace: parts.next()?.parse().ok()?,
        };
        Some((user, parts.next()?))
    }

    /// True where it is certain that it has ended.
    pub(super) fn is_gone(&self) -> bool {
        let Ok(ours) = Process::open(std::process::id() as i32).and_then(|me| me.file_id("ns/pid")) else {
            return false;
        };
        if ours.1 == self.pid_namespace {
            return !self.is(self.inner_pid);
        }
        if ours.1 != INITIAL_PID_NAMESPACE {
            return false;
        }
        let Ok(entries) = std::fs::read_dir("/proc") else { return false };
        for entry in entries {
            // What could not be listed may be the one.
            let Ok(entry) = entry else { return false };
            let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if pid.is_some_and(|pid| self.is(pid)) {
                return false;
            }
        }
        true
    }

    /// Is it the process that has this number here, or may it be?
    fn is(&self, pid: i32) -> bool {
        let seen = |status: Status, start: u64| {
            status.ns_pid == self.inner_pid && start == self.start_ticks && !status.has_ended()
        };
        let found =
            Process::open(pid).and_then(|process| Ok(seen(read_status(&process)?, process.start_ticks()?)));
        may_be(found)
    }
}

/// Only a process that is not there has ended: where we lack descriptors or memory to look, it counts as alive, for what
/// it uses would be removed under it.
fn may_be(found: io::Result<bool>) -> bool {
    found.unwrap_or_else(|error| error.kind() != io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_back() {
        let user = User { inner_pid: 1, start_ticks: 4711, pid_namespace: 7 };
        let mark = user.mark("s-12-0-abc");
        assert_eq!(User::parse(mark.as_ref()), Some((user, "s-12-0-abc")));
        for none in ["u-", "u-1-2-3", "u-x-2-3-e", "0123", "u-1-2-99999999999999999999999-e"] {
            assert_eq!(User::parse(none.as_ref()), None, "{none}");
        }
    }

    #[test]
    fn what_cannot_be_looked_at_counts_as_alive() {
        use nix::errno::Errno;
        for errno in [Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM, Errno::EACCES] {
            assert!(may_be(Err(errno.into())), "{errno}");
        }
        assert!(!may_be(Err(Errno::ENOENT.into())));
        assert!(!may_be(Ok(false)));
        assert!(may_be(Ok(true)));
    }

    #[test]
    fn we_are_alive_and_a_child_that_ended_is_not() {
        let me = User::of(&Process::open(std::process::id() as i32).unwrap()).unwrap();
        assert!(!me.is_gone());
        assert!(User { start_ticks: me.start_ticks + 1, ..me.clone() }.is_gone());
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let user = User::of(&Process::open(child.id() as i32).unwrap()).unwrap();
        assert!(!user.is_gone());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(user.is_gone());
    }
}
