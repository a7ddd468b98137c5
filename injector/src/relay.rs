//! An answer on its way to stdout. The JVM never waits for who reads stdout: since 25 it sends from inside the operation
//! that it prints, and a pager that nobody scrolls would hold up all of its threads.
//!
//! So the answer is read as it comes, and what stdout does not take yet waits here: in memory, then in a file. Most answers
//! go straight through a pipe that has room for them; to start a thread takes as long as to ask a JVM.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jgraft_attach::Reply;

use crate::interrupt::Interrupt;
use crate::output;
use crate::terminal::Passage;

/// So much of an answer is given back, in bytes, to see whether it says an error: such answers are short.
pub(crate) const SAID_LIMIT: usize = 16 << 10;
/// So much waits in memory, in bytes; as much again may be on its way to stdout.
const IN_MEMORY: usize = 5 << 20;
/// So much goes into the file, in bytes: a target must not fill our disk.
const IN_FILE: u64 = 1 << 30;
/// Taken from the file at once, in bytes.
const FROM_FILE: u64 = 64 << 10;
/// How often Ctrl-C is looked for while stdout is waited for.
const GLANCE: Duration = Duration::from_millis(50);
/// So long stdout has for what came of an answer that was cut off.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Prints the answer, until the reader of stdout has had enough or the user wants to stop. Its beginning is given back.
pub(crate) fn to_stdout(reply: Reply<'_>, interrupt: &Interrupt) -> io::Result<Vec<u8>> {
    relay(reply, output::pipe(), output::bytes, interrupt)
}

/// The same for people: a terminal gets no control character of the target.
pub(crate) fn shown_on_stdout(reply: Reply<'_>, interrupt: &Interrupt) -> io::Result<Vec<u8>> {
    let passage = Arc::new(Mutex::new(Passage::to_stdout()));
    let passing = Arc::clone(&passage);
    let lock = |passage: &Mutex<Passage>, piece: &[u8]| {
        passage.lock().unwrap_or_else(PoisonError::into_inner).pass(piece).into_owned()
    };
    let said = relay(reply, output::pipe(), move |piece| output::bytes(&lock(&passing, piece)), interrupt)?;
    // Half a character, which no other half came for.
    let rest = passage.lock().unwrap_or_else(PoisonError::into_inner).rest();
    if !rest.is_empty() {
        output::bytes(&rest);
    }
    Ok(said)
}

/// Through the pipe while it has room, which nothing waits for; then by `take`, which is false once it wants no more.
fn relay(
    mut from: impl Read,
    pipe: Option<impl Write>,
    mut take: impl FnMut(&[u8]) -> bool + Send + 'static,
    interrupt: &Interrupt,
) -> io::Result<Vec<u8>> {
    let (mut said, mut held) = (Vec::new(), Vec::new());
    if let Some(pipe) = pipe {
        match straight(&mut from, pipe, &mut said)? {
            Straight::Over => return Ok(said),
            Straight::Full(rest) => held = rest,
        }
    }
    let spool = Arc::new(Spool::default());
    spool.lock().memory = held;
    let printed = Arc::clone(&spool);
    // Nobody joins it: a write to a full pipe ends when its reader likes, and with the process.
    thread::Builder::new().spawn(move || printed.print(&mut take))?;
    let read = spool.fill(from, &mut said);
    spool.lock().is_whole = true;
    spool.changed.notify_all();
    let until = read.is_err().then(|| Instant::now() + LAST_WORDS);
    while !spool.has_printed_all() {
        if interrupt.came() {
            return read.and(Err(io::Error::other("interrupted")));
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
    }
    read.map(|()| said)
}

/// How far a pipe alone took an answer.
enum Straight {
    /// To its end, or as far as anybody wants it.
    Over,
    /// This is for it, and it has no room.
    Full(Vec<u8>),
}

fn straight(from: &mut impl Read, mut pipe: impl Write, said: &mut Vec<u8>) -> io::Result<Straight> {
    let mut piece = [0; 4096];
    loop {
        let got = from.read(&mut piece)?;
        if got == 0 {
            return Ok(Straight::Over);
        }
        remember(said, &piece[..got]);
        let mut rest = &piece[..got];
        while !rest.is_empty() {
            match pipe.write(rest) {
                Ok(taken) => rest = &rest[taken..],
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(Straight::Full(rest.to_vec())),
                Err(e) => {
                    output::keep(Err(e));
                    return Ok(Straight::Over);
                }
            }
        }
    }
}

/// The beginning of an answer is kept to see whether it says an error.
fn remember(said: &mut Vec<u8>, piece: &[u8]) {
    said.extend_from_slice(&piece[..piece.len().min(SAID_LIMIT - said.len())]);
}

/// What has been read and not been printed.
#[derive(Default)]
struct Spool {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Comes before what is in the file: once there is a file, all goes there.
    memory: Vec<u8>,
    file: Option<Arc<File>>,
    /// Bytes.
    in_file: u64,
    is_whole: bool,
    /// No more will be printed.
    is_done: bool,
}

impl Spool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads to the end, or until nobody wants it.
    fn fill(&self, mut from: impl Read, said: &mut Vec<u8>) -> io::Result<()> {
        let mut piece = [0; 8192];
        loop {
            let got = from.read(&mut piece)?;
            remember(said, &piece[..got]);
            let mut state = self.lock();
            if got == 0 || state.is_done {
                return Ok(());
            }
            state.keep(&piece[..got])?;
            self.changed.notify_all();
        }
    }

    fn print(&self, take: &mut impl FnMut(&[u8]) -> bool) {
        let mut from_file = 0;
        while let Some(piece) = self.next(&mut from_file) {
            let goes_on = match piece {
                Ok(piece) => take(&piece),
                Err(error) => output::keep(Err(error)),
            };
            if !goes_on {
                break;
            }
        }
        self.lock().is_done = true;
        self.changed.notify_all();
    }

    /// What is to be printed next; none at the end.
    fn next(&self, from_file: &mut u64) -> Option<io::Result<Vec<u8>>> {
        let nothing =
            |state: &mut State| state.memory.is_empty() && state.in_file == *from_file && !state.is_whole;
        let mut state = self.changed.wait_while(self.lock(), nothing).unwrap_or_else(PoisonError::into_inner);
        if !state.memory.is_empty() {
            return Some(Ok(std::mem::take(&mut state.memory)));
        }
        let file = Arc::clone(state.file.as_ref()?);
        let length = (state.in_file - *from_file).min(FROM_FILE);
        drop(state);
        let mut piece = vec![0; usize::try_from(length).ok().filter(|length| *length > 0)?];
        let read = file.read_exact_at(&mut piece, *from_file);
        *from_file += length;
        Some(read.map(|()| piece))
    }

    /// Waits for it, and no longer than for a glance.
    fn has_printed_all(&self) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), GLANCE, |state| !state.is_done);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_done
    }
}

