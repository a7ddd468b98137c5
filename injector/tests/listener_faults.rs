//! What a real JVM cannot be made to do: a listener that comes late or never, answers garbage, or is somebody else's.
//! Above all recipe R6: once SIGQUIT is out, the trigger file outlives jgraft, and nobody signals a second time.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use common::{PATIENCE, jgraft};
use jgraft_jvm_harness::skip;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// `fake_jvm.py`, running.
struct Fake {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    _library: tempfile::TempDir,
}

impl Fake {
    /// `None` where there is no python3.
    fn start(test: &str) -> Result<Option<Fake>> {
        let folder = tempfile::tempdir()?;
        let library = folder.path().join("libjvm.so");
        std::fs::write(&library, "not a library")?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake_jvm.py");
        let mut command = Command::new("python3");
        let started = command.arg(script).arg(library).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = started else {
            skip(test, "no python3 for the fake listener");
            return Ok(None);
        };
        let (stdin, stdout) = (child.stdin.take().context("stdin")?, child.stdout.take().context("stdout")?);
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|l| tell.send(l))
        });
        let fake = Fake { child, stdin, lines, _library: folder };
        fake.expect("ready")?;
        Ok(Some(fake))
    }

    fn pid(&self) -> String {
        self.child.id().to_string()
    }

    fn trigger(&self) -> PathBuf {
        PathBuf::from(format!("/tmp/.attach_pid{}", self.child.id()))
    }

    /// Gives a word and waits for its answer.
    fn tell(&mut self, word: &str, answer: &str) -> Result<()> {
        writeln!(self.stdin, "{word}")?;
        self.expect(answer)
    }

    /// The next line must begin so.
    fn expect(&self, beginning: &str) -> Result<()> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) if line.starts_with(beginning) => Ok(()),
            Ok(line) => bail!("{beginning:?} was expected, not {line:?}"),
            Err(RecvTimeoutError::Timeout) => bail!("{beginning:?} did not come"),
            Err(RecvTimeoutError::Disconnected) => {
                bail!("{beginning:?} was expected, and the fake has ended")
            }
        }
    }

    /// It has not said anything more, such as a second SIGQUIT.
    fn is_quiet(&self) -> Result<()> {
        match self.lines.try_recv() {
            Ok(line) => bail!("unexpected: {line}"),
            Err(_) => Ok(()),
        }
    }

    fn trigger_goes(&self) -> Result<()> {
        let start = Instant::now();
        while self.trigger().exists() {
            ensure!(start.elapsed() < PATIENCE, "the janitor did not remove {}", self.trigger().display());
            std::thread::yield_now();
        }
        Ok(())
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = writeln!(self.stdin, "quit");
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(self.trigger());
        let _ = std::fs::remove_file(format!("/tmp/.java_pid{}", self.child.id()));
    }
}

#[test]
fn a_trigger_outlives_the_deadline_and_nobody_signals_twice() -> Result<()> {
    let Some(mut fake) = Fake::start("listener_faults::late")? else { return Ok(()) };
    let late = jgraft(["jcmd", "--timeout", "3s", &fake.pid(), "VM.version"])?.expect(1)?;
    let late = late.explained("was asked to start its attach listener")?;
    ensure!(late.stderr.contains("a janitor process removes it then"), "{late:#?}");
    fake.expect("sigquit 1")?;
    ensure!(fake.trigger().exists(), "the trigger was removed: a late JVM would dump its threads");

    let second = jgraft(["jcmd", "--timeout", "500ms", &fake.pid(), "VM.version"])?.expect(1)?;
    ensure!(second.stderr.contains("another jgraft has signalled it"), "{second:#?}");
    fake.is_quiet()?;
    ensure!(fake.trigger().exists());

    fake.tell("listen", "listening")?;
    fake.trigger_goes()?;
    let third = jgraft(["jcmd", &fake.pid(), "VM.version"])?.expect(0)?;
    ensure!(third.stdout == "fake\n", "{third:#?}");
    Ok(())
}

#[test]
fn a_trigger_goes_with_its_jvm() -> Result<()> {
    let Some(mut fake) = Fake::start("listener_faults::ends")? else { return Ok(()) };
    jgraft(["jcmd", "--timeout", "3s", &fake.pid(), "VM.version"])?.expect(1)?;
    fake.expect("sigquit 1")?;
    ensure!(fake.trigger().exists());
    fake.child.kill()?;
    fake.child.wait()?;
    fake.trigger_goes()
}

