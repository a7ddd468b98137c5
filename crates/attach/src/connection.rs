//! A connection to an attach listener: made through a directory handle, checked to lead to the right process, used once.
//!
//! The listener serves one client at a time and waits for each without limit, so a request leaves in one piece or not
//! at all, and every path out of here closes the socket.

use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, getsockopt, send, socket, sockopt,
};

use crate::error::AttachError;
use crate::finding::{Finding, FindingKind};
use crate::listener::MeetingPlace;
use crate::proc::Process;
use crate::reply;
use crate::wait::{Patience, Woken};

/// An answer's number is short; more without a newline is no attach listener.
const HEADER_LIMIT: usize = 16;

/// What became of an attempt to connect.
pub(crate) enum Attempt {
    Connected(OwnedFd),
    /// No socket is there.
    Absent,
    /// A socket is there and nobody listens: a JVM that was killed left it.
    Stale,
}

/// `/proc/self/fd/N/name`: a path through a directory handle, free of the 108 bytes a socket's path may have and of
/// whatever happens to the directory's name.
pub(crate) fn fd_path(dir: BorrowedFd<'_>, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{name}", dir.as_raw_fd()))
}

/// Connects as whoever the calling thread acts as: the listener sees the ids of this moment.
pub(crate) fn try_connect(
    place: &MeetingPlace,
    process: &Process,
    patience: &Patience<'_>,
) -> Result<Attempt, AttachError> {
    if place.socket().map_err(AttachError::Blocked)?.is_none() {
        return Ok(Attempt::Absent);
    }
    let address = UnixAddr::new(&fd_path(place.dir(), &place.socket_name()))
        .map_err(|e| AttachError::system("connect", process.pid(), e))?;
    loop {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)
            .map_err(|e| AttachError::system("socket", process.pid(), e))?;
        match connect(socket.as_raw_fd(), &address) {
            Ok(()) => return leads_to(process, &socket).map(|()| Attempt::Connected(socket)),
            Err(Errno::ENOENT) => return Ok(Attempt::Absent),
            Err(Errno::ECONNREFUSED) => return Ok(Attempt::Stale),
            // The backlog of 5 is full: others are being served.
            Err(Errno::EAGAIN) => {
                match patience.wait(None, process.pidfd(), Some(Duration::from_millis(2))) {
                    Woken::Ready => {}
                    other => {
                        return Err(gave_up(other, process.pid(), "its listener is busy with other clients"));
                    }
                }
            }
            Err(Errno::EINTR) => {}
            Err(e) => return Err(AttachError::system("connect", process.pid(), e)),
        }
    }
}

/// The process that listens must be the one that is meant: containers that share /tmp share names (JDK-8286030).
fn leads_to(process: &Process, socket: &OwnedFd) -> Result<(), AttachError> {
    let peer = getsockopt(socket, sockopt::PeerCredentials)
        .map_err(|e| AttachError::system("getsockopt(SO_PEERCRED)", process.pid(), e))?;
    if peer.pid() == process.pid() {
        return Ok(());
    }
    Err(AttachError::Blocked(Finding::new(
        FindingKind::ForeignSocket,
        format!("the socket of pid {} leads to another process", process.pid()),
        format!("its listener is pid {}, uid {}", peer.pid(), peer.uid()),
        "two containers share this /tmp and their jvms have the same inner pid: give them a /tmp of their own",
    )))
}

/// Sends a request, whole. Not a byte of it may be left waiting: a half request blocks the listener for everybody.
pub(crate) fn send_request(
    socket: &OwnedFd,
    process: &Process,
    request: &[u8],
    patience: &Patience<'_>,
) -> Result<(), AttachError> {
    let mut rest = request;
    loop {
        match send(socket.as_raw_fd(), rest, MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT) {
            // Of version 1 a stream socket takes all at once; of version 2 as much as its buffer holds. Where the rest
            // cannot be sent the socket is closed, and half a request is carried out by nobody.
            Ok(sent) => match rest.get(sent..) {
                Some([]) | None => return Ok(()),
                Some(left) => rest = left,
            },
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                match patience.wait(None, process.pidfd(), Some(Duration::from_millis(2))) {
                    Woken::Ready => {}
                    other => return Err(gave_up(other, process.pid(), "its listener does not read")),
                }
            }
            Err(Errno::EPIPE | Errno::ECONNRESET) => return Err(hung_up_unread(process)),
            Err(e) => return Err(AttachError::system("send", process.pid(), e)),
        }
    }
}

