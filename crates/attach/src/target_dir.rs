//! A directory of ours in the target's view: what an agent is told, what it answers, and what it is made of.
//!
//! Every access is made as the target's user and through directory handles, with links refused, so that a hostile
//! target can only mislead us about files it could have written itself. Which directory, and how long something stays
//! in it, is [`crate::staging`]'s business.

mod tree;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, FcntlArg, OFlag, fcntl, open, openat, renameat};
use nix::libc;
use nix::sys::stat::{FileStat, Mode, SFlag, fchmod, fstat, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::sys::{self, Identity};
pub use tree::Limits;

/// No tree of ours is deeper; a target that plants one does not get our stack.
const DEPTH_LIMIT: u32 = 40;
/// Nor has one more entries.
const ENTRY_LIMIT: usize = 200_000;
/// What is being copied, beside where it will be.
const UNFINISHED: &str = ".jgraft-unfinished";

/// A directory owned by the target's user, mode 0700.
#[derive(Debug)]
pub struct TargetDir {
    dir: OwnedFd,
    owner: Identity,
    path: PathBuf,
}

impl TargetDir {
    /// `name` in the directory `parent`, which is `parent_path` in the target's view; made where it does not exist.
    pub(crate) fn make(
        parent: BorrowedFd<'_>,
        parent_path: &Path,
        owner: Identity,
        name: &OsStr,
    ) -> io::Result<TargetDir> {
        let path = parent_path.join(name);
        let dir = sys::run_as(owner, || {
            match mkdirat(parent, one(name)?, Mode::S_IRWXU) {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(e) => return Err(e.into()),
            }
            open_own(parent, name, owner, &path)
        })??;
        Ok(TargetDir { dir, owner, path })
    }

    /// As [`TargetDir::make`], but `None` where it does not exist.
    pub(crate) fn existing(
        parent: BorrowedFd<'_>,
        parent_path: &Path,
        owner: Identity,
        name: &OsStr,
    ) -> io::Result<Option<TargetDir>> {
        let path = parent_path.join(name);
        match sys::run_as(owner, || open_own(parent, name, owner, &path))? {
            Ok(dir) => Ok(Some(TargetDir { dir, owner, path })),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Where it lies in the target's view.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn handle(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// A directory in this one, made where it does not exist. One that is a link or somebody else's is refused.
    pub fn subdir(&self, name: impl AsRef<OsStr>) -> io::Result<TargetDir> {
        TargetDir::make(self.dir.as_fd(), &self.path, self.owner, name.as_ref())
    }

    /// Writes a new file, readable for its owner alone. An existing one is an error of kind `AlreadyExists`; after any
    /// other error none is left.
    pub fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        self.as_owner(|| write_new(&self.dir, name.as_ref(), mode, &mut &*bytes))
    }

    /// As [`TargetDir::write_new`], with what comes from a reader.
    pub fn copy_new(&self, name: &OsStr, source: &mut (dyn Read + Send)) -> io::Result<()> {
        self.as_owner(|| write_new(&self.dir, name, Mode::S_IRUSR | Mode::S_IWUSR, source))
    }

    /// Makes a new, empty file and locks it: a lock of this open file, which the kernel lets go of when the file is closed,
    /// or this process has ended, however it did (fcntl(2), open file description locks).
    pub fn lock_new(&self, name: &str) -> io::Result<File> {
        self.write_new(name, &[])?;
        self.as_owner(|| {
            let flags = OFlag::O_RDWR | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let file = openat(&self.dir, name, flags, Mode::empty())?;
            let lock =
                libc::flock { l_type: libc::F_WRLCK as _, l_whence: 0, l_start: 0, l_len: 0, l_pid: 0 };
            fcntl(&file, FcntlArg::F_OFD_SETLK(&lock))?;
            Ok(file.into())
        })
    }

    /// Puts a file there whole: others may be reading one of the same name, so it is written aside and renamed. Only
    /// for who holds the lock of the whole place: the name aside is always the same. After an error, the reader's
    /// among them, what was there before is there.
    pub(crate) fn replace(&self, name: &OsStr, mode: Mode, source: &mut (dyn Read + Send)) -> io::Result<()> {
        self.as_owner(|| {
            // Left by one that was killed.
            remove(&self.dir, UNFINISHED.as_ref(), 0, &mut { ENTRY_LIMIT })?;
            write_new(&self.dir, UNFINISHED.as_ref(), mode, source)?;
            let renamed = renameat(&self.dir, UNFINISHED, &self.dir, name);
            if renamed.is_err() {
                let _ = unlinkat(&self.dir, UNFINISHED, UnlinkatFlags::NoRemoveDir);
            }
            Ok(renamed?)
        })
    }

    /// A second handle on the same directory.
    pub(crate) fn try_clone(&self) -> io::Result<TargetDir> {
        Ok(TargetDir { dir: self.dir.try_clone()?, owner: self.owner, path: self.path.clone() })
    }

    /// An open file of its own on this directory, such as a lock needs.
    pub(crate) fn open_again(&self) -> io::Result<File> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        self.as_owner(|| Ok(openat(&self.dir, ".", flags, Mode::empty())?.into()))
    }

    /// Device and inode.
    pub(crate) fn id(&self) -> io::Result<(u64, u64)> {
        let stat = fstat(&self.dir)?;
        Ok((stat.st_dev, stat.st_ino))
    }

    /// At most `limit` bytes of a plain file of the target's user.
    pub fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        let (file, _) = self.open_plain(name.as_ref())?;
        sys::read_at_most(file, limit)
    }

    /// A plain file of the target's user; a longer one than `limit` is an error, for a part of it could be taken for the whole.
    pub fn read_whole(&self, name: &str, limit: usize) -> io::Result<Vec<u8>> {
        let (file, _) = self.open_plain(name.as_ref())?;
        sys::read_whole(file, limit)
    }

    /// What lies behind the first `from` bytes of a plain file of the target's user, at most `limit` bytes of it.
    pub fn read_from(&self, name: &str, from: u64, limit: u64) -> io::Result<Vec<u8>> {
        let (mut file, _) = self.open_plain(name.as_ref())?;
        file.seek(SeekFrom::Start(from))?;
        sys::read_at_most(file, limit)
    }

    /// A plain file of the target's user, open for reading. Anything else by that name is not even opened.
    pub(crate) fn open_plain(&self, name: &OsStr) -> io::Result<(File, FileStat)> {
        self.as_owner(|| open_plain(&self.dir, name, self.owner))
    }

    /// The names in it, at most `limit`.
    pub(crate) fn entries(&self, limit: usize) -> io::Result<Vec<OsString>> {
        self.as_owner(|| names(&self.dir, limit))
    }

    /// Removes an entry and everything in it, links not followed. One that is not there is no error.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        self.as_owner(|| remove(&self.dir, name, 0, &mut { ENTRY_LIMIT }))
    }

    /// Removes a directory in this one with everything in it.
    pub fn remove_subdir(&self, subdir: TargetDir) -> io::Result<()> {
        match subdir.path.file_name() {
            Some(name) => self.remove(name),
            None => Ok(()),
        }
    }

    fn as_owner<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        sys::run_as(self.owner, work)?
    }
}

