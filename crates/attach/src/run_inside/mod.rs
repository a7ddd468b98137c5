//! A program of the target's own, run as the target's user in the target's view of the file system: a compiler that only
//! a container has.
//!
//! It may be anything, and we may be root. So it gets the target's ids and groups, and less than the target has of all
//! else: no capability, none to be had by exec, no descriptor, no terminal, no key, no environment, no network, no System V
//! object, no device, none of the system calls that containers forbid ([`seccomp`]), limits, and of all processes it sees its own
//! alone, in a /proc where nothing can be set. What enters namespaces is a child ([`keeper`]); the caller's own process changes
//! nothing.
//!
//! Not the target's: its pid, net and ipc namespaces, since new ones have less in them, and to end a pid namespace ends
//! all that was started there; its mount namespace, but a copy, where mounts of ours reach nobody; its user namespace,
//! since ids of ours mean the same files, and in there is nothing but capabilities; its cgroup, since a compiler that
//! needs too much memory there would have the target killed.
//!
//! The target's own seccomp filter and security label are not taken over. So for root that is elsewhere, in a container for one,
//! nothing is run: to the kernel it is the host's root, and what keeps it in would not keep in what we start.

mod keeper;
mod seccomp;
mod sys;
mod trampoline;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, socketpair};
use nix::unistd::{Pid, pipe2};

use crate::privileges::{Caller, Capability};
use crate::proc::Process;
use crate::sys::{Identity, pidfd_open};
use crate::target::Target;
use crate::wait::Patience;
use keeper::{Duty, Report, Stage, View};

/// So many threads its user may have besides those that there are.
const MORE_THREADS: u64 = 1024;
/// So long the keeper may take to end what it keeps.
const KEEPER_GRACE: Duration = Duration::from_secs(10);

/// What is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// Absolute, in the target's view.
    pub path: &'a Path,
    /// Those behind its own name.
    pub arguments: &'a [String],
    /// All of its environment, `NAME=value` each.
    pub environment: &'a [&'a str],
}

/// What came of it.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to stdout and stderr.
    pub output: Vec<u8>,
}

/// Why there is nothing that came of it. Whatever was started has ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// We lack the right, and nothing was started.
    #[error("to run it as uid {uid} in its view takes {lacking}")]
    Lacking {
        /// Whom it would run as.
        uid: u32,
        /// Capabilities.
        lacking: String,
    },
    /// Nothing was started: the target is root, and what may keep it in, such as a filter, its cgroup's devices, a security
    /// label, or capabilities that it lacks, would not keep in what we start.
    #[error("it would run as root, and what keeps pid {pid} in would not keep it in")]
    Root {
        /// The target.
        pid: i32,
    },
    /// It could not be started.
    #[error("{step}: {error}")]
    NotStarted {
        /// What failed.
        step: &'static str,
        /// With what.
        error: io::Error,
    },
    /// The deadline came.
    #[error("it had not ended in time, and was ended")]
    TooLong,
    /// More than this many bytes of output.
    #[error("it wrote more than {0} bytes to its output, and was ended")]
    TooMuch(usize),
    /// The caller wants to stop.
    #[error("the caller wants to stop, and it was ended")]
    Interrupted,
    /// It was ended, and something of it waits for a file system that does not answer.
    #[error("it was ended, and the kernel has not let go of it: it waits for a file system")]
    Stuck,
}

