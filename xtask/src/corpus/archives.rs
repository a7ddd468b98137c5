//! Where the classes come from: each JDK is asked for its own, by a program that runs in it, once into the cache.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jgraft_jvm_harness::{Jdk, Jvm, cache, javac};

/// A JDK may be copied for so long.
const PATIENCE: Duration = Duration::from_secs(600);

/// Classes that belong together: the modules of a JDK, or one popular jar.
#[derive(Debug, Clone)]
pub(super) struct Archive {
    /// What a report calls it.
    pub(super) name: String,
    /// Sorted.
    pub(super) jars: Vec<PathBuf>,
}

impl fmt::Display for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size: u64 = self.jars.iter().filter_map(|jar| Some(fs::metadata(jar).ok()?.len())).sum();
        write!(f, "{:<44} {:>3} jars {:>7.1} MB", self.name, self.jars.len(), size as f64 / 1e6)
    }
}

/// `cache/corpus`.
pub(super) fn folder() -> Result<PathBuf> {
    let folder = cache::dir()?.join("corpus");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

/// The classes of a JDK: one jar a module, on JDK 8 one for each of its jars.
pub(super) fn of_jdk(jdk: &Jdk) -> Result<Archive> {
    let home = jdk.home.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = format!("{}-{home}", jdk.version);
    let folder = folder()?;
    let _lock = cache::lock(&folder.join(".lock"))?;
    let target = folder.join(&name);
    if !target.is_dir() {
        eprintln!("copying the classes of JDK {jdk}");
        let work = tempfile::Builder::new().prefix(".copying-").tempdir_in(&folder)?;
        let made = work.path().join("made");
        fs::create_dir(&made)?;
        let jvm = Jvm::builder(jdk)
            .args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
            .class_path(programs()?)
            .main("CopyClasses")
            .program_args([&made])
            .visible(&made)
            .start()?;
        jvm.wait_for_stdout(|line| line == "done", PATIENCE)?;
        let end = jvm.finish()?;
        if !end.status.success() {
            bail!("copying the classes of JDK {jdk}: {}\n{}", end.status, end.stderr);
        }
        fs::rename(&made, &target).with_context(|| format!("can't move it to {}", target.display()))?;
    }
    Ok(Archive { name: format!("JDK {name}"), jars: jars_in(&target)? })
}

/// The folder with the classes of the corpus' Java programs.
pub(super) fn programs() -> Result<PathBuf> {
    compiled("programs", &["CopyClasses.java", "LinkAll.java"])
}

/// The folder with the probe that woven classes call.
pub(super) fn probe() -> Result<PathBuf> {
    compiled("probe", &["WeaveProbe.java"])
}

/// A class of `java.lang` that does not verify.
pub(super) fn canary() -> Result<Vec<u8>> {
    // As Code has it: code_length 2, aload_0, areturn. An ireturn is 0xac.
    const ECHO: [u8; 6] = [0, 0, 0, 2, 0x2a, 0xb0];
    let file = compiled("canary", &["WeaveCanary.java"])?.join("java/lang/WeaveCanary.class");
    let mut class = fs::read(&file).with_context(|| file.display().to_string())?;
    let at = class.windows(ECHO.len()).position(|bytes| bytes == ECHO).context("javac wrote another echo")?;
    if let Some(areturn) = class.get_mut(at + 5) {
        *areturn = 0xac;
    }
    Ok(class)
}

fn compiled(folder: &str, sources: &[&str]) -> Result<PathBuf> {
    let from = cache::workspace().join("xtask/src/corpus");
    let sources: Vec<_> = sources.iter().map(|source| from.join(source)).collect();
    let out = cache::target_dir().join("corpus").join(folder);
    fs::create_dir_all(out.parent().unwrap_or(&out))?;
    javac::compile(&sources, &out, &[])?;
    Ok(out)
}

fn jars_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut jars: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    jars.sort();
    Ok(jars)
}
