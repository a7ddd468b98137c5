//! `cargo xtask corpus verify`: woven classes link under full verification, as many as unwoven ones.
//!
//! A JDK is booted on its own woven modules. Popular jars are linked on the lowest JDK that can read them and on the
//! newest, all in one class loader; what they need beyond each other is absent, so some classes link neither way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use jgraft_jvm_harness::{Jdk, cache, skip};
use tempfile::TempDir;

use super::archives::{self, Archive};
use super::link::{Linked, Linking};
use super::report::Row;
use super::{examples, jars, popular, runnable};

/// What to verify; all of it where nothing is said.
#[derive(Debug, Default, Args)]
pub(crate) struct Choice {
    /// Only on JDKs of this feature number
    #[arg(long)]
    jdk: Option<u32>,
    /// Only this variant
    #[arg(long, value_enum)]
    variant: Option<Variant>,
    /// Only these classes
    #[arg(long, value_enum)]
    only: Option<Kind>,
}

/// What is woven: see `crates/classfile/examples/weave/variants.rs`.
#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Variant {
    Plain,
    Calls,
    Arguments,
    Guarded,
    Conditions,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Kind {
    Jdks,
    Jars,
}

impl Variant {
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// Verifies what was chosen.
pub(super) fn run(choice: &Choice) -> Result<()> {
    let chosen = |variant: &Variant| choice.variant.is_none_or(|one| one == *variant);
    let variants: Vec<_> = Variant::value_variants().iter().copied().filter(chosen).collect();
    let wanted = |jdk: &Jdk| choice.jdk.is_none_or(|feature| feature == jdk.feature);
    let jdks = runnable();
    let mut report = Report::begin();
    if choice.only != Some(Kind::Jars) {
        for jdk in jdks.iter().filter(|jdk| wanted(jdk)) {
            whole_jdk(jdk, &archives::of_jdk(jdk)?, &variants, &mut report)?;
        }
    }
    if choice.only != Some(Kind::Jdks) {
        popular_jars(&jdks, &popular()?, &variants, wanted, &mut report)?;
    }
    report.end()
}

/// See [`super::What::Quick`].
pub(super) fn quick() -> Result<()> {
    const TEST: &str = "corpus";
    let variants = [Variant::Plain, Variant::Guarded];
    let jdks = runnable();
    let (Some(lowest), Some(newest)) = (jdks.iter().find(|jdk| jdk.feature >= 9), jdks.last()) else {
        skip(TEST, "no JDK from 9 on runs here");
        return Ok(());
    };
    let mut report = Report::begin();
    let mut two = vec![*lowest, *newest];
    two.dedup_by_key(|jdk| jdk.home.clone());
    for jdk in &two {
        let mut archive = archives::of_jdk(jdk)?;
        archive.jars.retain(|jar| jar.file_stem().is_some_and(|stem| stem == "java.base"));
        whole_jdk(jdk, &archive, &variants, &mut report)?;
    }
    let (few, missing) = jars::of(&jars::FEW);
    missing.iter().for_each(|reason| skip(TEST, reason));
    popular_jars(&two, &few, &variants, |_| true, &mut report)?;
    report.end()
}

fn whole_jdk(jdk: &Jdk, archive: &Archive, variants: &[Variant], report: &mut Report) -> Result<()> {
    let names = |woven: &Woven| woven.jars.values().flat_map(|jar| jar.classes.iter().cloned()).collect();
    let unwoven = Woven::make("asis", &archive.jars)?;
    let names: BTreeSet<String> = names(&unwoven);
    let linking = Linking { jdk, patches: &[], jars: &[], names: &names, scratch: unwoven.folder.path() };
    let before = linking.run()?;
    for variant in variants {
        let woven = Woven::make(&variant.name(), &archive.jars)?;
        let mut row = woven.row(&archive.name, jdk, *variant, woven.jars.values());
        match (Linking { patches: &woven.files, scratch: woven.folder.path(), ..linking }).run() {
            Ok(after) => {
                compare(&mut row, names.iter(), &before, &after);
                if after.probe_calls == 0 {
                    row.failures.push("the JVM did not run the woven classes".to_owned());
                }
            }
            Err(error) => row.failures.push(format!("{error:#}")),
        }
        report.add(row);
    }
    Ok(())
}

fn popular_jars(
    jdks: &[&'static Jdk],
    archives: &[Archive],
    variants: &[Variant],
    wanted: impl Fn(&Jdk) -> bool,
    report: &mut Report,
) -> Result<()> {
    let files: Vec<PathBuf> = archives.iter().flat_map(|archive| archive.jars.iter().cloned()).collect();
    let unwoven = Woven::make("asis", &files)?;
    let plan = plan(jdks, &unwoven);
    let mut runs = Vec::new();
    for jdk in jdks.iter().filter(|jdk| wanted(jdk)) {
        // A class that two jars have comes from the first.
        let mut seen = BTreeSet::new();
        let mut names: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
        for (stem, jar) in unwoven.jars.iter().filter(|(stem, _)| plan[*stem].contains(&jdk.home)) {
            names.insert(stem, jar.classes.iter().filter(|name| seen.insert((*name).clone())).collect());
        }
        if names.is_empty() {
            continue;
        }
        let readable = |woven: &Woven| -> Vec<PathBuf> {
            let jars = woven.files.iter().filter(|file| {
                let stem = file.file_stem().unwrap_or_default().to_string_lossy();
                woven.jars.get(&*stem).is_some_and(|jar| jar.feature <= jdk.feature)
            });
            jars.cloned().collect()
        };
        let linking = Linking {
            jdk,
            patches: &[],
            jars: &readable(&unwoven),
            names: &seen,
            scratch: unwoven.folder.path(),
        };
        let before = linking.run()?;
        runs.push((*jdk, names, seen, before, readable));
    }
    for variant in variants {
        let woven = Woven::make(&variant.name(), &files)?;
        for (jdk, names, seen, before, readable) in &runs {
            let jars = readable(&woven);
            let linking =
                Linking { jdk, patches: &[], jars: &jars, names: seen, scratch: woven.folder.path() };
            let after = linking.run()?;
            for (stem, names) in names {
                let mut row = woven.row(stem, jdk, *variant, woven.jars.get(*stem));
                compare(&mut row, names.iter().copied(), before, &after);
                report.add(row);
            }
        }
    }
    Ok(())
}

/// The homes of the JDKs on which each jar is linked: the lowest that reads it, and the newest.
fn plan(jdks: &[&Jdk], woven: &Woven) -> BTreeMap<String, BTreeSet<PathBuf>> {
    let mut plan = BTreeMap::new();
    for (stem, jar) in &woven.jars {
        let mut able = jdks.iter().filter(|jdk| jdk.feature >= jar.feature);
        let ends = [able.next(), able.next_back()];
        if ends[0].is_none() {
            println!("skipped: {stem}: it needs JDK {}", jar.feature);
        }
        plan.insert(stem.clone(), ends.into_iter().flatten().map(|jdk| jdk.home.clone()).collect());
    }
    plan
}

fn compare<'n>(row: &mut Row, names: impl Iterator<Item = &'n String>, before: &Linked, after: &Linked) {
    let none = "not reached".to_owned();
    for name in names {
        let outcome = |linked: &Linked| linked.outcomes.get(name).unwrap_or(&none).clone();
        row.count(name, &outcome(before), &outcome(after));
    }
}

/// Jars that were woven, in a folder that goes away.
struct Woven {
    folder: TempDir,
    files: Vec<PathBuf>,
    /// By the stem of the file's name.
    jars: BTreeMap<String, Jar>,
}

#[derive(Debug, Default)]
struct Jar {
    classes: Vec<String>,
    /// The lowest JDK that reads its classes.
    feature: u32,
    methods: usize,
    left_alone: Vec<(String, usize)>,
}

impl Woven {
    fn make(variant: &str, files: &[PathBuf]) -> Result<Self> {
        let parent = cache::target_dir().join("corpus");
        fs::create_dir_all(&parent)?;
        let folder = tempfile::Builder::new().prefix("woven-").tempdir_in(parent)?;
        let mut args = vec![variant.to_owned(), folder.path().display().to_string()];
        args.extend(files.iter().map(|file| file.display().to_string()));
        let mut jars: BTreeMap<String, Jar> = BTreeMap::new();
        for fact in examples::facts("weave", &args)? {
            let fact: Vec<&str> = fact.iter().map(String::as_str).collect();
            let number = |text: &str| text.parse::<usize>().with_context(|| format!("weave: {fact:?}"));
            match fact.as_slice() {
                ["class", jar, major, version, name] => {
                    let jar = jars.entry((*jar).to_owned()).or_default();
                    jar.classes.push((*name).to_owned());
                    // Those below META-INF/versions are read by the JDKs that can.
                    if *version == "0" {
                        // 52 is 8, 53 is 9; what is older runs on 8.
                        jar.feature =
                            jar.feature.max(u32::try_from(number(major)?)?.saturating_sub(44)).max(8);
                    }
                }
                ["left", jar, count, reason] => {
                    let left = (*reason).to_owned();
                    jars.entry((*jar).to_owned()).or_default().left_alone.push((left, number(count)?));
                }
                ["jar", jar, _, methods, ..] => {
                    jars.entry((*jar).to_owned()).or_default().methods = number(methods)?;
                }
                _ => bail!("weave says {fact:?}"),
            }
        }
        let woven = |file: &PathBuf| Some(folder.path().join(file.with_extension("jar").file_name()?));
        let files = files.iter().filter_map(woven).collect();
        Ok(Self { folder, files, jars })
    }

