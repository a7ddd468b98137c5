//! A directory of ours in the target's own `/tmp`: what an agent is told, what it answers, and the jars it is made of.
//!
//! Every access is made as the target's user and through directory handles, with links refused, so that a hostile
//! target can only mislead us about files it could have written itself.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fstat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::listener::MeetingPlace;
use crate::sys::{self, Identity};
use crate::target::Target;

/// A directory owned by the target's user, mode 0700.
#[derive(Debug)]
pub struct TargetDir {
    dir: OwnedFd,
    owner: Identity,
    path: PathBuf,
}

impl TargetDir {
    /// `/tmp/.jgraft-<uid>`, made where it does not exist: one for each user, shared by all JVMs of that user that see
    /// the same `/tmp`.
    pub fn home(target: &Target) -> io::Result<TargetDir> {
        let place = MeetingPlace::of(target).map_err(|finding| io::Error::other(finding.evidence))?;
        let tmp = TargetDir {
            dir: place.dir().try_clone_to_owned()?,
            owner: target.status().identity(),
            path: PathBuf::from("/tmp"),
        };
        tmp.subdir(&format!(".jgraft-{}", tmp.owner.uid))
    }

    /// Where it lies in the target's view.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A directory in this one, made where it does not exist. One that is a link or somebody else's is refused.
    pub fn subdir(&self, name: &str) -> io::Result<TargetDir> {
        let dir = self.as_owner(|| {
            match mkdirat(&self.dir, name, Mode::S_IRWXU) {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(e) => return Err(e.into()),
            }
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let dir = openat(&self.dir, name, flags, Mode::empty())?;
            let stat = fstat(&dir)?;
            if stat.st_uid != self.owner.uid || stat.st_mode & 0o077 != 0 {
                let text = format!(
                    "{} belongs to uid {} with mode {:o}, not to uid {} alone",
                    self.path.join(name).display(),
                    stat.st_uid,
                    stat.st_mode & 0o7777,
                    self.owner.uid
                );
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
            }
            Ok(dir)
        })?;
        Ok(TargetDir { dir, owner: self.owner, path: self.path.join(name) })
    }

    /// Writes a new file, readable for its owner alone. An existing one is an error of kind `AlreadyExists`; after any
    /// other error none is left.
    pub fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.as_owner(|| {
            let flags =
                OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let file = openat(&self.dir, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
            let written = std::fs::File::from(file).write_all(bytes);
            if written.is_err() {
                let _ = unlinkat(&self.dir, name, UnlinkatFlags::NoRemoveDir);
            }
            written
        })
    }

    /// Puts a file there whole: other JVMs may be reading one of the same name, so it is written aside and renamed.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let aside = format!("{name}.{}", std::process::id());
        self.write_new(&aside, bytes)?;
        self.as_owner(|| Ok(nix::fcntl::renameat(&self.dir, aside.as_str(), &self.dir, name)?))
    }

    /// At most `limit` bytes of a plain file of the target's user.
    pub fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        self.as_owner(|| {
            let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
            let file = openat(&self.dir, name, flags, Mode::empty())?;
            let stat = fstat(&file)?;
            let kind = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT;
            if kind != SFlag::S_IFREG || stat.st_uid != self.owner.uid {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "not a plain file of the target's user",
                ));
            }
            sys::read_at_most(file.into(), limit)
        })
    }

    /// Removes a directory in this one with the plain files in it.
    pub fn remove_subdir(&self, subdir: TargetDir) -> io::Result<()> {
        let Some(name) = subdir.path.file_name().map(ToOwned::to_owned) else { return Ok(()) };
        self.as_owner(|| {
            let mut dir = nix::dir::Dir::from_fd(subdir.dir.try_clone()?)?;
            for entry in dir.iter() {
                let entry = entry?;
                let _ = unlinkat(&subdir.dir, entry.file_name(), UnlinkatFlags::NoRemoveDir);
            }
            Ok(unlinkat(&self.dir, name.as_os_str(), UnlinkatFlags::RemoveDir)?)
        })
    }

    fn as_owner<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        sys::run_as(self.owner, work)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_tempdir(dir: &Path) -> TargetDir {
        let handle = std::fs::File::open(dir).unwrap();
        TargetDir { dir: handle.into(), owner: Identity::current(), path: dir.to_owned() }
    }

    #[test]
    fn writes_reads_and_removes() {
        let temp = tempfile::tempdir().unwrap();
        let home = in_tempdir(temp.path());
        let session = home.subdir("s-1").unwrap();
        session.write_new("request", b"verb=load").unwrap();
        assert_eq!(session.write_new("request", b"x").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(session.read("request", 4).unwrap(), b"verb");
        session.replace("request", b"new").unwrap();
        assert_eq!(std::fs::read(temp.path().join("s-1/request")).unwrap(), b"new");
        home.remove_subdir(session).unwrap();
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
    }

    #[test]
    fn planted_links_and_open_directories_are_refused() {
        let temp = tempfile::tempdir().unwrap();
        let home = in_tempdir(temp.path());
        std::os::unix::fs::symlink("/etc", temp.path().join("link")).unwrap();
        assert!(home.subdir("link").is_err());
        let session = home.subdir("s").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", temp.path().join("s/reply")).unwrap();
        assert!(session.read("reply", 9).is_err());
        assert_eq!(session.write_new("reply", b"x").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let open: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(temp.path().join("s"), open).unwrap();
        assert_eq!(home.subdir("s").unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
