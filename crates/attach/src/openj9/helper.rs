//! The helper: a child process that enters the target's namespaces, takes its identity, wakes it, and hands the
//! connection back. The caller's own process changes nothing.
//!
//! It outlives a caller that is killed, and on every path it takes back what it made: the reply file, the locks, the
//! posts that nobody took. It runs after fork, so nothing here allocates, takes a lock or panics: system calls alone,
//! on memory that was made before.

use std::ffi::CStr;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, OpenHow, ResolveFlag, fcntl, openat, openat2};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::{Mode, fchmod, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::loopback::{Listener, greets};
use super::sys::{self, Semaphore};
use crate::sys::{Identity, take_identity};

/// What the helper needs, made before the fork.
pub(super) struct Duty<'a> {
    /// Where it reports, and whose end means that nobody waits any more.
    pub(super) control: BorrowedFd<'a>,
    pub(super) pidfd: BorrowedFd<'a>,
    /// The directory of all VMs, and the target's in it.
    pub(super) common: BorrowedFd<'a>,
    pub(super) vm: BorrowedFd<'a>,
    /// The target's, where they are not ours.
    pub(super) ipc: Option<BorrowedFd<'a>>,
    pub(super) net: Option<BorrowedFd<'a>>,
    pub(super) identity: Option<Identity>,
    /// Sixteen digits that the target must repeat.
    pub(super) key: &'a str,
    pub(super) deadline: Option<Instant>,
}

/// What the helper was doing when something failed; `Connected` comes with a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    Connected = 0,
    Namespace,
    Identity,
    Listen,
    Lock,
    Reply,
    Semaphore,
    /// Woken again and again, and it has not connected.
    Silence,
    /// Somebody connected who did not know the key, and the target did not.
    Key,
}

impl Stage {
    const ALL: [Stage; 9] = [
        Stage::Connected,
        Stage::Namespace,
        Stage::Identity,
        Stage::Listen,
        Stage::Lock,
        Stage::Reply,
        Stage::Semaphore,
        Stage::Silence,
        Stage::Key,
    ];
}

/// What it reports, in eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) stage: Stage,
    pub(super) errno: i32,
    /// How often the target was woken.
    pub(super) tries: u8,
}

impl Report {
    pub(super) const SIZE: usize = 8;

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Report> {
        let stage = *Stage::ALL.get(usize::from(*bytes.first()?))?;
        let errno = i32::from_ne_bytes(*bytes.get(4..8)?.first_chunk()?);
        Some(Report { stage, errno, tries: *bytes.get(1)? })
    }

    fn to_bytes(self) -> [u8; Report::SIZE] {
        let [a, b, c, d] = self.errno.to_ne_bytes();
        [self.stage as u8, self.tries, 0, 0, a, b, c, d]
    }
}

/// The first wait for the target, which rests 300 ms after each notification; each further one is half as long again.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Between two tries somebody else may have a turn.
const BETWEEN: Duration = Duration::from_millis(20);
/// A directory that is filled on purpose must not overflow the semaphore, whose highest value is 32,767.
const MOST_POSTS: i16 = 4096;

const REPLY: &str = "replyInfo";
const LOCK: &str = "_attachlock";
const SYNC: &[u8] = b"/attachNotificationSync";

/// Everything, in the child. Returns its exit status.
pub(super) fn run(duty: &Duty<'_>, locks: &mut Vec<OwnedFd>) -> i32 {
    sys::stand_apart();
    let none = -1;
    crate::janitor::close_all_but(&[
        duty.control.as_raw_fd(),
        duty.pidfd.as_raw_fd(),
        duty.common.as_raw_fd(),
        duty.vm.as_raw_fd(),
        duty.ipc.map_or(none, |fd| fd.as_raw_fd()),
        duty.net.map_or(none, |fd| fd.as_raw_fd()),
    ]);
    let mut tries = 0;
    match attach(duty, locks, &mut tries) {
        Ok(()) | Err(Stop::Quiet) => 0,
        Err(Stop::Failed(stage, errno)) => {
            let report = Report { stage, errno: errno as i32, tries };
            let _ = sys::send(duty.control, &report.to_bytes(), None);
            1
        }
    }
}

pub(super) enum Stop {
    /// Nobody waits any more, or the target has ended, which the caller sees for itself.
    Quiet,
    Failed(Stage, Errno),
}

fn at(stage: Stage) -> impl Fn(Errno) -> Stop {
    move |errno| Stop::Failed(stage, errno)
}

