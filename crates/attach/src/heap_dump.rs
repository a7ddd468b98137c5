//! Where the target can write a heap dump that we fetch: a directory of ours on a disk that it sees, with room for it.
//!
//! Never a tmpfs: that is memory, and in a container the container's own. Everything is made, read and removed as the
//! target's user through directory handles, links refused, so a hostile target can only mislead us about files it could
//! have written itself. Sending the request is not done here.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fstat, fstatat, mkdirat};
use nix::sys::statfs::{FsType, TMPFS_MAGIC, fstatfs};
use nix::sys::statvfs::fstatvfs;
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::finding::{Finding, FindingKind};
use crate::proc::root::open_regular;
use crate::sys::{self, Identity};
use crate::target::Target;

/// `<linux/magic.h>`; nix has no name for it.
const RAMFS_MAGIC: FsType = FsType(0x8584_58f6);
/// Directories where a service usually may write, in this order; its working directory comes after them.
const USUAL: [&str; 2] = ["/var/tmp", "/tmp"];
const PREFIX: &str = ".jgraft-dump-";
const DUMP: &str = "heap.hprof";
/// In a directory that a person was told of, so that it is not cleared away.
const KEPT: &str = "kept";
/// Leftovers looked at, and files removed from one: a JVM writes a dump in a few dozen segments at most.
const ENTRY_LIMIT: usize = 4096;

/// A directory of ours that the target can write a dump to. On drop it is removed with what is in it.
#[derive(Debug)]
pub struct DumpPlace {
    parent: OwnedFd,
    name: String,
    /// Locked as long as it is open: a directory without a lock is a leftover.
    dir: File,
    path: PathBuf,
    owner: Identity,
    keep: bool,
}

/// The size of a dump before it is made, in bytes, as an upper bound: what the counters say is used, or where the heap
/// has grown since the last collection without their telling, what is committed and in memory. None where neither
/// counters nor `/proc` say it.
pub fn expected_size(target: &Target) -> Option<u64> {
    let status = target.process().read("status").ok()?;
    let in_memory = memory(&status);
    let (used, committed) = target.perfdata().map_or((None, None), |perf| {
        let spaces = |what: &str| {
            let is_wanted = |name: &str| {
                name.starts_with("sun.gc.generation.") && name.contains(".space.") && name.ends_with(what)
            };
            perf.iter()
                .filter_map(|(name, value)| match value {
                    crate::hsperfdata::PerfValue::Long(bytes) if is_wanted(name) => u64::try_from(bytes).ok(),
                    _ => None,
                })
                .reduce(u64::saturating_add)
        };
        (spaces(".used"), spaces(".capacity"))
    });
    let bound = [committed, in_memory].into_iter().flatten().min();
    used.into_iter().chain(bound).max()
}

/// The room for a dump of a heap of that size, in bytes, on whatever disk. A dump holds what the heap does not: its
/// classes, stacks, and the names of everything.
pub fn with_margin(heap: u64) -> u64 {
    heap.saturating_add(heap / 8).saturating_add(16 << 20)
}

/// `VmRSS` and `VmSwap` of proc(5), in bytes.
fn memory(status: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(status);
    let kib = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    Some((kib("VmRSS:")? + kib("VmSwap:").unwrap_or(0)) * 1024)
}

impl DumpPlace {
    /// Makes the directory in `wanted`, a path in the target's view, or else in the first usual place that will do.
    /// Leftovers of others of us that were killed are cleared away first.
    pub fn make(target: &Target, wanted: Option<&Path>) -> Result<DumpPlace, Finding> {
        let need = expected_size(target).map_or(0, with_margin);
        let candidates: Vec<PathBuf> = match wanted {
            Some(path) => vec![path.to_owned()],
            None => USUAL.iter().map(PathBuf::from).chain(target.resolve(Path::new("."))).collect(),
        };
        let mut reasons = Vec::new();
        for candidate in candidates {
            match DumpPlace::make_in(target, &candidate, need) {
                Ok(place) => return Ok(place),
                Err(reason) => reasons.push(format!("{}: {reason}", candidate.display())),
            }
        }
        Err(Finding::new(
            FindingKind::NoDumpPlace,
            format!("pid {} has no directory for a heap dump of up to {} MiB", target.pid(), need >> 20),
            reasons.join("; "),
            "name a directory on a disk that the jvm's user can write to, as the jvm sees it: --dir DIR",
        ))
    }

