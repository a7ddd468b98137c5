//! Files of ours put where the target sees them: `DIR/.jgraft-<uid>/<content>/<name>`, owned by the target's user.
//!
//! One such home a user and directory. Whoever changes it holds its lock; whoever uses an entry leaves a mark there
//! (`users.rs`); whoever opens it removes what nobody uses any more. Agents re-open their own jar, so an entry stays
//! until every process that loaded it has ended, and an equal one is used again.

mod folder;
mod parcel;
mod place;
mod users;

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;

use crate::finding::{Finding, FindingKind};
use crate::proc::Process;
use crate::target::Target;
use crate::target_dir::TargetDir;
pub use folder::Folder;
use parcel::Item;
pub use parcel::Parcel;
pub use place::{Needs, Place};
use users::User;

/// Entries and marks of one home; a target that plants more of them is its own trouble.
const ENTRY_LIMIT: usize = 10_000;

/// What became of a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The parcel's first file, in the target's view.
    pub path: PathBuf,
    /// Files that had to be written; the others were there, equal.
    pub written: usize,
}

/// Where in `place` a parcel's first file will be, in the target's view.
pub fn path_in(place: &Place, parcel: &Parcel) -> PathBuf {
    place.home().join(parcel.entry()).join(parcel.first())
}

/// A place for a parcel, chosen by facts. Nothing is written.
pub fn place_for(target: &Target, parcel: &Parcel) -> Result<Place, Finding> {
    let needs = Needs {
        bytes: parcel.bytes(),
        files: 2 * parcel.files() as u64 + 4,
        executable: parcel.is_library(),
        entry: Some(&parcel.entry()),
    };
    Place::choose(target, needs)
}

/// A home that is ours to change: locked until this is dropped.
#[derive(Debug)]
pub struct Home {
    dir: TargetDir,
    _lock: File,
}

impl Home {
    /// Makes or opens the home in `place`, waits for its lock at most so long, and removes what nobody uses.
    pub fn open(target: &Target, place: &Place, timeout: Duration) -> Result<Home, Finding> {
        // A time too long for the clock to count is for ever.
        let deadline = Instant::now().checked_add(timeout);
        let home = loop {
            let opened = place.make_home().and_then(|dir| Ok((lock(&dir, deadline)?, dir)));
            let (lock, dir) = opened.map_err(|e| failed(target, &place.home(), &e))?;
            // Between the two it may have been removed as empty.
            if let Ok(Some(there)) = place.existing_home()
                && same(&there, &dir)
            {
                break Home { dir, _lock: lock };
            }
            if is_over(deadline) {
                let gone = io::Error::other("it goes away as soon as it is made");
                return Err(failed(target, &place.home(), &gone));
            }
        };
        home.sweep();
        Ok(home)
    }

    /// Puts a parcel there, or finds it there, and marks it as used by the target.
    pub fn put(&self, target: &Target, parcel: &Parcel) -> Result<Staged, Finding> {
        let entry = parcel.entry();
        let put = || {
            // The mark first: an entry without one is anybody's to remove.
            self.mark(target.process(), &entry)?;
            let root = self.dir.subdir(&entry)?;
            let mut written = 0;
            for item in &parcel.items {
                written += usize::from(put_item(&root, item)?);
            }
            Ok(Staged { path: root.path().join(parcel.first()), written })
        };
        put().map_err(|e: io::Error| failed(target, self.dir.path(), &e))
    }

    /// A new directory for a request and its answer, marked as used by this process: if it is killed, the next command
    /// removes the directory.
    pub fn session(&self, name: &str) -> io::Result<Session> {
        let me = Process::open(std::process::id() as i32)?;
        let mark = self.mark(&me, name)?;
        let home = self.dir.try_clone()?;
        let dir = self.dir.subdir(name)?;
        Ok(Session { home, dir, mark })
    }

