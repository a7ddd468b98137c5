//! The file system as the target sees it, reached through `/proc/PID/root` without entering a namespace.
//!
//! Every path below is resolved by `openat2(RESOLVE_IN_ROOT)`: whatever symbolic links the target has planted, no
//! file outside its own root is reached.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
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

    /// Opens a regular file for reading; a FIFO, device or directory put in its place is refused without blocking.
    pub fn open_file(&self, path: &Path) -> io::Result<File> {
        let fd = self.openat2(path, OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY)?;
        if SFlag::from_bits_truncate(fstat(&fd)?.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(File::from(fd))
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
                Err(Errno::ENOSYS) => {
                    return Err(io::Error::new(io::ErrorKind::Unsupported, "openat2 needs Linux 5.6"));
                }
                other => return other.map_err(io::Error::from),
            }
        }
        Err(io::Error::from(Errno::EAGAIN))
    }
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
    fn a_fifo_does_not_block() {
        let dir = tempfile::tempdir().unwrap();
        nix::unistd::mkfifo(&dir.path().join("release"), Mode::S_IRWXU).unwrap();
        let error = rooted_at(dir.path()).open_file(Path::new("release")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn a_chroots_paths_lose_its_prefix() {
        let dir = tempfile::tempdir().unwrap();
        let root = rooted_at(dir.path());
        assert_eq!(root.as_target_sees(&dir.path().join("usr/x")), Path::new("usr/x"));
        assert_eq!(root.as_target_sees(Path::new("/elsewhere")), Path::new("/elsewhere"));
    }
}
