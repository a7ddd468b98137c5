//! The system calls that nix has no safe form for: pid file descriptors, and the identity of one thread.
//!
//! Not for anything that nix or std can do. Together with [`crate::janitor`] this is the only file of the crate
//! that may hold unsafe code.
#![allow(unsafe_code, reason = "raw system calls; each block states the fact that makes it sound")]

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;

/// The user and group that a thread acts as. Numbers as seen in the caller's user namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
}

impl Identity {
    /// What the calling process acts as.
    pub fn current() -> Identity {
        Identity { uid: nix::unistd::geteuid().as_raw(), gid: nix::unistd::getegid().as_raw() }
    }
}

/// `pidfd_open(2)`: a handle that keeps meaning this process, whatever becomes of its number.
pub(crate) fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes two integers and touches no memory of ours.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return Err(lacking("pidfd_open", "5.3", io::Error::last_os_error()));
    }
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// `pidfd_send_signal(2)`: cannot hit a process that has taken over the number.
pub(crate) fn pidfd_send_signal(pidfd: BorrowedFd<'_>, signal: nix::sys::signal::Signal) -> io::Result<()> {
    let info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: the descriptor is open for the length of the borrow; a null siginfo asks for kill(2)'s own.
    let done =
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal as i32, info, 0) };
    if done == 0 { Ok(()) } else { Err(lacking("pidfd_send_signal", "5.1", io::Error::last_os_error())) }
}

/// Says which call it is that a kernel, or a seccomp profile, does not know.
pub(crate) fn lacking(call: &str, since: &str, error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(libc::ENOSYS) => {
            io::Error::new(io::ErrorKind::Unsupported, format!("{call} (linux {since}): {error}"))
        }
        _ => error,
    }
}

/// We have run out of something: no fact about whom we looked at.
pub(crate) fn is_exhaustion(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM))
}

/// Runs `work` as `identity`: on this thread where it already is ours, else on a thread of its own that takes the
/// ids, gives up all supplementary groups, and ends. The rest of the process never changes identity: glibc's
/// `seteuid` would change every thread, the raw calls change one.
pub(crate) fn run_as<T: Send>(identity: Identity, work: impl FnOnce() -> T + Send) -> io::Result<T> {
    run_as_with(identity, &[], work)
}

/// The same with these supplementary groups.
pub(crate) fn run_as_with<T: Send>(
    identity: Identity,
    groups: &[libc::gid_t],
    work: impl FnOnce() -> T + Send,
) -> io::Result<T> {
    if identity == Identity::current() {
        return Ok(work());
    }
    std::thread::scope(|scope| {
        let thread = scope
            .spawn(|| take_identity_and_groups(identity, groups).map_err(io::Error::from).map(|()| work()));
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Makes the calling thread another user, without supplementary groups. May be called after fork.
pub(crate) fn take_identity(identity: Identity) -> Result<(), Errno> {
    take_identity_and_groups(identity, &[])
}

/// Makes the calling thread another user: groups first, then gid, then uid, because after the uid is gone the right to
/// change the others is gone too. May be called after fork.
pub(crate) fn take_identity_and_groups(
    Identity { uid, gid }: Identity,
    groups: &[libc::gid_t],
) -> Result<(), Errno> {
    // SAFETY: a live list and its length; changes only the calling thread's credentials.
    Errno::result(unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) })?;
    // SAFETY: three integers; changes only the calling thread's credentials.
    Errno::result(unsafe { libc::syscall(libc::SYS_setresgid, gid, gid, gid) })?;
    // SAFETY: three integers; changes only the calling thread's credentials.
    Errno::result(unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) }).map(drop)
}

/// Ticks a second of the times in `/proc/PID/stat`.
pub(crate) fn clock_ticks() -> u64 {
    match nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK) {
        Ok(Some(ticks)) if ticks > 0 => ticks as u64,
        _ => 100,
    }
}

/// The most that a file of `/proc` usually holds, in bytes.
const USUAL: usize = 32 << 10;

/// Reads at most `limit` bytes: files in `/proc` say no size, and files of a target lie about theirs.
pub(crate) fn read_at_most(file: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    // Room for most of them at once: a read of /proc costs as much as what it finds.
    let mut bytes = Vec::with_capacity(usize::try_from(limit).map_or(USUAL, |limit| limit.min(USUAL)));
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads all of a file; a longer one than `limit` is an error, for a part of it could be taken for the whole.
pub(crate) fn read_whole(file: File, limit: usize) -> io::Result<Vec<u8>> {
    let bytes = read_at_most(file, limit as u64 + 1)?;
    match bytes.len() > limit {
        true => Err(io::Error::new(io::ErrorKind::InvalidData, format!("longer than {limit} bytes"))),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_changes_identity_and_the_process_does_not() {
        if !nix::unistd::geteuid().is_root() {
            println!("skipped: needs root to take another identity");
            return;
        }
        let other = Identity { uid: 65534, gid: 65534 };
        let seen = run_as(other, || {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            let line = |name: &str| {
                let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap();
                line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            };
            (line("Uid:"), line("Gid:"), line("Groups:"))
        })
        .unwrap();
        assert_eq!(seen, (vec!["65534".to_owned(); 4], vec!["65534".to_owned(); 4], vec![]));
        assert!(nix::unistd::geteuid().is_root());
    }

    #[test]
    fn a_missing_system_call_is_told_from_other_failures() {
        let error = |errno| lacking("openat2", "5.6", io::Error::from_raw_os_error(errno));
        let finding = crate::kernel_too_old(&error(libc::ENOSYS)).unwrap();
        assert_eq!(finding.kind, crate::FindingKind::KernelTooOld);
        assert!(finding.evidence.starts_with("openat2 (linux 5.6): "), "{}", finding.evidence);
        assert_eq!(crate::kernel_too_old(&error(libc::EACCES)), None);
        assert_eq!(error(libc::EMFILE).raw_os_error(), Some(libc::EMFILE));
    }

    #[test]
    fn a_dead_pid_has_no_pidfd() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id() as i32;
        child.wait().unwrap();
        assert_eq!(pidfd_open(pid).unwrap_err().raw_os_error(), Some(libc::ESRCH));
    }
}
