//! The short way to a listener that is up: no signal will be sent, so what makes one harmless need not be known.
//!
//! What must be known still is read: the process is held by its pidfd; it runs (neither stopped nor frozen); the socket
//! belongs to its user, and the process behind it is this one (`SO_PEERCRED`). HotSpot makes a listener only where its
//! operator has left attach on. A VM that may still be creating itself is left to [`crate::Client`], and so is whatever
//! is unusual: it knows the words for it.

use std::fs::File;
use std::io::{ErrorKind, Seek, SeekFrom};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::fcntl::AtFlags;
use nix::sys::stat::fstatat;

use crate::connection::{Attempt, Reply, send_request, try_connect};
use crate::error::AttachError;
use crate::hsperfdata::PerfData;
use crate::listener::{MeetingPlace, trigger_name};
use crate::proc::status::Status;
use crate::proc::{Process, TargetRoot, cgroup, users};
use crate::request::Request;
use crate::sys;
use crate::target::{PERF_LIMIT, START_UP, read_status};
use crate::wait::Patience;

/// Read of its counters at first, in bytes.
const HEAD: u64 = 4096;

/// A connection to a listener that was up, for one request. What is asked next of the same process takes
/// [`Warm::connect_to`] with a clone of [`Warm::process`]: its number may be another's by then.
#[derive(Debug)]
pub struct Warm {
    process: Process,
    socket: OwnedFd,
}

impl Warm {
    /// Connects to the listener of `pid`. `None` where there is none, or anything else is not plainly in order; nothing
    /// was sent then.
    pub fn connect(pid: i32) -> Option<Warm> {
        Warm::connect_to(Process::open(pid).ok()?)
    }

    /// The same for a process that is already held.
    pub fn connect_to(process: Process) -> Option<Warm> {
        let status = read_status(&process).ok()?;
        if status.is_stopped() || status.has_ended() {
            return None;
        }
        let cgroup = match process.read("cgroup") {
            // A kernel without cgroups.
            Err(e) if e.kind() == ErrorKind::NotFound => Vec::new(),
            cgroup => cgroup.ok()?,
        };
        if cgroup::frozen_by(&cgroup).is_some() {
            return None;
        }
        let root = TargetRoot::open(&process).ok()?;
        let place = MeetingPlace::in_root(&root, &status).ok()?;
        if place.socket().ok()?.is_none() || !is_created(&process, &root, &status) {
            return None;
        }
        // Left by a run that was killed, or somebody is in the middle of a handshake: the long way sees to it.
        if fstatat(place.dir(), trigger_name(&status).as_str(), AtFlags::AT_SYMLINK_NOFOLLOW).is_ok() {
            return None;
        }
        // No time to wait for others: who has to queue does it the long way.
        let at_once = Patience { deadline: Some(Instant::now()), cancel: None };
        let attempt = sys::run_as(status.identity(), || try_connect(&place, &process, &at_once)).ok()?;
        match attempt.ok()? {
            Attempt::Connected(socket) => Some(Warm { process, socket }),
            Attempt::Absent | Attempt::Stale => None,
        }
    }

    /// Whose listener it is.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Sends a request that version 1 carries, and waits for the head of the reply; as [`crate::Client::send`] does.
    pub fn send<'w>(
        &'w self,
        request: &Request,
        timeout: Duration,
        reply_timeout: Option<Duration>,
        cancel: Option<BorrowedFd<'w>>,
    ) -> Result<Reply<'w>, AttachError> {
        let bytes = request.version_1().map_err(AttachError::Blocked)?;
        let system = |e: std::io::Error| AttachError::system("dup", self.process.pid(), e);
        let socket = self.socket.try_clone().map_err(system)?;
        let patience = Patience { deadline: Instant::now().checked_add(timeout), cancel };
        let sent_at = Instant::now();
        send_request(&socket, &self.process, &bytes, &patience)?;
        let deadline = reply_timeout.and_then(|time| Instant::now().checked_add(time));
        Reply::await_header(socket, &self.process, Patience { deadline, cancel }, sent_at)
    }
}

/// Its own counters say so, where they are in the usual place; where there are none, it is old enough. A guess that fails
/// costs the short way.
fn is_created(process: &Process, root: &TargetRoot, status: &Status) -> bool {
    let of = |user: &str| {
        let path = Path::new("tmp").join(format!("hsperfdata_{user}")).join(status.ns_pid.to_string());
        root.open_file_of(&path, status.uid).ok()
    };
    // What uid 0 is called nearly everywhere: no need to read who is who.
    let counters = (status.uid == 0).then(|| of("root")).flatten();
    says_created(counters.or_else(|| of(&users::name_of(status.uid))), || process.age().ok())
}

/// A VM can hang in its creation for longer than any that works takes: a debugger that holds it, a disk that is gone.
fn says_created(counters: Option<File>, age: impl FnOnce() -> Option<Duration>) -> bool {
    let Some(mut counters) = counters else { return age().is_some_and(|age| age >= START_UP) };
    // It is among the first twenty of some 200, on HotSpot 8 to 26; all of them take 32 KiB.
    let ended = |limit| {
        counters.seek(SeekFrom::Start(0)).ok()?;
        let perf = PerfData::parse(sys::read_at_most(&counters, limit).ok()?).ok()?;
        perf.long("sun.rt.createVmEndTime")
    };
    [HEAD, PERF_LIMIT].into_iter().find_map(ended).is_some_and(|end| end > 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::hsperfdata::tests::counters;

    #[test]
    fn counters_decide_and_age_only_where_there_are_none() {
        let (old, young) = (|| Some(START_UP * 2), || Some(START_UP / 2));
        let file = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            Some(file)
        };
        let end = "sun.rt.createVmEndTime";
        assert!(says_created(file(&counters(&[(end, 7)])), young));
        for longs in [&[][..], &[(end, 0)]] {
            assert!(!says_created(file(&counters(longs)), old), "{longs:?}");
        }
        // Far behind others, and such a file cut off.
        let names: Vec<String> = (0..200).map(|i| format!("sun.gc.counter{i}")).collect();
        let longs = names.iter().map(|name| (&**name, 1)).chain([(end, 7)]);
        let long = counters(&longs.collect::<Vec<_>>());
        assert!(long.len() > HEAD as usize && says_created(file(&long), young));
        assert!(!says_created(file(&long[..HEAD as usize]), old));
        // Its list of counters is not complete yet.
        let mut unfinished = counters(&[(end, 7)]);
        unfinished[7] = 0;
        assert!(!says_created(file(&unfinished), old));
        assert!(!says_created(file(b""), old));
        assert!(says_created(None, old));
        assert!(!says_created(None, young));
        assert!(!says_created(None, || None));
    }

    #[test]
    fn an_ended_process_is_not_asked_again() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::open(child.id() as i32).unwrap();
        let again = process.try_clone().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(again.has_ended() && Warm::connect_to(again).is_none());
    }
}