/// A name that leads nowhere else: the target may have told it to us.
fn one(name: &OsStr) -> io::Result<&OsStr> {
    let bytes = name.as_bytes();
    match bytes.is_empty() || bytes.contains(&b'/') || bytes == b"." || bytes == b".." {
        true => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{name:?} is no name of a file"))),
        false => Ok(name),
    }
}

fn open_plain(dir: &OwnedFd, name: &OsStr, owner: Identity) -> io::Result<(File, FileStat)> {
    let name = one(name)?;
    let handle = openat(dir, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())?;
    let stat = fstat(&handle)?;
    if kind(&stat) != SFlag::S_IFREG || stat.st_uid != owner.uid {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "not a plain file of the target's user"));
    }
    // By the handle: a name could lead to a FIFO or a device by now.
    let file = open(
        format!("/proc/self/fd/{}", handle.as_raw_fd()).as_str(),
        OFlag::O_RDONLY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?;
    Ok((file.into(), stat))
}

fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

fn open_own(parent: BorrowedFd<'_>, name: &OsStr, owner: Identity, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let dir = openat(parent, one(name)?, flags, Mode::empty())?;
    let stat = fstat(&dir)?;
    if stat.st_uid != owner.uid || stat.st_mode & 0o077 != 0 {
        let text = format!(
            "{} belongs to uid {} with mode {:o}, not to uid {} alone",
            path.display(),
            stat.st_uid,
            stat.st_mode & 0o7777,
            owner.uid
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    Ok(dir)
}

fn write_new(dir: &OwnedFd, name: &OsStr, mode: Mode, source: &mut dyn Read) -> io::Result<()> {
    let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut file = File::from(openat(dir, one(name)?, flags, mode)?);
    // Exactly that mode, whatever umask we were started with.
    let written = fchmod(&file, mode).map_err(io::Error::from).and_then(|()| copy(source, &mut file));
    if written.is_err() {
        let _ = unlinkat(dir, name, UnlinkatFlags::NoRemoveDir);
    }
    written
}

fn copy(source: &mut dyn Read, file: &mut File) -> io::Result<()> {
    let mut piece = vec![0; 64 << 10];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(got) => file.write_all(&piece[..got])?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

fn names(dir: &OwnedFd, limit: usize) -> io::Result<Vec<OsString>> {
    // A handle of its own: the position in a directory is shared by copies of one handle.
    let again = openat(dir, ".", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let mut names = Vec::new();
    for entry in nix::dir::Dir::from_fd(again)?.iter() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
        if names.len() >= limit {
            break;
        }
    }
    Ok(names)
}

fn remove(dir: &OwnedFd, name: &OsStr, depth: u32, left: &mut usize) -> io::Result<()> {
    let stat = match fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Err(Errno::ENOENT) => return Ok(()),
        other => other?,
    };
    if kind(&stat) != SFlag::S_IFDIR {
        return Ok(unlinkat(dir, name, UnlinkatFlags::NoRemoveDir)?);
    }
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let sub = openat(dir, name, flags, Mode::empty())?;
    let inside = names(&sub, *left)?;
    *left = left.saturating_sub(inside.len());
    if depth >= DEPTH_LIMIT || *left == 0 {
        return Err(io::Error::other(format!("{} is too deep or too full", name.display())));
    }
    for name in inside {
        remove(&sub, &name, depth + 1, left)?;
    }
    Ok(unlinkat(dir, name, UnlinkatFlags::RemoveDir)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    pub(crate) fn in_tempdir(dir: &Path) -> TargetDir {
        let handle = File::open(dir).unwrap();
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
        session.subdir("deeper").unwrap().write_new("x", b"y").unwrap();
        home.remove_subdir(session).unwrap();
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let temp = tempfile::tempdir().unwrap();
        let home = in_tempdir(temp.path());
        let mode = Mode::S_IRUSR;
        home.replace("a".as_ref(), mode, &mut &b"one"[..]).unwrap();
        std::fs::write(temp.path().join(UNFINISHED), "left by one that was killed").unwrap();
        home.replace("a".as_ref(), mode, &mut &b"two"[..]).unwrap();
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("changed meanwhile"))
            }
        }
        assert!(home.replace("a".as_ref(), mode, &mut (&b"three"[..]).chain(Broken)).is_err());
        assert_eq!(home.read("a", 99).unwrap(), b"two");
        assert_eq!(home.entries(9).unwrap(), ["a"]);
    }

    #[test]
    fn no_name_leads_elsewhere() {
        let temp = tempfile::tempdir().unwrap();
        let home = in_tempdir(temp.path());
        home.subdir("sub").unwrap().write_new("file", b"x").unwrap();
        symlink("/etc", temp.path().join("link")).unwrap();
        for name in ["link/passwd", "sub/file", "../x", "..", ".", "", "/etc/passwd"] {
            let errors = [
                home.read(name, 9).unwrap_err(),
                home.read_whole(name, 9).unwrap_err(),
                home.write_new(name, b"x").unwrap_err(),
                home.subdir(name).unwrap_err(),
            ];
            assert!(
                errors.iter().all(|error| error.kind() == io::ErrorKind::InvalidInput),
                "{name}: {errors:?}"
            );
        }
    }

    #[test]
    fn planted_links_and_open_directories_are_refused() {
        let temp = tempfile::tempdir().unwrap();
        let home = in_tempdir(temp.path());
        symlink("/etc", temp.path().join("link")).unwrap();
        assert!(home.subdir("link").is_err());
        let session = home.subdir("s").unwrap();
        symlink("/etc/passwd", temp.path().join("s/reply")).unwrap();
        assert!(session.read("reply", 9).is_err());
        assert_eq!(session.write_new("reply", b"x").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let open: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(temp.path().join("s"), open).unwrap();
        assert_eq!(home.subdir("s").unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn to_remove_a_link_leaves_what_it_leads_to() {
        let temp = tempfile::tempdir().unwrap();
        let prey = tempfile::tempdir().unwrap();
        std::fs::write(prey.path().join("precious"), "x").unwrap();
        let home = in_tempdir(temp.path());
        std::fs::create_dir(temp.path().join("d")).unwrap();
        symlink(prey.path(), temp.path().join("d/dir")).unwrap();
        symlink(prey.path().join("precious"), temp.path().join("d/file")).unwrap();
        nix::unistd::mkfifo(&temp.path().join("d/fifo"), Mode::S_IRWXU).unwrap();
        home.remove("d".as_ref()).unwrap();
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
        assert!(prey.path().join("precious").exists());
    }

    #[test]
    fn a_fifo_is_not_opened() {
        let temp = tempfile::tempdir().unwrap();
        nix::unistd::mkfifo(&temp.path().join("reply"), Mode::S_IRWXU).unwrap();
        assert!(in_tempdir(temp.path()).read("reply", 9).is_err());
    }
}
