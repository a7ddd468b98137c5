//! `cargo xtask jdks`: fetches the JDKs that the tests run on into the cache, musl, and jattach for the bench.
//! What can't be had is named with its reason and stops nothing. Tests find what is there by themselves
//! (`jgraft_jvm_harness::Jdk::all`), fetched or not.

mod apt_sources;
mod debian;
mod pypi;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use jgraft_jvm_harness::musl::Musl;
use jgraft_jvm_harness::{Jdk, cache, jdks::no_jdk_hint};

/// What is not there after all, and why.
struct Missing {
    what: String,
    why: String,
}

/// Fetches everything that is not there yet and prints what there is.
pub(crate) fn run() -> Result<()> {
    let dir = cache::jdks()?;
    fs::create_dir_all(&dir).with_context(|| format!("can't make {}", dir.display()))?;
    let _lock = cache::lock(&dir.join(".lock"))?;
    let musl = cache::musl()?;
    let beside = musl.parent().context("no folder for musl")?;
    remove_unfinished(&dir)?;
    remove_unfinished(beside)?;

    let mut missing = Vec::new();
    missing.extend(pypi::fetch_all(&dir));
    missing.extend(debian::fetch_all(&dir));
    missing
        .extend(debian::fetch_musl(beside).err().map(|error| missed("musl (a test without a JVM)", &error)));
    missing.extend(debian::install_jattach().err().map(|error| missed("jattach (for the bench)", &error)));
    print_table(&missing);
    Ok(())
}

/// Folders of a run that was interrupted. Under the lock they are nobody's.
fn remove_unfinished(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(".fetching-") {
            fs::remove_dir_all(entry.path()).with_context(|| entry.path().display().to_string())?;
        }
    }
    Ok(())
}

/// Makes the entry `name` of the cache by `fill`, in a temporary folder that is moved into place when it is
/// complete. `fill` gets a folder to work in and the folder to fill, and returns the text of the marker.
fn fetch_once(dir: &Path, name: &str, fill: impl FnOnce(&Path, &Path) -> Result<String>) -> Result<()> {
    let target = dir.join(name);
    if target.join(cache::MARKER).is_file() {
        return Ok(());
    }
    eprintln!("fetching {name}");
    let work = tempfile::Builder::new().prefix(".fetching-").tempdir_in(dir)?;
    let made = work.path().join("made");
    let marker = fill(work.path(), &made)?;
    fs::write(made.join(cache::MARKER), marker)?;
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    fs::rename(&made, &target).with_context(|| format!("can't move it to {}", target.display()))
}

/// It must say its version and run, or it is not worth keeping. Gives the text of the marker.
fn must_run(root: Option<&Path>, home: &Path, origin: &str) -> Result<String> {
    let jdk = Jdk::at(root, home).with_context(|| format!("no JDK in {}", home.display()))?;
    jdk.java_output(&["-version"]).with_context(|| format!("java of JDK {jdk} does not run here"))?;
    Ok(jdk.marker(origin))
}

/// Runs a program quietly; its stdout, or an error with the line in which it says what is wrong.
fn output(command: &mut Command) -> Result<String> {
    command.stdin(Stdio::null()).env("LC_ALL", "C.UTF-8").env("DEBIAN_FRONTEND", "noninteractive");
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("can't run {program}"))?;
    if !output.status.success() {
        bail!("{program}: {}", complaint(&String::from_utf8_lossy(&output.stderr), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first line that is marked as an error, else the last one, else how the program ended.
fn complaint(stderr: &str, status: impl std::fmt::Display) -> String {
    let mut lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let marked = lines.clone().find(|line| line.starts_with("ERROR") || line.starts_with("E: "));
    marked.or_else(|| lines.next_back()).map_or_else(|| status.to_string(), str::to_owned)
}

fn missed(what: impl Into<String>, error: &anyhow::Error) -> Missing {
    let missing = Missing { what: what.into(), why: format!("{error:#}") };
    eprintln!("{}: {}", missing.what, missing.why);
    missing
}

fn print_table(missing: &[Missing]) {
    println!("{:<4} {:<12} {:<18} home", "JDK", "version", "vendor");
    for jdk in Jdk::all() {
        let place = match (&jdk.root, jdk.runnable()) {
            (_, Err(reason)) => reason,
            (Some(root), Ok(())) => format!("{} (chroot {})", jdk.home.display(), root.display()),
            (None, Ok(())) => jdk.home.display().to_string(),
        };
        println!("{:<4} {:<12} {:<18} {place}", jdk.feature, jdk.version, jdk.vendor);
    }
    match Jdk::compiler() {
        Some(jdk) => println!("compiler: JDK {jdk}"),
        None => println!("compiler: {}", no_jdk_hint()),
    }
    if Musl::find().is_ok() {
        println!("musl: found");
    }
    if let Some(jattach) = debian::jattach() {
        println!("jattach: {jattach}");
    }
    for Missing { what, why } in missing {
        println!("skipped: {what}: {why}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fetched_once_and_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let mut runs = 0;
        for _ in 0..2 {
            fetch_once(dir.path(), "jdk", |_, made| {
                runs += 1;
                fs::create_dir(made)?;
                Ok("here".to_owned())
            })
            .unwrap();
        }
        assert_eq!(runs, 1);
        assert_eq!(fs::read_to_string(dir.path().join("jdk/.fetched")).unwrap(), "here");

        let error = fetch_once(dir.path(), "other", |_, made| {
            fs::create_dir(made)?;
            bail!("broke")
        });
        assert_eq!(error.unwrap_err().to_string(), "broke");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "litter");
    }

    #[test]
    fn the_complaint_is_the_line_marked_as_error() {
        assert_eq!(complaint("W: x\nE: no such package\nE: more\n", 100), "E: no such package");
        assert_eq!(complaint("one\ntwo\n\n", 1), "two");
        assert_eq!(complaint("", "exit status: 1"), "exit status: 1");
    }
}
