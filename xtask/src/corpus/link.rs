//! One JVM that links classes under full verification and says of each what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jgraft_jvm_harness::{Jdk, Jvm};

use super::archives;

/// A whole JDK may take so long to link.
const PATIENCE: Duration = Duration::from_secs(1800);

/// A class that must not link: see `WeaveCanary.java`.
const CANARY: &str = "java.lang.WeaveCanary";

/// What a JVM links.
#[derive(Debug)]
pub(super) struct Linking<'a> {
    pub(super) jdk: &'a Jdk,
    /// Jars that replace classes of its own modules, each named for its module.
    pub(super) patches: &'a [PathBuf],
    /// Jars of one class loader; none for the classes of the JDK itself.
    pub(super) jars: &'a [PathBuf],
    pub(super) names: &'a BTreeSet<String>,
    /// A folder that the JVM can see, for its files.
    pub(super) scratch: &'a Path,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Linked {
    /// By class: `linked`, or the throwable's text.
    pub(super) outcomes: BTreeMap<String, String>,
    /// How often woven code called its probe.
    pub(super) probe_calls: u64,
}

impl Linking<'_> {
    /// Starts the JVM and waits for all of it.
    pub(super) fn run(&self) -> Result<Linked> {
        let (names, results) = (self.scratch.join("names"), self.scratch.join("results"));
        let lines: String = self.names.iter().map(|name| format!("{name}\n")).collect();
        fs::write(&names, format!("{CANARY}\n{lines}"))?;
        let canary = self.canary_folder();
        fs::create_dir_all(canary.join("java/lang"))?;
        fs::write(canary.join("java/lang/WeaveCanary.class"), archives::canary()?)?;
        let jvm = Jvm::builder(self.jdk)
            .args(self.options()?)
            .class_path(archives::programs()?)
            .main("LinkAll")
            .program_args([&names, &results].into_iter().chain(self.jars))
            .visible(self.scratch)
            .start()?;
        let done = jvm.wait_for_stdout(|line| line.starts_with("done"), PATIENCE)?;
        let end = jvm.finish()?;
        if !end.status.success() {
            bail!("linking on JDK {}: {}\n{}", self.jdk, end.status, end.stderr);
        }
        let probe_calls = done.rsplit(' ').next().and_then(|count| count.parse().ok());
        let text = fs::read_to_string(&results)?;
        let pairs = text.lines().filter_map(|line| line.split_once('\t'));
        let mut outcomes: BTreeMap<_, _> =
            pairs.map(|(name, outcome)| (name.to_owned(), outcome.to_owned())).collect();
        let canary = outcomes.remove(CANARY).unwrap_or_default();
        if !canary.starts_with("java.lang.VerifyError") {
            bail!("JDK {} does not verify: a class that is wrong gave {canary:?}", self.jdk);
        }
        Ok(Linked { outcomes, probe_calls: probe_calls.context("LinkAll says no count")? })
    }

    fn canary_folder(&self) -> PathBuf {
        self.scratch.join("canary")
    }

    fn options(&self) -> Result<Vec<String>> {
        let own = format!("{}:{}", archives::probe()?.display(), self.canary_folder().display());
        let mut options: Vec<String> = [
            "-XX:+UnlockDiagnosticVMOptions",
            "-XX:+BytecodeVerificationLocal",
            "-XX:+BytecodeVerificationRemote",
            "-Xshare:off",
            // Enough for code that runs once.
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx1g",
        ]
        .map(str::to_owned)
        .into();
        if self.jdk.feature <= 11 {
            // Else a class of version 50 with wrong frames is given to the old verifier, which does not look at them.
            // Newer JDKs have no such option.
            options.push("-XX:-FailOverToOldVerifier".to_owned());
        }
        if self.jdk.feature < 9 {
            let patches = self.patches.iter().map(|jar| jar.display().to_string());
            let path: Vec<_> = patches.chain([own]).collect();
            options.push(format!("-Xbootclasspath/p:{}", path.join(":")));
            return Ok(options);
        }
        options.extend(["--add-modules", "ALL-SYSTEM"].map(str::to_owned));
        let mut base = own;
        for jar in self.patches {
            let module = jar.file_stem().unwrap_or_default().to_string_lossy();
            if module == "java.base" {
                base = format!("{}:{base}", jar.display());
            } else {
                options.extend(["--patch-module".to_owned(), format!("{module}={}", jar.display())]);
            }
        }
        options.extend(["--patch-module".to_owned(), format!("java.base={base}")]);
        Ok(options)
    }
}