fn attach(duty: &Duty<'_>, locks: &mut Vec<OwnedFd>, tries: &mut u8) -> Result<(), Stop> {
    for (namespace, kind) in [(duty.net, CloneFlags::CLONE_NEWNET), (duty.ipc, CloneFlags::CLONE_NEWIPC)] {
        if let Some(namespace) = namespace {
            setns(namespace, kind).map_err(at(Stage::Namespace))?;
        }
    }
    if let Some(identity) = duty.identity {
        take_identity(identity).map_err(at(Stage::Identity))?;
    }
    let listener = Listener::on_loopback().map_err(at(Stage::Listen))?;
    let mut wait = FIRST_WAIT;
    let mut failure = Stop::Failed(Stage::Silence, Errno::ETIMEDOUT);
    loop {
        let lock = lock_directory(duty)?;
        *tries = tries.saturating_add(1);
        let mut round = Round { duty, locks: &mut *locks, semaphore: None, posted: 0, before: 0, entries: 0 };
        let outcome = round.wake_and_accept(&listener, wait, &mut failure);
        round.settle();
        if let Ok(Some(connection)) = &outcome {
            let report = Report { stage: Stage::Connected, errno: 0, tries: *tries };
            let _ = sys::send(duty.control, &report.to_bytes(), Some(connection.as_fd()));
            // The others come out of their wait before the next attacher may wake them.
            if round.entries > 2 {
                let _ =
                    pause(duty, Duration::from_millis(50) * u32::from(round.entries.min(10).unsigned_abs()));
            }
            return Ok(());
        }
        drop(lock);
        outcome?;
        if remaining(duty).is_some_and(|left| left.is_zero()) {
            return Err(failure);
        }
        pause(duty, BETWEEN)?;
        wait = wait * 3 / 2;
    }
}

/// One notification, and what must be taken back after it.
struct Round<'r, 'd> {
    duty: &'r Duty<'d>,
    /// Sync files of all VMs, held so that a wrong one which is woken stays where it is.
    locks: &'r mut Vec<OwnedFd>,
    semaphore: Option<Semaphore>,
    posted: i16,
    /// The semaphore's value before our posts.
    before: i32,
    entries: i16,
}

impl Round<'_, '_> {
    /// None where the target has not come in this time.
    fn wake_and_accept(
        &mut self,
        listener: &Listener,
        wait: Duration,
        failure: &mut Stop,
    ) -> Result<Option<OwnedFd>, Stop> {
        self.write_reply(listener.port).map_err(at(Stage::Reply))?;
        let (locks, common, entries) = (&mut *self.locks, self.duty.common, &mut self.entries);
        let counted = sys::for_each_subdirectory(common, |name| {
            // Control files begin with _, what is being removed with .trash_.
            if name.to_bytes().starts_with(b".") || name.to_bytes().starts_with(b"_") {
                return;
            }
            *entries = entries.saturating_add(1);
            // The list was made before the fork; a longer one would allocate.
            if locks.len() < locks.capacity()
                && let Some(lock) = lock_sync_file(common, name)
            {
                locks.push(lock);
            }
        });
        counted.map_err(at(Stage::Lock))?;
        let key = semaphore_key(common).map_err(at(Stage::Semaphore))?;
        let semaphore = Semaphore::existing(key).map_err(at(Stage::Semaphore))?;
        self.before = semaphore.value().map_err(at(Stage::Semaphore))?;
        let posts = self.entries.clamp(1, MOST_POSTS);
        semaphore.add(posts).map_err(at(Stage::Semaphore))?;
        (self.semaphore, self.posted) = (Some(semaphore), posts);
        let until = Instant::now() + remaining(self.duty).map_or(wait, |left| left.min(wait));
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let Some(connection) = listener.accept(self.duty, left)? else { continue };
            if greets(&connection, self.duty, until)? {
                return Ok(Some(connection));
            }
            // Any process may connect; only the target can have read the key.
            *failure = Stop::Failed(Stage::Key, Errno::EACCES);
        }
    }

    /// Key and port, for the target's eyes alone: we act as its user. One that is there was left behind.
    fn write_reply(&self, port: u16) -> Result<(), Errno> {
        match unlinkat(self.duty.vm, REPLY, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(e) => return Err(e),
        }
        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        let file = openat(self.duty.vm, REPLY, flags, mode)?;
        // A umask that is stricter still would keep the target out.
        fchmod(&file, mode)?;
        let mut text = [0u8; 64];
        let mut rest = &mut text[..];
        write!(rest, "{}\n{port}\n", self.duty.key).map_err(|_| Errno::EOVERFLOW)?;
        let length = 64 - rest.len();
        match nix::unistd::write(&file, text.get(..length).unwrap_or_default()) {
            Ok(written) if written == length => Ok(()),
            Ok(_) => Err(Errno::ENOSPC),
            Err(e) => Err(e),
        }
    }

    /// Takes back everything, in OpenJ9's own order: the file, the locks, the posts that nobody took.
    fn settle(&mut self) {
        let _ = unlinkat(self.duty.vm, REPLY, UnlinkatFlags::NoRemoveDir);
        self.locks.clear();
        let Some(semaphore) = self.semaphore.take() else { return };
        for _ in 0..self.posted {
            if semaphore.value().is_ok_and(|value| value <= self.before) || semaphore.add(-1).is_err() {
                return;
            }
        }
    }
}

