//! A test's hold on a running fake: tells it things, waits for what it says, and clears up after it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::Semaphore;
use crate::{artifacts, cache};

/// No wait for a fake is longer, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// `fake-jvm`, running; ended on drop.
pub struct FakeJvm {
    child: Child,
    /// The child itself, or its child.
    pid: u32,
    stdin: ChildStdin,
    lines: Receiver<String>,
    attach_directory: PathBuf,
    /// The script, and the attach directory where it is the fake's own.
    _folder: tempfile::TempDir,
}

/// Every script of `fakes/`, by path.
///
/// # Errors
/// The folder cannot be read.
pub fn scripts() -> Result<Vec<PathBuf>> {
    let folder = cache::workspace().join("crates/jvm-harness/fakes");
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut scripts = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    scripts.sort();
    Ok(scripts)
}

impl FakeJvm {
    /// Starts a fake on a script's text and waits until it is ready. An OpenJ9 has an attach directory of its own.
    ///
    /// # Errors
    /// It does not start, or does not get ready.
    pub fn start(script: &str) -> Result<FakeJvm> {
        let folder = tempfile::Builder::new().prefix("fake-jvm-").tempdir()?;
        let directory = folder.path().join("attach");
        FakeJvm::launch(script, folder, directory, Command::new(artifacts::fake_jvm()?))
    }

    /// As [`FakeJvm::start`], with the attach directory of another fake.
    ///
    /// # Errors
    /// As there.
    pub fn start_beside(&self, script: &str) -> Result<FakeJvm> {
        let folder = tempfile::Builder::new().prefix("fake-jvm-").tempdir()?;
        FakeJvm::launch(script, folder, self.attach_directory.clone(), Command::new(artifacts::fake_jvm()?))
    }

    /// As [`FakeJvm::start`], by way of another program (`setpriv …`, `unshare … sh -c …`) that becomes the fake, or
    /// has it as its child, in namespaces or as a user of its own.
    ///
    /// # Errors
    /// As there.
    pub fn start_through(mut wrapper: Command, script: &str) -> Result<FakeJvm> {
        let folder = tempfile::Builder::new().prefix("fake-jvm-").tempdir()?;
        // Another user may not reach the target directory.
        let program = folder.path().join("fake-jvm");
        fs::copy(artifacts::fake_jvm()?, &program)?;
        wrapper.arg(program);
        let directory = folder.path().join("attach");
        FakeJvm::launch(script, folder, directory, wrapper)
    }

