//! The janitor: a small process that outlives us to remove a trigger file once it is safe.
//!
//! After SIGQUIT the file must stay until the JVM has answered or ended, however long that takes (recipe R6). The
//! janitor holds the file's lock meanwhile, so the next run of ours waits instead of signalling a second time.
#![allow(unsafe_code, reason = "fork and what may be called after it; each block states why it is sound")]

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::libc;

use crate::wait::DirectoryWatch;

/// What the janitor needs to know.
pub(crate) struct Duty<'a> {
    pub(crate) pidfd: BorrowedFd<'a>,
    pub(crate) trigger_dir: BorrowedFd<'a>,
    pub(crate) trigger: &'a str,
    pub(crate) socket_dir: BorrowedFd<'a>,
    pub(crate) socket: &'a str,
    pub(crate) lock: BorrowedFd<'a>,
}

/// Forks twice, so that nobody has to reap it. False where no process could be made: then the next run of ours
/// adopts the file.
pub(crate) fn start(duty: &Duty<'_>) -> bool {
    let (Ok(trigger), Ok(socket)) = (CString::new(duty.trigger), CString::new(duty.socket)) else {
        return false;
    };
    let watch = DirectoryWatch::new(duty.socket_dir).arm();
    let watch_fd = watch.as_ref().map_or(-1, |inotify| inotify.as_fd().as_raw_fd());
    let keep = [
        duty.pidfd.as_raw_fd(),
        duty.trigger_dir.as_raw_fd(),
        duty.socket_dir.as_raw_fd(),
        duty.lock.as_fd().as_raw_fd(),
        watch_fd,
    ];
    // SAFETY: everything the child does until its _exit is async-signal-safe (no allocation, no lock), so it does not
    // matter what the other threads of this process held at the moment of the fork.
    let child = unsafe { libc::fork() };
    if child < 0 {
        return false;
    }
    if child == 0 {
        become_janitor(keep, &trigger, &socket);
    }
    // The first child ends at once; reap it so that it is not left a zombie.
    let mut status = 0;
    // SAFETY: `child` is our own child and `status` a live local.
    unsafe { libc::waitpid(child, &raw mut status, 0) == child && status == 0 }
}

/// After fork: only async-signal-safe calls from here on.
fn become_janitor(keep: [i32; 5], trigger: &CString, socket: &CString) -> ! {
    // SAFETY: setsid(2) has no preconditions and is async-signal-safe.
    unsafe { libc::setsid() };
    // SAFETY: as the first fork.
    match unsafe { libc::fork() } {
        0 => {}
        // SAFETY: _exit(2) runs no destructor and no handler.
        pid => unsafe { libc::_exit(i32::from(pid < 0)) },
    }
    close_all_but(&keep);
    take_signals_again();
    // SAFETY: a constant, NUL-terminated path; keeps no file system busy.
    unsafe { libc::chdir(c"/".as_ptr()) };
    let [pidfd, trigger_dir, socket_dir, _lock, watch] = keep;
    loop {
        let mut fds = [poll_in(pidfd), poll_in(watch)];
        // Without inotify (a negative descriptor is skipped by poll) the directory is looked at ten times a second.
        let timeout = if watch < 0 { 100 } else { 1000 };
        // SAFETY: the array is live and its length is right.
        unsafe { libc::poll(fds.as_mut_ptr(), 2, timeout) };
        if fds[1].revents != 0 {
            let mut news = [0u8; 4096];
            // SAFETY: the buffer is live and its length is right; the descriptor is non-blocking.
            unsafe { libc::read(watch, news.as_mut_ptr().cast(), news.len()) };
        }
        if fds[0].revents != 0 || is_socket(socket_dir, socket) {
            // SAFETY: the name is NUL-terminated, the directory handle is open.
            unsafe { libc::unlinkat(trigger_dir, trigger.as_ptr(), 0) };
            // SAFETY: as above.
            unsafe { libc::_exit(0) };
        }
    }
}

/// The caller may have blocked SIGTERM and its like to clean up first, and a mask is inherited; but the janitor must be
/// as easy to end as anything. The file then stays, without a lock, for the next run to adopt.
fn take_signals_again() {
    let mut none = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset fills the set and cannot fail on a live one.
    unsafe { libc::sigemptyset(none.as_mut_ptr()) };
    // SAFETY: the set is filled; sigprocmask is async-signal-safe and this process has one thread.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut()) };
}

fn poll_in(fd: i32) -> libc::pollfd {
    libc::pollfd { fd, events: libc::POLLIN, revents: 0 }
}

fn is_socket(dir: i32, name: &CString) -> bool {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: name is NUL-terminated, the buffer is large enough for a stat.
    let done = unsafe { libc::fstatat(dir, name.as_ptr(), stat.as_mut_ptr(), libc::AT_SYMLINK_NOFOLLOW) };
    if done != 0 {
        return false;
    }
    // SAFETY: fstatat succeeded, so it has filled the buffer.
    let stat = unsafe { stat.assume_init() };
    stat.st_mode & libc::S_IFMT == libc::S_IFSOCK
}

/// Whoever waits for our stdout to close must not wait for the janitor. Before Linux 5.9 there is no close_range, so
/// this goes one by one, as far as an ordinary limit allows.
pub(crate) fn close_all_but(keep: &[i32]) {
    let highest = keep.iter().copied().max().unwrap_or(-1);
    // SAFETY: closes descriptors of this process only, none of which is used again.
    let rest = unsafe { libc::syscall(libc::SYS_close_range, highest + 1, u32::MAX, 0) };
    let end = if rest == 0 { highest } else { highest.max(1024) };
    for fd in (0..end).filter(|fd| !keep.contains(fd)) {
        // SAFETY: as above.
        unsafe { libc::close(fd) };
    }
}
