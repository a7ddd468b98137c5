//! Attaching to an OpenJ9 VM: no signal, no socket of its own; it is woken through a semaphore, finds our port and a
//! key in its directory, and connects back over loopback.
//!
//! SIGQUIT is never sent: such a VM would write a javacore. What enters namespaces and takes identities is a child
//! process ([`helper`]).

mod answer;
mod command;
mod directory;
mod helper;
#[cfg(any(test, feature = "hostile"))]
pub(crate) mod hostile;
mod loopback;
mod peer;
pub(crate) mod preflight;
mod properties;
mod sys;

use std::io::{IoSliceMut, Read};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg, send as send_some, socketpair,
};
use nix::sys::stat::Mode;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use crate::connection::{Reply, gave_up, hung_up_unread, unanswered};
use crate::error::AttachError;
use crate::finding::{Finding, FindingKind};
use crate::proc::Process;
use crate::request::Request;
use crate::sys::Identity;
use crate::target::Target;
use crate::wait::{Patience, Woken};
use helper::{Duty, Report, Stage};

/// The longest answer that is kept: a thread dump of a large service has a few MiB.
const ANSWER_LIMIT: u64 = 64 << 20;
/// VMs in one directory whose sync files are held. With more, a wrong one may take a post, and the next try makes it
/// good.
const MOST_LOCKS: usize = 512;
/// So long the VM is given to say that it has detached.
const FAREWELL: Duration = Duration::from_millis(200);

/// Wakes the VM, sends one command, and gives its answer in HotSpot's form.
pub(crate) fn send<'a>(
    target: &'a Target,
    request: &Request,
    patience: &Patience<'a>,
    reply_timeout: Option<Duration>,
) -> Result<Reply<'a>, AttachError> {
    let command = command::translate(request).map_err(AttachError::Blocked)?;
    let process = target.process();
    let helper = Helper::start(target, patience)?;
    let connection = helper.connection(target, patience)?;
    peer::leads_to(process, &connection).map_err(AttachError::Blocked)?;
    send_all(&connection, process, &command.bytes, patience)?;
    let sent_at = Instant::now();
    let answering = Patience {
        deadline: reply_timeout.and_then(|time| sent_at.checked_add(time)),
        cancel: patience.cancel,
    };
    let farewell = connection.try_clone().ok();
    let mut reply = Reply::before_header(connection.into(), process, answering, sent_at);
    let bytes = read_answer(&mut reply, process)?;
    if let Some(connection) = farewell {
        detach(&connection, process);
    }
    let (header, text) = answer::interpret(command.answer, &bytes);
    Ok(reply.in_one_piece(header, text))
}

/// The helper process, as long as it is of use. On drop it is told to stop, takes everything back, and ends.
struct Helper {
    pid: Pid,
    control: Option<OwnedFd>,
}

