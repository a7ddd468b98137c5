//! What a real JVM cannot be made to do: a listener that comes late or never, answers garbage, or is somebody else's.
//! Above all recipe R6: once SIGQUIT is out, the trigger file outlives jgraft, and nobody signals a second time.

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, jgraft};
use jgraft_jvm_harness::fake_jvm::FakeJvm;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Its signal is caught, its trigger trusted, and its listener comes up when the test says so.
const LATE: &str = "play hotspot 17\nlisten at-word\nanswer * \"0\\nfake\\n\"\n";
/// The same, and its age is all that tells whether it has created itself.
const LATE_WITHOUT_COUNTERS: &str =
    "play hotspot 17\ncounters off\nlisten at-word\nanswer * \"0\\nfake\\n\"\n";

#[test]
fn a_trigger_outlives_the_deadline_and_nobody_signals_twice() -> Result<()> {
    let mut fake = FakeJvm::start(LATE)?;
    let late = jgraft(["jcmd", "--timeout", "500ms", &pid(&fake), "VM.version"])?.expect(1)?;
    let late = late.explained("was asked to start its attach listener")?;
    ensure!(late.stderr.contains("a janitor process removes it then"), "{late:#?}");
    fake.expect("sigquit 1")?;
    ensure!(fake.trigger().exists(), "the trigger was removed: a late JVM would dump its threads");

    let second = jgraft(["jcmd", "--timeout", "500ms", &pid(&fake), "VM.version"])?.expect(1)?;
    ensure!(second.stderr.contains("another jgraft has signalled it"), "{second:#?}");
    fake.is_quiet()?;
    ensure!(fake.trigger().exists());

    fake.tell("listen now", "listening")?;
    fake.trigger_goes()?;
    let third = jgraft(["jcmd", &pid(&fake), "VM.version"])?.expect(0)?;
    ensure!(third.stdout == "fake\n", "{third:#?}");
    Ok(())
}

#[test]
fn a_trigger_goes_with_its_jvm() -> Result<()> {
    let mut fake = FakeJvm::start(LATE)?;
    jgraft(["jcmd", "--timeout", "500ms", &pid(&fake), "VM.version"])?.expect(1)?;
    fake.expect("sigquit 1")?;
    ensure!(fake.trigger().exists());
    fake.kill()?;
    fake.trigger_goes()
}

#[test]
fn a_check_that_fails_after_the_signal_does_not_say_that_nothing_was_touched() -> Result<()> {
    let fake = FakeJvm::start(LATE)?;
    let jgraft = Command::new(env!("CARGO_BIN_EXE_jgraft"))
        .args(["jcmd", "--timeout", "30s", &pid(&fake), "VM.version"])
        .stderr(Stdio::piped())
        .spawn()?;
    fake.expect("sigquit 1")?;
    // What comes instead of its socket is a file that somebody else made.
    let file = format!("/tmp/.java_pid{}", fake.pid());
    std::fs::write(&file, "")?;
    let output = jgraft.wait_with_output();
    std::fs::remove_file(&file)?;
    let (code, said) = output.map(|o| (o.status.code(), String::from_utf8_lossy(&o.stderr).into_owned()))?;
    ensure!(code == Some(1), "{code:?}: {said}");
    ensure!(said.contains("is not the jvm's own socket"), "{said}");
    ensure!(said.contains("a janitor process removes it then"), "{said}");
    ensure!(fake.trigger().exists());
    Ok(())
}

#[test]
fn a_janitor_can_be_ended_like_anything() -> Result<()> {
    let mut fake = FakeJvm::start(LATE)?;
    jgraft(["jcmd", "--timeout", "300ms", &pid(&fake), "VM.version"])?.expect(1)?;
    fake.expect("sigquit 1")?;
    let janitor = holder_of(&fake.trigger())?.context("no janitor holds the trigger file")?;
    kill(Pid::from_raw(janitor), Signal::SIGTERM)?;
    let start = Instant::now();
    while holder_of(&fake.trigger())?.is_some() {
        ensure!(start.elapsed() < PATIENCE, "the janitor does not end");
        std::thread::yield_now();
    }
    // A late JVM still finds the file, and the next run sees to the rest.
    ensure!(fake.trigger().exists());
    fake.tell("listen now", "listening")?;
    jgraft(["jcmd", &pid(&fake), "VM.version"])?.expect(0)?;
    Ok(())
}

/// Who has this file open.
fn holder_of(file: &Path) -> Result<Option<i32>> {
    let pids = std::fs::read_dir("/proc")?.flatten().filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let mut links = std::fs::read_dir(entry.path().join("fd")).ok()?.flatten();
        links.any(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to == file)).then_some(pid)
    });
    Ok(pids.into_iter().next())
}

#[test]
fn ctrl_c_leaves_what_must_stay_and_no_more() -> Result<()> {
    let mut fake = FakeJvm::start(LATE)?;
    let mut jgraft = start(&["jcmd", "--timeout", "30s", &pid(&fake), "VM.version"])?;
    fake.expect("sigquit 1")?;
    kill(Pid::from_raw(jgraft.id().cast_signed()), Signal::SIGINT)?;
    ensure!(jgraft.wait()?.code() == Some(130));
    ensure!(fake.trigger().exists());
    fake.tell("listen now", "listening")?;
    fake.trigger_goes()
}

