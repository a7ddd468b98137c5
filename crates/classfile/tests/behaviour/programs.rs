//! The golden programs: every file in `tests/golden`, compiled or assembled into one folder of classes.
//!
//! A file begins with comments (`//` in Java, `;` in an assembled one). Among them can stand, on a line of its own,
//! `release: N`: the JDK it is written for, and the oldest that runs it (8 if not said), and `until: N`, the newest.

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use jgraft_jvm_harness::{Jdk, cache, javac, skip};
use tempfile::TempDir;

use crate::assembler::assemble;

/// All of them, compiled.
pub(crate) struct Programs {
    folder: TempDir,
    harness: PathBuf,
    /// By name: the oldest JDK and the newest.
    jdks: BTreeMap<String, RangeInclusive<u32>>,
}

impl Programs {
    /// Compiles what has changed.
    pub(crate) fn make() -> Result<Self> {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let made = cache::target_dir().join("golden");
        let mut programs = Self {
            // Everything in one folder, made anew, so that nothing is left of a program that is gone.
            folder: tempfile::Builder::new().prefix("golden-").tempdir_in(cache::target_dir())?,
            harness: made.join("harness"),
            jdks: BTreeMap::new(),
        };
        let harness = ["Run", "Probe"].map(|name| tests.join(format!("behaviour/java/probe/{name}.java")));
        javac::compile(&harness, &programs.harness, &["-g"])?;

        let mut releases: BTreeMap<u32, Vec<PathBuf>> = BTreeMap::new();
        let mut assembled = Vec::new();
        let mut files: Vec<PathBuf> =
            fs::read_dir(tests.join("golden"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        files.sort();
        for file in files {
            let name = file.file_stem().and_then(|stem| stem.to_str()).context("a name")?.to_owned();
            let text = fs::read_to_string(&file)?;
            let release = said(&text, "release: ")?.unwrap_or(8);
            let newest = said(&text, "until: ")?.unwrap_or(u32::MAX);
            programs.jdks.insert(name, release..=newest);
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("java") => releases.entry(release).or_default().push(file),
                Some("jasm") => assembled.push((file, text)),
                _ => return Err(anyhow!("{}: neither .java nor .jasm", file.display())),
            }
        }
        for (release, sources) in releases {
            if Jdk::compiler_for(release).is_none() {
                skip("golden programs", &format!("no javac here compiles for JDK {release}"));
                programs.jdks.retain(|_, jdks| *jdks.start() != release);
                continue;
            }
            let classes = made.join(format!("release-{release}"));
            javac::compile(&sources, &classes, &["--release", &release.to_string(), "-g", "-parameters"])?;
            for class in class_files(&classes)? {
                put(&class, &classes, programs.folder.path(), &fs::read(&class)?)?;
            }
        }
        for (file, text) in assembled {
            let classes = assemble(&text).with_context(|| file.display().to_string())?;
            for (name, bytes) in classes {
                put(Path::new(&format!("{name}.class")), Path::new(""), programs.folder.path(), &bytes)?;
            }
        }
        Ok(programs)
    }

    /// Where their classes are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where `probe.Run` and `probe.Probe` are.
    pub(crate) fn harness(&self) -> &Path {
        &self.harness
    }

    /// The names of those that a JDK can run.
    pub(crate) fn for_jdk(&self, jdk: &Jdk) -> impl Iterator<Item = &str> {
        let feature = jdk.feature;
        self.jdks.iter().filter(move |(_, jdks)| jdks.contains(&feature)).map(|(name, _)| name.as_str())
    }
}

/// A number from the comments at the beginning of a file.
fn said(text: &str, what: &str) -> Result<Option<u32>> {
    let mut comments = text.lines().take_while(|line| line.starts_with("//") || line.starts_with(';'));
    let found = comments.find_map(|line| line.trim_start_matches(['/', ';', ' ']).strip_prefix(what));
    found.map(|number| Ok(number.trim().parse()?)).transpose()
}

fn put(file: &Path, base: &Path, to: &Path, bytes: &[u8]) -> Result<()> {
    let target = to.join(file.strip_prefix(base)?);
    fs::create_dir_all(target.parent().context("a folder")?)?;
    Ok(fs::write(target, bytes)?)
}

/// Every class file below a folder.
pub(crate) fn class_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(class_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "class") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
