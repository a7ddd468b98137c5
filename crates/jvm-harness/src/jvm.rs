//! A running JVM under test: its pid, its output, waiting for lines, its end. Dropped, it is killed and
//! reaped. How it is started is [`JvmBuilder`]'s matter.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use tempfile::TempDir;

pub use crate::builder::JvmBuilder;
use crate::jdks::Jdk;
use crate::output::{Missed, Output, Stream};

/// How long waiting for a line or for the end may take. A test that needs longer is broken.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A JVM that was started by a test.
#[derive(Debug)]
pub struct Jvm {
    pub(crate) name: String,
    pub(crate) ready: String,
    pub(crate) java: Pid,
    /// The process we started: java itself, or in a pid namespace the unshare that is its parent.
    pub(crate) started: Pid,
    pub(crate) output: Arc<Output>,
    /// Held while reaping and while signalling, so that no signal reaches a pid that is someone else's.
    pub(crate) reaping: Arc<Mutex<()>>,
    pub(crate) stdin: Mutex<Option<ChildStdin>>,
    pub(crate) cwd: PathBuf,
    pub(crate) private_tmp: bool,
    /// Removed after the process.
    pub(crate) _scratch: TempDir,
}

/// A JVM that has ended.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Everything it printed.
    pub stdout: String,
    /// Everything it complained about.
    pub stderr: String,
}

impl Jvm {
    /// Begins the description of a JVM to start.
    #[must_use]
    pub fn builder(jdk: &Jdk) -> JvmBuilder<'_> {
        JvmBuilder::new(jdk)
    }

    /// The pid of the java process as the host sees it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.java.as_raw().unsigned_abs()
    }

    /// Its working directory: a folder of its own in /tmp unless the builder said otherwise.
    #[must_use]
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// Waits for the ready line (one that begins with "ready" unless the builder said otherwise) and gives
    /// it back.
    ///
    /// # Errors
    /// The deadline passed or the JVM ended: with everything it printed.
    pub fn wait_ready(&self) -> Result<String> {
        self.wait(Stream::Stdout, 0, |line| line.starts_with(&self.ready), DEADLINE).context("no ready line")
    }

    /// Everything on stdout so far, complete lines only.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.output.text(Stream::Stdout)
    }

    /// Everything on stderr so far, complete lines only.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.output.text(Stream::Stderr)
    }

    /// The number of lines on stdout so far: a mark for [`Jvm::wait_for_stdout_after`].
    #[must_use]
    pub fn stdout_mark(&self) -> usize {
        self.output.line_count(Stream::Stdout)
    }

    /// The first line of stdout that is wanted, those already printed included.
    ///
    /// # Errors
    /// The deadline passed or the JVM ended: with everything it printed.
    pub fn wait_for_stdout(&self, wanted: impl FnMut(&str) -> bool, limit: Duration) -> Result<String> {
        self.wait(Stream::Stdout, 0, wanted, limit)
    }

    /// The first wanted line of stdout after a mark.
    ///
    /// # Errors
    /// The deadline passed or the JVM ended: with everything it printed.
    pub fn wait_for_stdout_after(
        &self,
        mark: usize,
        wanted: impl FnMut(&str) -> bool,
        limit: Duration,
    ) -> Result<String> {
        self.wait(Stream::Stdout, mark, wanted, limit)
    }

    /// The first line of stderr that is wanted, those already printed included.
    ///
    /// # Errors
    /// The deadline passed or the JVM ended: with everything it printed.
    pub fn wait_for_stderr(&self, wanted: impl FnMut(&str) -> bool, limit: Duration) -> Result<String> {
        self.wait(Stream::Stderr, 0, wanted, limit)
    }

    /// Writes a line to its stdin.
    ///
    /// # Errors
    /// Its stdin is closed, or it no longer reads.
    pub fn send_line(&self, line: &str) -> Result<()> {
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        let stdin = stdin.as_mut().ok_or_else(|| anyhow!("stdin of {} is closed", self.name))?;
        stdin.write_all(format!("{line}\n").as_bytes())?;
        Ok(stdin.flush()?)
    }

    /// Writes a line to its stdin and waits for the first wanted line of stdout that comes after it.
    ///
    /// # Errors
    /// As [`Jvm::send_line`] and [`Jvm::wait_for_stdout`].
    pub fn ask(&self, line: &str, wanted: impl FnMut(&str) -> bool) -> Result<String> {
        let mark = self.stdout_mark();
        self.send_line(line)?;
        self.wait(Stream::Stdout, mark, wanted, DEADLINE)
    }

    /// Closes its stdin.
    pub fn close_stdin(&self) {
        self.stdin.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Whether it has not ended yet. A stopped one is alive.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.output.exit().is_none()
    }

    /// Sends a signal, unless it has ended.
    ///
    /// # Errors
    /// It has ended, or the system refused.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let _held = hold(&self.reaping);
        if !self.is_alive() || (self.java != self.started && parent_of(self.java) != Some(self.started)) {
            bail!("{} has ended", self.name);
        }
        Ok(kill(self.java, signal)?)
    }

    /// Kills it and waits until it is gone.
    ///
    /// # Errors
    /// It is still there at the deadline.
    pub fn kill(&self) -> Result<ExitStatus> {
        // An error says that it has ended, which is what is wanted.
        let _: Result<()> = self.signal(Signal::SIGKILL);
        self.output.wait_exit(DEADLINE).map_err(|_| anyhow!("{} was killed and is still there", self.name))
    }

    /// Waits for its own end (send it what ends it first: a line, a signal) and for the rest of its output.
    ///
    /// # Errors
    /// It runs on at the deadline; it is killed then.
    pub fn finish(self) -> Result<Finished> {
        let status = self
            .output
            .wait_exit(DEADLINE)
            .map_err(|_| self.missed(Missed::Deadline, "no end of the program", DEADLINE))?;
        // Whoever holds the pipes open after the end is not this JVM; what was read by then is its output.
        let _: Result<(), Missed> = self.output.wait_ends(Duration::from_secs(5));
        Ok(Finished { status, stdout: self.stdout(), stderr: self.stderr() })
    }

    fn wait(
        &self,
        stream: Stream,
        from: usize,
        wanted: impl FnMut(&str) -> bool,
        limit: Duration,
    ) -> Result<String> {
        self.output
            .wait_line(stream, from, wanted, limit)
            .map_err(|missed| self.missed(missed, &format!("no such line on {stream:?}"), limit))
    }

    fn missed(&self, missed: Missed, what: &str, limit: Duration) -> anyhow::Error {
        let how = match missed {
            Missed::Ended => {
                format!("it ended ({})", self.output.exit().map_or_else(String::new, |s| s.to_string()))
            }
            Missed::Deadline => format!("after {} ms", limit.as_millis()),
        };
        anyhow!(
            "{what} of {} (pid {}): {how}\n--- stdout\n{}--- stderr\n{}---",
            self.name,
            self.java,
            self.stdout(),
            self.stderr()
        )
    }
}