    fn make_in(target: &Target, candidate: &Path, need: u64) -> Result<DumpPlace, String> {
        let owner = target.status().identity();
        let root = target.root().map_err(|e| e.to_string())?;
        let parent = root.open_dir(candidate).map_err(|e| e.to_string())?;
        let kind = fstatfs(&parent).map_err(|e| e.to_string())?.filesystem_type();
        if kind == TMPFS_MAGIC || kind == RAMFS_MAGIC {
            return Err("a tmpfs, which is memory".to_owned());
        }
        clear_leftovers(target, &parent);
        let room = room(&parent).map_err(|e| e.to_string())?;
        if room < need {
            return Err(format!("room for {} MiB only", room >> 20));
        }
        let make = || -> io::Result<(String, File)> {
            for attempt in 0.. {
                let name = format!("{PREFIX}{}-{}", std::process::id(), moment());
                match mkdirat(&parent, name.as_str(), Mode::S_IRWXU) {
                    Ok(()) => {}
                    Err(Errno::EEXIST) if attempt < 3 => continue,
                    Err(e) => return Err(e.into()),
                }
                let dir = open_own(&parent, name.as_ref(), owner)?;
                dir.try_lock().map_err(io::Error::from)?;
                return Ok((name, dir));
            }
            Err(io::Error::from(Errno::EEXIST))
        };
        let (name, dir) = sys::run_as(owner, make).and_then(|made| made).map_err(|e| e.to_string())?;
        let path = candidate.join(&name).join(DUMP);
        Ok(DumpPlace { parent, name, dir, path, owner, keep: false })
    }

    /// Where the dump is to be written, in the target's view.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How large it is so far, in bytes, with the segments that newer JVMs write beside it.
    pub fn size(&self) -> u64 {
        let sizes = names(self.dir.as_fd()).unwrap_or_default().into_iter().filter_map(|name| {
            let stat = fstatat(&self.dir, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW).ok()?;
            is_plain(stat.st_mode).then_some(stat.st_size.unsigned_abs())
        });
        sizes.sum()
    }

    /// The device it lies on.
    pub fn device(&self) -> io::Result<u64> {
        Ok(fstat(&self.dir)?.st_dev)
    }

    /// The finished dump, open for reading with the rights of the target's user: a plain file of that user, or an error.
    pub fn open(&self) -> io::Result<File> {
        sys::run_as(self.owner, || {
            let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let handle = openat(&self.dir, DUMP, flags, Mode::empty())?;
            if fstat(&handle)?.st_uid != self.owner.uid {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user"));
            }
            open_regular(&handle)
        })?
    }

    /// Leaves it, because the JVM may still be writing to it, and gives its path in the target's view.
    pub fn leave(mut self) -> PathBuf {
        self.keep = true;
        let mark = || {
            let flags =
                OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            openat(&self.dir, KEPT, flags, Mode::S_IRUSR).map(drop)
        };
        // Without the mark it is cleared away by the next dump once the JVM has closed it.
        let _: io::Result<Result<(), Errno>> = sys::run_as(self.owner, mark);
        self.path.clone()
    }
}

impl Drop for DumpPlace {
    fn drop(&mut self) {
        if !self.keep {
            let remove = || remove(&self.parent, self.name.as_ref(), self.dir.as_fd());
            let _: io::Result<io::Result<()>> = sys::run_as(self.owner, remove);
        }
    }
}

/// Bytes that somebody without privileges may still write there.
pub fn room(dir: &impl AsFd) -> io::Result<u64> {
    let facts = fstatvfs(dir)?;
    Ok(facts.blocks_available().saturating_mul(facts.fragment_size()))
}

/// Directories of ours that nobody holds and the JVM does not write to: whoever made them was killed.
fn clear_leftovers(target: &Target, parent: &OwnedFd) {
    let owner = target.status().identity();
    let left = sys::run_as(owner, || {
        // A handle that can be read: `parent` is a path only.
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let readable = openat(parent, ".", flags, Mode::empty())?;
        let mut left = Vec::new();
        for name in names(readable.as_fd())? {
            if name.as_bytes().starts_with(PREFIX.as_bytes())
                && let Ok(dir) = open_own(parent, &name, owner)
                && dir.try_lock().is_ok()
                && fstatat(&dir, KEPT, AtFlags::AT_SYMLINK_NOFOLLOW).is_err()
            {
                left.push((name, dir));
            }
        }
        io::Result::Ok(left)
    });
    for (name, dir) in left.and_then(|left| left).unwrap_or_default() {
        let open = names(dir.as_fd()).unwrap_or_default().iter().any(|file| is_open_in(target, &dir, file));
        if !open {
            let _: io::Result<io::Result<()>> = sys::run_as(owner, || remove(parent, &name, dir.as_fd()));
        }
    }
}

fn is_open_in(target: &Target, dir: &File, name: &OsStr) -> bool {
    let Ok(stat) = fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW) else { return false };
    let process = target.process();
    // Whom we cannot look at may have it open.
    let Ok(descriptors) = process.entries("fd") else { return true };
    descriptors
        .iter()
        .filter_map(|fd| fd.to_str())
        .any(|fd| process.file_id(&format!("fd/{fd}")).is_ok_and(|id| id == (stat.st_dev, stat.st_ino)))
}

