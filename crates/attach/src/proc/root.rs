//! The file system as the target sees it, reached through `/proc/PID/root` without entering a namespace.
//!
//! Every path below is resolved by `openat2(RESOLVE_IN_ROOT)`: whatever symbolic links the target has planted, no
//! file outside its own root is reached.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{Mode, SFlag, fstat};

use super::Process;
use crate::sys;

/// A handle on the target's root directory.
#[derive(Debug)]
pub struct TargetRoot {
    dir: OwnedFd,
    /// Where that root lies in our own view: `/`, or a chroot's directory.
    seen_at: PathBuf,
}

impl TargetRoot {
    /// Needs ptrace-read access to the process: the same user and dumpable, or CAP_SYS_PTRACE.
    pub fn open(process: &Process) -> io::Result<TargetRoot> {
        Ok(TargetRoot { dir: process.open_dir("root")?, seen_at: process.link("root")? })
    }

    /// A path-only handle on a directory of the target.
    pub fn open_dir(&self, path: &Path) -> io::Result<OwnedFd> {
        self.openat2(path, OFlag::O_PATH | OFlag::O_DIRECTORY)
    }

    /// Opens a regular file for reading. A FIFO, device or directory put in its place is refused and not opened: to
    /// open one is to take part in it.
    pub fn open_file(&self, path: &Path) -> io::Result<File> {
        open_regular(&self.openat2(path, OFlag::O_PATH)?)
    }

    /// As [`TargetRoot::open_file`], and only if it belongs to `uid`.
    pub(crate) fn open_file_of(&self, path: &Path, uid: u32) -> io::Result<File> {
        let handle = self.openat2(path, OFlag::O_PATH)?;
        if fstat(&handle)?.st_uid != uid {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user"));
        }
        open_regular(&handle)
    }

    /// At most `limit` bytes of a regular file of the target.
    pub fn read_at_most(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        sys::read_at_most(self.open_file(path)?, limit)
    }

    /// Device and inode of what the target finds at `path`, which may be of any type and unreadable for us.
    pub fn file_id(&self, path: &Path) -> io::Result<(u64, u64)> {
        let stat = fstat(&self.openat2(path, OFlag::O_PATH)?)?;
        Ok((stat.st_dev, stat.st_ino))
    }

    /// A path that the kernel told us in our own view (`maps`, `exe`), as the target would write it.
    pub fn as_target_sees<'a>(&self, path: &'a Path) -> &'a Path {
        if self.seen_at == Path::new("/") {
            return path;
        }
        path.strip_prefix(&self.seen_at).unwrap_or(path)
    }

    fn openat2(&self, path: &Path, flags: OFlag) -> io::Result<OwnedFd> {
        let how = OpenHow::new()
            .flags(flags | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        // EAGAIN: a rename raced with the look-up of "..", and the kernel will not vouch for the result.
        for _ in 0..16 {
            match openat2(&self.dir, path, how.mode(Mode::empty())) {
                Err(Errno::EAGAIN) => continue,
                other => return other.map_err(|e| sys::lacking("openat2", "5.6", e.into())),
            }
        }
        Err(io::Error::from(Errno::EAGAIN))
    }
}

/// Opens for reading what a path-only handle leads to, if that is a plain file. The handle keeps meaning the file that
/// was looked at, whatever is put at its path meanwhile. Rights are those of the calling thread.
pub(crate) fn open_regular(handle: &OwnedFd) -> io::Result<File> {
    if SFlag::from_bits_truncate(fstat(handle)?.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
    // O_NONBLOCK: a lease on it must not hold us.
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    Ok(nix::fcntl::open(path.as_str(), flags, Mode::empty())?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooted_at(dir: &Path) -> TargetRoot {
        TargetRoot { dir: File::open(dir).unwrap().into(), seen_at: dir.to_owned() }
    }

    #[test]
    fn planted_links_stay_inside() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("release")).unwrap();
        std::os::unix::fs::symlink("../../../../etc/passwd", dir.path().join("up")).unwrap();
        let root = rooted_at(dir.path());
        assert_eq!(root.open_file(Path::new("/release")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(root.open_file(Path::new("/up")).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::write(dir.path().join("etc/passwd"), "inside").unwrap();
        assert_eq!(root.read_at_most(Path::new("/release"), 99).unwrap(), b"inside");
        assert_eq!(root.read_at_most(Path::new("/up"), 3).unwrap(), b"ins");
    }

    #[test]
    fn a_fifo_is_refused_and_not_even_opened() {
        use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
        let dir = tempfile::tempdir().unwrap();
        let (fifo, plain) = (dir.path().join("fifo"), dir.path().join("plain"));
        nix::unistd::mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        std::fs::write(&plain, "").unwrap();
        let opened = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
        opened.add_watch(&fifo, AddWatchFlags::IN_OPEN).unwrap();
        let error = rooted_at(dir.path()).open_file(Path::new("fifo")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(opened.read_events().is_err(), "somebody who waits for a reader would have been woken");
        // That the kernel does tell:
        opened.add_watch(&plain, AddWatchFlags::IN_OPEN).unwrap();
        rooted_at(dir.path()).open_file(Path::new("plain")).unwrap();
        assert_eq!(opened.read_events().unwrap().len(), 1);
    }

    #[test]
    fn a_file_of_somebody_else_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("x"), "").unwrap();
        let (root, me) = (rooted_at(dir.path()), nix::unistd::geteuid().as_raw());
        root.open_file_of(Path::new("x"), me).unwrap();
        assert!(root.open_file_of(Path::new("x"), me + 1).is_err());
    }

    #[test]
    fn a_chroots_paths_lose_its_prefix() {
        let dir = tempfile::tempdir().unwrap();
        let root = rooted_at(dir.path());
        assert_eq!(root.as_target_sees(&dir.path().join("usr/x")), Path::new("usr/x"));
        assert_eq!(root.as_target_sees(Path::new("/elsewhere")), Path::new("/elsewhere"));
    }
}
