//! What a started program printed so far, filled by reader threads, with waiting for a line or the end.
//! It knows no process: whoever reaps one tells it the exit status.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::process::ExitStatus;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout = 0,
    Stderr = 1,
}

/// Shared between the reader threads, the reaper and the test.
#[derive(Debug, Default)]
pub(crate) struct Output {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: [Vec<String>; 2],
    ended: [bool; 2],
    exit: Option<ExitStatus>,
}

/// How waiting for a line can end without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missed {
    /// The program ended and printed no such line.
    Ended,
    /// The deadline passed.
    Deadline,
}

impl Output {
    /// The number of complete lines so far: where a later wait may begin.
    pub(crate) fn line_count(&self, stream: Stream) -> usize {
        self.lock().lines[stream as usize].len()
    }

    /// All lines so far, each ended by a newline.
    pub(crate) fn text(&self, stream: Stream) -> String {
        self.lock().lines[stream as usize].iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    /// The exit status, once the program has ended.
    pub(crate) fn exit(&self) -> Option<ExitStatus> {
        self.lock().exit
    }

    /// Called by the reaper.
    pub(crate) fn set_exit(&self, status: ExitStatus) {
        self.lock().exit = Some(status);
        self.changed.notify_all();
    }

    /// The first line from number `from` on that `wanted` accepts, as soon as it is there.
    pub(crate) fn wait_line(
        &self,
        stream: Stream,
        from: usize,
        mut wanted: impl FnMut(&str) -> bool,
        limit: Duration,
    ) -> Result<String, Missed> {
        let mut next = from;
        self.wait(limit, |state| {
            let lines = &state.lines[stream as usize];
            while let Some(line) = lines.get(next) {
                next += 1;
                if wanted(line) {
                    return Some(Ok(line.clone()));
                }
            }
            (state.exit.is_some() && state.ended[stream as usize]).then_some(Err(Missed::Ended))
        })?
    }

    /// The exit status, as soon as the program has ended.
    pub(crate) fn wait_exit(&self, limit: Duration) -> Result<ExitStatus, Missed> {
        self.wait(limit, |state| state.exit)
    }

    /// Waits until both streams are read to their end. A grandchild that holds them open costs the limit.
    pub(crate) fn wait_ends(&self, limit: Duration) -> Result<(), Missed> {
        self.wait(limit, |state| (state.ended == [true, true]).then_some(()))
    }

    fn wait<T>(&self, limit: Duration, mut ready: impl FnMut(&State) -> Option<T>) -> Result<T, Missed> {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            if let Some(value) = ready(&state) {
                return Ok(value);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Missed::Deadline);
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Reads a pipe line by line to its end; the body of a reader thread.
    pub(crate) fn read_pipe(&self, stream: Stream, pipe: impl Read) {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            self.push(stream, &line);
            line.clear();
        }
        self.end(stream);
    }

    /// Follows a file that the program writes, until the program has ended; the body of a reader thread.
    pub(crate) fn follow_file(&self, stream: Stream, mut file: File, watch: &Inotify) {
        let mut pending = Vec::new();
        loop {
            // Asked before the read: what was written before the end is then surely read.
            let ended = self.exit().is_some();
            if file.read_to_end(&mut pending).is_err() {
                break;
            }
            while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                self.push(stream, &pending[..=end]);
                pending.drain(..=end);
            }
            if ended {
                break;
            }
            // An event wakes it; the limit only bounds how late the end of the program is noticed.
            let mut fds = [PollFd::new(watch.as_fd(), PollFlags::POLLIN)];
            if poll(&mut fds, PollTimeout::from(100u8)).is_ok_and(|count| count > 0) {
                let _: Result<_, nix::Error> = watch.read_events();
            }
        }
        if !pending.is_empty() {
            self.push(stream, &pending);
        }
        self.end(stream);
    }

    fn push(&self, stream: Stream, line: &[u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        self.lock().lines[stream as usize].push(String::from_utf8_lossy(line).into_owned());
        self.changed.notify_all();
    }

    fn end(&self, stream: Stream) {
        self.lock().ended[stream as usize] = true;
        self.changed.notify_all();
    }

    /// A test's predicate that panics must not hide the output from the error message.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An inotify that reports each write to `path`.
pub(crate) fn watch_writes(path: &std::path::Path) -> nix::Result<Inotify> {
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    inotify.add_watch(path, AddWatchFlags::IN_MODIFY)?;
    Ok(inotify)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn finds_a_line_from_a_point_on() {
        let output = Output::default();
        output.read_pipe(Stream::Stdout, &b"one\ntwo\none more\nlast"[..]);
        assert_eq!(output.text(Stream::Stdout), "one\ntwo\none more\nlast\n");
        let one = |line: &str| line.starts_with("one");
        assert_eq!(output.wait_line(Stream::Stdout, 0, one, LIMIT), Ok("one".to_owned()));
        assert_eq!(output.wait_line(Stream::Stdout, 1, one, LIMIT), Ok("one more".to_owned()));
    }

    #[test]
    fn a_line_that_never_comes_ends_with_the_program_or_the_deadline() {
        let output = Output::default();
        let none = |_: &str| false;
        let short = Duration::from_millis(1);
        assert_eq!(output.wait_line(Stream::Stdout, 0, none, short), Err(Missed::Deadline));
        output.read_pipe(Stream::Stdout, &b"x\n"[..]);
        output.set_exit(ExitStatus::from_raw(0));
        assert_eq!(output.wait_line(Stream::Stdout, 0, none, LIMIT), Err(Missed::Ended));
    }

    #[test]
    fn follows_a_file_to_the_end_of_its_program() {
        use std::io::Write;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let output = Output::default();
        let watch = watch_writes(file.path()).unwrap();
        let reading = File::open(file.path()).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| output.follow_file(Stream::Stderr, reading, &watch));
            file.write_all(b"first\nsec").unwrap();
            assert_eq!(output.wait_line(Stream::Stderr, 0, |_| true, LIMIT), Ok("first".to_owned()));
            file.write_all(b"ond").unwrap();
            output.set_exit(ExitStatus::from_raw(0));
        });
        assert_eq!(output.text(Stream::Stderr), "first\nsecond\n");
    }
}