/// Runs it to its end, its deadline, or the caller's word; nothing that it has started is there any more then.
pub fn run_inside(
    target: &Target,
    program: &Program<'_>,
    output_limit: usize,
    patience: &Patience<'_>,
) -> Result<Ended, RunError> {
    let failed = |step| move |error: io::Error| RunError::NotStarted { step, error };
    let privileged = may_contain(target)?;
    let owner = target.status().identity();
    // To the host's kernel uid 0 is root, wherever it is.
    if owner.uid == 0 && !is_beside_us(target.process()).unwrap_or(false) {
        return Err(RunError::Root { pid: target.pid() });
    }
    let command = sys::CommandLine::new(program).map_err(failed("its command line"))?;
    let trampoline = trampoline::sealed().map_err(failed("a program in memory"))?;
    let handles = privileged.then(|| handles(target)).transpose().map_err(failed("its namespace"))?;
    let nothing = File::open("/dev/null").map_err(failed("/dev/null"))?;
    let (output, writer) = pipe2(OFlag::O_CLOEXEC).map_err(|e| failed("a pipe")(e.into()))?;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
        .map_err(|e| failed("a socket")(e.into()))?;
    let duty = Duty {
        control: theirs.as_fd(),
        nothing: nothing.as_fd(),
        output: writer.as_fd(),
        trampoline: trampoline.as_fd(),
        view: handles.as_ref().map(|(mounts, root)| View { mounts: mounts.as_fd(), root: root.as_fd() }),
        identity: owner,
        groups: &target.status().groups,
        most_threads: threads_of(owner.uid) + MORE_THREADS,
        command: &command,
    };
    let pid = sys::spawn(&duty).map_err(failed("fork"))?;
    let keeper = Keeper { pid, control: Some(ours) };
    drop((theirs, writer));
    keeper.watch(output, output_limit, patience)
}

/// True where we have what it takes to shut it in; false where nothing needs to be shut off, since it is our own user's, beside
/// us, and can do nothing that it could not do anyway.
fn may_contain(target: &Target) -> Result<bool, RunError> {
    let needed = [
        Capability::SysAdmin,
        Capability::SysChroot,
        Capability::SetUid,
        Capability::SetGid,
        Capability::SetPcap,
        Capability::Kill,
    ];
    let missing = Caller::of_this_process().missing(&needed);
    if missing.is_empty() {
        return Ok(true);
    }
    let owner = target.status().identity();
    match owner == Identity::current() && is_beside_us(target.process()).unwrap_or(false) {
        true => Ok(false),
        false => Err(RunError::Lacking { uid: owner.uid, lacking: missing.join(", ") }),
    }
}

/// The same root in the same namespaces.
fn is_beside_us(process: &Process) -> io::Result<bool> {
    let me = Process::open(std::process::id().cast_signed())?;
    for link in ["ns/mnt", "ns/user", "ns/pid", "ns/net", "ns/ipc", "root"] {
        if me.file_id(link)? != process.file_id(link)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Its mount namespace and its root.
fn handles(target: &Target) -> io::Result<(OwnedFd, OwnedFd)> {
    let process = target.process();
    Ok((process.open_file("ns/mnt")?.into(), process.open_dir("root")?))
}

/// How many threads a user has, which the limit on them counts.
fn threads_of(uid: u32) -> u64 {
    let number = |status: &str, name| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let is_number = |name: &OsStr| name.to_str().is_some_and(|name| name.parse::<u32>().is_ok());
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let statuses = entries
        .filter(|entry| is_number(&entry.file_name()))
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("status")).ok());
    let of_user = statuses.filter(|status| number(status, "Uid:") == Some(uid.into()));
    of_user.filter_map(|status| number(&status, "Threads:")).sum()
}

/// The child that keeps the program. When this is dropped, both end.
struct Keeper {
    pid: Pid,
    control: Option<OwnedFd>,
}