#[test]
fn ctrl_c_leaves_what_must_stay_and_no_more() -> Result<()> {
    let Some(mut fake) = Fake::start("listener_faults::interrupt")? else { return Ok(()) };
    let mut jgraft = start(&["jcmd", "--timeout", "30s", &fake.pid(), "VM.version"])?;
    fake.expect("sigquit 1")?;
    kill(Pid::from_raw(jgraft.id().cast_signed()), Signal::SIGINT)?;
    ensure!(jgraft.wait()?.code() == Some(130));
    ensure!(fake.trigger().exists());
    fake.tell("listen", "listening")?;
    fake.trigger_goes()
}

#[test]
fn ctrl_c_before_the_signal_leaves_nothing() -> Result<()> {
    let Some(fake) = Fake::start("listener_faults::interrupt_early")? else { return Ok(()) };
    // It waits for the two seconds that a JVM without counters is given.
    let mut jgraft = start(&["jcmd", "--timeout", "30s", &fake.pid(), "VM.version"])?;
    wait_for_signalfd(jgraft.id())?;
    kill(Pid::from_raw(jgraft.id().cast_signed()), Signal::SIGTERM)?;
    ensure!(jgraft.wait()?.code() == Some(130));
    ensure!(!fake.trigger().exists());
    fake.is_quiet()
}

#[test]
fn a_killed_jgraft_is_made_good_by_the_next() -> Result<()> {
    let Some(mut fake) = Fake::start("listener_faults::killed")? else { return Ok(()) };
    let mut first = start(&["jcmd", "--timeout", "30s", &fake.pid(), "VM.version"])?;
    fake.expect("sigquit 1")?;
    first.kill()?;
    first.wait()?;
    ensure!(fake.trigger().exists());
    let next = start(&["jcmd", "--timeout", "30s", &fake.pid(), "VM.version"])?;
    fake.expect("sigquit 2")?;
    fake.tell("listen", "listening")?;
    let next = next.wait_with_output()?;
    ensure!(next.status.success() && next.stdout == b"fake\n", "{next:?}");
    ensure!(!fake.trigger().exists());
    Ok(())
}

#[test]
fn bad_answers_are_named() -> Result<()> {
    let Some(mut fake) = Fake::start("listener_faults::answers")? else { return Ok(()) };
    fake.tell("listen", "listening")?;
    let cases = [
        ("hang-up", "hung up without an answer"),
        ("answer HTTP/1.1 400 Bad Request\\r\\n", "is not the attach protocol"),
        ("answer a very long line without any end to it", "is not the attach protocol"),
        ("answer", "hung up without an answer"),
        ("answer -1\\nno such command\\n", "did not carry out"),
    ];
    for (behaviour, words) in cases {
        fake.tell(behaviour, "will")?;
        jgraft(["jcmd", &fake.pid(), "VM.version"])?.expect(1)?.explained(words)?;
        if behaviour != "hang-up" {
            fake.expect("request")?;
        }
    }
    fake.tell("mute", "will")?;
    let silent = jgraft(["jcmd", "--reply-timeout", "300ms", &fake.pid(), "VM.version"])?.expect(1)?;
    silent.explained("was sent, not answered: it may still happen")?;
    fake.expect("request")?;
    // A request that was sent is never sent again.
    fake.is_quiet()
}

#[test]
fn a_socket_of_another_process_is_not_talked_to() -> Result<()> {
    let Some(mut mine) = Fake::start("listener_faults::foreign")? else { return Ok(()) };
    let Some(mut other) = Fake::start("listener_faults::foreign")? else { return Ok(()) };
    mine.tell(&format!("lend {}", other.pid()), "listening")?;
    let refused =
        jgraft(["jcmd", &other.pid(), "VM.version"])?.expect(3)?.explained("leads to another process")?;
    ensure!(refused.stderr.contains(&mine.pid()), "{refused:#?}");
    mine.is_quiet()?;
    other.tell("mute", "will")
}

fn start(args: &[&str]) -> Result<Child> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jgraft"));
    Ok(command.args(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?)
}

/// From when on signals are taken as a wish to stop.
fn wait_for_signalfd(pid: u32) -> Result<()> {
    let start = Instant::now();
    loop {
        let links = std::fs::read_dir(format!("/proc/{pid}/fd"))?.flatten();
        let mut names = links.filter_map(|entry| std::fs::read_link(entry.path()).ok());
        if names.any(|name| name.to_string_lossy().contains("signalfd")) {
            return Ok(());
        }
        ensure!(start.elapsed() < PATIENCE, "jgraft takes no signals");
        std::thread::yield_now();
    }
}
