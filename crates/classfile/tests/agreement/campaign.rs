//! Broken classes by the thousand, each put to our verifier and to a JVM, and what came of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use jgraft_classfile::ClassFile;
use jgraft_classfile::format::{Refusal, takes_version};
use jgraft_classfile::verification::{VerifyError, verify};
use jgraft_jvm_harness::Jdk;
use jgraft_jvm_harness::cache::target_dir;

use crate::bytes::XorShift;
use crate::disagreement::{why_it_needs_more, why_we_are_stricter};
use crate::jvm::{Outcome, define_all};
use crate::mutations::mutate;

/// Classes in one JVM.
const BATCH: u64 = 4_000;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) classes: u64,
    pub(crate) both_accept: u64,
    pub(crate) both_refuse: u64,
    /// Of those, how many with another error than ours.
    pub(crate) other_error: u64,
    /// The JVM refuses, we accept, and it takes other classes or the JVM itself to know: by the reason.
    pub(crate) needs_more: BTreeMap<&'static str, u64>,
    /// We refuse, the JVM accepts, and it is known: by the reason.
    pub(crate) stricter: BTreeMap<&'static str, u64>,
    /// What should not be. A line each.
    pub(crate) wrong: Vec<String>,
}

/// Breaks seeds, by number, and compares.
pub(crate) fn run(
    jdk: &Jdk,
    seeds: &[Vec<u8>],
    jars: &[PathBuf],
    numbers: std::ops::Range<u64>,
    scratch: &Path,
) -> Result<Tally> {
    let mut tally = Tally::default();
    let kept = target_dir().join("agreement");
    let mut first = numbers.start;
    while first < numbers.end {
        let last = numbers.end.min(first + BATCH);
        let classes: Vec<_> = (first..last).map(|number| broken(seeds, number)).collect();
        let mut outcomes = define_all(jdk, &classes, jars, scratch)?;
        without_frames(jdk, &classes, &mut outcomes, jars, scratch)?;
        for (number, (class, outcome)) in (first..).zip(classes.iter().zip(outcomes)) {
            let wrong = tally.wrong.len();
            tally.count(jdk, number, class, outcome);
            if tally.wrong.len() > wrong {
                // For whoever looks into it: javap reads most of them.
                std::fs::write(kept.join(format!("{number}-on-{}.class", jdk.feature)), class)?;
            }
        }
        first = last;
    }
    Ok(tally)
}

/// Where a class of version 50 is refused without its frames, the JVM says what it had against the frames. What it has
/// against the class it says of one that has none to begin with.
fn without_frames(
    jdk: &Jdk,
    classes: &[Vec<u8>],
    outcomes: &mut [Outcome],
    jars: &[PathBuf],
    scratch: &Path,
) -> Result<()> {
    let is_such = |class: &[u8], outcome: &Outcome| {
        class.get(6..8) == Some(&[0, 50])
            && matches!(outcome, Outcome::Refused(error, _) if error.ends_with("VerifyError"))
    };
    let (mut at, mut again) = (Vec::new(), Vec::new());
    for (n, (class, outcome)) in classes.iter().zip(outcomes.iter()).enumerate() {
        if is_such(class, outcome) {
            let mut old = class.clone();
            old[7] = 49;
            at.push(n);
            again.push(old);
        }
    }
    if again.is_empty() {
        return Ok(());
    }
    for (n, outcome) in at.into_iter().zip(define_all(jdk, &again, jars, scratch)?) {
        if outcome != Outcome::Linked {
            outcomes[n] = outcome;
        }
    }
    Ok(())
}

/// The class of a number.
pub(crate) fn broken(seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
    // Numbers that follow each other have to have nothing in common.
    let mut random = XorShift((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    for _ in 0..4 {
        random.next();
    }
    mutate(&seeds[random.below(seeds.len())], &mut random)
}

fn ours(class: &[u8]) -> Result<(), VerifyError> {
    verify(&ClassFile::parse(class)?)
}

impl Tally {
    fn count(&mut self, jdk: &Jdk, number: u64, class: &[u8], outcome: Outcome) {
        self.classes += 1;
        let feature = u16::try_from(jdk.feature).unwrap_or(u16::MAX);
        let version =
            |at: usize| class.get(at..at + 2).map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]));
        if class.len() >= 8
            && class[..4] == [0xca, 0xfe, 0xba, 0xbe]
            && !takes_version(feature, version(6), version(4))
        {
            // Which the comparer knows, and the verifier need not.
            match outcome {
                Outcome::Refused(error, _) if error == Refusal::UnsupportedClassVersionError.to_string() => {
                    self.both_refuse += 1
                }
                other => self.wrong.push(format!("{number}: a version that is not taken: {other:?}")),
            }
            return;
        }
        match (ours(class), outcome) {
            (Ok(()), Outcome::Linked) => self.both_accept += 1,
            (Err(error), Outcome::Refused(class, _)) => {
                self.both_refuse += 1;
                self.other_error += u64::from(error.refusal().to_string() != class);
            }
            (Ok(()), Outcome::Refused(class, message)) => match why_it_needs_more(&class, &message) {
                Some(reason) => *self.needs_more.entry(reason).or_default() += 1,
                None => self.wrong.push(format!("{number}: the JVM alone refuses: {class}: {message}")),
            },
            (Err(error), Outcome::Linked) => match why_we_are_stricter(&error, version(6), feature) {
                Some(reason) => *self.stricter.entry(reason).or_default() += 1,
                None => self.wrong.push(format!("{number}: we alone refuse: {error}")),
            },
            // What a JVM can't live with is no class to give back to one.
            (verdict, Outcome::Ended(how)) => {
                let verdict = verdict.map_or_else(|error| error.to_string(), |()| "accepted by us".into());
                match verdict.as_str() {
                    "accepted by us" => {
                        self.wrong.push(format!("{number}: the JVM ended, and we accept: {how}"))
                    }
                    _ => *self.needs_more.entry("the JVM ended; we refuse").or_default() += 1,
                }
            }
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { classes, both_accept, both_refuse, other_error, .. } = self;
        writeln!(
            f,
            "{classes} broken classes: {both_accept} accepted by both, {both_refuse} refused by both"
        )?;
        writeln!(f, "  of those {other_error} with another error than ours")?;
        for (reasons, who) in
            [(&self.needs_more, "the JVM alone refuses"), (&self.stricter, "we alone refuse")]
        {
            writeln!(f, "  {who}: {}", reasons.values().sum::<u64>())?;
            reasons.iter().try_for_each(|(reason, count)| writeln!(f, "    {count:>6} {reason}"))?;
        }
        self.wrong.iter().try_for_each(|line| writeln!(f, "  wrong: {line}"))
    }
}