impl Keeper {
    fn watch(self, output: OwnedFd, limit: usize, patience: &Patience<'_>) -> Result<Ended, RunError> {
        let mut output = NonBlocking::new(output, limit)?;
        let Some(control) = &self.control else { return Err(lost()) };
        loop {
            if patience.is_over() {
                return Err(RunError::TooLong);
            }
            let [readable, told, cancelled] =
                ready(output.open.then(|| output.file.as_fd()), control, patience)?;
            if cancelled {
                return Err(RunError::Interrupted);
            }
            // Its words before its end.
            if readable {
                output.read_some()?;
            }
            if told {
                let status = outcome(control)?;
                output.read_some()?;
                return Ok(Ended { status, output: output.bytes });
            }
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let ended = pidfd_open(self.pid.as_raw());
        // Whose end is the word to end.
        drop(self.control.take());
        if let Ok(ended) = ended {
            let until = Instant::now() + KEEPER_GRACE;
            let mut polled = [PollFd::new(ended.as_fd(), PollFlags::POLLIN)];
            let left = || PollTimeout::try_from(until.saturating_duration_since(Instant::now()));
            while poll(&mut polled, left().unwrap_or(PollTimeout::ZERO)) == Err(Errno::EINTR) {}
            if polled[0].any() != Some(true) {
                // It waits for a file system itself: with it goes what it keeps.
                let _ = kill(self.pid, Signal::SIGKILL);
                return;
            }
        }
        while nix::sys::wait::waitpid(self.pid, None) == Err(Errno::EINTR) {}
    }
}

/// Waits for the output, the keeper's word or the caller's.
fn ready(
    output: Option<std::os::fd::BorrowedFd<'_>>,
    control: &OwnedFd,
    patience: &Patience<'_>,
) -> Result<[bool; 3], RunError> {
    let mut fds = vec![PollFd::new(control.as_fd(), PollFlags::POLLIN)];
    let mut add = |fd| {
        fds.push(PollFd::new(fd, PollFlags::POLLIN));
        fds.len() - 1
    };
    let (output, cancel) = (output.map(&mut add), patience.cancel.map(&mut add));
    let left = patience.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    // Rounded up, or the last millisecond would be spent spinning.
    let left = left.map(|left| u32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(u32::MAX));
    let left = left.map_or(PollTimeout::NONE, |left| PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX));
    match poll(&mut fds, left) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(RunError::NotStarted { step: "poll", error: error.into() }),
    }
    let fired = |at: Option<usize>| at.is_some_and(|at| fds[at].any() == Some(true));
    Ok([fired(output), fired(Some(0)), fired(cancel)])
}

/// What the keeper says: how the program has ended, or why it did not start.
fn outcome(control: &OwnedFd) -> Result<ExitStatus, RunError> {
    use std::os::fd::AsRawFd;
    let mut bytes = [0; Report::SIZE];
    let got = recv(control.as_raw_fd(), &mut bytes, MsgFlags::empty());
    match got.ok().filter(|got| *got == Report::SIZE).and_then(|_| Report::from_bytes(bytes)) {
        Some(Report { stage: Stage::Ended, number }) => Ok(ExitStatus::from_raw(number)),
        Some(Report { stage: Stage::Stuck, .. }) => Err(RunError::Stuck),
        Some(Report { stage, number }) => {
            Err(RunError::NotStarted { step: stage.words(), error: io::Error::from_raw_os_error(number) })
        }
        None => Err(lost()),
    }
}

fn lost() -> RunError {
    let error = io::Error::other("it ended without a word");
    RunError::NotStarted { step: "the process that would keep it", error }
}

/// What the program writes, as far as it has.
struct NonBlocking {
    file: File,
    bytes: Vec<u8>,
    limit: usize,
    open: bool,
}

impl NonBlocking {
    fn new(fd: OwnedFd, limit: usize) -> Result<NonBlocking, RunError> {
        let flags = nix::fcntl::FcntlArg::F_SETFL(OFlag::O_NONBLOCK);
        nix::fcntl::fcntl(&fd, flags)
            .map_err(|error| RunError::NotStarted { step: "fcntl", error: error.into() })?;
        Ok(NonBlocking { file: fd.into(), bytes: Vec::new(), limit, open: true })
    }

    /// All that is there.
    fn read_some(&mut self) -> Result<(), RunError> {
        let mut piece = [0; 8192];
        while self.open {
            match self.file.read(&mut piece) {
                Ok(0) => self.open = false,
                Ok(got) => self.bytes.extend_from_slice(&piece[..got]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(RunError::NotStarted { step: "its output", error }),
            }
            if self.bytes.len() > self.limit {
                return Err(RunError::TooMuch(self.limit));
            }
        }
        Ok(())
    }
}
