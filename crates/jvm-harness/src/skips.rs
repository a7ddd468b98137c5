//! Tests that need what a machine may not have: they say so instead of passing in silence. `cargo xtask
//! test` reads the two files named by `JGRAFT_SKIPS` and `JGRAFT_RAN` for its closing list.

use std::any::Any;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::ops::{Bound, RangeBounds};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, thread};

use anyhow::Result;

use crate::jdks::{Jdk, no_jdk_hint};

/// How many JVMs [`each_jdk`] runs at once.
const THREADS: usize = 2;

/// Records that a test, or a part of it, was left out, and why: a line on stderr and `TEST\tREASON` in the
/// file named by `JGRAFT_SKIPS`.
pub fn skip(test: &str, reason: &str) {
    eprintln!("skipped {test}: {reason}");
    append("JGRAFT_SKIPS", &format!("{test}\t{}", reason.replace(['\n', '\t'], " ")));
}

/// Runs a check on every JDK found whose feature lies in `range`, two at a time, and fails at the end with
/// the name of each JDK on which the check returned an error or panicked. What is left out is recorded as
/// skipped; each feature that did run is recorded as `FEATURE\tTEST` in the file named by `JGRAFT_RAN`.
///
/// # Panics
/// The check failed on a JDK: this is the test's failure.
pub fn each_jdk(test: &str, range: impl RangeBounds<u32>, check: impl Fn(&'static Jdk) -> Result<()> + Sync) {
    run_on(test, &usable(test, range), check);
}

/// The same on the newest build of each feature only, which is as much and takes less time where the claim is about a
/// *release*: what its HotSpot refuses, verifies or prints, which class files it takes. Builds of one release (17.0.9 and
/// 17.0.15; a whole JDK and a small runtime) differ in how they start, in what files, modules and options they have, and
/// in bugs of attach, of agents and of threads: whatever is about one of these is for [`each_jdk`], and so is a test of
/// which one can't say.
///
/// # Panics
/// As [`each_jdk`].
pub fn each_release(
    test: &str,
    range: impl RangeBounds<u32>,
    check: impl Fn(&'static Jdk) -> Result<()> + Sync,
) {
    let (newest, older) = newest_of_each_feature(usable(test, range), |jdk| (jdk.feature, jdk.build()));
    for jdk in older {
        skip(test, &format!("JDK {jdk}: a newer build of {} is enough", jdk.feature));
    }
    run_on(test, &newest, check);
}

/// What can run here and lies in the range; the others are recorded as skipped.
fn usable(test: &str, range: impl RangeBounds<u32>) -> Vec<&'static Jdk> {
    if Jdk::all().is_empty() {
        skip(test, no_jdk_hint());
    }
    let mut jdks = Vec::new();
    for jdk in Jdk::all() {
        match jdk.runnable() {
            _ if !range.contains(&jdk.feature) => {
                skip(test, &format!("JDK {jdk}: declared for {}", range_text(&range)));
            }
            Err(reason) => skip(test, &reason),
            Ok(()) => jdks.push(jdk),
        }
    }
    jdks
}

/// The newest of each feature, and the rest; by feature and build.
fn newest_of_each_feature<T>(items: Vec<T>, key: impl Fn(&T) -> (u32, Vec<u32>)) -> (Vec<T>, Vec<T>) {
    let mut newest = BTreeMap::new();
    for item in &items {
        let (feature, build) = key(item);
        let found: &mut Vec<u32> = newest.entry(feature).or_default();
        *found = build.max(std::mem::take(found));
    }
    // Of several copies of one build the first.
    items.into_iter().partition(|item| {
        let (feature, build) = key(item);
        newest.get(&feature) == Some(&build) && newest.remove(&feature).is_some()
    })
}

fn run_on(test: &str, jdks: &[&'static Jdk], check: impl Fn(&'static Jdk) -> Result<()> + Sync) {
    let failures = run(jdks, |jdk| {
        append("JGRAFT_RAN", &format!("{}\t{test}", jdk.feature));
        check(jdk)
    });
    assert!(
        failures.is_empty(),
        "{test} failed on {} of {} JDKs\n{}",
        failures.len(),
        jdks.len(),
        failures.join("\n")
    );
}

/// Runs the check on each, [`THREADS`] at a time; a text for each that failed, in the given order.
fn run<T: std::fmt::Display + Sync>(
    items: &[&'static T],
    check: impl Fn(&'static T) -> Result<()> + Sync,
) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS.min(items.len()) {
            scope.spawn(|| {
                while let Some((i, item)) = take(items, &next) {
                    // The check shares nothing that a panic could leave half done but its own captures.
                    let failure = match catch_unwind(AssertUnwindSafe(|| check(item))) {
                        Ok(Ok(())) => continue,
                        Ok(Err(error)) => format!("{error:#}"),
                        Err(panic) => panic_text(panic.as_ref()),
                    };
                    if let Ok(mut failures) = failures.lock() {
                        failures.push((i, format!("JDK {item}: {failure}")));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap_or_default();
    failures.sort();
    failures.into_iter().map(|(_, text)| text).collect()
}

fn take<T>(items: &[&'static T], next: &AtomicUsize) -> Option<(usize, &'static T)> {
    let i = next.fetch_add(1, Ordering::Relaxed);
    items.get(i).map(|item| (i, *item))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked").to_owned()
}

fn range_text(range: &impl RangeBounds<u32>) -> String {
    let from = match range.start_bound() {
        Bound::Included(from) => Some(*from),
        Bound::Excluded(below) => Some(below + 1),
        Bound::Unbounded => None,
    };
    let to = match range.end_bound() {
        Bound::Included(to) => Some(*to),
        Bound::Excluded(above) => Some(above.saturating_sub(1)),
        Bound::Unbounded => None,
    };
    match (from, to) {
        (Some(from), Some(to)) => format!("JDK {from} to {to}"),
        (Some(from), None) => format!("JDK {from} and later"),
        (None, Some(to)) => format!("JDK {to} and earlier"),
        (None, None) => "every JDK".to_owned(),
    }
}

/// Appends a line to the file that a variable names, if it does. One write call with O_APPEND, so that the
/// lines of several test processes do not mix.
fn append(variable: &str, line: &str) {
    let Some(path) = env::var_os(variable).filter(|path| !path.is_empty()) else { return };
    if let Err(error) = append_to(Path::new(&path), line) {
        eprintln!("can't append to {variable}={}: {error}", Path::new(&path).display());
    }
}

fn append_to(path: &Path, line: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use anyhow::bail;

    use super::*;
    use crate::release;

    static ITEMS: [u32; 5] = [8, 11, 17, 21, 25];

    fn items() -> Vec<&'static u32> {
        ITEMS.iter().collect()
    }

    #[test]
    fn each_item_runs_once_and_each_failure_is_named() {
        let sum = AtomicU32::new(0);
        let failures = run(&items(), |item| {
            sum.fetch_add(*item, Ordering::Relaxed);
            match item {
                11 => bail!("refused"),
                21 => panic!("broke at {item}"),
                _ => Ok(()),
            }
        });
        assert_eq!(sum.into_inner(), ITEMS.iter().sum());
        assert_eq!(failures, ["JDK 11: refused", "JDK 21: broke at 21"]);
    }

    #[test]
    fn of_each_feature_the_newest_build_is_taken_once() {
        let jdks = vec!["17.0.9", "17.0.15 a", "17.0.15 b", "21.0.8", "1.8.0_504"];
        let key = |jdk: &&str| {
            let version = jdk.split(' ').next().unwrap_or_default();
            (release::feature(version).unwrap(), release::build(version))
        };
        let (newest, older) = newest_of_each_feature(jdks, key);
        assert_eq!(newest, ["17.0.15 a", "21.0.8", "1.8.0_504"]);
        assert_eq!(older, ["17.0.9", "17.0.15 b"]);
    }

    #[test]
    fn ranges_read_well() {
        assert_eq!(range_text(&(11..)), "JDK 11 and later");
        assert_eq!(range_text(&(8..=20)), "JDK 8 to 20");
        assert_eq!(range_text(&(..9)), "JDK 8 and earlier");
        assert_eq!(range_text(&..), "every JDK");
    }

    #[test]
    fn lines_are_appended() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("skips");
        append_to(&file, "a\tfirst").unwrap();
        append_to(&file, "b\tsecond").unwrap();
        assert_eq!(std::fs::read_to_string(file).unwrap(), "a\tfirst\nb\tsecond\n");
    }
}
