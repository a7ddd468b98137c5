//! System calls that the standard library has no names for, and nothing else. Declared here, since one library for all
//! C libraries is to use few of their functions.

#![allow(unsafe_code, reason = "system calls")]

use std::ffi::{CStr, c_int, c_long, c_short, c_void};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// For [`std::os::unix::fs::OpenOptionsExt::custom_flags`].
pub(crate) const O_NOFOLLOW: c_int = if cfg!(target_arch = "aarch64") { 0o100_000 } else { 0o400_000 };

/// A file of so many zeros that lives in memory only and can't be made shorter or longer: memfd_create(2).
pub(crate) fn memory_file(name: &CStr, bytes: usize) -> io::Result<OwnedFd> {
    // glibc has the function since 2.27 only.
    // SAFETY: a name that ends in NUL, and flags; the result is checked.
    let raw = checked(unsafe { syscall(SYS_MEMFD_CREATE, name.as_ptr(), MFD_CLOEXEC | MFD_ALLOW_SEALING) })?;
    // SAFETY: a descriptor that the kernel has just made, and nobody else has.
    let file = unsafe { OwnedFd::from_raw_fd(raw as RawFd) };
    // SAFETY: a descriptor of ours, and a length.
    checked(unsafe { ftruncate(file.as_raw_fd(), bytes as i64) }.into())?;
    // SAFETY: a descriptor of ours, and flags.
    let sealed = unsafe { fcntl(file.as_raw_fd(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) };
    checked(sealed.into())?;
    Ok(file)
}

/// Maps so many words of a [`memory_file`], for the life of the process. All of it is in memory when this returns: no write
/// to it finds none.
pub(crate) fn map(file: &OwnedFd, words: usize) -> io::Result<&'static [AtomicU64]> {
    let (bytes, access, how) =
        (words * size_of::<AtomicU64>(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE);
    // SAFETY: a new mapping, wherever the kernel has room.
    let start = unsafe { mmap(ptr::null_mut(), bytes, access, how, file.as_raw_fd(), 0) };
    if start as isize == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: so many bytes from there on are mapped, page-aligned and initialised; nobody unmaps them, and the seals keep the
    // file from shrinking. Whoever else writes there does it in whole words.
    Ok(unsafe { std::slice::from_raw_parts(start.cast::<AtomicU64>(), words) })
}

/// Sleeps while the low half of a word is this, at most for so long: futex(2). It may return sooner.
pub(crate) fn wait_while(word: &'static AtomicU64, low: u32, limit: Duration) {
    let limit = Timespec { seconds: limit.as_secs() as c_long, nanoseconds: limit.subsec_nanos().into() };
    // SAFETY: an aligned word that is never unmapped (little-endian: its low half comes first), and a time that outlives the
    // call. Whatever comes of it, the caller looks again.
    unsafe {
        syscall(
            SYS_FUTEX,
            word.as_ptr(),
            FUTEX_WAIT,
            low as c_long,
            &raw const limit,
            0 as c_long,
            0 as c_long,
        )
    };
}

/// Whether anybody holds a lock on the file, of an open file description (fcntl(2)). If that can't be asked, nobody does.
pub(crate) fn is_locked(file: &File) -> bool {
    let mut lock = Flock { l_type: F_WRLCK, l_whence: 0, l_start: 0, l_len: 0, l_pid: 0 };
    // SAFETY: a descriptor of ours, and a place that outlives the call.
    let asked = unsafe { fcntl(file.as_raw_fd(), F_OFD_GETLK, &raw mut lock) };
    asked == 0 && lock.l_type != F_UNLCK
}

/// The user that this process acts as.
pub(crate) fn effective_user() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { geteuid() }
}

fn checked(result: c_long) -> io::Result<c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// `struct flock` of 64-bit Linux.
#[repr(C)]
struct Flock {
    l_type: c_short,
    l_whence: c_short,
    l_start: i64,
    l_len: i64,
    l_pid: c_int,
}

/// `struct timespec` of 64-bit Linux.
#[repr(C)]
struct Timespec {
    seconds: c_long,
    nanoseconds: c_long,
}

const SYS_MEMFD_CREATE: c_long = if cfg!(target_arch = "aarch64") { 279 } else { 319 };
const SYS_FUTEX: c_long = if cfg!(target_arch = "aarch64") { 98 } else { 202 };
const MFD_CLOEXEC: c_long = 1;
const MFD_ALLOW_SEALING: c_long = 2;
const F_ADD_SEALS: c_int = 1033;
const F_SEAL_SEAL: c_int = 1;
const F_SEAL_SHRINK: c_int = 2;
const F_SEAL_GROW: c_int = 4;
const F_OFD_GETLK: c_int = 36;
const F_WRLCK: c_short = 1;
const F_UNLCK: c_short = 2;
const FUTEX_WAIT: c_long = 0;
const PROT_READ: c_int = 1;
const PROT_WRITE: c_int = 2;
const MAP_SHARED: c_int = 1;
const MAP_POPULATE: c_int = 0x8000;

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    fn ftruncate(fd: c_int, length: i64) -> c_int;
    fn mmap(
        start: *mut c_void,
        length: usize,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: i64,
    ) -> *mut c_void;
    fn geteuid() -> u32;
}
