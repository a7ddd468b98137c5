//! HotSpot's side of attach: the trigger file, the listener's socket, requests of version 1 and 2 with their limits.
//!
//! As the real one, the listener is one thread that serves one client at a time and reads without limit of time.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use nix::sys::socket::{getsockopt, sockopt};

use super::answers;
use super::conduct::{Conduct, next_byte, say};
use super::script::Fault;

/// Version 1: a command and an argument may have so many bytes.
const COMMAND_LIMIT: usize = 16;
const ARGUMENT_LIMIT: usize = 1024;
/// Version 2: all of it.
const BODY_LIMIT: usize = 256 << 10;

/// Where the listener of a process is looked for.
pub(super) fn socket_path(pid: u32) -> PathBuf {
    PathBuf::from(format!("/tmp/.java_pid{pid}"))
}

/// What a JVM that was killed, and had this number, has left: HotSpot removes it at its start as well.
pub(super) fn remove_leftovers() {
    let socket = socket_path(std::process::id());
    for left in [aside(&socket), socket] {
        let _: io::Result<()> = fs::remove_file(left);
    }
}

/// The name that a socket has until it listens.
fn aside(path: &Path) -> PathBuf {
    path.with_file_name(format!("{}.tmp", path.file_name().unwrap_or_default().to_string_lossy()))
}

/// Is there a trigger file that this release trusts? The working directory comes first.
pub(super) fn trigger_is_trusted(conduct: &Conduct) -> bool {
    let name = format!(".attach_pid{}", std::process::id());
    let found =
        [Path::new("."), Path::new("/tmp")].into_iter().find_map(|dir| fs::metadata(dir.join(&name)).ok());
    let me = nix::unistd::geteuid().as_raw();
    found.is_some_and(|file| file.uid() == me || (file.uid() == 0 && conduct.feature > 8))
}

/// Binds under another name, then renames, so that who finds the socket can connect. `owner` is given it first.
pub(super) fn listen(conduct: &Arc<Conduct>, path: &Path, owner: Option<u32>) -> io::Result<()> {
    let aside = aside(path);
    let listener = UnixListener::bind(&aside)?;
    fs::set_permissions(&aside, fs::Permissions::from_mode(0o600))?;
    if let Some(uid) = owner {
        chown(&aside, Some(uid), None)?;
    }
    fs::rename(&aside, path)?;
    // Said before the first client is served: who waits for the socket connects at once.
    say("listening");
    let conduct = Arc::clone(conduct);
    thread::Builder::new().name("Attach Listener".to_owned()).spawn(move || {
        for client in listener.incoming().flatten() {
            // A client that went away is its own loss.
            let _: io::Result<()> = serve(&conduct, client);
        }
    })?;
    Ok(())
}

fn serve(conduct: &Conduct, client: UnixStream) -> io::Result<()> {
    if conduct.fault() == Fault::HangUp || !peer_is_trusted(conduct, &client)? {
        return Ok(());
    }
    let client = OwnedFd::from(client);
    let answer = match read_request(conduct, &client)? {
        Request::Nothing => return Ok(()),
        Request::TooLong => {
            say("request too long");
            return Ok(());
        }
        Request::Version(unknown) => {
            say(&format!("request of version {unknown}"));
            let words = if conduct.feature >= 24 { "unknown version" } else { "" };
            format!("101\n{words}").into_bytes()
        }
        Request::Whole(words) => {
            say(&format!("request {}", shown(&words)));
            let verb = words.first().map_or("", String::as_str);
            conduct.own_answer(verb).unwrap_or_else(|| answers::hotspot(conduct, &words))
        }
    };
    conduct.send(client, answer).map(drop)
}

/// `SO_PEERCRED`: its own user and group; since 11 root as well.
fn peer_is_trusted(conduct: &Conduct, client: &UnixStream) -> io::Result<bool> {
    let peer = getsockopt(client, sockopt::PeerCredentials)?;
    let me = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
    Ok((peer.uid(), peer.gid()) == me || (conduct.feature > 8 && peer.uid() == 0))
}

enum Request {
    /// Somebody looked who is there and went away.
    Nothing,
    TooLong,
    Version(String),
    Whole(Vec<String>),
}

fn read_request(conduct: &Conduct, client: &OwnedFd) -> io::Result<Request> {
    let Some(version) = read_word(client, COMMAND_LIMIT)? else { return Ok(Request::Nothing) };
    let version_2 = conduct.feature >= 24 && conduct.fault() != Fault::NoVersion2;
    match version.as_str() {
        "1" => {}
        "2" if version_2 => return read_version_2(client),
        _ => return Ok(Request::Version(version)),
    }
    let mut words = Vec::new();
    for limit in [COMMAND_LIMIT, ARGUMENT_LIMIT, ARGUMENT_LIMIT, ARGUMENT_LIMIT] {
        match read_word(client, limit) {
            Ok(Some(word)) => words.push(word),
            Ok(None) => return Ok(Request::Nothing),
            Err(e) if e.kind() == io::ErrorKind::InvalidData => return Ok(Request::TooLong),
            Err(e) => return Err(e),
        }
    }
    Ok(Request::Whole(words))
}

/// The body's length, then a command with options of its own, and any number of arguments.
fn read_version_2(client: &OwnedFd) -> io::Result<Request> {
    let length = read_word(client, 10)?.and_then(|word| word.parse::<usize>().ok());
    let Some(length) = length.filter(|length| *length <= BODY_LIMIT) else { return Ok(Request::TooLong) };
    let mut body = Vec::with_capacity(length);
    while body.len() < length {
        let Some(byte) = next_byte(client)? else { return Ok(Request::Nothing) };
        body.push(byte);
    }
    let words = body.strip_suffix(b"\0").unwrap_or(&body).split(|byte| *byte == 0);
    let mut words: Vec<String> = words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    if let Some((command, _options)) = words[0].split_once(' ') {
        words[0] = command.to_owned();
    }
    Ok(Request::Whole(words))
}

/// Up to the next NUL. None at the end of the stream, an error of kind `InvalidData` past the limit.
fn read_word(client: &OwnedFd, limit: usize) -> io::Result<Option<String>> {
    let mut word = Vec::new();
    while let Some(byte) = next_byte(client)? {
        if byte == 0 {
            return Ok(Some(String::from_utf8_lossy(&word).into_owned()));
        }
        if word.len() == limit {
            return Err(io::ErrorKind::InvalidData.into());
        }
        word.push(byte);
    }
    Ok(None)
}

/// Words as one line; empty ones at the end are left out.
fn shown(words: &[String]) -> String {
    let end = words.iter().rposition(|word| !word.is_empty()).map_or(0, |at| at + 1);
    words[..end].iter().map(|word| word.escape_debug().to_string()).collect::<Vec<_>>().join(" ")
}
