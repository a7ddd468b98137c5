//! What attaching to OpenJ9 needs of the system that has no safe form: a child process, System V semaphores, the names
//! in a directory without allocating, and a descriptor handed to another process.
//!
//! All of it may be called after fork: nothing here allocates or takes a lock.
#![allow(unsafe_code, reason = "raw system calls; each block states the fact that makes it sound")]

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::unistd::{ForkResult, Pid, fork};

use super::helper::{self, Duty};

/// Starts the helper as a child. It never returns from [`helper::run`] into the caller's frames.
pub(super) fn spawn(duty: &Duty<'_>, locks: &mut Vec<OwnedFd>) -> io::Result<Pid> {
    // SAFETY: the child calls `helper::run` and `_exit` alone, and all that is reached from there makes raw system calls
    // on memory that was allocated before: what other threads held at the moment of the fork does not matter.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let code = helper::run(duty, locks);
            // SAFETY: _exit(2) runs no destructor and no handler of the caller's.
            unsafe { libc::_exit(code) }
        }
    }
}

/// No signal that is meant for the caller, such as a terminal's Ctrl-C, may end the helper before it has tidied up.
pub(super) fn stand_apart() {
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None);
    let _ = nix::unistd::setsid();
}

/// One System V semaphore.
#[derive(Clone, Copy)]
pub(super) struct Semaphore(i32);

impl Semaphore {
    /// The one of this key, which must exist.
    pub(super) fn existing(key: i32) -> Result<Semaphore, Errno> {
        // SAFETY: three integers, no memory of ours.
        let id = Errno::result(unsafe { libc::semget(key, 1, 0) })?;
        Ok(Semaphore(id))
    }

    /// Posts that nobody has taken.
    pub(super) fn value(self) -> Result<i32, Errno> {
        // SAFETY: GETVAL takes no fourth argument and touches no memory of ours.
        Errno::result(unsafe { libc::semctl(self.0, 0, libc::GETVAL) })
    }

    /// Posts `count` at once, or with a negative one takes as many; never waits.
    pub(super) fn add(self, count: i16) -> Result<(), Errno> {
        let mut operation = libc::sembuf { sem_num: 0, sem_op: count, sem_flg: libc::IPC_NOWAIT as i16 };
        // SAFETY: one live operation, and its count is one.
        Errno::result(unsafe { libc::semop(self.0, &raw mut operation, 1) }).map(drop)
    }
}

/// Calls `each` with the name of every entry of a directory that may be a directory itself.
pub(super) fn for_each_subdirectory(dir: BorrowedFd<'_>, mut each: impl FnMut(&CStr)) -> Result<(), Errno> {
    // d_ino u8, d_off u8, d_reclen u2, d_type u1, d_name.
    const NAME: usize = 19;
    nix::unistd::lseek(dir, 0, nix::unistd::Whence::SeekSet)?;
    let mut buffer = [0u64; 512];
    loop {
        let (start, size) = (buffer.as_mut_ptr(), size_of_val(&buffer));
        // SAFETY: the buffer is live, writable, aligned for a dirent64, and its size is right.
        let got = unsafe { libc::syscall(libc::SYS_getdents64, dir.as_raw_fd(), start, size) };
        let got = Errno::result(got)? as usize;
        if got == 0 {
            return Ok(());
        }
        // SAFETY: the first `got` bytes of the buffer, which is live, are initialised; u8 has no alignment.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), got.min(size)) };
        let mut rest = bytes;
        while let Some(length) =
            rest.get(16..18).and_then(|b| b.first_chunk()).map(|b| u16::from_ne_bytes(*b))
        {
            let Some(entry) = rest.get(..usize::from(length).max(NAME)) else { break };
            let kind = entry[18];
            let name = entry.get(NAME..).and_then(|name| CStr::from_bytes_until_nul(name).ok());
            if let Some(name) = name.filter(|_| matches!(kind, libc::DT_DIR | libc::DT_UNKNOWN)) {
                each(name);
            }
            rest = rest.get(entry.len()..).unwrap_or_default();
        }
    }
}

/// The control message of one descriptor, laid out as `struct cmsghdr` and its data.
#[repr(C)]
struct OneDescriptor {
    length: usize,
    level: i32,
    kind: i32,
    descriptor: i32,
    padding: i32,
}

/// Sends bytes, and with them a descriptor.
pub(super) fn send(
    control: BorrowedFd<'_>,
    bytes: &[u8],
    descriptor: Option<BorrowedFd<'_>>,
) -> Result<(), Errno> {
    let mut message = OneDescriptor {
        length: std::mem::offset_of!(OneDescriptor, padding),
        level: libc::SOL_SOCKET,
        kind: libc::SCM_RIGHTS,
        descriptor: descriptor.map_or(-1, |fd| fd.as_raw_fd()),
        padding: 0,
    };
    let mut vector = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: msghdr is a plain C structure for which all zeroes mean "nothing".
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    if descriptor.is_some() {
        header.msg_control = (&raw mut message).cast();
        header.msg_controllen = size_of::<OneDescriptor>() as _;
    }
    // SAFETY: header, vector, message and the bytes are live for the call, which only reads them.
    Errno::result(unsafe { libc::sendmsg(control.as_raw_fd(), &raw const header, libc::MSG_NOSIGNAL) })
        .map(drop)
}

/// A descriptor that the kernel has just made for us.
pub(super) fn owned(fd: std::os::fd::RawFd) -> OwnedFd {
    // SAFETY: its callers pass what accept4(2) has returned or recvmsg(2) has received, which nobody else owns.
    unsafe { std::os::fd::FromRawFd::from_raw_fd(fd) }
}