/// A directory of that user alone.
fn open_own(parent: &OwnedFd, name: &OsStr, owner: Identity) -> io::Result<File> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let dir = openat(parent, name, flags, Mode::empty())?;
    let stat = fstat(&dir)?;
    match stat.st_uid == owner.uid && stat.st_mode & 0o077 == 0 {
        true => Ok(dir.into()),
        false => Err(io::Error::new(io::ErrorKind::PermissionDenied, "not a directory of that user alone")),
    }
}

/// The plain entries of a directory of ours, then the directory. Where somebody has put another directory into it, it
/// stays.
fn remove(parent: &OwnedFd, name: &OsStr, dir: std::os::fd::BorrowedFd<'_>) -> io::Result<()> {
    for entry in names(dir)? {
        let _ = unlinkat(dir, entry.as_os_str(), UnlinkatFlags::NoRemoveDir);
    }
    Ok(unlinkat(parent, name, UnlinkatFlags::RemoveDir)?)
}

fn names(dir: std::os::fd::BorrowedFd<'_>) -> io::Result<Vec<OsString>> {
    // A handle of its own: the position in a directory is shared by copies of one handle.
    let path = format!("/proc/self/fd/{}", dir.as_raw_fd());
    let entries = std::fs::read_dir(path)?.take(ENTRY_LIMIT);
    Ok(entries.flatten().map(|entry| entry.file_name()).collect())
}

fn is_plain(mode: u32) -> bool {
    SFlag::from_bits_truncate(mode) & SFlag::S_IFMT == SFlag::S_IFREG
}

fn moment() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn me() -> Target {
        Target::inspect(std::process::id() as i32).unwrap()
    }

    /// A directory that is on no tmpfs, if this machine has one.
    fn disk() -> Option<tempfile::TempDir> {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let kind = fstatfs(File::open(dir.path()).unwrap()).unwrap().filesystem_type();
        (kind != TMPFS_MAGIC).then_some(dir)
    }

    #[test]
    fn memory_is_what_is_resident_or_swapped() {
        assert_eq!(memory(b"Name:\tx\nVmRSS:\t    100 kB\nVmSwap:\t  20 kB\n"), Some(120 << 10));
        assert_eq!(memory(b"Name:\tkthreadd\n"), None);
    }

    #[test]
    fn a_tmpfs_is_no_place() {
        if !Path::new("/dev/shm").is_dir() {
            return println!("skipped: no /dev/shm");
        }
        let refused = DumpPlace::make(&me(), Some(Path::new("/dev/shm"))).unwrap_err();
        assert_eq!(refused.kind, FindingKind::NoDumpPlace);
        assert!(refused.evidence.contains("a tmpfs"), "{refused:?}");
    }

    #[test]
    fn it_goes_with_what_is_in_it_and_a_leftover_too() {
        let Some(dir) = disk() else { return println!("skipped: the sources lie on a tmpfs") };
        let place = DumpPlace::make(&me(), Some(dir.path())).unwrap();
        std::fs::write(place.path(), "JAVA PROFILE").unwrap();
        std::fs::write(place.path().with_file_name("heap.hprof.p0"), "segment").unwrap();
        assert_eq!(place.size(), 19);
        assert_eq!(place.open().unwrap().metadata().unwrap().len(), 12);
        // Left by one that was killed: no lock, no mark.
        let leftover = dir.path().join(".jgraft-dump-1-1");
        std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700)
            .create(&leftover)
            .unwrap();
        std::fs::write(leftover.join(DUMP), "x").unwrap();
        let kept = DumpPlace::make(&me(), Some(dir.path())).unwrap().leave();
        assert!(!leftover.exists());
        drop(DumpPlace::make(&me(), Some(dir.path())).unwrap());
        assert!(place.path().exists(), "another's that is in use was taken for a leftover");
        assert!(kept.with_file_name(KEPT).exists(), "what somebody was told of was taken for a leftover");
        let path = place.path().to_owned();
        drop(place);
        assert!(!path.parent().unwrap().exists());
    }

    #[test]
    fn planted_things_are_not_followed() {
        let Some(dir) = disk() else { return println!("skipped: the sources lie on a tmpfs") };
        let prey = tempfile::tempdir().unwrap();
        std::fs::write(prey.path().join("precious"), "x").unwrap();
        symlink(prey.path(), dir.path().join(".jgraft-dump-2-2")).unwrap();
        let place = DumpPlace::make(&me(), Some(dir.path())).unwrap();
        symlink(prey.path().join("precious"), place.path()).unwrap();
        assert!(place.open().is_err());
        std::fs::remove_file(place.path()).unwrap();
        nix::unistd::mkfifo(place.path(), Mode::S_IRWXU).unwrap();
        assert!(place.open().is_err());
        symlink(prey.path(), place.path().with_file_name("dir")).unwrap();
        drop(place);
        assert!(prey.path().join("precious").exists());
    }
}