    fn mark(&self, process: &Process, entry: &str) -> io::Result<String> {
        let mark = User::of(process)?.mark(entry);
        match self.dir.write_new(&mark, b"") {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
            _ => Ok(mark),
        }
    }

    /// Removes entries without a living user, and the marks of the dead. What cannot be removed stays for the next one.
    fn sweep(&self) -> usize {
        let Ok(names) = self.dir.entries(ENTRY_LIMIT) else { return 0 };
        let (marks, entries): (Vec<OsString>, Vec<OsString>) =
            names.into_iter().partition(|name| User::parse(name).is_some());
        let mut used = Vec::new();
        for name in &marks {
            let Some((user, entry)) = User::parse(name) else { continue };
            if user.is_gone() {
                let _ = self.dir.remove(name);
            } else {
                used.push(entry);
            }
        }
        let unused = entries.iter().filter(|name| !used.iter().any(|entry| **name == **entry));
        unused.filter(|name| self.dir.remove(name).is_ok()).count()
    }
}

/// Removes what was staged for processes that have ended, from every directory that the target's user shares with it.
/// Gives the number of entries removed; a home that somebody is working in is left alone.
pub fn sweep(target: &Target) -> usize {
    let mut removed = 0;
    for place in Place::all(target) {
        let Ok(Some(dir)) = place.existing_home() else { continue };
        let Ok(lock) = lock(&dir, Some(Instant::now())) else { continue };
        removed += Home { dir, _lock: lock }.sweep();
        place.remove_empty_home();
    }
    removed
}

/// The directory of one request. Goes when this is dropped.
#[derive(Debug)]
pub struct Session {
    home: TargetDir,
    dir: TargetDir,
    mark: String,
}

impl Session {
    /// To write the request to, and to read the answer from.
    pub fn dir(&self) -> &TargetDir {
        &self.dir
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(name) = self.dir.path().file_name() {
            let _ = self.home.remove(name);
        }
        let _ = self.home.remove(self.mark.as_ref());
    }
}

/// True where it had to be written.
fn put_item(root: &TargetDir, item: &Item) -> io::Result<bool> {
    let name = item.at.file_name().unwrap_or_default();
    let mut dir = root.try_clone()?;
    for part in item.at.parent().into_iter().flat_map(Path::components) {
        dir = dir.subdir(part)?;
    }
    if is_there(&dir, name, item) {
        return Ok(false);
    }
    dir.replace(name, item.mode, &mut item.open()?)?;
    Ok(true)
}

/// Whole, unchanged, and nobody else's: what a killed run left half done is not, nor what its owner has edited.
fn is_there(dir: &TargetDir, name: &std::ffi::OsStr, item: &Item) -> bool {
    dir.open_plain(name).is_ok_and(|(file, stat)| {
        let mode = Mode::from_bits_truncate(stat.st_mode);
        mode == item.mode && stat.st_size as u64 == item.bytes && item.equals(file)
    })
}

/// The home's lock. It belongs to the target's user, who can hold it for ever, so it is not waited for without limit.
fn lock(home: &TargetDir, deadline: Option<Instant>) -> io::Result<File> {
    let file = home.open_again()?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(e)) => return Err(e),
            Err(TryLockError::WouldBlock) if is_over(deadline) => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds its lock"));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

fn same(one: &TargetDir, other: &TargetDir) -> bool {
    one.id().ok().zip(other.id().ok()).is_some_and(|(one, other)| one == other)
}

fn failed(target: &Target, home: &Path, error: &io::Error) -> Finding {
    if target.process().has_ended() {
        return Finding::new(
            FindingKind::Ended,
            format!("pid {} ended before anything was sent to it", target.pid()),
            format!("{}: {error}", home.display()),
            "jgraft list shows the jvms of this host",
        );
    }
    Finding::new(
        FindingKind::StagingFailed,
        format!("nothing can be put into {} for pid {}", home.display(), target.pid()),
        error.to_string(),
        "make room there, or see who else works in it; nothing was sent",
    )
}