impl Helper {
    fn start(target: &Target, patience: &Patience<'_>) -> Result<Helper, AttachError> {
        let process = target.process();
        let system =
            |call: &'static str| move |e: std::io::Error| AttachError::system(call, process.pid(), e);
        let entry = directory::find(target)
            .map_err(|e| e.to_string())
            .and_then(|entry| entry.ok_or_else(|| "no entry of its user and pid is there".to_owned()));
        let entry = entry.map_err(|words| AttachError::Blocked(preflight::not_announced(target, words)))?;
        let [ipc, net] = ["ipc", "net"].map(|kind| foreign_namespace(process, kind));
        let (ipc, net) = (ipc.map_err(system("open(ns/ipc)"))?, net.map_err(system("open(ns/net)"))?);
        let key = random_key().map_err(system("read(/dev/urandom)"))?;
        let flags = SockFlag::SOCK_CLOEXEC;
        let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)
            .map_err(|e| system("socketpair")(e.into()))?;
        let identity = target.status().identity();
        let duty = Duty {
            control: theirs.as_fd(),
            pidfd: process.pidfd(),
            common: entry.common.as_fd(),
            vm: entry.vm.as_fd(),
            ipc: ipc.as_ref().map(AsFd::as_fd),
            net: net.as_ref().map(AsFd::as_fd),
            identity: (identity != Identity::current()).then_some(identity),
            key: &key,
            deadline: patience.deadline,
        };
        let mut locks = Vec::with_capacity(MOST_LOCKS);
        let pid = sys::spawn(&duty, &mut locks).map_err(system("fork"))?;
        Ok(Helper { pid, control: Some(ours) })
    }

    /// Waits for the connection that the helper hands over.
    fn connection(&self, target: &Target, patience: &Patience<'_>) -> Result<TcpStream, AttachError> {
        let Some(control) = &self.control else { return Err(lost(target)) };
        // The helper keeps the deadline itself, and says what it came to then.
        let grace = patience.deadline.and_then(|deadline| deadline.checked_add(Duration::from_secs(2)));
        let patient = Patience { deadline: grace, cancel: patience.cancel };
        match patient.wait(Some(control.as_fd()), target.process().pidfd(), None) {
            Woken::Ready => {}
            other => return Err(gave_up(other, target.pid(), "waiting for the vm to connect back")),
        }
        let mut bytes = [0; Report::SIZE];
        let mut space = nix::cmsg_space!([RawFd; 1]);
        let mut vector = [IoSliceMut::new(&mut bytes)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message = recvmsg::<()>(control.as_raw_fd(), &mut vector, Some(&mut space), flags)
            .map_err(|e| AttachError::system("recvmsg", target.pid(), e))?;
        let received = message.cmsgs().into_iter().flatten().find_map(|message| match message {
            ControlMessageOwned::ScmRights(descriptors) => descriptors.first().copied(),
            _ => None,
        });
        let connection = received.map(sys::owned);
        let whole = message.bytes == Report::SIZE;
        match (Report::from_bytes(&bytes).filter(|_| whole), connection) {
            (Some(Report { stage: Stage::Connected, .. }), Some(connection)) => Ok(connection.into()),
            (Some(report), _) => Err(explain(report, target)),
            // It ends without a word where the target has.
            (None, _) if target.process().has_ended() => {
                Err(gave_up(Woken::Ended, target.pid(), "waiting for the vm to connect back"))
            }
            (None, _) => Err(lost(target)),
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.control.take());
        // It ends within a second; whoever else reaps this process's children may have done so.
        while waitpid(self.pid, None) == Err(Errno::EINTR) {}
    }
}

fn lost(target: &Target) -> AttachError {
    AttachError::system("the helper process", target.pid(), "it ended without a word")
}

