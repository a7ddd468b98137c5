//! The fake itself: its listener keeps to the grammar and the limits of each release, byte for byte, and it passes for
//! a JVM. The expectations were taken from real JDKs, not from the fake.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

use anyhow::{Result, ensure};
use jgraft_jvm_harness::fake_jvm::FakeJvm;

fn start(feature: u32, more: &str) -> Result<FakeJvm> {
    FakeJvm::start(&format!("play hotspot {feature}\nlisten at-start\n{more}\n"))
}

/// What comes back until the end of the stream; a reset is an end.
fn ask(pid: u32, request: &[u8]) -> Result<String> {
    let mut stream = UnixStream::connect(format!("/tmp/.java_pid{pid}"))?;
    let mut answer = Vec::new();
    let talk = stream.write_all(request).and_then(|()| stream.read_to_end(&mut answer));
    match talk {
        Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {}
        other => drop(other?),
    }
    Ok(String::from_utf8(answer)?)
}

#[test]
fn versions_of_the_protocol() -> Result<()> {
    for (feature, getversion, version_2) in [
        (8, "-1\nOperation getversion not recognized!\n", "101\n"),
        (17, "-1\nOperation getversion not recognized!\n", "101\n"),
        (21, "-1\nOperation getversion not recognized!\n", "101\n"),
        (25, "0\n2 streaming", "0\nfake HotSpot version 25.0.1\nJDK 25.0.1\n"),
    ] {
        let fake = start(feature, "")?;
        let pid = fake.pid();
        let answer = ask(pid, b"1\0getversion\0options\0\0\0")?;
        ensure!(answer == getversion, "{feature}: {answer:?}");
        let answer = ask(pid, b"2\x0017\0jcmd\0VM.version\0\0")?;
        ensure!(answer == version_2, "{feature}: {answer:?}");
    }
    let compat = start(25, "fault no-version-2")?;
    let answer = ask(compat.pid(), b"1\0getversion\0options\0\0\0")?;
    ensure!(answer.starts_with("-1\n"), "{answer:?}");
    let answer = ask(compat.pid(), b"2\x0017\0jcmd\0VM.version\0\0")?;
    ensure!(answer.starts_with("101\n"), "{answer:?}");
    Ok(())
}

#[test]
fn limits_are_exact() -> Result<()> {
    let fake = start(25, "")?;
    let pid = fake.pid();
    let version_1 = |length| format!("1\0jcmd\0{}\0\0\0", "x".repeat(length)).into_bytes();
    ensure!(ask(pid, &version_1(1024))?.starts_with("1\n"));
    ensure!(ask(pid, &version_1(1025))?.is_empty());
    let version_2 = |body: usize| format!("2\0{body}\0jcmd\0{}\0", "x".repeat(body - 6)).into_bytes();
    ensure!(ask(pid, &version_2(262_144))?.starts_with("1\n"));
    ensure!(ask(pid, &version_2(262_145))?.is_empty());
    // Fewer than three arguments and it waits for the rest; others wait with it until the client goes.
    let half = UnixStream::connect(format!("/tmp/.java_pid{}", fake.pid()))?;
    (&half).write_all(b"1\0jcmd\0VM.version\0")?;
    let waiting = std::thread::scope(|scope| {
        let other = scope.spawn(|| ask(pid, b"1\0jcmd\0VM.version\0\0\0"));
        while !other.is_finished() && !in_backlog(pid) {
            std::thread::yield_now();
        }
        let waited = !other.is_finished();
        drop(half);
        other.join().map(|answer| (waited, answer))
    });
    let (waited, answer) = waiting.map_err(|_| anyhow::anyhow!("panic"))?;
    ensure!(waited && answer?.starts_with("0\n"));
    Ok(())
}

/// A client has connected and is not accepted yet: two connections of that name, and the listener.
fn in_backlog(pid: u32) -> bool {
    let name = format!(".java_pid{pid}.tmp");
    let text = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    text.lines().filter(|line| line.ends_with(&name)).count() >= 2
}

#[test]
fn it_ends_with_its_stdin_and_takes_its_files_along() -> Result<()> {
    let fake = start(17, "")?;
    let pid = fake.pid();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let counters = maps.lines().find_map(|line| line.split_once("/tmp/hsperfdata_"));
    let counters = counters.map(|(_, rest)| format!("/tmp/hsperfdata_{rest}"));
    ensure!(maps.contains("/lib/server/libjvm.so"), "{maps}");
    ensure!(counters.as_ref().is_some_and(|path| fs::exists(path).unwrap_or(false)), "{counters:?}");
    drop(fake);
    for path in [format!("/tmp/.java_pid{pid}"), counters.unwrap_or_default()] {
        ensure!(!fs::exists(&path)?, "{path} is left");
    }
    Ok(())
}

/// Numbers come round: what a JVM that was killed has left must not stop a fake of the same number.
#[test]
fn leftovers_of_its_number_are_no_hindrance() -> Result<()> {
    let script = "touch /tmp/.java_pid$$ /tmp/.java_pid$$.tmp && exec \"$@\"";
    for listen in ["listen at-start", "socket stale"] {
        let mut wrapper = std::process::Command::new("sh");
        wrapper.args(["-c", script, "sh"]);
        let fake = FakeJvm::start_through(wrapper, &format!("play hotspot 17\n{listen}\n"))?;
        let socket = format!("/tmp/.java_pid{}", fake.pid());
        ensure!(std::os::unix::fs::FileTypeExt::is_socket(&fs::symlink_metadata(&socket)?.file_type()));
        ensure!(!fs::exists(format!("{socket}.tmp"))?, "{socket}.tmp is still there");
    }
    Ok(())
}
