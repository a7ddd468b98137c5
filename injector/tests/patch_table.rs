//! The patch doctor's verdict is the JVM's, code for code: the comparer's table of changes, through the command line. What is
//! refused, the JVM refuses with that code; what is accepted is applied, and taken out again.

mod common;
#[path = "../../crates/classfile/tests/compare/edits.rs"]
mod edits;
#[path = "../../crates/classfile/tests/compare/table.rs"]
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use common::{Run, bundled_agent_beside_jgraft, jgraft};
use jgraft_jvm_harness::{Jdk, Jvm, artifacts, cache, each_release, javac};
use serde_json::Value;
use table::{Case, Made, cases};

/// What the command line says of its own before it comes to a verdict, and what the JVM's would be.
const BEFORE: [(&str, &[&str]); 3] = [
    // A class is found by its name.
    ("not-found", &["69", "68"]),
    ("newer-class", &["68"]),
    ("broken-class", &["68"]),
];

/// What the JVM refuses as it is, and takes when it is put together with the class in force: that has its order of fields, and
/// its version.
const BETTER: [(&str, &str); 5] = [
    ("order of fields", "64"),
    ("order of static fields", "64"),
    ("minor version 3 of ", "68"),
    ("preview of 52", "68"),
    ("member class in a version without nests", "72"),
];

#[test]
fn the_doctors_verdict_is_the_jvms() {
    let Some(made) = cases() else { return };
    let program = cache::target_dir().join("patch-table");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/patch/Loaded.java");
    javac::compile(&[source], &program, &["--release", "8", "-nowarn"]).unwrap();
    artifacts::native_agent().unwrap();
    bundled_agent_beside_jgraft().unwrap();
    // The flag is there from 13 on; before, all do as if.
    for (adding, from) in [(None, 8), (Some("-XX:+AllowRedefinitionToAddDeleteMethods"), 13)] {
        each_release(&format!("patch_table::verdicts {}", adding.unwrap_or_default()), from.., |jdk| {
            let dir = tempfile::tempdir()?;
            let all = made.for_vm(u16::try_from(jdk.feature)?, dir.path())?;
            let said = jvms_codes(jdk, &made, &all, dir.path(), adding)?;
            // Private members of nested classes are used by accessors before 11.
            let newest = [17, 11, 8].into_iter().find(|release| u32::from(*release) <= jdk.feature);
            let releases: BTreeSet<u16> = adding.is_none().then_some(8).into_iter().chain(newest).collect();
            for release in releases {
                let loaded = Loaded::start(jdk, &made, &program, release, adding)?;
                let of_release = format!("({release})");
                let (compiled, edited): (Vec<_>, Vec<_>) = all
                    .iter()
                    .filter(|case| case.name.ends_with(&of_release))
                    .partition(|case| case.file.starts_with(&made.dir));
                let mut seen = loaded.together(&compiled, &said)?;
                // The bytes that are edited are much the same in all releases.
                if Some(release) == newest {
                    seen.extend(loaded.one_by_one(&edited, &said)?);
                }
                let mut wanted = BTreeSet::from(["0", "64", "66", "70", "71"]);
                wanted.extend((release >= 11).then_some("72"));
                if adding.is_none() {
                    wanted.extend(["63", "67"]);
                }
                ensure!(wanted.iter().all(|code| seen.contains(*code)), "{seen:?}");
                loaded.is_unharmed()?;
            }
            Ok(())
        });
    }
}

/// By the case, what the JVM says to the class as it is: 0 where it takes it.
fn jvms_codes(
    jdk: &Jdk,
    made: &Made,
    cases: &[Case],
    dir: &Path,
    flag: Option<&str>,
) -> Result<BTreeMap<String, String>> {
    let list = dir.join("cases");
    fs::write(&list, cases.iter().map(Case::line).collect::<String>())?;
    let jvm = Jvm::builder(jdk)
        .args([format!("-javaagent:{}", made.agent.display()), "-Xmx128m".to_owned()])
        .args(flag)
        .class_path(&made.harness)
        .visible(&made.agent)
        .visible(&made.dir)
        .visible(dir)
        .main("Redefine")
        .program_args([&list])
        .ready_when("done")
        .start()?;
    jvm.wait_ready()?;
    let said = jvm.stdout();
    let lines = said.lines().filter_map(|line| line.strip_prefix("case\t")?.split_once('\t'));
    Ok(lines.map(|(case, code)| (case.to_owned(), code.to_owned())).collect())
}

/// A JVM that has all the old classes of a release.
struct Loaded {
    jvm: Jvm,
    what: String,
}

