//! Compiles and jars the tests' own Java programs with the machine's JDK, once for all test processes.
//! It is not how the bundled agent is built: xtask does that.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, anyhow, bail};

use crate::jdks::{Jdk, no_jdk_hint, quiet};
use crate::stamp;

/// Compiles sources for JDK 8 (unless `extra_args` has its own `--release`, for which [`Jdk::compiler_for`] answers) into `out_dir`, which afterwards
/// holds exactly their classes. Compiles nothing if no source and no file or folder named in `extra_args`
/// (a class path entry) is newer. Files that a running JVM still reads classes from should not be changed:
/// give each use its own folder.
///
/// # Errors
/// No JDK with javac, or what javac says.
pub fn compile(sources: &[PathBuf], out_dir: &Path, extra_args: &[&str]) -> Result<()> {
    let release = extra_args.iter().position(|arg| *arg == "--release").and_then(|at| extra_args.get(at + 1));
    let release = release.and_then(|release| release.parse().ok()).unwrap_or(8);
    let (jdk, javac) = tool_of(Jdk::compiler_for(release), "javac")
        .with_context(|| format!("can't compile for JDK {release}"))?;
    // It ends before what the second compiler makes of it pays: with the first one alone it takes two thirds of the time.
    let mut args: Vec<OsString> =
        ["-J-XX:TieredStopAtLevel=1", "-encoding", "UTF-8", "-Xlint:-options", "-nowarn"]
            .map(OsString::from)
            .into();
    if !extra_args.contains(&"--release") {
        args.extend(["--release", "8"].map(OsString::from));
    }
    args.extend(extra_args.iter().map(OsString::from));
    args.extend(sources.iter().map(OsString::from));

    let mut inputs = sources.to_vec();
    inputs.extend(extra_args.iter().flat_map(env::split_paths).filter(|path| path.exists()));
    let recipe = format!("{} {args:?}", jdk.home.display());
    stamp::make_once(out_dir, &recipe, &inputs, |classes| {
        fs::create_dir(classes)?;
        run(quiet(&javac).arg("-d").arg(classes).args(&args))
    })
}

/// Puts a manifest and everything in `class_dir` into a jar. Does nothing if the jar is there, the manifest
/// is the same and `class_dir` is not newer (as after [`compile`] compiled nothing).
///
/// # Errors
/// No JDK with jar, or what jar says (a manifest line without a colon, for example).
pub fn jar(manifest: &str, class_dir: &Path, out_jar: &Path) -> Result<()> {
    let (jdk, jar) = tool_of(Jdk::compiler(), "jar")?;
    let recipe = format!("{} {}\n{manifest}", jdk.home.display(), class_dir.display());
    stamp::make_once(out_jar, &recipe, &[class_dir.to_owned()], |made| {
        let manifest_file = made.with_file_name("MANIFEST.MF");
        // jar drops a last line that has no newline.
        fs::write(&manifest_file, format!("{}\n", manifest.trim_end()))?;
        let mut command = quiet(&jar);
        command.arg("--create").arg("--file").arg(made).arg("--manifest").arg(&manifest_file);
        if jdk.feature >= 17 {
            // The same sources give the same bytes, so that a staged copy of an equal jar is used again.
            command.arg("--date=2020-02-02T00:00:00Z");
        }
        run(command.arg("-C").arg(class_dir).arg("."))
    })
}

fn tool_of(jdk: Option<&'static Jdk>, tool: &str) -> Result<(&'static Jdk, PathBuf)> {
    let found = jdk.and_then(|jdk| Some((jdk, jdk.tool(tool)?)));
    found.ok_or_else(|| anyhow!(no_jdk_hint()))
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("can't run {command:?}"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{} of {command:?}\n{}", output.status, String::from_utf8_lossy(&said).trim_end());
    }
    Ok(())
}
