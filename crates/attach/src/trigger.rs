//! The trigger: an `.attach_pid<pid>` file and SIGQUIT, by which a JVM is asked to start its attach listener.
//!
//! Without a file that the JVM trusts, the same signal means "dump all threads to stdout". So the file is made first,
//! owned as the JVM wants it, locked against others of ours, and once the signal is out it stays until the JVM has
//! answered or ended (recipe R6). Everything here runs as the target's own user ([`crate::sys::run_as`]).

use std::fs::{File, TryLockError};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::finding::{Finding, FindingKind};
use crate::listener::{MeetingPlace, trigger_name};
use crate::target::Target;

/// A trigger file that is ours to use, locked while we hold it.
pub(crate) struct Trigger {
    dir: OwnedFd,
    name: String,
    /// Locked as long as it, or a janitor's copy of it, is open: to close is to unlock, so nothing is unlocked by hand.
    lock: File,
    inode: (u64, u64),
    adopted: bool,
}

/// What became of the wish to place a trigger.
pub(crate) enum Placed {
    /// It is ours.
    Ours(Trigger),
    /// Another of us holds it and will signal, or has.
    Busy,
}

/// The target's working directory, where HotSpot looks for the file first. Opened with the caller's rights: one who
/// merely has the target's user and group may not look behind `/proc/PID/cwd` (a JVM with a capability of its own is
/// closed to its own user), and would take a file that is there for none.
pub(crate) struct WorkingDirectory(OwnedFd);

impl WorkingDirectory {
    /// A foreign file by the trigger's name in it is a finding, and so is that nobody can look.
    pub(crate) fn of(target: &Target) -> Result<WorkingDirectory, Finding> {
        let dir = target.process().open_dir("cwd").map_err(|e| {
            Finding::new(
                FindingKind::NoAccess,
                format!("the working directory of pid {} cannot be opened", target.pid()),
                format!(
                    "/proc/{}/cwd: {e}; a foreign trigger file there would mean a thread dump",
                    target.pid()
                ),
                "run jgraft as root",
            )
        })?;
        not_shadowed(dir.as_fd(), target)?;
        Ok(WorkingDirectory(dir))
    }
}

impl Trigger {
    /// Makes the file in the target's `/tmp`, or in its working directory where `/tmp` takes none.
    pub(crate) fn place(
        target: &Target,
        place: &MeetingPlace,
        cwd: &WorkingDirectory,
    ) -> Result<Placed, Finding> {
        let cwd = cwd.0.as_fd();
        not_shadowed(cwd, target)?;
        match Trigger::place_in(place.dir(), target) {
            Err(finding) if finding.kind == FindingKind::TmpUnusable => {
                Trigger::place_in(cwd, target).map_err(|_| finding)
            }
            other => other,
        }
    }