/// The answer to one request. Reading its text streams it as it arrives.
#[derive(Debug)]
pub struct Reply<'a> {
    header: i32,
    /// None once nothing more will come.
    socket: Option<OwnedFd>,
    process: &'a Process,
    patience: Patience<'a>,
    early: Vec<u8>,
    sent_at: Instant,
}

impl<'a> Reply<'a> {
    /// One of which nothing is known yet.
    pub(crate) fn before_header(
        socket: OwnedFd,
        process: &'a Process,
        patience: Patience<'a>,
        sent_at: Instant,
    ) -> Reply<'a> {
        Reply { header: 0, socket: Some(socket), process, patience, early: Vec::new(), sent_at }
    }

    /// The same, answered by this number and text, after which nothing comes.
    pub(crate) fn in_one_piece(self, header: i32, text: String) -> Reply<'a> {
        let mut early = text.into_bytes();
        early.reverse();
        Reply { header, socket: None, early, ..self }
    }

    /// Waits for the number in front.
    pub(crate) fn await_header(
        socket: OwnedFd,
        process: &'a Process,
        patience: Patience<'a>,
        sent_at: Instant,
    ) -> Result<Reply<'a>, AttachError> {
        let mut reply = Reply::before_header(socket, process, patience, sent_at);
        let mut start = Vec::new();
        loop {
            let mut piece = [0; 4096];
            let got = match reply.receive(&mut piece) {
                Ok(got) => got,
                // Closed with our request unread, which is how a listener refuses a stranger.
                Err(e) if e.raw_os_error() == Some(nix::libc::ECONNRESET) && start.is_empty() => {
                    return Err(hung_up_unread(process));
                }
                Err(e) => return Err(unanswered(process, e)),
            };
            if got == 0 {
                return Err(if start.is_empty() { hung_up_read(process) } else { garbage(process, &start) });
            }
            start.extend_from_slice(&piece[..got]);
            if let Some(end) = start.iter().position(|&b| b == b'\n') {
                reply.header = reply::parse_header(&start[..end]).ok_or_else(|| garbage(process, &start))?;
                reply.early = start.split_off(end + 1);
                // Reversed, so that taking from the front is popping from the back.
                reply.early.reverse();
                return Ok(reply);
            }
            if start.len() > HEADER_LIMIT {
                return Err(garbage(process, &start));
            }
        }
    }

    /// The number: 0 where the listener took the command.
    pub fn header(&self) -> i32 {
        self.header
    }

    /// Reads all of the text, at most `limit` bytes of it.
    pub fn into_text(mut self, limit: u64) -> Result<(String, Duration), AttachError> {
        let mut bytes = Vec::new();
        let process = self.process;
        (&mut self).take(limit).read_to_end(&mut bytes).map_err(|e| unanswered(process, e))?;
        Ok((String::from_utf8_lossy(&bytes).into_owned(), self.sent_at.elapsed()))
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(socket) = &self.socket else { return Ok(0) };
        loop {
            match nix::unistd::read(socket, buffer) {
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    match self.patience.wait(Some(socket.as_fd()), self.process.pidfd(), None) {
                        // The end of the process closes the socket: the next read says so, after what is still there.
                        Woken::Ready | Woken::Ended => {}
                        Woken::TimeOut => return Err(io::ErrorKind::TimedOut.into()),
                        Woken::Cancelled => return Err(io::Error::other(Cancelled)),
                    }
                }
                other => return other.map_err(io::Error::from),
            }
        }
    }
}

impl Read for Reply<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.early.is_empty() {
            return self.receive(buffer);
        }
        let take = buffer.len().min(self.early.len());
        for byte in &mut buffer[..take] {
            *byte = self.early.pop().unwrap_or_default();
        }
        Ok(take)
    }
}

/// The caller's cancel descriptor became readable while a reply was awaited.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
struct Cancelled;

