//! Ctrl-C and SIGTERM as a descriptor, so that every wait ends and cleans up instead of the process just dying.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Readable once the user wants to stop.
pub(crate) struct Interrupt(Option<SignalFd>);

impl Interrupt {
    /// Blocks both signals from here on: they arrive on the descriptor only. Where that fails they kill, as they used to.
    pub(crate) fn catch() -> Interrupt {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGINT);
        signals.add(Signal::SIGTERM);
        if signals.thread_block().is_err() {
            return Interrupt(None);
        }
        match SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK) {
            Ok(fd) => Interrupt(Some(fd)),
            Err(_) => {
                let _ = signals.thread_unblock();
                Interrupt(None)
            }
        }
    }

    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(AsFd::as_fd)
    }
}