/// A handle on a namespace of the target that is not ours as well.
fn foreign_namespace(process: &Process, kind: &str) -> std::io::Result<Option<OwnedFd>> {
    let ours =
        open(format!("/proc/self/ns/{kind}").as_str(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    let theirs = OwnedFd::from(process.open_file(&format!("ns/{kind}"))?);
    let id = |fd: &OwnedFd| nix::sys::stat::fstat(fd).map(|stat| (stat.st_dev, stat.st_ino));
    Ok((id(&ours)? != id(&theirs)?).then_some(theirs))
}

/// Sixteen digits that nobody can guess.
fn random_key() -> std::io::Result<String> {
    let mut bytes = [0; 8];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:016x}", u64::from_ne_bytes(bytes)))
}

/// What a report of the helper means.
fn explain(report: Report, target: &Target) -> AttachError {
    let (pid, errno) = (target.pid(), Errno::from_raw(report.errno));
    let path = directory::common_path(target);
    let finding =
        |kind, cause: String, evidence: String, remedy: &str| Finding::new(kind, cause, evidence, remedy);
    let woken = format!("woken {} times through the semaphore of {}", report.tries, path.display());
    AttachError::NotSent(match report.stage {
        Stage::Namespace => finding(
            FindingKind::NoAccess,
            format!("the ipc and net namespaces of pid {pid} cannot be entered"),
            format!("setns: {errno}"),
            "run jgraft as root of the host, or from inside the container",
        ),
        Stage::Lock if errno == Errno::ETIMEDOUT => finding(
            FindingKind::NoListener,
            format!("pid {pid} could not be reached in time; nothing was sent"),
            format!("another attacher holds {}/_attachlock", path.display()),
            "give it longer (--timeout)",
        ),
        Stage::Silence => finding(
            FindingKind::NoListener,
            format!("pid {pid} was asked to connect back and has not; nothing was sent"),
            woken,
            "a long pause or a starved cpu delays it; try again with a longer --timeout",
        ),
        Stage::Key => finding(
            FindingKind::ForeignSocket,
            format!("who connected in the place of pid {pid} did not know the key; nothing was sent"),
            woken,
            "find out which process connects to ports of this host unasked",
        ),
        Stage::Semaphore => finding(
            FindingKind::System,
            format!("the semaphore that would wake pid {pid} cannot be used"),
            format!("of {}/_notifier in its ipc namespace: {errno}", path.display()),
            "restart the service: openj9 makes it anew",
        ),
        Stage::Connected | Stage::Identity | Stage::Listen | Stage::Lock | Stage::Reply => finding(
            FindingKind::System,
            format!("pid {pid} could not be asked to connect back"),
            format!("{:?}: {errno}", report.stage),
            "run jgraft doctor on this pid; as root if it is not yours",
        ),
    })
}

/// All of a command: half of one that is followed by the end of the stream is thrown away by the VM.
fn send_all(
    connection: &TcpStream,
    process: &Process,
    bytes: &[u8],
    patience: &Patience<'_>,
) -> Result<(), AttachError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match send_some(connection.as_raw_fd(), rest, MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT) {
            Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                match patience.wait(None, process.pidfd(), Some(Duration::from_millis(2))) {
                    Woken::Ready => {}
                    other => return Err(gave_up(other, process.pid(), "it does not read")),
                }
            }
            Err(Errno::EPIPE | Errno::ECONNRESET) => return Err(hung_up_unread(process)),
            Err(e) => return Err(AttachError::system("send", process.pid(), e)),
        }
    }
    Ok(())
}

/// Up to the NUL, which alone says that an answer is whole.
fn read_answer(reply: &mut Reply<'_>, process: &Process) -> Result<Vec<u8>, AttachError> {
    let mut answer = Vec::new();
    let mut piece = [0; 8192];
    loop {
        let got = match reply.read(&mut piece) {
            Err(e) if e.raw_os_error() == Some(nix::libc::ECONNRESET) => 0,
            other => other.map_err(|e| unanswered(process, e))?,
        };
        let piece = piece.get(..got).unwrap_or_default();
        if let Some(end) = piece.iter().position(|&byte| byte == 0) {
            answer.extend_from_slice(piece.get(..end).unwrap_or_default());
            return Ok(answer);
        }
        answer.extend_from_slice(piece);
        let cut = match (got, answer.len() as u64) {
            (0, 0) => "the connection was closed without an answer",
            (0, _) => "the connection was closed in the middle of the answer",
            (_, length) if length > ANSWER_LIMIT => "the answer is longer than any honest one",
            _ => continue,
        };
        return Err(unanswered(process, std::io::Error::other(cut)));
    }
}

/// As a client takes leave; that it is answered is waited for so that the VM finds no broken connection.
fn detach(connection: &TcpStream, process: &Process) {
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    if send_some(connection.as_raw_fd(), command::DETACH, flags).is_ok() {
        let patience = Patience { deadline: Instant::now().checked_add(FAREWELL), cancel: None };
        let _ = patience.wait(Some(connection.as_fd()), process.pidfd(), None);
    }
}
