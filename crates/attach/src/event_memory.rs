//! The event memory of a target, mapped here. What stands in it is `jgraft_protocol::events`' business.
//!
//! The target says which of its descriptors it is, and may lie: only a file in memory that is sealed against shrinking is
//! mapped, since a read beyond the end of a file that has shrunk would end this process.

#![allow(unsafe_code, reason = "a shared mapping, as words that only atomic operations touch")]

use std::io;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::stat::fstat;

use crate::target::Target;

/// A larger one is none of ours; that of this version has 16 MiB. All that is in it may be read in one go.
const MOST: usize = 64 << 20;

/// How the link in `/proc` of a descriptor of one begins.
const NAME: &str = "/memfd:jgraft-events";

/// Mapped words; unmapped on drop. The target's own mapping stays.
#[derive(Debug)]
pub struct EventMemory {
    start: NonNull<AtomicU64>,
    words: usize,
}

// SAFETY: the mapping is ours until drop, and is only touched by atomic operations.
unsafe impl Send for EventMemory {}
// SAFETY: as above.
unsafe impl Sync for EventMemory {}

impl EventMemory {
    /// Maps the file that the target has open as this descriptor.
    ///
    /// # Errors
    /// It is not open, cannot be opened by this process, or is no file of the kind that the native agent makes.
    pub fn open(target: &Target, descriptor: i32) -> io::Result<EventMemory> {
        let name = format!("fd/{descriptor}");
        // Looked at before it is opened: to open a device can have consequences.
        let link = target.process().link(&name)?;
        let refuse = |why: &str| {
            let text = format!("descriptor {descriptor} of pid {} ({}) {why}", target.pid(), link.display());
            Err(io::Error::new(io::ErrorKind::InvalidData, text))
        };
        if !link.to_string_lossy().starts_with(NAME) {
            return refuse("is no event memory");
        }
        let file = target.process().open_to_write(&name)?;
        if !is_sealed(&file) {
            return refuse("is not sealed against shrinking");
        }
        let size = usize::try_from(fstat(&file)?.st_size).unwrap_or(0);
        let Some(bytes) = NonZeroUsize::new(size).filter(|bytes| bytes.get() <= MOST && size % 8 == 0) else {
            return refuse("has a size that no event memory has");
        };
        // SAFETY: a new mapping, wherever the kernel has room, of a file that holds so many bytes and keeps them.
        let start = unsafe {
            mmap(None, bytes, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED, &file, 0)
        }?;
        Ok(EventMemory { start: start.cast(), words: size / 8 })
    }

    /// The event memories that a target has, by what its descriptors are called.
    ///
    /// # Errors
    /// Its descriptors cannot be listed by this process.
    pub fn descriptors(target: &Target) -> io::Result<Vec<i32>> {
        let mut found = Vec::new();
        for name in target.process().entries("fd")? {
            let Some(name) = name.to_str() else { continue };
            let link = target.process().link(&format!("fd/{name}"));
            if link.is_ok_and(|link| link.to_string_lossy().starts_with(NAME)) {
                found.extend(name.parse::<i32>());
            }
        }
        Ok(found)
    }

    /// Sets bits of a word, and wakes who waits for it to change.
    pub fn or_and_wake(&self, word: usize, bits: u64) {
        if let Some(at) = self.get(word) {
            at.fetch_or(bits, Ordering::AcqRel);
            wake(at);
        }
    }

    /// Adds to a word, and wakes who waits for it to change.
    pub fn add_and_wake(&self, word: usize, more: u64) {
        if let Some(at) = self.get(word) {
            at.fetch_add(more, Ordering::AcqRel);
            wake(at);
        }
    }
}

/// futex(2) on the low half of a word, in whatever process it is waited for.
fn wake(word: &AtomicU64) {
    let (everybody, nothing) = (i32::MAX, 0_usize);
    // SAFETY: an aligned word that is mapped as long as the reference lives; nothing is written. Nobody may be waiting.
    unsafe {
        nix::libc::syscall(
            nix::libc::SYS_futex,
            word.as_ptr(),
            nix::libc::FUTEX_WAKE,
            everybody,
            nothing,
            nothing,
            nothing,
        )
    };
}

fn is_sealed(file: &OwnedFd) -> bool {
    let seals = fcntl(file, FcntlArg::F_GET_SEALS).unwrap_or(0);
    SealFlag::from_bits_truncate(seals).contains(SealFlag::F_SEAL_SHRINK)
}

impl Deref for EventMemory {
    type Target = [AtomicU64];

    fn deref(&self) -> &[AtomicU64] {
        // SAFETY: so many words are mapped there until drop, page-aligned and initialised by the kernel.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.words) }
    }
}

impl Drop for EventMemory {
    fn drop(&mut self) {
        // SAFETY: mapped by `open` with this length; nobody has a reference to it any more.
        let unmapped = unsafe { munmap(self.start.cast(), self.words * 8) };
        // It stays mapped then: a leak is all that can come of it.
        let _ = unmapped;
    }
}
