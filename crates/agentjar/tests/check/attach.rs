//! The smallest client of HotSpot's attach listener: what a test needs to see what a JVM makes of a jar. None
//! of the care that crates/attach takes of strangers: the JVM is ours.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use jgraft_jvm_harness::Jvm;
use nix::sys::signal::Signal;

/// Sends `load instrument false ARGUMENT`; the code that libinstrument gives back.
pub(crate) fn load(jvm: &Jvm, argument: &[u8]) -> Result<i32> {
    let reply = request(jvm, &[b"load", b"instrument", b"false", argument])?;
    // "0\nreturn code: 102\n", and from JDK 8 "0\n102\n"; nothing at all for an argument that is too long.
    let last = reply.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("-1");
    last.trim_start_matches("return code: ").parse().with_context(|| format!("{reply:?}"))
}

fn request(jvm: &Jvm, words: &[&[u8]]) -> Result<String> {
    let mut stream = connect(jvm)?;
    let mut request = b"1\0".to_vec();
    for word in words {
        request.extend_from_slice(word);
        request.push(0);
    }
    stream.write_all(&request)?;
    let mut reply = Vec::new();
    // A refused request ends by a reset.
    let _: std::io::Result<usize> = stream.read_to_end(&mut reply);
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

fn connect(jvm: &Jvm) -> Result<UnixStream> {
    let proc = format!("/proc/{}", jvm.pid());
    let status = fs::read_to_string(format!("{proc}/status"))?;
    let own_pid = status.lines().find_map(|line| line.strip_prefix("NSpid:")?.split_whitespace().last());
    let own_pid = own_pid.context("no NSpid")?;
    let socket = format!("{proc}/root/tmp/.java_pid{own_pid}");
    if let Ok(stream) = UnixStream::connect(&socket) {
        return Ok(stream);
    }
    let trigger = format!("{proc}/cwd/.attach_pid{own_pid}");
    fs::write(&trigger, "")?;
    jvm.signal(Signal::SIGQUIT)?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while !Path::new(&socket).exists() {
        if Instant::now() > deadline || !jvm.is_alive() {
            bail!("no attach listener: {}", jvm.stderr());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    fs::remove_file(trigger)?;
    Ok(UnixStream::connect(socket)?)
}
