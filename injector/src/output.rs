//! stdout: what a command found out goes there, and whether it arrived decides about the exit code.
//!
//! A reader that has gone away (`| head`) has had enough; any other failed write loses a result that a script relies on. A
//! reader that does not read is waited for, until the user wants to stop.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::process::ExitCode;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::write;

use crate::failure::{EXIT_FAILED, EXIT_INTERRUPTED, Failure};
use crate::interrupt::Interrupt;

/// The first error that lost output.
static LOST: OnceLock<String> = OnceLock::new();
/// Nobody reads it any more.
static CLOSED: OnceLock<()> = OnceLock::new();
/// The user did not want to wait for who reads it.
static INTERRUPTED: OnceLock<()> = OnceLock::new();

/// What poll(2) says has room has room for so many bytes (PIPE_BUF of pipe(7)): a write of no more does not wait.
const PIECE: usize = 4096;

/// Prints a line.
pub(crate) fn line(text: &str) {
    let _ = keep(whole(format!("{text}\n").as_bytes()));
}

/// Prints bytes as they come. False once there is no use in going on.
pub(crate) fn bytes(piece: &[u8]) -> bool {
    keep(whole(piece))
}

/// Whether a write to stdout may fail instead of waiting: whoever shares it with us may want that.
pub(crate) fn never_waits() -> bool {
    let flags = fcntl(io::stdout(), FcntlArg::F_GETFL);
    flags.is_ok_and(|flags| OFlag::from_bits_truncate(flags).contains(OFlag::O_NONBLOCK))
}

/// stdout for what is copied there: waits where a write does not.
pub(crate) struct Waiting;

impl Write for Waiting {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        whole(piece).map(|()| piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes it all, and waits in poll(2) alone, where Ctrl-C is seen: it does not end a write that waits.
fn whole(mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match write_at_once(rest) {
            Ok(taken) => rest = &rest[taken..],
            Err(Errno::EINTR) => {}
            // The same as EWOULDBLOCK.
            Err(Errno::EAGAIN) => await_room()?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// As much as stdout takes without being waited for.
fn write_at_once(piece: &[u8]) -> nix::Result<usize> {
    if let Some(pipe) = pipe() {
        return write(pipe, piece);
    }
    let stdout = io::stdout();
    match send(stdout.as_fd().as_raw_fd(), piece, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL) {
        Err(Errno::ENOTSOCK) => {}
        sent => return sent,
    }
    match poll(&mut [PollFd::new(stdout.as_fd(), PollFlags::POLLOUT)], PollTimeout::ZERO) {
        Ok(0) => Err(Errno::EAGAIN),
        // What is broken is found out by writing.
        _ => write(&stdout, &piece[..piece.len().min(PIECE)]),
    }
}

/// Until stdout takes more or is broken, which a write finds out; an error once the user wants to stop.
fn await_room() -> io::Result<()> {
    let interrupt = Interrupt::catch();
    let stdout = io::stdout();
    let stop = interrupt.fd().map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    let out = PollFd::new(stdout.as_fd(), PollFlags::POLLOUT);
    let mut either: Vec<_> = [out].into_iter().chain(stop).collect();
    loop {
        match poll(&mut either, PollTimeout::NONE) {
            Err(Errno::EINTR) => {}
            Ok(_) if either[0].any() != Some(true) => {
                let _ = INTERRUPTED.set(());
                return Err(io::Error::other("interrupted"));
            }
            _ => return Ok(()),
        }
    }
}

/// stdout, where that is a pipe, for writes that never wait: opened anew, since whoever shares our stdout shares its flags.
pub(crate) fn pipe() -> Option<&'static File> {
    static PIPE: OnceLock<Option<File>> = OnceLock::new();
    let open_anew = || {
        let kind = SFlag::from_bits_truncate(fstat(io::stdout()).ok()?.st_mode) & SFlag::S_IFMT;
        let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let fifo = kind == SFlag::S_IFIFO;
        fifo.then(|| open("/proc/self/fd/1", flags, Mode::empty()).ok())?.map(File::from)
    };
    PIPE.get_or_init(open_anew).as_ref()
}

/// Remembers an error of writing to stdout; true where there was none.
pub(crate) fn keep(written: io::Result<()>) -> bool {
    match written {
        Ok(()) => return true,
        Err(e) if e.kind() == ErrorKind::BrokenPipe => drop(CLOSED.set(())),
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
    if INTERRUPTED.get().is_some() {
        let cause = format!("{done}; interrupted while that was printed");
        return Err(Failure::new(EXIT_INTERRUPTED, "interrupted", cause)
            .evidence("what was printed is not all of it: nobody reads stdout")
            .remedy("what was done stays done; give stdout a reader"));
    }
    match LOST.get() {
        None => Ok(code),
        Some(error) => {
            Err(Failure::new(EXIT_FAILED, "output-lost", format!("{done}; the output could not be written"))
                .evidence(format!("stdout: {error}"))
                .remedy("give stdout a place with room"))
        }
    }
}
