//! The table of changes, compiled: what `changes` has, and what no compiler writes (`edits`).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jgraft_jvm_harness::cache::{lock, target_dir, workspace};
use jgraft_jvm_harness::jdks::no_jdk_hint;
use jgraft_jvm_harness::{Jdk, javac, skip};

use crate::edits;

const RELEASES: [u16; 3] = [8, 11, 17];

/// One change, for one version of class files.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) old: Vec<u8>,
    pub(crate) new: Vec<u8>,
    folder: PathBuf,
    /// With dots.
    pub(crate) class: String,
    pub(crate) file: PathBuf,
}

impl Case {
    /// For Redefine.java.
    pub(crate) fn line(&self) -> String {
        let Self { name, folder, class, file, .. } = self;
        format!("{name}\t{}\t{class}\t{}\n", folder.display(), file.display())
    }
}

/// The compiled table.
pub(crate) struct Made {
    pub(crate) dir: PathBuf,
    /// Redefine's jar, an agent, and its classes.
    pub(crate) agent: PathBuf,
    pub(crate) harness: PathBuf,
    changes: Vec<(String, u16)>,
}

/// Compiles the table; none without a JDK that compiles.
pub(crate) fn cases() -> Option<Made> {
    if Jdk::compiler().is_none() {
        skip("compare", no_jdk_hint());
        return None;
    }
    Some(make().unwrap())
}

fn make() -> Result<Made> {
    let tests = workspace().join("crates/classfile/tests/compare");
    let dir = target_dir().join("compare");
    fs::create_dir_all(&dir)?;
    let _lock = lock(&dir.join("lock"))?;
    let changes = parse(&fs::read_to_string(tests.join("changes"))?)?;
    for release in RELEASES {
        for (version, side) in [("old", 0), ("new", 1)] {
            let mut sources = Vec::new();
            for (n, change) in changes.iter().enumerate().filter(|(_, change)| change.from <= release) {
                let file = dir.join(format!("src/{release}/{version}/c{n}/A.java"));
                let text = format!("package c{n};\n{}", change.sources[side]);
                if fs::read_to_string(&file).ok().as_deref() != Some(&text) {
                    fs::create_dir_all(file.parent().context("a folder")?)?;
                    fs::write(&file, text)?;
                }
                sources.push(file);
            }
            let release_text = release.to_string();
            let out = dir.join(format!("{release}/{version}"));
            javac::compile(&sources, &out, &["--release", &release_text, "-g"])?;
        }
    }
    let harness = dir.join("harness");
    javac::compile(&[tests.join("Redefine.java")], &harness, &[])?;
    let agent = dir.join("redefine.jar");
    javac::jar("Premain-Class: Redefine\nCan-Redefine-Classes: true\n", &harness, &agent)?;
    let changes = changes.into_iter().map(|change| (change.name, change.from)).collect();
    Ok(Made { dir, agent, harness, changes })
}

struct SourceChange {
    name: String,
    from: u16,
    sources: [String; 2],
}

fn parse(text: &str) -> Result<Vec<SourceChange>> {
    let mut changes = Vec::new();
    for part in text.split("\n== ").skip(1) {
        let (heading, rest) = part.split_once('\n').context("a heading")?;
        let (old, new) = rest.split_once("\n=>\n").with_context(|| format!("no => in {heading}"))?;
        let (name, from) = match heading.split_once(" (from ") {
            Some((name, from)) => (name, from.trim_end_matches(')').parse()?),
            None => (heading, 8),
        };
        changes.push(SourceChange { name: name.to_owned(), from, sources: [old.to_owned(), new.to_owned()] });
    }
    Ok(changes)
}

impl Made {
    /// One change that `changes` has.
    pub(crate) fn source(&self, name: &str, release: u16) -> Case {
        let n = self.changes.iter().position(|(found, _)| found == name).unwrap();
        self.compiled(n, release).unwrap()
    }

    fn compiled(&self, n: usize, release: u16) -> Result<Case> {
        let folder = self.dir.join(format!("{release}/old"));
        let file = self.dir.join(format!("{release}/new/c{n}/A.class"));
        Ok(Case {
            name: format!("{} ({release})", self.changes[n].0),
            old: fs::read(folder.join(format!("c{n}/A.class")))?,
            new: fs::read(&file)?,
            folder,
            class: format!("c{n}.A"),
            file,
        })
    }

    /// Everything that a VM of a release can load, edited classes written below `dir`.
    pub(crate) fn for_vm(&self, feature: u16, dir: &Path) -> Result<Vec<Case>> {
        let mut cases = Vec::new();
        for release in RELEASES.into_iter().filter(|release| *release <= feature) {
            for (n, (_, from)) in self.changes.iter().enumerate() {
                if *from <= release {
                    cases.push(self.compiled(n, release)?);
                }
            }
            for (n, edit) in edits::EDITS.iter().enumerate() {
                let source = edit.of;
                let mut case = self.source(source, release);
                let Some(new) = (edit.make)(&case.old, feature) else { continue };
                case.name = format!("{} ({release})", edit.name);
                case.file = dir.join(format!("{release}-{n}.class"));
                fs::write(&case.file, &new)?;
                case.new = new;
                cases.push(case);
            }
        }
        Ok(cases)
    }
}