    fn place_in(dir: BorrowedFd<'_>, target: &Target) -> Result<Placed, Finding> {
        let name = trigger_name(target.status());
        let make = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let unusable = |error: &dyn std::fmt::Display| {
            Finding::new(
                FindingKind::TmpUnusable,
                format!("no trigger file can be made where pid {} would look for it", target.pid()),
                format!("/proc/{}/root/tmp/{name}: {error}", target.pid()),
                "give the jvm a writable /tmp, or start it with -XX:+StartAttachListener",
            )
        };
        let (file, adopted) = match openat(dir, name.as_str(), make, Mode::S_IRUSR | Mode::S_IWUSR) {
            Ok(file) => (file, false),
            Err(Errno::EEXIST) => {
                // A leftover, or another client's. O_NONBLOCK: a FIFO by that name must not hold us.
                let take = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
                match openat(dir, name.as_str(), take, Mode::empty()) {
                    Ok(file) => (file, true),
                    // Gone again: its owner is done, so the socket is there or will not come.
                    Err(Errno::ENOENT) => return Ok(Placed::Busy),
                    Err(e) => return Err(foreign(&name, format!("it cannot be opened: {e}"))),
                }
            }
            Err(e) => return Err(unusable(&e)),
        };
        let stat = fstat(&file).map_err(|e| unusable(&e))?;
        if let Err(finding) = trusted(&stat, target, &name) {
            if !adopted {
                // Some file systems give what we make to somebody else.
                let _ = unlinkat(dir, name.as_str(), UnlinkatFlags::NoRemoveDir);
                return Err(Finding { kind: FindingKind::TmpUnusable, ..finding });
            }
            return Err(finding);
        }
        let lock = File::from(file);
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Placed::Busy),
            Err(TryLockError::Error(e)) => return Err(unusable(&e)),
        }
        let dir = nix::unistd::dup(dir).map_err(|e| unusable(&e))?;
        let trigger = Trigger { dir, name, lock, inode: (stat.st_dev, stat.st_ino), adopted };
        // Between open and lock its former holder may have removed it: then it triggers nothing.
        if trigger.is_in_place() { Ok(Placed::Ours(trigger)) } else { Ok(Placed::Busy) }
    }

    /// Removes what a run that was killed has left. The listener is up, so what the file was made for is over; one that is
    /// locked has an owner, who sees to it.
    pub(crate) fn remove_leftovers(
        target: &Target,
        place: &MeetingPlace,
        cwd: Result<&WorkingDirectory, &Finding>,
    ) {
        let name = trigger_name(target.status());
        let dirs = [Some(place.dir()), cwd.ok().map(|cwd| cwd.0.as_fd())];
        for dir in dirs.into_iter().flatten() {
            let there = fstatat(dir, name.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW);
            if there.is_ok()
                && let Ok(Placed::Ours(trigger)) = Trigger::place_in(dir, target)
            {
                trigger.remove();
            }
        }
    }

    /// It was there before us: somebody may be in the middle of the same thing.
    pub(crate) fn was_adopted(&self) -> bool {
        self.adopted
    }

    fn is_in_place(&self) -> bool {
        fstatat(&self.dir, self.name.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == self.inode)
    }

    /// Removes the file: the listener has answered, the target has ended, or no signal was sent.
    pub(crate) fn remove(self) {
        if self.is_in_place() {
            let _ = unlinkat(&self.dir, self.name.as_str(), UnlinkatFlags::NoRemoveDir);
        }
    }

    /// Leaves the file, which must outlive the signal, to a child that removes it when the JVM has answered or ended.
    pub(crate) fn leave_to_janitor(self, place: &MeetingPlace, pidfd: BorrowedFd<'_>) -> bool {
        crate::janitor::start(&crate::janitor::Duty {
            pidfd,
            trigger_dir: self.dir.as_fd(),
            trigger: &self.name,
            socket_dir: place.dir(),
            socket: &place.socket_name(),
            lock: self.lock.as_fd(),
        })
    }
}

/// HotSpot looks in its working directory first, and a file of a wrong owner there hides a good one in `/tmp`.
fn not_shadowed(cwd: BorrowedFd<'_>, target: &Target) -> Result<(), Finding> {
    let name = trigger_name(target.status());
    match fstatat(cwd, name.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
        Err(_) => Ok(()),
        Ok(stat) => trusted(&stat, target, &name).map_err(|finding| Finding {
            evidence: format!("in its working directory, where it looks first: {}", finding.evidence),
            ..finding
        }),
    }
}

/// A plain file of the JVM's own euid, or of root's from 11 on: what `AttachListener::is_init_trigger` accepts.
fn trusted(stat: &FileStat, target: &Target, name: &str) -> Result<(), Finding> {
    let kind = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT;
    if kind != SFlag::S_IFREG {
        return Err(foreign(name, format!("its file type is {:o}, not a plain file", kind.bits())));
    }
    let root_will_do = target.feature().is_some_and(|feature| feature >= 11);
    if stat.st_uid == target.status().uid || (stat.st_uid == 0 && root_will_do) {
        return Ok(());
    }
    Err(foreign(name, format!("it belongs to uid {}, the jvm runs as {}", stat.st_uid, target.status().uid)))
}

fn foreign(name: &str, evidence: String) -> Finding {
    Finding::new(
        FindingKind::ForeignTrigger,
        format!("a file {name} is in the way, and the jvm would answer sigquit with a thread dump"),
        evidence,
        "remove that file",
    )
}
