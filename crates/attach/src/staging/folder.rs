//! A directory of ours that no link leads out of: what lies there was put there by whoever fills it, and need not be what
//! the operator named. Reading happens as the caller.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::Mode;

use crate::sys;

/// A handle on a directory; copies are the same handle.
#[derive(Clone, Debug)]
pub struct Folder {
    handle: Arc<OwnedFd>,
    path: PathBuf,
}

impl Folder {
    /// Links on the way to it are followed: it was named.
    pub fn open(path: &Path) -> io::Result<Folder> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let named = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let handle = open(named, flags, Mode::empty()).map_err(|e| named_in(path, e.into()))?;
        Ok(Folder { handle: Arc::new(handle), path: path.to_owned() })
    }

    /// Where it was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What lies at `below`, for reading. `CrossesDevices` where a link leads out; nothing is opened then. A FIFO is
    /// opened without waiting for its other end.
    pub fn open_below(&self, below: &Path) -> io::Result<File> {
        let how = OpenHow::new()
            .flags(OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        // EAGAIN: a rename raced with the look-up of "..", and the kernel will not vouch for the result.
        for _ in 0..16 {
            match openat2(&*self.handle, below, how.mode(Mode::empty())) {
                Err(Errno::EAGAIN) => continue,
                Err(Errno::EXDEV) => {
                    let text = "a link out of its own directory";
                    return Err(named_in(
                        &self.path.join(below),
                        io::Error::new(io::ErrorKind::CrossesDevices, text),
                    ));
                }
                opened => {
                    let opened = opened.map_err(|e| sys::lacking("openat2", "5.6", e.into()));
                    return opened.map(File::from).map_err(|e| named_in(&self.path.join(below), e));
                }
            }
        }
        Err(named_in(&self.path.join(below), Errno::EAGAIN.into()))
    }
}

fn named_in(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_inside_and_refused_where_they_lead_out() {
        let temp = tempfile::tempdir().unwrap();
        let inner = temp.path().join("agent");
        std::fs::create_dir_all(inner.join("lib")).unwrap();
        std::fs::write(temp.path().join("secret"), "x").unwrap();
        std::fs::write(inner.join("lib/a.jar"), "x").unwrap();
        symlink("lib/a.jar", inner.join("inside.jar")).unwrap();
        symlink("../secret", inner.join("up.jar")).unwrap();
        symlink(temp.path().join("secret"), inner.join("absolute.jar")).unwrap();
        symlink(temp.path(), inner.join("folder")).unwrap();
        let folder = Folder::open(&inner).unwrap();
        for inside in ["lib/a.jar", "inside.jar", "lib/../lib/a.jar"] {
            folder.open_below(Path::new(inside)).unwrap();
        }
        for out in ["up.jar", "absolute.jar", "folder/secret", "../secret", "/etc/passwd"] {
            let refused = folder.open_below(Path::new(out)).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::CrossesDevices, "{out}: {refused}");
            assert!(refused.to_string().contains("a link out of its own directory"), "{out}: {refused}");
        }
        let missing = folder.open_below(Path::new("missing.jar")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
