//! Ctrl-C, SIGTERM and a terminal that hangs up, as a descriptor, so that every wait ends and cleans up instead of the
//! process just dying.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Readable once the user wants to stop.
pub(crate) struct Interrupt(Option<SignalFd>);

impl Interrupt {
    /// Blocks these signals from here on: they arrive on the descriptor only. Where that fails they kill, as they used to.
    pub(crate) fn catch() -> Interrupt {
        let status = own_status().unwrap_or_default();
        let mut signals = SigSet::empty();
        // What nohup or a shell's `&` has us ignore stays ignored: a blocked signal would arrive all the same.
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            if !ignores(&status, signal) {
                signals.add(signal);
            }
        }
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

    /// Has the user asked to stop?
    pub(crate) fn came(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Waits so long, or until the user asks to stop, which is true.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let Some(fd) = self.fd() else {
            std::thread::sleep(time);
            return false;
        };
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], left) {
                Ok(0) if Instant::now() >= until => return false,
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return true,
                Err(_) => return false,
            }
        }
    }

    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(AsFd::as_fd)
    }
}

/// In one read: std begins with small ones, and each costs the kernel the whole text.
fn own_status() -> std::io::Result<String> {
    let mut text = [0; 8192];
    let got = std::fs::File::open("/proc/self/status")?.read(&mut text)?;
    Ok(String::from_utf8_lossy(&text[..got]).into_owned())
}

/// By the line `SigIgn` of proc(5): bit 0 is signal 1.
fn ignores(status: &str, signal: Signal) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal as i32 - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored() {
        let status = "Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\tffffffffffffffff\n";
        assert!(ignores(status, Signal::SIGHUP));
        assert!(!ignores(status, Signal::SIGINT));
        assert!(!ignores("", Signal::SIGHUP));
    }
}