/// A process that dies closes its sockets a moment before its pidfd says so: after its last thread's files go its other
/// threads, and on a busy machine that takes its time.
const LAST_BREATH: Duration = Duration::from_millis(300);

fn has_ended(process: &Process) -> bool {
    let moment = Patience { deadline: None, cancel: None };
    moment.wait(None, process.pidfd(), Some(LAST_BREATH)) == Woken::Ended
}

/// The connection was closed before our request was read: it was not carried out.
pub(crate) fn hung_up_unread(process: &Process) -> AttachError {
    let pid = process.pid();
    AttachError::NotSent(if has_ended(process) {
        Finding::new(
            FindingKind::Ended,
            format!("pid {pid} ended before it read the request"),
            "its pidfd says so",
            "jgraft list shows the jvms of this host",
        )
    } else {
        Finding::new(
            FindingKind::Refused,
            format!("the attach listener of pid {pid} hung up without an answer"),
            "it closed the connection before it read the request: it refuses peers of another user or group",
            "run jgraft as the jvm's own user or as root of its user namespace",
        )
    })
}

/// The request was read, and the answer is nothing: whether it was carried out is not known. An agent that ends the JVM
/// is the likeliest reason.
fn hung_up_read(process: &Process) -> AttachError {
    let pid = process.pid();
    AttachError::Unanswered(if has_ended(process) {
        Finding::new(
            FindingKind::Ended,
            format!("pid {pid} ended before it answered; the request may have ended it"),
            "it read the request, closed the connection without a reply, and its pidfd says that it has ended",
            "look at its log and its hs_err_pid file for the reason, before sending the request to another jvm",
        )
    } else {
        Finding::new(
            FindingKind::Refused,
            format!(
                "the attach listener of pid {pid} hung up without an answer: the request may still happen"
            ),
            "it read the request and closed the connection without a reply",
            "look at the jvm before sending it again",
        )
    })
}

fn garbage(process: &Process, start: &[u8]) -> AttachError {
    let shown = String::from_utf8_lossy(&start[..start.len().min(40)]).into_owned();
    AttachError::Unanswered(Finding::new(
        FindingKind::Refused,
        format!("what pid {} answered is not the attach protocol", process.pid()),
        format!("it begins {shown:?}"),
        "find out what listens on its /tmp/.java_pid socket",
    ))
}

pub(crate) fn unanswered(process: &Process, error: io::Error) -> AttachError {
    let pid = process.pid();
    let (evidence, remedy) = if error.get_ref().is_some_and(|inner| inner.is::<Cancelled>()) {
        let finding = Finding::new(
            FindingKind::Interrupted,
            format!("the request to pid {pid} was sent, not answered: it may still happen"),
            "interrupted while waiting for the reply",
            "look at the jvm before sending it again",
        );
        return AttachError::Interrupted { sent: true, finding };
    } else if error.kind() == io::ErrorKind::TimedOut {
        (
            "no reply within --reply-timeout".to_owned(),
            "give it longer; look at the jvm before sending it again",
        )
    } else {
        (error.to_string(), "look at the jvm before sending it again")
    };
    AttachError::Unanswered(Finding::new(
        FindingKind::Unanswered,
        format!("the request to pid {pid} was sent, not answered: it may still happen"),
        evidence,
        remedy,
    ))
}

/// Patience ended before anything was sent.
pub(crate) fn gave_up(woken: Woken, pid: i32, doing: &str) -> AttachError {
    let finding = |kind, cause: String, remedy: &str| Finding::new(kind, cause, doing, remedy);
    match woken {
        Woken::Cancelled => AttachError::Interrupted {
            sent: false,
            finding: finding(
                FindingKind::Interrupted,
                format!("interrupted before anything was sent to pid {pid}"),
                "run it again",
            ),
        },
        Woken::Ended => AttachError::NotSent(finding(
            FindingKind::Ended,
            format!("pid {pid} ended before anything was sent"),
            "jgraft list shows the jvms of this host",
        )),
        Woken::TimeOut | Woken::Ready => AttachError::NotSent(finding(
            FindingKind::NoListener,
            format!("pid {pid} could not be reached in time; nothing was sent"),
            "give it longer (--timeout), or see jgraft doctor",
        )),
    }
}