/// Waits for one of two descriptors; quiet stop where nobody waits any more or the target has ended.
pub(super) fn watch(duty: &Duty<'_>, fds: [BorrowedFd<'_>; 2], at_most: Duration) -> Result<[bool; 2], Stop> {
    let [first, second] = fds;
    let mut polled = [first, second, duty.control, duty.pidfd].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    // Rounded up, or the last millisecond would be spent spinning.
    let millis = at_most.as_micros().div_ceil(1000);
    let timeout = PollTimeout::from(u16::try_from(millis).unwrap_or(u16::MAX));
    match poll(&mut polled, timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(e) => return Err(Stop::Failed(Stage::Listen, e)),
    }
    let fired = |at: usize| polled.get(at).and_then(PollFd::any).unwrap_or(false);
    if fired(2) || fired(3) {
        return Err(Stop::Quiet);
    }
    Ok([fired(0), fired(1)])
}

fn pause(duty: &Duty<'_>, time: Duration) -> Result<(), Stop> {
    let mut polled = [duty.control, duty.pidfd].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    let timeout = PollTimeout::from(u16::try_from(time.as_millis()).unwrap_or(u16::MAX));
    match poll(&mut polled, timeout) {
        Ok(count) if count > 0 => Err(Stop::Quiet),
        _ => Ok(()),
    }
}

fn remaining(duty: &Duty<'_>) -> Option<Duration> {
    duty.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
}

/// The lock that attachers take turns by. A VM that waited too long for it puts a new file in its place.
fn lock_directory(duty: &Duty<'_>) -> Result<OwnedFd, Stop> {
    loop {
        let flags = OFlag::O_RDWR | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let lock = openat(duty.common, LOCK, flags, Mode::empty()).map_err(at(Stage::Lock))?;
        match try_lock(&lock) {
            Ok(()) => {
                let ours = fstat(&lock).map_err(at(Stage::Lock))?;
                let there = fstatat(duty.common, LOCK, nix::fcntl::AtFlags::AT_SYMLINK_NOFOLLOW);
                if there.is_ok_and(|there| (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)) {
                    return Ok(lock);
                }
            }
            Err(Errno::EAGAIN | Errno::EACCES) => {}
            Err(e) => return Err(Stop::Failed(Stage::Lock, e)),
        }
        if remaining(duty).is_some_and(|left| left.is_zero()) {
            return Err(Stop::Failed(Stage::Lock, Errno::ETIMEDOUT));
        }
        pause(duty, Duration::from_millis(10))?;
    }
}

/// Its first byte, as OpenJ9 locks it; a lock of this open file, which goes when it is closed.
fn try_lock(file: &OwnedFd) -> Result<(), Errno> {
    let byte = libc::flock {
        l_type: libc::F_WRLCK as _,
        l_whence: libc::SEEK_SET as _,
        l_start: 0,
        l_len: 1,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&byte)).map(drop)
}

/// The sync file of one VM, locked. None where it has none or holds it itself: then it is awake already.
fn lock_sync_file(common: BorrowedFd<'_>, name: &CStr) -> Option<OwnedFd> {
    let name = name.to_bytes();
    let mut path = [0u8; 256 + SYNC.len()];
    path.get_mut(..name.len())?.copy_from_slice(name);
    path.get_mut(name.len()..name.len() + SYNC.len())?.copy_from_slice(SYNC);
    let how = OpenHow::new()
        .flags(OFlag::O_RDWR | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
    let file = openat2(common, path.get(..name.len() + SYNC.len())?, how).ok()?;
    try_lock(&file).ok().map(|()| file)
}

/// `ftok(3)` of `_notifier` with project 0xa1.
fn semaphore_key(common: BorrowedFd<'_>) -> Result<i32, Errno> {
    let stat = fstatat(common, "_notifier", nix::fcntl::AtFlags::AT_SYMLINK_NOFOLLOW)?;
    let key = (stat.st_ino & 0xffff) | (stat.st_dev & 0xff) << 16 | 0xa1 << 24;
    Ok((key as u32).cast_signed())
}
