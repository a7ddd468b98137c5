//! What a fake JVM needs of the system that has no safe form: SIGQUIT's handler, a mapping that `/proc/PID/maps` shows,
//! and the System V semaphore of OpenJ9's attach API. The only file of this crate that may hold unsafe code.
#![allow(unsafe_code, reason = "system calls; each block states the fact that makes it sound")]

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::IntoRawFd;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// Where the handler writes.
static SIGQUITS: AtomicI32 = AtomicI32::new(-1);

extern "C" fn on_sigquit(_signal: i32) {
    // SAFETY: write(2) is async-signal-safe; one byte of a static is read; the descriptor is never closed.
    unsafe { libc::write(SIGQUITS.load(Ordering::Relaxed), b"q".as_ptr().cast(), 1) };
}

/// Catches SIGQUIT from now on; a byte can be read for each.
pub(super) fn catch_sigquit() -> io::Result<File> {
    let (read, write) = nix::unistd::pipe()?;
    SIGQUITS.store(write.into_raw_fd(), Ordering::Relaxed);
    let action = SigAction::new(SigHandler::Handler(on_sigquit), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler makes one async-signal-safe call and reads an atomic that is set.
    unsafe { sigaction(Signal::SIGQUIT, &action) }?;
    Ok(read.into())
}

/// Maps the beginning of a file as the code of a library is mapped, for the rest of the process's life, so that its
/// path is in the memory map.
pub(super) fn map_code(file: &File) -> io::Result<()> {
    // SAFETY: a new private, read-only mapping at an address of the kernel's choice, which nobody reads or calls.
    unsafe {
        mmap(None, length(file)?, ProtFlags::PROT_READ | ProtFlags::PROT_EXEC, MapFlags::MAP_PRIVATE, file, 0)
    }?;
    Ok(())
}

/// Maps a file that is open for reading and writing as HotSpot maps its counters, for the rest of the process's life.
pub(super) fn map_counters(file: &File) -> io::Result<()> {
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new shared mapping at an address of the kernel's choice, which nobody reads or writes.
    unsafe { mmap(None, length(file)?, protection, MapFlags::MAP_SHARED, file, 0) }?;
    Ok(())
}

fn length(file: &File) -> io::Result<NonZeroUsize> {
    let length = file.metadata()?.len().try_into().unwrap_or(1);
    Ok(NonZeroUsize::new(length).unwrap_or(NonZeroUsize::MIN))
}

/// The semaphore that all OpenJ9 VMs of one attach directory wait on.
#[derive(Clone, Copy, Debug)]
pub struct Semaphore(i32);

impl Semaphore {
    /// The one that belongs to a `_notifier` file, as `ftok(3)` with project 0xa1 names it; made where there is none.
    ///
    /// # Errors
    /// The file cannot be looked at, or the system has no more semaphores.
    pub fn of(notifier: &File) -> io::Result<Semaphore> {
        Semaphore::get(key(notifier)?, libc::IPC_CREAT | 0o666)
    }

    /// As [`Semaphore::of`], but an error where there is none.
    ///
    /// # Errors
    /// There is none.
    pub fn existing(notifier: &File) -> io::Result<Semaphore> {
        Semaphore::get(key(notifier)?, 0)
    }

    fn get(key: i32, flags: i32) -> io::Result<Semaphore> {
        // SAFETY: three integers, no memory of ours.
        let id = unsafe { libc::semget(key, 1, flags) };
        if id < 0 { Err(io::Error::last_os_error()) } else { Ok(Semaphore(id)) }
    }

    /// Takes one post, waiting for it.
    ///
    /// # Errors
    /// The semaphore was removed.
    pub fn wait(self) -> io::Result<()> {
        let mut take = libc::sembuf { sem_num: 0, sem_op: -1, sem_flg: 0 };
        loop {
            // SAFETY: one live operation, and its count is one.
            let done = unsafe { libc::semop(self.0, &raw mut take, 1) };
            match io::Error::last_os_error() {
                _ if done == 0 => return Ok(()),
                e if e.kind() == io::ErrorKind::Interrupted => {}
                e => return Err(e),
            }
        }
    }

    /// Posts that nobody has taken.
    ///
    /// # Errors
    /// The semaphore was removed.
    pub fn value(self) -> io::Result<i32> {
        // SAFETY: GETVAL takes no fourth argument and touches no memory of ours.
        let value = unsafe { libc::semctl(self.0, 0, libc::GETVAL) };
        if value < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
    }

    /// Removes it from the system.
    pub fn remove(self) {
        // SAFETY: IPC_RMID takes no fourth argument; an error means that it is gone.
        unsafe { libc::semctl(self.0, 0, libc::IPC_RMID) };
    }
}

/// `ftok(3)`: low bits of inode, device and project.
fn key(file: &File) -> io::Result<i32> {
    let metadata = file.metadata()?;
    let key = (metadata.ino() & 0xffff) | (metadata.dev() & 0xff) << 16 | 0xa1 << 24;
    Ok((key as u32).cast_signed())
}