impl Drop for Jvm {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("{error}");
        }
        if !self.private_tmp {
            remove_leftovers(self.java);
        }
    }
}

/// Where HotSpot listens once somebody attaches.
pub(crate) fn socket_path(pid: Pid) -> PathBuf {
    PathBuf::from(format!("/tmp/.java_pid{pid}"))
}

/// What HotSpot leaves in /tmp when it is killed. A later JVM with the same pid must not meet it.
pub(crate) fn remove_leftovers(pid: Pid) {
    let mut leftovers = vec![socket_path(pid)];
    for entry in fs::read_dir("/tmp").into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("hsperfdata_") {
            leftovers.push(entry.path().join(pid.to_string()));
        }
    }
    for path in leftovers {
        // Mostly there is none.
        let _: std::io::Result<()> = fs::remove_file(path);
    }
}

/// Starts the thread that reaps the process. It waits without reaping first, so that between the end and the
/// reaping the pid stays taken while [`Jvm::signal`] may use it.
pub(crate) fn reap(mut child: Child, output: Arc<Output>, reaping: Arc<Mutex<()>>) {
    thread::spawn(move || {
        let pid = Pid::from_raw(child.id().cast_signed());
        while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(nix::Error::EINTR) {}
        let _held = hold(&reaping);
        if let Ok(status) = child.wait() {
            output.set_exit(status);
        }
    });
}

/// The parent of a process, from /proc.
pub(crate) fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; state and parent come after its last parenthesis.
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
    Some(Pid::from_raw(parent.parse().ok()?))
}

fn hold(lock: &Mutex<()>) -> MutexGuard<'_, ()> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
