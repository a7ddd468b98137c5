//! What running a program inside needs of the system that has no safe form: child processes, capabilities, a command line
//! that is ready before the fork.
//!
//! All but [`CommandLine::new`] may be called after fork: nothing else here allocates or takes a lock.
#![allow(unsafe_code, reason = "raw system calls; each block states the fact that makes it sound")]

use std::ffi::{CStr, CString, c_char};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::libc;
use nix::unistd::{ForkResult, Pid, fork};

use super::Program;
use super::keeper::{self, Duty};

/// Words and environment as execve(2) takes them.
#[derive(Debug)]
pub(super) struct CommandLine {
    path: CString,
    words: Vec<*const c_char>,
    environment: Vec<*const c_char>,
    /// What the pointers lead to.
    _texts: Vec<CString>,
}

impl CommandLine {
    /// Of the trampoline: a name for it, then the program and its arguments.
    pub(super) fn new(program: &Program<'_>) -> io::Result<CommandLine> {
        let path = CString::new(program.path.as_os_str().as_bytes())?;
        let words = [Ok(c"jgraft".to_owned()), Ok(path.clone())].into_iter();
        let words = words.chain(program.arguments.iter().map(|word| CString::new(word.as_str())));
        let words = words.collect::<Result<Vec<_>, _>>()?;
        let environment = program.environment.iter().map(|entry| CString::new(*entry));
        let environment = environment.collect::<Result<Vec<_>, _>>()?;
        // The bytes of a CString stay where they are when it moves.
        let pointers = |texts: &[CString]| {
            texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect::<Vec<_>>()
        };
        let (word_pointers, environment_pointers) = (pointers(&words), pointers(&environment));
        let texts = words.into_iter().chain(environment).collect();
        Ok(CommandLine { path, words: word_pointers, environment: environment_pointers, _texts: texts })
    }

    pub(super) fn path(&self) -> &CStr {
        &self.path
    }

    /// Becomes an open program, with these words.
    pub(super) fn execute(&self, program: BorrowedFd<'_>) -> Errno {
        let (words, environment) = (self.words.as_ptr(), self.environment.as_ptr());
        // SAFETY: both arrays end with NULL, and all that they lead to lives as long as `self`; the path is a constant.
        unsafe {
            libc::syscall(
                libc::SYS_execveat,
                program.as_raw_fd(),
                c"".as_ptr(),
                words,
                environment,
                libc::AT_EMPTY_PATH,
            )
        };
        Errno::last()
    }
}

/// Starts the keeper as a child. It never returns from [`keeper::run`] into the caller's frames.
pub(super) fn spawn(duty: &Duty<'_>) -> io::Result<Pid> {
    Ok(child(|| keeper::run(duty))?)
}

/// A child that does this and exits with what it gives. `work` may not allocate, take a lock or panic.
pub(super) fn child(work: impl FnOnce() -> i32) -> Result<Pid, Errno> {
    // SAFETY: the child calls `work` and `_exit` alone; both callers pass functions of `keeper`, which make system calls
    // on memory that was allocated before: what other threads held at the moment of the fork does not matter.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let code = work();
            // SAFETY: _exit(2) runs no destructor and no handler of the caller's.
            unsafe { libc::_exit(code) }
        }
    }
}

/// Waits for a child, any with -1; without `patient` only looks. Its pid, 0 for none yet, and its status as wait(2) has it.
pub(super) fn wait(pid: i32, options: i32) -> Result<(i32, i32), Errno> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is a live local.
        match Errno::result(unsafe { libc::waitpid(pid, &raw mut status, options) }) {
            Err(Errno::EINTR) => {}
            other => return other.map(|pid| (pid, status)),
        }
    }
}

/// Signals as a new program expects them: none ignored, none blocked.
pub(super) fn default_signals() {
    // handler, flags, restorer and mask, all of them none. libc keeps two signals to itself, which the kernel does not.
    let (default, old, size) = ([0_u64; 4], std::ptr::null::<u64>(), size_of::<u64>());
    for signal in 1..=64 {
        // SAFETY: no structure of the kernel's is longer, and the default action takes no function of ours; numbers that
        // cannot be set are refused.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), old, size) };
    }
    let none = nix::sys::signal::SigSet::empty();
    let _ = nix::sys::signal::sigprocmask(nix::sys::signal::SigmaskHow::SIG_SETMASK, Some(&none), None);
}

/// No program that this process executes will have a capability, not root's either: the bounding and the ambient set are
/// emptied (capabilities(7)).
pub(super) fn bound_capabilities() -> Result<(), Errno> {
    for capability in 0..64 {
        // SAFETY: two integers, no memory of ours.
        match Errno::result(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) }) {
            Ok(_) => {}
            // Behind the last that this kernel knows.
            Err(Errno::EINVAL) if capability > 0 => break,
            Err(error) => return Err(error),
        }
    }
    // SAFETY: integers only, no memory of ours.
    Errno::result(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) })
        .map(drop)
}

/// Gives up every capability that this process has.
pub(super) fn drop_capabilities() -> Result<(), Errno> {
    // _LINUX_CAPABILITY_VERSION_3 and the calling thread; then two times effective, permitted and inheritable.
    let (header, none) = ([0x2008_0522_u32, 0], [0_u32; 6]);
    // SAFETY: both arrays are live, and as long as version 3 has them; the kernel only reads the second.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) }).map(drop)
}

/// A new, empty session keyring: the caller's may hold keys, which a child possesses whoever it is (keyrings(7)).
pub(super) fn leave_keyring() -> Result<(), Errno> {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    let anonymous = std::ptr::null::<c_char>();
    // SAFETY: a null name asks for an anonymous keyring, and nothing is read.
    match Errno::result(unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, anonymous) }) {
        // There are no keyrings, or a filter keeps us from them, and so all that we start.
        Ok(_) | Err(Errno::ENOSYS | Errno::EPERM) => Ok(()),
        Err(error) => Err(error),
    }
}

/// See [`seccomp`](super::seccomp). Takes no_new_privs.
#[cfg(target_arch = "x86_64")]
pub(super) fn filter_calls() -> Result<(), Errno> {
    let filter = &super::seccomp::FILTER;
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
    // SAFETY: the program and its instructions live through the call, and the kernel only reads them.
    Errno::result(unsafe {
        libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program, 0, 0)
    })
    .map(drop)
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn filter_calls() -> Result<(), Errno> {
    Err(Errno::ENOSYS)
}

/// No device and no set-id program on any mount of this mount namespace that lies below its root (mount_setattr(2), Linux 5.12).
pub(super) fn mounts_without_devices() -> Result<(), Errno> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_NODEV | libc::MOUNT_ATTR_NOSUID,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: the path is a constant; the structure is live, of that size, and only read.
    Errno::result(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            c"/".as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    })
    .map(drop)
}