#[test]
fn ctrl_c_before_the_signal_leaves_nothing() -> Result<()> {
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let fake = FakeJvm::start(LATE_WITHOUT_COUNTERS)?;
        // It waits for the two seconds that a JVM without counters is given.
        let mut jgraft = start(&["jcmd", "--timeout", "30s", &pid(&fake), "VM.version"])?;
        wait_for_signalfd(jgraft.id())?;
        kill(Pid::from_raw(jgraft.id().cast_signed()), signal)?;
        ensure!(jgraft.wait()?.code() == Some(130), "{signal}");
        ensure!(!fake.trigger().exists());
        fake.is_quiet()?;
    }
    Ok(())
}

#[test]
fn what_nohup_has_it_ignore_stays_ignored() -> Result<()> {
    let mut fake = FakeJvm::start(LATE)?;
    let mut command = Command::new("sh");
    let script = "trap '' HUP; exec \"$@\"";
    let jgraft = ["sh", env!("CARGO_BIN_EXE_jgraft"), "jcmd", "--timeout", "30s", &pid(&fake), "VM.version"];
    let mut nohup =
        command.args(["-c", script]).args(jgraft).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    fake.expect("sigquit 1")?;
    kill(Pid::from_raw(nohup.id().cast_signed()), Signal::SIGHUP)?;
    fake.tell("listen now", "listening")?;
    ensure!(nohup.wait()?.success());
    Ok(())
}

#[test]
fn a_killed_jgraft_is_made_good_by_the_next() -> Result<()> {
    let mut fake = FakeJvm::start(LATE)?;
    let mut first = start(&["jcmd", "--timeout", "30s", &pid(&fake), "VM.version"])?;
    fake.expect("sigquit 1")?;
    first.kill()?;
    first.wait()?;
    ensure!(fake.trigger().exists());
    let next = start(&["jcmd", "--timeout", "30s", &pid(&fake), "VM.version"])?;
    fake.expect("sigquit 2")?;
    fake.tell("listen now", "listening")?;
    let next = next.wait_with_output()?;
    ensure!(next.status.success() && next.stdout == b"fake\n", "{next:?}");
    ensure!(!fake.trigger().exists());
    Ok(())
}

#[test]
fn a_killed_jgraft_whose_jvm_answers_afterwards_is_made_good_too() -> Result<()> {
    let mut fake = FakeJvm::start(LATE)?;
    let mut first = start(&["jcmd", "--timeout", "30s", &pid(&fake), "VM.version"])?;
    fake.expect("sigquit 1")?;
    first.kill()?;
    first.wait()?;
    fake.tell("listen now", "listening")?;
    ensure!(fake.trigger().exists());
    // Its listener is up, so nothing is to be woken; what was left is cleared away all the same.
    jgraft(["jcmd", &pid(&fake), "VM.version"])?.expect(0)?;
    ensure!(!fake.trigger().exists());
    fake.expect("request jcmd VM.version")?;
    fake.is_quiet()
}

#[test]
fn bad_answers_are_named() -> Result<()> {
    let mut fake = FakeJvm::start(LATE)?;
    fake.tell("listen now", "listening")?;
    let cases = [
        ("fault hang-up", "hung up without an answer"),
        ("answer * \"HTTP/1.1 400 Bad Request\\r\\n\"", "is not the attach protocol"),
        ("answer * \"a very long line without any end to it\"", "is not the attach protocol"),
        ("answer * \"\"", "hung up without an answer"),
        ("answer * \"-1\\nno such command\\n\"", "did not carry out"),
    ];
    for (behaviour, words) in cases {
        fake.tell(behaviour, "will")?;
        jgraft(["jcmd", &pid(&fake), "VM.version"])?.expect(1)?.explained(words)?;
        if behaviour == "fault hang-up" {
            fake.tell("fault none", "will")?;
        } else {
            fake.expect("request")?;
        }
    }
    fake.tell("answer * \"-1\\nnot now\\n\"", "will")?;
    let probed =
        jgraft(["doctor", "--probe", &pid(&fake)])?.expect(1)?.explained("did not say its version")?;
    ensure!(probed.stderr.contains("it answered -1 not now"), "{probed:#?}");
    fake.expect("request")?;
    fake.tell("fault mute", "will")?;
    let silent = jgraft(["jcmd", "--reply-timeout", "300ms", &pid(&fake), "VM.version"])?.expect(1)?;
    silent.explained("was sent, not answered: it may still happen")?;
    fake.expect("request")?;
    // A request that was sent is never sent again.
    fake.is_quiet()
}

#[test]
fn a_socket_of_another_process_is_not_talked_to() -> Result<()> {
    let mut mine = FakeJvm::start(LATE)?;
    let other = FakeJvm::start(LATE)?;
    mine.tell(&format!("lend {}", pid(&other)), "listening")?;
    let refused =
        jgraft(["jcmd", &pid(&other), "VM.version"])?.expect(3)?.explained("leads to another process")?;
    ensure!(refused.stderr.contains(&pid(&mine)), "{refused:#?}");
    mine.is_quiet()?;
    other.is_quiet()
}

fn start(args: &[&str]) -> Result<Child> {
    Ok(common::interruptible().args(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?)
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

fn pid(fake: &FakeJvm) -> String {
    fake.pid().to_string()
}
