//! OpenJ9's side of attach: a directory that announces the VM, a semaphore that wakes it, and a connection back to the
//! attacher whose port and key it finds there.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jgraft_protocol::properties;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::answers;
use super::conduct::{Conduct, next_byte, say};
use super::script::Fault;
use super::sys::Semaphore;

/// Between two notifications the real one rests as long.
const REST: Duration = Duration::from_millis(300);

/// The VM's entry in the common directory; it goes with this.
pub(super) struct Announced {
    folder: PathBuf,
}

impl Drop for Announced {
    fn drop(&mut self) {
        let _: io::Result<()> = fs::remove_dir_all(&self.folder);
    }
}

/// Makes the common directory where there is none, the VM's entry in it, and the thread that waits to be woken.
pub(super) fn announce(
    conduct: &Arc<Conduct>,
    option: impl Fn(&str) -> Option<String>,
) -> io::Result<Announced> {
    let directory = option("directory").unwrap_or_else(|| "/tmp/.com_ibm_tools_attach".to_owned());
    let directory = PathBuf::from(directory);
    fs::create_dir_all(&directory)?;
    // Another user's directory is good as it is.
    let _: io::Result<()> = fs::set_permissions(&directory, Permissions::from_mode(0o1777));
    for name in ["_attachlock", "_controller", "_notifier"] {
        make(&directory.join(name), 0o666)?;
    }
    let semaphore = Semaphore::of(&File::open(directory.join("_notifier"))?)?;
    let pid = std::process::id().to_string();
    let id = option("id").unwrap_or_else(|| pid.clone());
    let announced = Announced { folder: directory.join(&id) };
    let folder = announced.folder.clone();
    fs::create_dir_all(&folder)?;
    fs::set_permissions(&folder, Permissions::from_mode(0o1711))?;
    make(&folder.join("attachNotificationSync"), 0o666)?;
    let uid = nix::unistd::geteuid().to_string();
    let in_folder = |name: &str| folder.join(name).display().to_string();
    let text = properties::write([
        ("version", "0.1"),
        ("userId", "fake"),
        ("userUid", &uid),
        ("processId", &pid),
        ("vmId", &id),
        ("displayName", "fake"),
        ("notifier", "_notifier"),
        ("globalSemaphore", "true"),
        ("replyFile", &in_folder("replyInfo")),
        ("attachNotificationSync", &in_folder("attachNotificationSync")),
    ]);
    make(&folder.join("attachInfo"), 0o600)?.write_all(text.as_bytes())?;
    say("listening");
    let conduct = Arc::clone(conduct);
    thread::Builder::new().name("Attach API wait".to_owned()).spawn(move || {
        while semaphore.wait().is_ok() {
            if let Err(error) = woken(&conduct, &folder) {
                say(&format!("woken, and then {error}"));
            }
            thread::sleep(REST);
        }
    })?;
    Ok(announced)
}

/// Made or opened, whatever the umask.
fn make(path: &Path, mode: u32) -> io::Result<File> {
    let existed = path.exists();
    let mut options = File::options();
    let file = options.write(true).create(!existed).mode(mode).custom_flags(libc::O_NOFOLLOW).open(path)?;
    if !existed {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(file)
}

/// Connects where there is something for us, then waits until the attacher lets go of the sync file, so that no second
/// post is taken from those who are meant.
fn woken(conduct: &Arc<Conduct>, folder: &Path) -> io::Result<()> {
    if conduct.sleeps_on() {
        say("woken, asleep");
    } else if let Some((key, port)) = reply_info(&folder.join("replyInfo"))? {
        say("woken, for me");
        let conduct = Arc::clone(conduct);
        thread::Builder::new().name("Attachment".to_owned()).spawn(move || {
            if let Err(error) = attached(&conduct, &key, port) {
                say(&format!("attachment: {error}"));
            }
        })?;
    } else {
        say("woken, not for me");
    }
    let sync = File::options().write(true).open(folder.join("attachNotificationSync"))?;
    let lock = libc::flock {
        l_type: libc::F_WRLCK as i16,
        l_whence: libc::SEEK_SET as i16,
        l_start: 0,
        l_len: 1,
        l_pid: 0,
    };
    while fcntl(&sync, FcntlArg::F_SETLKW(&lock)) == Err(nix::Error::EINTR) {}
    Ok(())
}

/// Key and port, from a file that nobody but its owner, who must be us, can have written or read.
fn reply_info(path: &Path) -> io::Result<Option<(String, u16)>> {
    let metadata = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if metadata.uid() != nix::unistd::geteuid().as_raw() || metadata.mode() & 0o077 != 0 {
        return Err(io::Error::other("replyInfo is not its own"));
    }
    let text = fs::read_to_string(path)?;
    let mut lines = text.lines();
    let (key, port) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let port = port.parse().map_err(|_| io::Error::other("replyInfo has no port"))?;
    Ok(Some((key.to_owned(), port)))
}

fn attached(conduct: &Conduct, key: &str, port: u16) -> io::Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    match conduct.fault() {
        Fault::HangUp => return Ok(()),
        Fault::WrongKey => stream.write_all(b"ATTACH_CONNECTED 0123456789abcdef \0")?,
        _ => stream.write_all(format!("ATTACH_CONNECTED {key} \0").as_bytes())?,
    }
    let mut client = OwnedFd::from(stream);
    loop {
        let mut command = Vec::new();
        loop {
            match next_byte(&client)? {
                None => return Ok(()),
                Some(0) => break,
                Some(byte) => command.push(byte),
            }
        }
        let command = String::from_utf8_lossy(&command).into_owned();
        say(&format!("command {}", command.escape_debug()));
        if command.starts_with("ATTACH_DETACH") {
            return File::from(client).write_all(b"ATTACH_DETACHED\0");
        }
        let name = command.split(['(', ',']).next().unwrap_or_default();
        let answer = conduct.own_answer(name).unwrap_or_else(|| answers::openj9(conduct, &command));
        match conduct.send(client, answer)? {
            Some(same) => client = same,
            None => return Ok(()),
        }
    }
}