impl State {
    fn keep(&mut self, piece: &[u8]) -> io::Result<()> {
        if self.file.is_none() && self.memory.len() < IN_MEMORY {
            self.memory.extend_from_slice(piece);
            return Ok(());
        }
        if self.in_file >= IN_FILE {
            return Err(io::Error::other("nobody reads it, and it is too long to be kept"));
        }
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(Arc::new(tempfile::tempfile()?)),
        };
        file.write_all_at(piece, self.in_file)?;
        self.in_file += piece.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    const NONE: Option<File> = None;

    /// Has so much room.
    struct Pipe<'p>(&'p Mutex<Vec<u8>>, usize);

    impl Write for Pipe<'_> {
        fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
            let room = self.1.min(piece.len());
            if room == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.1 -= room;
            self.0.lock().unwrap().extend_from_slice(&piece[..room]);
            Ok(room)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_pipe_does_not_take_comes_behind_what_it_took() {
        for room in [0, 1, 4096, 5000, LENGTH - 1, LENGTH, LENGTH + 1] {
            let taken = Arc::new(Mutex::new(Vec::new()));
            let (into, behind) = (Arc::clone(&taken), Arc::new(Mutex::new(0)));
            let more = Arc::clone(&behind);
            let take = move |piece: &[u8]| {
                *more.lock().unwrap() += piece.len();
                into.lock().unwrap().extend_from_slice(piece);
                true
            };
            let long = Long { at: 0, ended: channel().0 };
            let said = relay(long, Some(Pipe(&taken, room)), take, &Interrupt::catch()).unwrap();
            let taken = taken.lock().unwrap();
            assert_eq!((said.len(), taken.len()), (SAID_LIMIT, LENGTH));
            assert!(taken.iter().enumerate().all(|(at, b)| *b == byte(at)), "room for {room}");
            assert_eq!(*behind.lock().unwrap(), LENGTH.saturating_sub(room));
        }
    }

    /// Longer than what memory holds; says when it has been read to its end.
    struct Long {
        at: usize,
        ended: Sender<()>,
    }

    const LENGTH: usize = IN_MEMORY * 3 + 12_345;

    fn byte(at: usize) -> u8 {
        (at % 251) as u8
    }

    impl Read for Long {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let got = buffer.len().min(LENGTH - self.at);
            for (i, slot) in buffer[..got].iter_mut().enumerate() {
                *slot = byte(self.at + i);
            }
            self.at += got;
            if got == 0 {
                let _ = self.ended.send(());
            }
            Ok(got)
        }
    }

    #[test]
    fn it_is_read_to_its_end_while_nothing_is_taken() {
        let (ended, end) = channel();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&taken);
        let mut waited = false;
        let take = move |piece: &[u8]| {
            if !waited {
                // Never comes where the one waits for the other.
                end.recv_timeout(Duration::from_secs(30)).unwrap();
                waited = true;
            }
            into.lock().unwrap().extend_from_slice(piece);
            true
        };
        let said = relay(Long { at: 0, ended }, NONE, take, &Interrupt::catch()).unwrap();
        let taken = taken.lock().unwrap();
        assert_eq!((said.len(), taken.len()), (SAID_LIMIT, LENGTH));
        assert!(taken.iter().enumerate().all(|(at, b)| *b == byte(at)));
    }

    /// Runs out of time behind its first byte.
    struct Broken(bool);

    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(ErrorKind::TimedOut.into());
            }
            buffer[0] = b'x';
            Ok(1)
        }
    }

    #[test]
    fn what_came_before_an_error_is_printed() {
        let (tell, told) = channel();
        let take = move |piece: &[u8]| tell.send(piece.to_vec()).is_ok();
        let error = relay(Broken(false), NONE, take, &Interrupt::catch()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(told.recv_timeout(Duration::from_secs(30)).unwrap(), b"x");
    }

    #[test]
    fn a_deadline_ends_it_while_nothing_is_taken() {
        let (keep, never) = channel::<()>();
        let take = move |_: &[u8]| never.recv().is_ok();
        let error = relay(Broken(false), NONE, take, &Interrupt::catch()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(keep);
    }

    #[test]
    fn it_ends_where_nobody_wants_more() {
        struct Endless;
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                buffer.fill(b'x');
                Ok(buffer.len())
            }
        }
        relay(Endless, NONE, |_: &[u8]| false, &Interrupt::catch()).unwrap();
    }
}
