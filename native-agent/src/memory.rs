//! Event memories of this JVM: made once and never given back, since a method that still runs may write to one at any
//! time. Their layout is `jgraft_protocol::events`.
//!
//! A file that lives in memory only, is sealed against shrinking, and is in memory as a whole before anybody writes: one on
//! disk could be truncated, or its disk be full, and the application would get an InternalError where a probe writes.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};

use jgraft_protocol::events::{self, Layout, WORD_GATE};

use crate::sys;

/// What the traces share that use it, one after another.
#[derive(Debug)]
pub(crate) struct EventMemory {
    file: OwnedFd,
    words: &'static [AtomicU64],
    pub(crate) layout: Layout,
}

impl EventMemory {
    /// A new one.
    pub(crate) fn new(layout: Layout) -> io::Result<EventMemory> {
        let file = sys::memory_file(c"jgraft-events", layout.words() * events::WORD)?;
        let words = sys::map(&file, layout.words())?;
        events::format(words, layout).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(EventMemory { file, words, layout })
    }

    /// The descriptor, which the injector opens through `/proc`.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// All of it.
    pub(crate) fn words(&self) -> &'static [AtomicU64] {
        self.words
    }

    /// A control word.
    pub(crate) fn word(&self, at: usize) -> &'static AtomicU64 {
        &self.words[at]
    }

    /// The address of a word in this process, for the Probe.
    pub(crate) fn address(&self, word: usize) -> i64 {
        self.words.as_ptr() as i64 + (word * events::WORD) as i64
    }

    /// For another reader: no event of before is left.
    pub(crate) fn forget(&self) {
        events::reset(self.words, self.layout);
    }

    /// What probes do with an event from now on.
    pub(crate) fn set_gate(&self, gate: Gate) {
        self.word(WORD_GATE).store(matches!(gate, Gate::Open).into(), Ordering::Release);
    }
}

/// What probes do with an event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Gate {
    /// They write it.
    Open,
    /// They drop it, uncounted.
    Closed,
}
