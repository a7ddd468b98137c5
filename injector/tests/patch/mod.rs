//! The program that is patched, and what it is patched with.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::{Jdk, Jvm, JvmBuilder, artifacts, cache, javac};

use super::common::{Run, bundled_agent_beside_jgraft, jgraft};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/patch");
/// Classes that the boot loader and loaders of their own have, and not the application's.
const APART: [(&str, &str); 2] = [("OnBoot", "boot"), ("Twice", "twice")];

/// Where the classes are.
pub(crate) struct Classes {
    pub(crate) folder: PathBuf,
}

impl Classes {
    /// Compiled once, in a folder of their own: as they are, as `new` and as `next`.
    pub(crate) fn made() -> Result<Classes> {
        use std::sync::OnceLock;
        static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let made = MADE.get_or_init(|| make().map_err(|error| format!("{error:#}")));
        let folder = made.clone().map_err(anyhow::Error::msg)?;
        Ok(Classes { folder })
    }

    /// The class file of a class of a version.
    pub(crate) fn file(&self, version: &str, class: &str) -> String {
        self.folder.join(version).join(format!("{class}.class")).display().to_string()
    }

    /// The program, ready.
    pub(crate) fn start(&self, jdk: &Jdk, options: &[&str]) -> Result<Service> {
        self.start_seeing(jdk, options, &[])
    }

    /// The same where it sees more than its own classes.
    pub(crate) fn start_seeing(&self, jdk: &Jdk, options: &[&str], more: &[&Path]) -> Result<Service> {
        self.start_in(jdk, options, |jvm| more.iter().fold(jvm, |jvm, path| jvm.visible(path)))
    }

    /// The same in surroundings of its own.
    pub(crate) fn start_in(
        &self,
        jdk: &Jdk,
        options: &[&str],
        surroundings: impl FnOnce(JvmBuilder<'_>) -> JvmBuilder<'_>,
    ) -> Result<Service> {
        artifacts::native_agent()?;
        bundled_agent_beside_jgraft()?;
        let boot = format!("-Xbootclasspath/a:{}", self.folder.join("boot").display());
        let mut all = vec![boot.as_str()];
        // The library for java.lang.instrument of 8 makes it complain by itself.
        all.extend((jdk.feature > 8).then_some("-Xcheck:jni"));
        all.extend(options);
        let jvm = Jvm::builder(jdk)
            .args(all)
            .class_path(self.folder.join("app"))
            .main("Patched")
            .program_args([self.folder.join("twice")])
            .visible(&self.folder);
        let jvm = surroundings(jvm).start()?;
        jvm.wait_ready()?;
        Ok(Service { jvm })
    }
}

fn make() -> Result<PathBuf> {
    let folder = cache::target_dir().join("patched");
    let sources: Vec<String> = ["Patched", "Twice", "OnBoot"]
        .iter()
        .map(|name| fs::read_to_string(Path::new(SOURCES).join(format!("{name}.java"))))
        .collect::<std::io::Result<_>>()?;
    for (version, word) in [("app", "OLD"), ("new", "NEW"), ("next", "NEXT")] {
        let source = folder.join(format!("{version}-source"));
        fs::create_dir_all(&source)?;
        let mut files = Vec::new();
        for (name, text) in ["Patched", "Twice", "OnBoot"].iter().zip(&sources) {
            let file = source.join(format!("{name}.java"));
            let text = text
                .replace("\"OLD\"", &format!("\"{word}\""))
                .replace(":\" + \"OLD", &format!(":\" + \"{word}"));
            if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
                fs::write(&file, text)?;
            }
            files.push(file);
        }
        javac::compile(&files, &folder.join(version), &["--release", "8", "-nowarn"])?;
    }
    for (class, place) in APART {
        fs::create_dir_all(folder.join(place))?;
        let from = folder.join("app").join(format!("{class}.class"));
        let to = folder.join(place).join(format!("{class}.class"));
        // Compiled anew it lies there again.
        if from.exists() {
            fs::copy(&from, &to)?;
            fs::remove_file(&from)?;
        }
    }
    Ok(folder)
}

/// The program as it runs.
pub(crate) struct Service {
    pub(crate) jvm: Jvm,
}

impl Service {
    pub(crate) fn pid(&self) -> String {
        self.jvm.pid().to_string()
    }

    /// What a kind of class says.
    pub(crate) fn says(&self, kind: &str) -> Result<String> {
        let line = self.jvm.ask("say", |line| line.starts_with("says "))?;
        let mark = format!("{kind}=");
        let said = line.split(' ').find_map(|word| word.strip_prefix(&mark)).context("no such kind")?;
        Ok(said.to_owned())
    }

    /// `patch PID ...`
    pub(crate) fn patch(&self, words: &[&str]) -> Result<Run> {
        let pid = self.pid();
        let all = ["patch", &pid].into_iter().chain(words.iter().copied());
        jgraft(all)
    }

    /// No call failed, nothing was printed that is not its own, no complaint of -Xcheck:jni.
    pub(crate) fn is_unharmed(&self) -> Result<()> {
        let line = self.jvm.ask("count", |line| line.starts_with("count "))?;
        ensure!(line.contains(" failed 0 "), "{line}");
        let said = self.jvm.stdout() + &self.jvm.stderr();
        for harm in ["WARNING in native", "Error", "Exception in"] {
            ensure!(!said.contains(harm), "{harm}: {said}");
        }
        Ok(())
    }
}
