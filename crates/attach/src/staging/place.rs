//! Where something can be staged: a directory in the target's view, chosen by what is seen of it. Nothing is written.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::statvfs::{FsFlags, fstatvfs};
use nix::unistd::{AccessFlags, faccessat};

use crate::finding::{Finding, FindingKind};
use crate::sys::{self, Identity};
use crate::target::Target;
use crate::target_dir::TargetDir;

/// Left free besides what is staged: we are not to be the one that fills a disk.
const RESERVE: u64 = 1 << 20;

/// What is asked of a place.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs<'a> {
    /// Bytes to be written.
    pub bytes: u64,
    /// Files and directories to be made.
    pub files: u64,
    /// It holds a library, which cannot be mapped from a file system that is mounted noexec.
    pub executable: bool,
    /// The entry that it would be. A place that has it already is taken first.
    pub entry: Option<&'a str>,
}

/// A directory that will do.
#[derive(Debug)]
pub struct Place {
    dir: OwnedFd,
    path: PathBuf,
    owner: Identity,
    passed_over: Vec<String>,
}

impl Place {
    /// The first directory that will do of the target's `/tmp`, `/var/tmp`, `/dev/shm`, its working directory and
    /// `$TMPDIR`. The error says what is wrong with each.
    pub fn choose(target: &Target, needs: Needs<'_>) -> Result<Place, Finding> {
        let all = candidates(target);
        let mut passed_over = Vec::new();
        let mut usable = Vec::new();
        for (path, dir) in all {
            match dir.and_then(|dir| Ok((will_do(target, dir.as_fd(), needs)?, dir))) {
                Ok((has_it, dir)) => usable.push((has_it, path, dir)),
                Err(reason) => passed_over.push(format!("{}: {reason}", path.display())),
            }
        }
        let at = usable.iter().position(|(has_it, ..)| *has_it).unwrap_or(0);
        if usable.is_empty() {
            return Err(Finding::new(
                FindingKind::NoStagingPlace,
                format!("no directory that pid {} sees can take what has to be put there", target.pid()),
                passed_over.join("; "),
                "give it a writable tmpfs with room, not mounted noexec for a library (docker run --tmpfs /tmp:exec), or put the file into its image",
            ));
        }
        let (_, path, dir) = usable.swap_remove(at);
        Ok(Place { dir, path, owner: target.status().identity(), passed_over })
    }

    /// Every candidate that can be reached, whatever is wrong with it.
    pub(super) fn all(target: &Target) -> Vec<Place> {
        let owner = target.status().identity();
        let found = candidates(target).into_iter().filter_map(|(path, dir)| Some((path, dir.ok()?)));
        found.map(|(path, dir)| Place { dir, path, owner, passed_over: Vec::new() }).collect()
    }

    /// Where everything of ours will lie, in the target's view.
    pub fn home(&self) -> PathBuf {
        self.path.join(home_name(self.owner))
    }

    /// The directory itself, in the target's view.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was wrong with those that came before it: a sentence each.
    pub fn passed_over(&self) -> &[String] {
        &self.passed_over
    }

    pub(super) fn make_home(&self) -> io::Result<TargetDir> {
        TargetDir::make(self.dir.as_fd(), &self.path, self.owner, &home_name(self.owner))
    }

    pub(super) fn existing_home(&self) -> io::Result<Option<TargetDir>> {
        TargetDir::existing(self.dir.as_fd(), &self.path, self.owner, &home_name(self.owner))
    }

    /// Removes the home, if nothing is in it.
    pub(super) fn remove_empty_home(&self) {
        use nix::unistd::{UnlinkatFlags, unlinkat};
        let _ = sys::run_as(self.owner, || {
            let _ = unlinkat(&self.dir, home_name(self.owner).as_os_str(), UnlinkatFlags::RemoveDir);
        });
    }
}

/// One for each user, shared by all JVMs of that user that see the same directory.
fn home_name(owner: Identity) -> OsString {
    format!(".jgraft-{}", owner.uid).into()
}

fn candidates(target: &Target) -> Vec<(PathBuf, Result<OwnedFd, String>)> {
    let mut paths: Vec<PathBuf> = ["/tmp", "/var/tmp", "/dev/shm"].map(PathBuf::from).into();
    // The cwd and $TMPDIR are texts of the target's choosing, and libinstrument takes no '=' in a path.
    let own = [target.resolve(Path::new("")), target.environment("TMPDIR").map(PathBuf::from)];
    let plain = |path: &PathBuf| {
        path.is_absolute() && path.to_str().is_some_and(|text| text.is_ascii() && !text.contains('='))
    };
    paths.extend(own.into_iter().flatten().filter(plain));
    let mut seen = Vec::new();
    paths.retain(|path| {
        let new = !seen.contains(path);
        seen.push(path.clone());
        new
    });
    let open = |path: &Path| match target.root() {
        Ok(root) => root.open_dir(path).map_err(|e| words(&e)),
        Err(e) => Err(words(e)),
    };
    paths.into_iter().map(|path| (path.clone(), open(&path))).collect()
}

/// True where the wanted entry is there already.
fn will_do(target: &Target, dir: BorrowedFd<'_>, needs: Needs<'_>) -> Result<bool, String> {
    let owner = target.status().identity();
    let found = sys::run_as(owner, || -> Result<bool, String> {
        let facts = fstatvfs(dir).map_err(|e| e.desc().to_owned())?;
        if facts.flags().contains(FsFlags::ST_RDONLY) {
            return Err("its file system is read-only".to_owned());
        }
        if needs.executable && facts.flags().contains(FsFlags::ST_NOEXEC) {
            return Err("it is mounted noexec, and a library has to be mapped".to_owned());
        }
        let access = AccessFlags::W_OK | AccessFlags::X_OK;
        faccessat(dir, ".", access, AtFlags::empty()).map_err(|e| match e {
            Errno::EACCES => format!("uid {} may not write there", owner.uid),
            other => other.desc().to_owned(),
        })?;
        let home =
            TargetDir::existing(dir, Path::new(""), owner, &home_name(owner)).map_err(|e| words(&e))?;
        let has_it = needs.entry.zip(home).is_some_and(|(entry, home)| {
            TargetDir::existing(home.handle(), Path::new(""), owner, entry.as_ref())
                .is_ok_and(|entry| entry.is_some())
        });
        if has_it {
            return Ok(true);
        }
        let free = facts.blocks_available().saturating_mul(facts.fragment_size());
        if free < needs.bytes.saturating_add(RESERVE) {
            return Err(format!("{free} bytes are free there, {} are needed", needs.bytes + RESERVE));
        }
        // A file system that does not count its files says 0 of 0.
        if facts.files() > 0 && facts.files_available() < needs.files {
            return Err("no more files can be made there".to_owned());
        }
        Ok(false)
    });
    found.map_err(|e| format!("uid {} cannot be taken: {e}", owner.uid))?
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it is not there".to_owned(),
        _ => error.to_string(),
    }
}
