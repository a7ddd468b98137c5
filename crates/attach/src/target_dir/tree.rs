//! What a program of the target's has made below a directory of ours, read as the target's user: plain files of that user
//! alone, within limits.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use super::{DEPTH_LIMIT, TargetDir, names, open_plain};
use crate::sys::{self, Identity};

impl TargetDir {
    /// All files whose names end so, in this directory and below, by their paths from here. An error where anything in there
    /// is neither a directory nor a plain file of the target's user, or where there is more than the limits allow.
    pub fn read_below(&self, ending: &str, limits: Limits) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
        self.as_owner(|| {
            let mut reading = Reading { ending, limits, owner: self.owner, found: Vec::new() };
            reading.directory(&self.dir, Path::new(""), 0)?;
            Ok(reading.found)
        })
    }
}

/// What may lie below a directory that is read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Files and directories, wanted or not.
    pub entries: usize,
    /// Bytes of one file that is wanted.
    pub file: usize,
    /// Bytes of all of them.
    pub bytes: usize,
}

/// Files that are read, as their owner.
struct Reading<'a> {
    ending: &'a str,
    /// What is left of them.
    limits: Limits,
    owner: Identity,
    found: Vec<(PathBuf, Vec<u8>)>,
}

impl Reading<'_> {
    fn directory(&mut self, dir: &OwnedFd, below: &Path, depth: u32) -> io::Result<()> {
        let mut names = names(dir, self.limits.entries.saturating_add(1))?;
        names.sort();
        let left = self.limits.entries.checked_sub(names.len()).filter(|_| depth < DEPTH_LIMIT);
        self.limits.entries = left.ok_or_else(|| io::Error::other("there is too much, or it is too deep"))?;
        for name in names {
            let path = below.join(&name);
            let named =
                |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            // A file system of the target's own may give any name.
            if path.components().count() != below.components().count() + 1 {
                return Err(named(io::Error::other("no name of a file")));
            }
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            match openat(dir, name.as_os_str(), flags, Mode::empty()) {
                Ok(sub) => self.directory(&sub, &path, depth + 1)?,
                Err(Errno::ENOTDIR) => self.file(dir, &name, path.clone()).map_err(named)?,
                Err(error) => return Err(named(error.into())),
            }
        }
        Ok(())
    }

    fn file(&mut self, dir: &OwnedFd, name: &OsStr, path: PathBuf) -> io::Result<()> {
        let (file, _) = open_plain(dir, name, self.owner)?;
        if !name.as_bytes().ends_with(self.ending.as_bytes()) {
            return Ok(());
        }
        let bytes = sys::read_whole(file, self.limits.file.min(self.limits.bytes))?;
        self.limits.bytes -= bytes.len();
        self.found.push((path, bytes));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target_dir::tests::in_tempdir;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_tree_is_read_within_limits_and_nothing_else_may_be_in_it() {
        let temp = tempfile::tempdir().unwrap();
        let home = in_tempdir(temp.path());
        let shop = home.subdir("shop").unwrap();
        shop.copy_new("A.class".as_ref(), &mut &b"abc"[..]).unwrap();
        shop.write_new("A.txt", b"no class").unwrap();
        home.write_new("B.class", b"de").unwrap();
        let read = |entries, file, bytes| home.read_below(".class", Limits { entries, file, bytes });
        let all = [("B.class".into(), b"de".to_vec()), ("shop/A.class".into(), b"abc".to_vec())];
        assert_eq!(read(4, 3, 5).unwrap(), all);
        assert!(read(3, 3, 5).is_err() && read(4, 2, 5).is_err() && read(4, 3, 4).is_err());
        for plant in [0, 1] {
            let at = temp.path().join("shop/X.class");
            match plant {
                0 => symlink("/etc/passwd", &at).unwrap(),
                _ => nix::unistd::mkfifo(&at, Mode::S_IRWXU).unwrap(),
            }
            let error = read(9, 9, 9).unwrap_err().to_string();
            assert!(error.contains("shop/X.class"), "{error}");
            std::fs::remove_file(&at).unwrap();
        }
        symlink("/etc", temp.path().join("folder")).unwrap();
        assert!(read(9, 9, 9).is_err());
        std::fs::remove_file(temp.path().join("folder")).unwrap();
        let deep = "d/".repeat(DEPTH_LIMIT as usize + 1);
        std::fs::create_dir_all(temp.path().join(deep)).unwrap();
        assert!(read(999, 9, 9).is_err());
    }
}