    fn row<'j>(
        &self,
        archive: &str,
        jdk: &Jdk,
        variant: Variant,
        jars: impl IntoIterator<Item = &'j Jar>,
    ) -> Row {
        let mut row = Row { archive: archive.to_owned(), variant: variant.name(), ..Row::default() };
        row.jdk = jdk.version.clone();
        for jar in jars {
            row.methods += jar.methods;
            for (reason, count) in &jar.left_alone {
                *row.left_alone.entry(reason.clone()).or_default() += count;
            }
        }
        row
    }
}

/// Rows as they come, and at the end what was wrong.
struct Report {
    rows: Vec<Row>,
}

impl Report {
    fn begin() -> Self {
        println!("{}", Row::header());
        Self { rows: Vec::new() }
    }

    fn add(&mut self, row: Row) {
        println!("{row}");
        self.rows.push(row);
    }

    fn end(self) -> Result<()> {
        let sum = |of: fn(&Row) -> usize| self.rows.iter().map(of).sum::<usize>();
        println!(
            "{} classes in {} rows, {} methods woven: {} linked unwoven, {} woven, {} new errors",
            sum(|row| row.classes),
            self.rows.len(),
            sum(|row| row.methods),
            sum(|row| row.linked_before),
            sum(|row| row.linked_after),
            sum(|row| row.verify_errors),
        );
        let failures = sum(|row| row.failures.len());
        for row in self.rows.iter().filter(|row| !row.failures.is_empty()) {
            println!("{} on JDK {}, {}:", row.archive, row.jdk, row.variant);
            row.failures.iter().take(5).for_each(|failure| println!("  {failure}"));
        }
        if self.rows.is_empty() {
            bail!("nothing was verified");
        }
        if failures > 0 {
            bail!("{failures} classes do not link as they did before weaving");
        }
        Ok(())
    }
}
