//! The attach listener's side of the handshake as it lies in the file system: its socket, and its thread.
//!
//! HotSpot binds `.java_pid<pid>.tmp`, listens, gives it to its own euid and egid, and renames it; the name is fixed to
//! `/tmp` of the target's own view, and the number is the pid in its innermost namespace.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::stat::{FileStat, SFlag, fstatat};

use crate::finding::{Finding, FindingKind, kernel_too_old};
use crate::proc::TargetRoot;
use crate::proc::status::Status;
use crate::proc::unix_sockets;
use crate::target::Target;

/// A listener has its thread a moment before its socket: so long is that not taken for a loss.
pub(crate) const IN_THE_MAKING: Duration = Duration::from_millis(300);

/// Is there a socket to connect to?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// A socket of the right owner is there. It may be stale: only connecting tells.
    Socket,
    /// None; SIGQUIT will make one.
    Absent,
}

/// The directory where both sides meet: the target's `/tmp`, by handle.
#[derive(Debug)]
pub(crate) struct MeetingPlace {
    tmp: OwnedFd,
    ns_pid: i32,
    uid: u32,
}

impl MeetingPlace {
    pub(crate) fn of(target: &Target) -> Result<MeetingPlace, Finding> {
        let unusable = |error: &std::io::Error| {
            kernel_too_old(error).unwrap_or_else(|| {
                Finding::new(
                    FindingKind::TmpUnusable,
                    format!("the /tmp that pid {} sees cannot be opened", target.pid()),
                    format!("/proc/{}/root/tmp: {error}", target.pid()),
                    "run jgraft as root, or give the jvm a /tmp directory: hotspot knows no other place",
                )
            })
        };
        let root = target.root().map_err(unusable)?;
        MeetingPlace::in_root(root, target.status()).map_err(|e| unusable(&e))
    }

    pub(crate) fn in_root(root: &TargetRoot, status: &Status) -> std::io::Result<MeetingPlace> {
        let tmp = root.open_dir(Path::new("tmp"))?;
        Ok(MeetingPlace { tmp, ns_pid: status.ns_pid, uid: status.uid })
    }

    pub(crate) fn dir(&self) -> BorrowedFd<'_> {
        self.tmp.as_fd()
    }

    pub(crate) fn socket_name(&self) -> String {
        format!(".java_pid{}", self.ns_pid)
    }

    /// The socket's entry, links not followed. Something else by that name, or of another owner, is a finding.
    pub(crate) fn socket(&self) -> Result<Option<FileStat>, Finding> {
        let foreign = |evidence: String| {
            Finding::new(
                FindingKind::ForeignSocket,
                format!("/tmp/{} is not the jvm's own socket", self.socket_name()),
                evidence,
                "find out who put it there; once it is removed, the jvm makes its own",
            )
        };
        match fstatat(&self.tmp, self.socket_name().as_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
            Err(Errno::ENOENT) => Ok(None),
            Err(e) => Err(foreign(e.to_string())),
            Ok(stat) => {
                let kind = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT;
                if kind != SFlag::S_IFSOCK {
                    return Err(foreign(format!("its file type is {:o}, not a socket", kind.bits())));
                }
                if stat.st_uid != self.uid {
                    return Err(foreign(format!(
                        "it belongs to uid {}, the jvm runs as {}",
                        stat.st_uid, self.uid
                    )));
                }
                Ok(Some(stat))
            }
        }
    }
}

/// `.attach_pid<pid>`, as the JVM itself counts pids.
pub(crate) fn trigger_name(status: &Status) -> String {
    format!(".attach_pid{}", status.ns_pid)
}

/// What `doctor` says of the listener, without connecting: a connection would hold up everybody else's.
pub fn listener(target: &Target) -> Result<Listener, Finding> {
    let place = MeetingPlace::of(target)?;
    let until = Instant::now() + IN_THE_MAKING;
    loop {
        if place.socket()?.is_some() {
            return Ok(Listener::Socket);
        }
        match socket_not_lost(target) {
            Ok(()) => return Ok(Listener::Absent),
            Err(lost) if Instant::now() >= until => return Err(lost),
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// A socket that is there, and that nobody in the target listens on; told from the kernel's tables, without connecting.
/// `None` also where they cannot be read.
pub(crate) fn stale_socket(target: &Target) -> Option<Finding> {
    let place = MeetingPlace::of(target).ok()?;
    let process = target.process();
    let before = place.socket().ok()??;
    let name = place.socket_name();
    let table = process.read("net/unix").ok()?;
    let inodes = unix_sockets::listening(&table, &[&name, &format!("{name}.tmp")]);
    if process.has_socket(&inodes).ok()? {
        return None;
    }
    // A JVM that has made its socket meanwhile has put another in the place of this one.
    let after = place.socket().ok()??;
    if (after.st_dev, after.st_ino, after.st_ctime) != (before.st_dev, before.st_ino, before.st_ctime) {
        return None;
    }
    let pid = target.pid();
    Some(Finding::new(
        FindingKind::StaleSocket,
        format!("/tmp/{name} is there, and pid {pid} does not listen on it: the socket is stale"),
        match inodes.len() {
            0 => format!("/proc/{pid}/net/unix has no listening socket of that name"),
            _ => format!(
                "of the listening sockets of that name in /proc/{pid}/net/unix none is a descriptor of pid {pid}"
            ),
        },
        "nothing: a jvm that was killed left it; the next command removes it and wakes the listener",
    ))
}

/// HotSpot makes its socket in /tmp and nowhere else, so a read-only one means no listener.
pub(crate) fn tmp_is_writable(target: &Target) -> Result<(), Finding> {
    use nix::sys::statvfs::{FsFlags, fstatvfs};
    let place = MeetingPlace::of(target)?;
    match fstatvfs(place.dir()) {
        Ok(facts) if facts.flags().contains(FsFlags::ST_RDONLY) => Err(Finding::new(
            FindingKind::TmpUnusable,
            format!(
                "the /tmp that pid {} sees is read-only, and its listener has to make its socket there",
                target.pid()
            ),
            format!("/proc/{}/root/tmp is on a file system mounted read-only", target.pid()),
            "give it a tmpfs on /tmp (docker run --tmpfs /tmp, an emptyDir volume): hotspot knows no other place",
        )),
        // What cannot be asked is found out when the socket is made.
        _ => Ok(()),
    }
}

/// The listener's thread without its socket: cleaned away (systemd #20635), or just being made. Old JDKs answer
/// SIGQUIT with a thread dump then and never listen again; newer ones make a new socket (JDK-8225690).
pub(crate) fn socket_not_lost(target: &Target) -> Result<(), Finding> {
    let remakes = target.feature().is_none_or(remakes_its_socket);
    if remakes || !target.process().has_thread_named("Attach Listener").unwrap_or(false) {
        return Ok(());
    }
    Err(Finding::new(
        FindingKind::SocketLost,
        format!(
            "the attach listener of pid {} has lost its socket, and this jdk never makes another",
            target.pid()
        ),
        format!("thread \"Attach Listener\" runs, /tmp/.java_pid{} is gone", target.status().ns_pid),
        "attach is gone until the service restarts; exempt /tmp/.java_pid* from tmpfiles clean-up",
    ))
}

/// JDK-8225690 is in 14; no older feature release can be trusted to have the backport.
fn remakes_its_socket(feature: u32) -> bool {
    feature >= 14
}
