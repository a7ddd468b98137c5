//! A process held by handles (a pidfd and its directory in `/proc`), so that a reused number is never mistaken for it.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat, readlinkat};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;

use super::maps::JvmMaps;
use crate::sys;

/// More than any file of `/proc` that we read whole can honestly hold.
const LIMIT: usize = 16 << 20;

/// A process of this host, by handle.
#[derive(Debug)]
pub struct Process {
    pid: i32,
    pidfd: OwnedFd,
    dir: OwnedFd,
}

impl Process {
    /// Takes hold of `pid`. An error of kind `NotFound` means there is no such process.
    pub fn open(pid: i32) -> io::Result<Process> {
        // The pidfd comes first: if the number changes hands before the directory is opened, the check below sees it.
        let pidfd = match sys::pidfd_open(pid) {
            Ok(fd) => fd,
            // EINVAL: the number of a thread, or no number a process can have.
            Err(e) if matches!(e.raw_os_error(), Some(nix::libc::ESRCH | nix::libc::EINVAL)) => {
                return Err(io::Error::new(io::ErrorKind::NotFound, e));
            }
            Err(e) => return Err(e),
        };
        let dir = open(
            format!("/proc/{pid}").as_str(),
            OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )?;
        let process = Process { pid, pidfd, dir };
        if process.has_ended() {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        Ok(process)
    }

    /// A second handle on the same process.
    pub fn try_clone(&self) -> io::Result<Process> {
        Ok(Process { pid: self.pid, pidfd: self.pidfd.try_clone()?, dir: self.dir.try_clone()? })
    }

    /// The number in our pid namespace.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Readable (`POLLIN`) once the process has ended.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// True once it has ended, reaped or not.
    pub fn has_ended(&self) -> bool {
        let mut fds = [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)];
        matches!(poll(&mut fds, PollTimeout::ZERO), Ok(n) if n > 0)
    }

