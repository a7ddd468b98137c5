//! The keeper: a child process that goes where the target is, starts the program there as the target's user, and stays to
//! end it: at the caller's word, or when the caller is gone.
//!
//! It runs after fork, so nothing here allocates, takes a lock or panics: system calls alone, on memory that was made
//! before. While it has rights and can be seen, nobody but root may look into it: it is not dumpable from the first.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::sys::socket::{MsgFlags, send};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{
    AccessFlags, Pid, access, chdir, chroot, dup2_stderr, dup2_stdin, dup2_stdout, fchdir, read, setsid,
    write,
};

use super::sys::{self, CommandLine};
use crate::janitor::close_all_but;
use crate::sys::{Identity, pidfd_open, take_identity_and_groups};

/// What it needs, made before the fork.
pub(super) struct Duty<'a> {
    /// Where it reports, and whose end is the word to end.
    pub(super) control: BorrowedFd<'a>,
    /// The program's stdin.
    pub(super) nothing: BorrowedFd<'a>,
    /// The program's stdout and stderr.
    pub(super) output: BorrowedFd<'a>,
    pub(super) trampoline: BorrowedFd<'a>,
    /// Where to go; none where the target is beside us, as our own user.
    pub(super) view: Option<View<'a>>,
    pub(super) identity: Identity,
    pub(super) groups: &'a [u32],
    /// Of its user, those that are there already among them.
    pub(super) most_threads: u64,
    pub(super) command: &'a CommandLine,
}

/// The target's view of the file system.
pub(super) struct View<'a> {
    /// Its mount namespace.
    pub(super) mounts: BorrowedFd<'a>,
    /// Its root directory.
    pub(super) root: BorrowedFd<'a>,
}

/// What a report is about; all but two say what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    /// With the program's status, as wait(2) has it.
    Ended = 0,
    Stuck,
    Mounts,
    Root,
    Unshare,
    Private,
    Devices,
    Fork,
    Proc,
    Descriptors,
    Limits,
    Bounding,
    Identity,
    Capabilities,
    Keyring,
    Privileges,
    Filter,
    DeathSignal,
    Access,
    Execute,
}

impl Stage {
    const ALL: [Stage; 20] = [
        Stage::Ended,
        Stage::Stuck,
        Stage::Mounts,
        Stage::Root,
        Stage::Unshare,
        Stage::Private,
        Stage::Devices,
        Stage::Fork,
        Stage::Proc,
        Stage::Descriptors,
        Stage::Limits,
        Stage::Bounding,
        Stage::Identity,
        Stage::Capabilities,
        Stage::Keyring,
        Stage::Privileges,
        Stage::Filter,
        Stage::DeathSignal,
        Stage::Access,
        Stage::Execute,
    ];

    /// For people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Stage::Ended => "it ended",
            Stage::Stuck => "it could not be ended",
            Stage::Mounts => "its mount namespace cannot be entered",
            Stage::Root => "its root cannot be entered",
            Stage::Unshare => "there is no namespace for it",
            Stage::Private => "its mounts cannot be told from the target's",
            Stage::Devices => "it cannot be kept from devices",
            Stage::Fork => "there is no process for it",
            Stage::Proc => "it cannot have a /proc",
            Stage::Descriptors => "it cannot have a stdin and stdout",
            Stage::Limits => "it cannot be limited",
            Stage::Bounding => "its capabilities cannot be bounded",
            Stage::Identity => "it cannot have the ids and groups of its user",
            Stage::Capabilities => "it cannot be without capabilities",
            Stage::Keyring => "it cannot be without our keys",
            Stage::Privileges => "it cannot be kept from privileges",
            Stage::Filter => "it cannot be kept from system calls",
            Stage::DeathSignal => "it would outlive us",
            Stage::Access => "its user may not execute it",
            Stage::Execute => "it cannot be executed",
        }
    }
}

/// What the keeper, or the program before it is one, says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) stage: Stage,
    /// An errno, or a status.
    pub(super) number: i32,
}

impl Report {
    pub(super) const SIZE: usize = 8;

    pub(super) fn from_bytes(bytes: [u8; Report::SIZE]) -> Option<Report> {
        let [stage, _, _, _, number @ ..] = bytes;
        Some(Report { stage: *Stage::ALL.get(usize::from(stage))?, number: i32::from_ne_bytes(number) })
    }

    fn send(self, duty: &Duty<'_>) {
        let [a, b, c, d] = self.number.to_ne_bytes();
        let bytes = [self.stage as u8, 0, 0, 0, a, b, c, d];
        let _ = send(duty.control.as_raw_fd(), &bytes, MsgFlags::MSG_NOSIGNAL);
    }
}

