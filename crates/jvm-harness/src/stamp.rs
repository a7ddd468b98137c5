//! Makes a file or folder once, however many test processes ask for it at the same time: under a file lock,
//! in a temporary place, moved into place whole, and again only when what it is made of has changed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use crate::cache;

/// Makes `target` by `make`, which gets the path to fill in, unless it is there already, its recipe (any text
/// that describes how it is made) is the same and no input is newer.
pub(crate) fn make_once(
    target: &Path,
    recipe: &str,
    inputs: &[PathBuf],
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let folder = target.parent().ok_or_else(|| anyhow!("{} has no parent folder", target.display()))?;
    fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    let stamp = beside(target, "stamp")?;
    if is_fresh(target, &stamp, recipe, inputs) {
        return Ok(());
    }
    let _lock = cache::lock(&beside(target, "lock")?)?;
    // Whoever held the lock before may just have made it.
    if is_fresh(target, &stamp, recipe, inputs) {
        return Ok(());
    }
    let begun = SystemTime::now();
    let work = tempfile::Builder::new().prefix(".making-").tempdir_in(folder)?;
    let made = work.path().join("made");
    make(&made)?;
    put(&made, target)?;
    let written = work.path().join("stamp");
    fs::write(&written, recipe)?;
    // An input that changed while it was being read must count as newer.
    File::options().write(true).open(&written)?.set_modified(begun)?;
    fs::rename(&written, &stamp)?;
    Ok(())
}

/// Moves what was made into place. A folder that is there is exchanged in one step and then goes away with
/// the temporary one: at no moment is there none.
fn put(made: &Path, target: &Path) -> Result<()> {
    if target.is_dir() {
        renameat2(AT_FDCWD, made, AT_FDCWD, target, RenameFlags::RENAME_EXCHANGE)
    } else {
        renameat2(AT_FDCWD, made, AT_FDCWD, target, RenameFlags::empty())
    }
    .with_context(|| format!("can't move {} to {}", made.display(), target.display()))
}

fn is_fresh(target: &Path, stamp: &Path, recipe: &str, inputs: &[PathBuf]) -> bool {
    let Ok(made) = modified(stamp) else { return false };
    target.exists()
        && fs::read_to_string(stamp).is_ok_and(|text| text == recipe)
        && inputs.iter().all(|input| modified(input).is_ok_and(|time| time < made))
}

fn modified(path: &Path) -> std::io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

/// `dir/name` → `dir/.name.suffix`.
fn beside(target: &Path, suffix: &str) -> Result<PathBuf> {
    let name = target.file_name().ok_or_else(|| anyhow!("{} has no name", target.display()))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{suffix}"));
    Ok(target.with_file_name(hidden))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn make(target: &Path, recipe: &str, inputs: &[PathBuf], text: &'static str) -> bool {
        let mut made = false;
        make_once(target, recipe, inputs, |to| {
            made = true;
            fs::create_dir(to)?;
            Ok(fs::write(to.join("file"), text)?)
        })
        .unwrap();
        made
    }

    #[test]
    fn makes_again_only_what_changed() {
        let dir = tempfile::tempdir().unwrap();
        let (target, input) = (dir.path().join("a/out"), dir.path().join("input"));
        let old = SystemTime::now() - Duration::from_secs(100);
        fs::write(&input, "x").unwrap();
        File::options().write(true).open(&input).unwrap().set_modified(old).unwrap();
        let inputs = [input.clone()];

        assert!(make(&target, "one", &inputs, "1"));
        assert!(!make(&target, "one", &inputs, "2"));
        assert!(make(&target, "two", &inputs, "3"), "another recipe");
        File::options().write(true).open(&input).unwrap().set_modified(SystemTime::now()).unwrap();
        assert!(make(&target, "two", &inputs, "4"), "a newer input");
        assert_eq!(fs::read_to_string(target.join("file")).unwrap(), "4");
    }

    #[test]
    fn a_failure_leaves_what_was_there_and_no_litter() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        assert!(make(&target, "one", &[], "1"));
        let error = make_once(&target, "two", &[], |to| {
            fs::create_dir(to)?;
            Err(anyhow!("broke"))
        });
        assert_eq!(error.unwrap_err().to_string(), "broke");
        assert_eq!(fs::read_to_string(target.join("file")).unwrap(), "1");
        let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".out.lock", ".out.stamp", "out"]);
    }

    #[test]
    fn asked_by_many_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        let count: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| make(&target, "one", &[], "1"))).collect();
            threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
        });
        assert_eq!(count, 1);
    }
}