    /// One file of `/proc/PID`, whole. An ended process gives `NotFound`.
    pub(crate) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        sys::read_whole(self.open_file(name)?, LIMIT).map_err(ended_is_not_found)
    }

    /// What its memory map says of a JVM; `ns_pid` is its own number in its innermost pid namespace.
    pub(crate) fn jvm_maps(&self, ns_pid: i32) -> io::Result<JvmMaps> {
        JvmMaps::read(self.open_file("maps")?, ns_pid).map_err(ended_is_not_found)
    }

    pub(crate) fn open_file(&self, name: &str) -> io::Result<File> {
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        let fd = openat(&self.dir, name, flags, Mode::empty());
        fd.map(File::from).map_err(|e| ended_is_not_found(e.into()))
    }

    /// A file of it, or the one behind a descriptor or link of it, to read and to write.
    pub(crate) fn open_to_write(&self, name: &str) -> io::Result<OwnedFd> {
        let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        openat(&self.dir, name, flags, Mode::empty()).map_err(|e| ended_is_not_found(e.into()))
    }

    /// A path-only handle on whatever a descriptor or link of it leads to.
    pub(crate) fn open_handle(&self, name: &str) -> io::Result<OwnedFd> {
        let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
        openat(&self.dir, name, flags, Mode::empty()).map_err(|e| ended_is_not_found(e.into()))
    }

    /// A directory of `/proc/PID` or behind one of its magic links (`root`, `cwd`), as a path-only handle.
    pub(crate) fn open_dir(&self, name: &str) -> io::Result<OwnedFd> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        openat(&self.dir, name, flags, Mode::empty()).map_err(|e| ended_is_not_found(e.into()))
    }

    /// Where a link of `/proc/PID` points: text made by the kernel, a path in our own view.
    pub(crate) fn link(&self, name: &str) -> io::Result<PathBuf> {
        readlinkat(&self.dir, name).map(PathBuf::from).map_err(|e| ended_is_not_found(e.into()))
    }

    /// The names in a directory of `/proc/PID` (`task`, `fd`).
    pub(crate) fn entries(&self, name: &str) -> io::Result<Vec<OsString>> {
        use std::os::unix::ffi::OsStrExt;
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut dir = nix::dir::Dir::openat(&self.dir, name, flags, Mode::empty())?;
        let mut names = Vec::new();
        for entry in dir.iter() {
            let entry = entry.map_err(|e| ended_is_not_found(e.into()))?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(std::ffi::OsStr::from_bytes(name).to_owned());
            }
        }
        Ok(names)
    }

    /// Device and inode behind one of its descriptors or links.
    pub(crate) fn file_id(&self, name: &str) -> io::Result<(u64, u64)> {
        let stat = nix::sys::stat::fstatat(&self.dir, name, nix::fcntl::AtFlags::empty())?;
        Ok((stat.st_dev, stat.st_ino))
    }

    /// Is a socket of these numbers among its descriptors?
    pub(crate) fn has_socket(&self, inodes: &[u64]) -> io::Result<bool> {
        let wanted: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
        let links_to_it = |fd: OsString| {
            let link = fd.to_str().and_then(|fd| self.link(&format!("fd/{fd}")).ok());
            link.is_some_and(|link| wanted.iter().any(|wanted| link.as_os_str() == wanted.as_str()))
        };
        Ok(self.entries("fd")?.into_iter().any(links_to_it))
    }

    /// Ticks since boot at which it started (proc(5), `stat` field 22): with the pid, its identity on this host.
    pub fn start_ticks(&self) -> io::Result<u64> {
        let stat = self.read("stat")?;
        start_ticks(&stat).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/PID/stat"))
    }

    /// How long it has been running, whatever it ran before it became what it is.
    pub fn age(&self) -> io::Result<Duration> {
        age(self.start_ticks()?)
    }

    /// How long ago it made the oldest thread that it still has besides its first. None survives an exec, so a JVM
    /// cannot be much older, although its process can. `NotFound` while there is none.
    pub(crate) fn age_of_threads(&self) -> io::Result<Duration> {
        let tids = self.entries("task")?.into_iter().filter_map(|tid| tid.to_str()?.parse::<i32>().ok());
        // Numbers rise; when they come round, a younger thread is taken for the oldest.
        let Some(oldest) = tids.filter(|tid| *tid != self.pid).min_by_key(|tid| (*tid < self.pid, *tid))
        else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let stat = self.read(&format!("task/{oldest}/stat"))?;
        age(start_ticks(&stat).ok_or(io::ErrorKind::InvalidData)?)
    }

    /// True when a thread of it bears this name (`/proc/PID/task/*/comm`, at most 15 bytes).
    pub(crate) fn has_thread_named(&self, name: &str) -> io::Result<bool> {
        for tid in self.entries("task")? {
            let Some(tid) = tid.to_str() else { continue };
            // A thread that ends meanwhile is no error.
            if let Ok(comm) = self.read(&format!("task/{tid}/comm"))
                && comm.trim_ascii_end() == name.as_bytes()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// From ticks since boot until now.
fn age(start_ticks: u64) -> io::Result<Duration> {
    let started = start_ticks as f64 / sys::clock_ticks() as f64;
    let uptime = std::fs::read_to_string("/proc/uptime")?;
    let now: f64 = uptime.split_whitespace().next().and_then(|s| s.parse().ok()).unwrap_or(started);
    Ok(Duration::from_secs_f64((now - started).max(0.0)))
}

/// Field 22; the command name in field 2 may hold blanks and parentheses, so count from its last `)`.
fn start_ticks(stat: &[u8]) -> Option<u64> {
    let after = stat.iter().rposition(|&b| b == b')')? + 1;
    std::str::from_utf8(&stat[after..]).ok()?.split_whitespace().nth(19)?.parse().ok()
}

fn ended_is_not_found(e: io::Error) -> io::Error {
    if e.raw_os_error() == Some(Errno::ESRCH as i32) { io::Error::new(io::ErrorKind::NotFound, e) } else { e }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_time_survives_a_hostile_name() {
        let stat = b"7 (a) 9 (b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
        assert_eq!(start_ticks(stat), Some(4242));
        assert_eq!(start_ticks(b"7 (java"), None);
    }

    #[test]
    fn an_ended_process_is_not_found() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id() as i32;
        // Not reaped yet: a zombie has a pidfd and a directory, and still has ended.
        nix::sys::wait::waitid(
            nix::sys::wait::Id::Pid(nix::unistd::Pid::from_raw(pid)),
            nix::sys::wait::WaitPidFlag::WEXITED | nix::sys::wait::WaitPidFlag::WNOWAIT,
        )
        .unwrap();
        assert_eq!(Process::open(pid).unwrap_err().kind(), io::ErrorKind::NotFound);
        child.wait().unwrap();
        assert_eq!(Process::open(pid).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn we_are_young_and_have_a_thread() {
        let me = Process::open(std::process::id() as i32).unwrap();
        assert!(me.age().unwrap() < Duration::from_secs(3600));
        let worker = std::thread::Builder::new().name("Attach Listener".into());
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let (ready, started) = std::sync::mpsc::channel::<()>();
        let worker = worker
            .spawn(move || {
                ready.send(()).ok();
                held.recv().ok()
            })
            .unwrap();
        started.recv().unwrap();
        assert!(me.has_thread_named("Attach Listener").unwrap());
        assert!(!me.has_thread_named("Attach").unwrap());
        let age = me.age_of_threads().unwrap();
        assert!(age <= me.age().unwrap(), "{age:?}");
        drop(hold);
        worker.join().unwrap();
    }
}