type Failed = (Stage, Errno);

fn at(stage: Stage) -> impl Fn(Errno) -> Failed {
    move |errno| (stage, errno)
}

/// So long the kernel may take to end what was killed.
const GRACE: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: u8 = 5;
/// Bytes of one file that the program writes.
const MOST_OF_A_FILE: u64 = 256 << 20;
/// Bytes that one of its processes may write to in its own memory.
const MOST_MEMORY: u64 = 4 << 30;
const MOST_FILES: u64 = 4096;

/// Everything, in the child. Returns its exit status.
pub(super) fn run(duty: &Duty<'_>) -> i32 {
    // No signal that is meant for the caller, such as a terminal's Ctrl-C, may end it before the program.
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None);
    let _ = setsid();
    let none = -1;
    close_all_but(&[
        duty.control.as_raw_fd(),
        duty.nothing.as_raw_fd(),
        duty.output.as_raw_fd(),
        duty.trampoline.as_raw_fd(),
        duty.view.as_ref().map_or(none, |view| view.mounts.as_raw_fd()),
        duty.view.as_ref().map_or(none, |view| view.root.as_raw_fd()),
    ]);
    let started = first_to_be_killed(|| {
        let _ = prctl::set_dumpable(false);
        prepare(duty)?;
        sys::child(|| become_program(duty)).map_err(at(Stage::Fork))
    });
    match started {
        Ok(program) => {
            keep(duty, program).send(duty);
            0
        }
        Err((stage, errno)) => {
            Report { stage, number: errno as i32 }.send(duty);
            1
        }
    }
}

/// Whatever is forked in here is what the kernel ends first where memory is short, and not the target. Where that cannot be
/// said, it is done all the same.
fn first_to_be_killed<T>(work: impl FnOnce() -> T) -> T {
    let file = open("/proc/self/oom_score_adj", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()).ok();
    let mut before = [0; 16];
    let length = file.as_ref().and_then(|file| read(file, &mut before).ok()).unwrap_or(0);
    let set = |score: &[u8]| file.as_ref().map(|file| write(file, score));
    set(b"1000");
    let done = work();
    // Not the keeper itself: nobody else would end the program.
    set(before.get(..length).unwrap_or_default());
    done
}

/// Into the target's view. What is mounted there from now on, the target does not see.
fn prepare(duty: &Duty<'_>) -> Result<(), Failed> {
    if let Some(view) = &duty.view {
        setns(view.mounts, CloneFlags::CLONE_NEWNS).map_err(at(Stage::Mounts))?;
        // The copy has our working directory where the namespace has it, and so the target's root.
        fchdir(view.root).map_err(at(Stage::Root))?;
        let apart = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID;
        let apart = apart | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC;
        unshare(apart).map_err(at(Stage::Unshare))?;
        // What is mounted there from now on does not come here either: it would come with devices.
        remount(c"/", None, MsFlags::MS_REC | MsFlags::MS_PRIVATE).map_err(at(Stage::Private))?;
        // Its cgroup may keep it from devices, and ours does not.
        sys::mounts_without_devices().map_err(at(Stage::Devices))?;
        chroot(c".").map_err(at(Stage::Root))?;
    } else {
        // What its processes leave behind comes to us.
        prctl::set_child_subreaper(true).map_err(at(Stage::Unshare))?;
    }
    chdir(c"/").map_err(at(Stage::Root))
}

fn remount(at: &std::ffi::CStr, kind: Option<&std::ffi::CStr>, flags: MsFlags) -> Result<(), Errno> {
    mount(kind, at, kind, flags, None::<&std::ffi::CStr>)
}

/// In the program's process; returns only where that failed.
fn become_program(duty: &Duty<'_>) -> i32 {
    let Err((stage, errno)) = execute(duty);
    Report { stage, number: errno as i32 }.send(duty);
    1
}

