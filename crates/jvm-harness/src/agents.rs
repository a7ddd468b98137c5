//! The project's own Java agents as jars: the bundled one, and those of the examples. Built by javac and jar alone, for
//! JDK 8, when they are not there or older than their sources.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{cache, javac};

/// The bundled instrument agent, `jgraft-agent.jar`.
///
/// # Errors
/// No JDK with javac and jar, or what they say.
pub fn bundled() -> Result<PathBuf> {
    let folder = cache::workspace().join("agent-java");
    build(&folder.join("src"), &folder.join("MANIFEST.MF"), "jgraft-agent")
}

/// The agent of `examples/<folder>`; where the folder has several, `manifest` names which (`MANIFEST.MF`).
///
/// # Errors
/// As [`bundled`].
pub fn example(folder: &str, manifest: &str) -> Result<PathBuf> {
    let sources = cache::workspace().join("examples").join(folder);
    let stem = manifest.trim_end_matches(".MF").trim_start_matches("MANIFEST").trim_matches(['-', '.']);
    let name = if stem.is_empty() { folder.to_owned() } else { format!("{folder}-{stem}") };
    build(&sources, &sources.join(manifest), &name)
}

/// All `.java` files below `sources` and the manifest into `target/harness/<name>.jar`.
fn build(sources: &Path, manifest: &Path, name: &str) -> Result<PathBuf> {
    let mut files = Vec::new();
    java_files(sources, &mut files)?;
    if files.is_empty() {
        bail!("no .java file below {}", sources.display());
    }
    files.sort();
    let classes = cache::target_dir().join("harness").join(format!("{name}-classes"));
    // No debug paths, but lines and names: a stack trace from inside a target should say where.
    javac::compile(&files, &classes, &["-g:source,lines"])?;
    let text = fs::read_to_string(manifest).with_context(|| manifest.display().to_string())?;
    let jar = cache::target_dir().join("harness").join(format!("{name}.jar"));
    javac::jar(&text, &classes, &jar)?;
    Ok(jar)
}

/// Every `.java` file below a folder.
///
/// # Errors
/// A folder cannot be read.
pub fn java_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            java_files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "java") {
            found.push(path);
        }
    }
    Ok(())
}
