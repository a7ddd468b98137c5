//! What a test needs of the project beside its own package, built by cargo: libraries for a target, the fake JVM.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{collections::BTreeMap, env};

use anyhow::{Context, Result, anyhow, bail};

use crate::cache;
use crate::jdks::quiet;

/// The native agent, `libjgraft_agent.so`, up to date, in the target directory and profile of the running executable.
///
/// # Errors
/// What cargo says.
pub fn native_agent() -> Result<PathBuf> {
    library(&["--package", "jgraft-agent"], Path::new("libjgraft_agent.so"))
}

/// The program `fake-jvm` of this very package.
///
/// # Errors
/// What cargo says.
pub fn fake_jvm() -> Result<PathBuf> {
    library(&["--package", "jgraft-jvm-harness", "--bin", "fake-jvm"], Path::new("fake-jvm"))
}

/// The library of a package that is an agent: `jgraft-panics` → `libpanics.so`.
///
/// # Errors
/// What cargo says.
pub fn agent(package: &str) -> Result<PathBuf> {
    let name = package.trim_start_matches("jgraft-").replace('-', "_");
    library(&["--package", package], Path::new(&format!("lib{name}.so")))
}

/// Once for each process: cargo itself knows best whether there is anything to do, and asking takes it half a second.
fn library(what: &[&str], file: &Path) -> Result<PathBuf> {
    static BUILT: Mutex<BTreeMap<PathBuf, Result<PathBuf, String>>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let build = || build(what, file).map_err(|error| format!("{error:#}"));
    built.entry(file.to_owned()).or_insert_with(build).clone().map_err(|error| anyhow!(error))
}

fn build(what: &[&str], file: &Path) -> Result<PathBuf> {
    let executable = env::current_exe().context("which executable is this?")?;
    let (target_dir, profile) =
        place(&executable).unwrap_or_else(|| (cache::target_dir(), "debug".to_owned()));
    // Cargo's name for the profile of target/debug.
    let cargo_profile = if profile == "debug" { "dev" } else { &profile };
    let mut cargo = quiet(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(cache::workspace()).args(["build", "--quiet"]).args(what);
    cargo.args(["--profile", cargo_profile, "--target-dir"]).arg(&target_dir);
    let output = cargo.output().with_context(|| format!("can't run {cargo:?}"))?;
    if !output.status.success() {
        bail!("{} of {cargo:?}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    let library = target_dir.join(&profile).join(file);
    if !library.is_file() {
        bail!("cargo built no {}", library.display());
    }
    Ok(library)
}

/// `DIR/PROFILE/deps/a-test` or `DIR/PROFILE/a-program` → DIR, PROFILE. None for an executable that cargo did not put
/// there: then it is no test's.
fn place(executable: &Path) -> Option<(PathBuf, String)> {
    let folder = executable.parent()?;
    let folder =
        if folder.ends_with("deps") || folder.ends_with("examples") { folder.parent()? } else { folder };
    let profile = folder.file_name()?.to_str()?.to_owned();
    folder.join(".fingerprint").is_dir().then_some(())?;
    Some((folder.parent()?.to_owned(), profile))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_this_test() {
        let executable = env::current_exe().unwrap();
        let (dir, profile) = place(&executable).unwrap();
        assert!(executable.starts_with(dir.join(profile).join("deps")));
        assert_eq!(place(Path::new("/bin/sh")), None);
    }
}
