//! Where fetched JDKs and Maven artifacts are kept between runs. It fetches nothing itself: `cargo xtask jdks`
//! fills `jdks/` and `musl/`, [`crate::maven`] fills `maven/`.

use std::env;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

/// A file in each fetched JDK, written last: what it is and where it came from, in the syntax of `release`.
pub const MARKER: &str = ".fetched";

/// `$JGRAFT_CACHE`, else `$XDG_CACHE_HOME/jgraft`, else `~/.cache/jgraft`. It need not exist yet.
///
/// # Errors
/// None of the three variables is set.
pub fn dir() -> Result<PathBuf> {
    let var = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    var("JGRAFT_CACHE")
        .or_else(|| var("XDG_CACHE_HOME").map(|dir| dir.join("jgraft")))
        .or_else(|| var("HOME").map(|dir| dir.join(".cache/jgraft")))
        .ok_or_else(|| anyhow!("no folder for the cache: set JGRAFT_CACHE, XDG_CACHE_HOME or HOME"))
}

/// The folder of fetched JDKs: each entry is a JDK home, or a root file system with JDKs in `usr/lib/jvm`.
/// Names with a leading dot are work in progress.
///
/// # Errors
/// As [`dir`].
pub fn jdks() -> Result<PathBuf> {
    Ok(dir()?.join("jdks"))
}

/// A root file system with another libc, [`crate::musl`]'s.
///
/// # Errors
/// As [`dir`].
pub fn musl() -> Result<PathBuf> {
    Ok(dir()?.join("musl"))
}

/// The root of this workspace: the folder that a test's JVM must be able to read.
#[must_use]
pub fn workspace() -> PathBuf {
    let manifest_dir = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest_dir.ancestors().nth(2).map_or_else(|| manifest_dir.clone(), PathBuf::from)
}

/// The folder for what the tests build: `$CARGO_TARGET_DIR`, else `target/` of the workspace.
#[must_use]
pub fn target_dir() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => workspace().join(dir),
        None => workspace().join("target"),
    }
}

/// Waits for an exclusive lock on a file, which is made if need be. It ends with the file that is given back.
///
/// # Errors
/// The file can't be made or locked.
pub fn lock(path: &Path) -> Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let file = file.with_context(|| format!("can't open the lock {}", path.display()))?;
    file.lock().with_context(|| format!("can't lock {}", path.display()))?;
    Ok(file)
}