    fn launch(
        script: &str,
        folder: tempfile::TempDir,
        directory: PathBuf,
        mut command: Command,
    ) -> Result<FakeJvm> {
        // The attach directory may be another user's to make.
        let open: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o1777);
        fs::set_permissions(folder.path(), open)?;
        let file = folder.path().join("Script");
        fs::write(&file, script)?;
        command.arg(format!("-Dcom.ibm.tools.attach.directory={}", directory.display())).arg(file);
        // Its own temporary files too, even when it is killed.
        command.env("TMPDIR", folder.path());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("can't start it")?;
        let (stdin, stdout) = (child.stdin.take().context("stdin")?, child.stdout.take().context("stdout")?);
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        let pid = child.id();
        let mut fake = FakeJvm { child, pid, stdin, lines, attach_directory: directory, _folder: folder };
        fake.expect_among("ready", &["listening", "will"])?;
        // `unshare --fork` waits for the process that is in the new pid namespace.
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        if let Some(child) = children.split_ascii_whitespace().next() {
            fake.pid = child.parse()?;
        }
        Ok(fake)
    }

    /// Its process id, as seen from here.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Where an OpenJ9 announces itself.
    pub fn attach_directory(&self) -> &Path {
        &self.attach_directory
    }

    /// Its `.attach_pid` file.
    pub fn trigger(&self) -> PathBuf {
        PathBuf::from(format!("/tmp/.attach_pid{}", self.pid()))
    }

    /// Gives it a statement and waits for its answer.
    ///
    /// # Errors
    /// Another answer, or none.
    pub fn tell(&mut self, statement: &str, answer: &str) -> Result<()> {
        self.tell_among(statement, answer, &[])
    }

    /// The same while it may yet print lines that begin with one of `others`.
    ///
    /// # Errors
    /// Another answer, or none.
    pub fn tell_among(&mut self, statement: &str, answer: &str, others: &[&str]) -> Result<()> {
        writeln!(self.stdin, "{statement}")?;
        self.expect_among(answer, others)
    }

    /// The next line that it prints must begin so.
    ///
    /// # Errors
    /// Another line, or none.
    pub fn expect(&self, beginning: &str) -> Result<()> {
        self.expect_among(beginning, &[])
    }

    /// The next line must begin so, save those that begin with one of `others`.
    ///
    /// # Errors
    /// Another line, or none.
    pub fn expect_among(&self, beginning: &str, others: &[&str]) -> Result<()> {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.starts_with(beginning) => return Ok(()),
                Ok(line) if others.iter().any(|other| line.starts_with(other)) => {}
                Ok(line) => bail!("{beginning:?} was expected, not {line:?}"),
                Err(RecvTimeoutError::Timeout) => bail!("{beginning:?} did not come"),
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("{beginning:?} was expected, and the fake has ended")
                }
            }
        }
    }

    /// What it has printed since, without waiting.
    pub fn printed(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    /// It has not said anything more, such as a second SIGQUIT.
    ///
    /// # Errors
    /// What it has said.
    pub fn is_quiet(&self) -> Result<()> {
        match self.lines.try_recv() {
            Ok(line) => bail!("unexpected: {line}"),
            Err(_) => Ok(()),
        }
    }

    /// It has not ended.
    ///
    /// # Errors
    /// How it ended.
    pub fn is_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the fake has ended: {status}"),
        }
    }

    /// Kills it, as the kernel would.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until its trigger file is gone.
    ///
    /// # Errors
    /// It stays.
    pub fn trigger_goes(&self) -> Result<()> {
        let start = Instant::now();
        while self.trigger().exists() {
            ensure!(start.elapsed() < PATIENCE, "nobody removed {}", self.trigger().display());
            std::thread::yield_now();
        }
        Ok(())
    }

    /// No trigger file; in the attach directory no reply file, and no post on its semaphore.
    ///
    /// # Errors
    /// What is left.
    pub fn nothing_is_left(&self) -> Result<()> {
        ensure!(!self.trigger().exists(), "{} is left", self.trigger().display());
        let Ok(entries) = fs::read_dir(&self.attach_directory) else { return Ok(()) };
        for entry in entries {
            let reply = entry?.path().join("replyInfo");
            ensure!(!reply.exists(), "{} is left", reply.display());
        }
        let posts = self.semaphore()?.value()?;
        ensure!(posts == 0, "{posts} posts are left on the semaphore");
        Ok(())
    }

    /// The semaphore of its attach directory.
    ///
    /// # Errors
    /// There is none.
    pub fn semaphore(&self) -> Result<Semaphore> {
        let notifier = self.attach_directory.join("_notifier");
        let notifier = File::open(&notifier).with_context(|| notifier.display().to_string())?;
        Semaphore::existing(&notifier).context("no semaphore")
    }
}

impl Drop for FakeJvm {
    fn drop(&mut self) {
        let _: std::io::Result<()> = writeln!(self.stdin, "quit");
        let ended = self.is_alive().is_err() || self.wait_briefly();
        if !ended {
            let _: Result<()> = self.kill();
        }
        // What a killed one leaves. Fakes that share a directory share a semaphore, which goes with its maker.
        crate::jvm::remove_leftovers(nix::unistd::Pid::from_raw(self.pid().cast_signed()));
        let _: std::io::Result<()> = fs::remove_file(self.trigger());
        if self.attach_directory.starts_with(self._folder.path())
            && let Ok(semaphore) = self.semaphore()
        {
            semaphore.remove();
        }
    }
}

impl FakeJvm {
    /// Its last lines are drained meanwhile; the channel closes with its stdout.
    fn wait_briefly(&mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(2);
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return self.child.wait().is_ok(),
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }
}