impl Loaded {
    fn start(jdk: &Jdk, made: &Made, program: &Path, release: u16, flag: Option<&str>) -> Result<Loaded> {
        let classes = made.dir.join(format!("{release}/old"));
        let jvm = Jvm::builder(jdk)
            .args(flag)
            .class_path(program)
            .class_path(&classes)
            .main("Loaded")
            .program_args([&classes])
            .start()?;
        jvm.wait_ready()?;
        Ok(Loaded { jvm, what: format!("JDK {jdk}, release {release} {}", flag.unwrap_or_default()) })
    }

    fn patch(&self, words: &[&str]) -> Result<Run> {
        let pid = self.jvm.pid().to_string();
        jgraft(["patch", &pid].into_iter().chain(words.iter().copied()))
    }

    /// Cases of classes that are all different: one dry run of all, and one patch of all that are accepted.
    fn together(&self, cases: &[&Case], said: &BTreeMap<String, String>) -> Result<BTreeSet<String>> {
        let files: Vec<_> = cases.iter().map(|case| case.file.display().to_string()).collect();
        let all: Vec<&str> = files.iter().map(String::as_str).collect();
        let run = self.patch(&[&["apply", "--dry-run", "--json"][..], &all].concat())?.expect(3)?;
        let told = run.json()?;
        ensure!(told["outcome"] == "refused", "{told}");
        let (mut accepted, mut seen) = (Vec::new(), BTreeSet::new());
        for (case, file) in cases.iter().zip(&all) {
            let ours = verdict(&told, &case.class)?;
            if is_jvms(case, &ours, said)? {
                accepted.push(*file);
            }
            seen.extend(ours);
        }
        eprintln!("{}: {} cases, {} accepted", self.what, cases.len(), accepted.len());
        let run = self.patch(&[&["apply", "--json"][..], &accepted].concat())?.expect(0)?;
        ensure!(run.json()?["outcome"] == "applied", "{run:?}");
        self.patch(&["revert", "--all"])?.expect(0)?;
        Ok(seen)
    }

    /// Cases that share their classes.
    fn one_by_one(&self, cases: &[&Case], said: &BTreeMap<String, String>) -> Result<BTreeSet<String>> {
        let (mut applied, mut seen) = (0, BTreeSet::new());
        for case in cases {
            let file = case.file.display().to_string();
            let run = self.patch(&["apply", &file, "--dry-run", "--json"])?;
            let told = run.json()?;
            let ours = verdict(&told, &case.class)?;
            let accepted = is_jvms(case, &ours, said)?;
            ensure!(run.code == if accepted { 0 } else { 3 }, "{}: {run:?}", case.name);
            seen.extend(ours);
            if told["outcome"] == "dry-run" {
                self.patch(&["apply", &file])?.expect(0)?;
                self.patch(&["revert", "--all"])?.expect(0)?;
                applied += 1;
            }
        }
        eprintln!("{}: {} edited, {applied} applied", self.what, cases.len());
        Ok(seen)
    }

    /// It still runs, and has not complained.
    fn is_unharmed(&self) -> Result<()> {
        ensure!(self.jvm.is_alive());
        let said = self.jvm.stderr();
        ensure!(!said.contains("Exception") && !said.contains("Error"), "{said}");
        Ok(())
    }
}

/// Whether it was accepted; an error unless that, or a code of ours, is what the JVM says.
fn is_jvms(case: &Case, ours: &[String], said: &BTreeMap<String, String>) -> Result<bool> {
    let jvms = said.get(&case.name).with_context(|| format!("no {}", case.name))?;
    let accepted = ours == ["0"];
    let before = BEFORE.iter().find(|(code, _)| ours == [*code]);
    let better = accepted && BETTER.iter().any(|(name, code)| case.name.starts_with(name) && jvms == code);
    let same = match before {
        Some((_, theirs)) => theirs.contains(&jvms.as_str()),
        None => better || ours.contains(jvms),
    };
    ensure!(same, "{}: {ours:?}, the jvm {jvms}", case.name);
    Ok(accepted)
}

/// Codes of which the JVM is to say one, or what the command line says before.
fn verdict(told: &Value, class: &str) -> Result<Vec<String>> {
    if let Some(code) = told["code"].as_str() {
        return Ok(vec![code.to_owned()]);
    }
    let same = told["same"].as_array().context("no same")?;
    if same.iter().any(|name| name == class) {
        return Ok(vec!["0".to_owned()]);
    }
    let classes = told["classes"].as_array().context("no classes")?;
    let found =
        classes.iter().find(|found| found["class"] == class).with_context(|| format!("no {class}"))?;
    let errors: Vec<_> =
        found["errors"].as_array().context("no errors")?.iter().map(Value::to_string).collect();
    ensure!(found["verdict"] == if errors.is_empty() { "accepted" } else { "refused" }, "{found}");
    Ok(if errors.is_empty() { vec!["0".to_owned()] } else { errors })
}