fn execute(duty: &Duty<'_>) -> Result<std::convert::Infallible, Failed> {
    let _ = setsid();
    if duty.view.is_some() {
        own_proc().map_err(at(Stage::Proc))?;
    }
    dup2_stdin(duty.nothing).map_err(at(Stage::Descriptors))?;
    dup2_stdout(duty.output).map_err(at(Stage::Descriptors))?;
    dup2_stderr(duty.output).map_err(at(Stage::Descriptors))?;
    // All others that there are by now close themselves on exec.
    limit(duty.most_threads).map_err(at(Stage::Limits))?;
    if duty.view.is_some() {
        sys::bound_capabilities().map_err(at(Stage::Bounding))?;
        take_identity_and_groups(duty.identity, duty.groups).map_err(at(Stage::Identity))?;
        // Exec would do it too, but for those that are inheritable.
        sys::drop_capabilities().map_err(at(Stage::Capabilities))?;
    }
    sys::leave_keyring().map_err(at(Stage::Keyring))?;
    prctl::set_no_new_privs().map_err(at(Stage::Privileges))?;
    // Only now: to change identity takes it back.
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(at(Stage::DeathSignal))?;
    if wants_end(duty) {
        return Err((Stage::DeathSignal, Errno::EPIPE));
    }
    umask(Mode::from_bits_truncate(0o077));
    sys::default_signals();
    access(duty.command.path(), AccessFlags::X_OK).map_err(at(Stage::Access))?;
    sys::filter_calls().map_err(at(Stage::Filter))?;
    Err((Stage::Execute, duty.command.execute(duty.trampoline)))
}

/// Of its own pid namespace, where it sees itself alone, and can set nothing: a container's has that barred. A view without the
/// directory has none.
fn own_proc() -> Result<(), Errno> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC | MsFlags::MS_RDONLY;
    let mounted = |options| mount(Some(c"proc"), c"/proc", Some(c"proc"), flags, options);
    match mounted(Some(c"subset=pid")) {
        // Before Linux 5.8.
        Err(Errno::EINVAL) => mounted(None::<&std::ffi::CStr>),
        Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(()),
        other => other,
    }
}

/// Against a program that takes all it can get.
fn limit(most_threads: u64) -> Result<(), Errno> {
    for (resource, most) in [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, MOST_OF_A_FILE),
        (Resource::RLIMIT_DATA, MOST_MEMORY),
        (Resource::RLIMIT_NOFILE, MOST_FILES),
        (Resource::RLIMIT_NPROC, most_threads),
    ] {
        let (_, hard) = getrlimit(resource)?;
        let most = most.min(hard);
        setrlimit(resource, most, most)?;
    }
    Ok(())
}

/// Whether nobody waits any more.
fn wants_end(duty: &Duty<'_>) -> bool {
    let mut polled = [PollFd::new(duty.control, PollFlags::POLLIN)];
    poll(&mut polled, PollTimeout::ZERO).is_ok_and(|count| count > 0)
}

/// Stays until the program has ended, or is to; then nothing of it is there any more.
fn keep(duty: &Duty<'_>, program: Pid) -> Report {
    close_all_but(&[duty.control.as_raw_fd()]);
    if let Ok(pidfd) = pidfd_open(program.as_raw()) {
        let mut polled = [duty.control, pidfd.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        while poll(&mut polled, PollTimeout::NONE) == Err(Errno::EINTR) {}
    }
    // It may have ended by itself: then that is its status.
    let mut ended = sys::wait(program.as_raw(), libc::WNOHANG);
    if matches!(ended, Ok((0, _))) {
        // With the first process of a pid namespace all others go.
        let _ = kill(program, Signal::SIGKILL);
        let until = Instant::now() + GRACE;
        while matches!(ended, Ok((0, _))) && Instant::now() < until {
            let _ = poll(&mut [], PollTimeout::from(LOOK));
            ended = sys::wait(program.as_raw(), libc::WNOHANG);
        }
    }
    let is_gone = duty.view.is_some() || end_what_is_left();
    match ended {
        Ok((pid, status)) if pid != 0 && is_gone => Report { stage: Stage::Ended, number: status },
        _ => Report { stage: Stage::Stuck, number: 0 },
    }
}

/// Without a pid namespace: what the program has left behind has become a child of ours. True where nothing is left.
fn end_what_is_left() -> bool {
    let until = Instant::now() + GRACE;
    loop {
        match sys::wait(-1, libc::WNOHANG) {
            Err(_) => return true,
            Ok((pid, _)) if pid > 0 => continue,
            Ok(_) => {}
        }
        if Instant::now() >= until {
            return false;
        }
        kill_children();
        let _ = poll(&mut [], PollTimeout::from(LOOK));
    }
}

/// As many as are told in one read; the next turn has the others.
fn kill_children() {
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let Ok(file) = open("/proc/thread-self/children", flags, Mode::empty()) else { return };
    let mut text = [0; 4096];
    let Ok(got) = read(&file, &mut text) else { return };
    for word in text.get(..got).unwrap_or_default().split(|byte| *byte == b' ') {
        let pid = std::str::from_utf8(word).ok().and_then(|word| word.parse().ok());
        if let Some(pid) = pid.filter(|pid| *pid > 1) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}
