//! stdout: what a command found out goes there, and whether it arrived decides about the exit code.
//!
//! A reader that has gone away (`| head`) has had enough; any other failed write loses a result that a script relies on.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::OnceLock;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, fstat};

use crate::failure::{EXIT_FAILED, Failure};

/// The first error that lost output.
static LOST: OnceLock<String> = OnceLock::new();
/// Nobody reads it any more.
static CLOSED: OnceLock<()> = OnceLock::new();

/// Prints a line.
pub(crate) fn line(text: &str) {
    let _ = keep(writeln!(io::stdout(), "{text}"));
}

/// Prints bytes as they come. False once there is no use in going on.
pub(crate) fn bytes(piece: &[u8]) -> bool {
    let mut stdout = io::stdout().lock();
    keep(stdout.write_all(piece).and_then(|()| stdout.flush()))
}

/// stdout, where that is a pipe, for writes that never wait: opened anew, since whoever shares our stdout shares its flags.
pub(crate) fn pipe() -> Option<File> {
    let kind = SFlag::from_bits_truncate(fstat(io::stdout()).ok()?.st_mode) & SFlag::S_IFMT;
    let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    if kind != SFlag::S_IFIFO || io::stdout().flush().is_err() {
        return None;
    }
    open("/proc/self/fd/1", flags, Mode::empty()).ok().map(File::from)
}

/// Remembers an error of writing to stdout; true where there was none.
pub(crate) fn keep(written: io::Result<()>) -> bool {
    match written {
        Ok(()) => return true,
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => drop(CLOSED.set(())),
        Err(e) => drop(LOST.set(e.to_string())),
    }
    false
}

/// Is there no use in going on?
pub(crate) fn is_closed() -> bool {
    CLOSED.get().is_some() || is_lost()
}

/// Was something lost so far?
pub(crate) fn is_lost() -> bool {
    LOST.get().is_some()
}

/// The exit code of a command that has done its work, unless nobody could learn of it. `done` says what was done.
pub(crate) fn finish(code: ExitCode, done: &str) -> Result<ExitCode, Failure> {
    match LOST.get() {
        None => Ok(code),
        Some(error) => {
            Err(Failure::new(EXIT_FAILED, "output-lost", format!("{done}; the output could not be written"))
                .evidence(format!("stdout: {error}"))
                .remedy("give stdout a place with room"))
        }
    }
}
