//! Our verdict is the JVM's: a table of broken classes, each put to the verifier and to every JDK.

#[path = "hostile/mutations.rs"]
mod bytes;
#[path = "agreement/campaign.rs"]
mod campaign;
#[path = "agreement/disagreement.rs"]
mod disagreement;
#[path = "agreement/format_cases.rs"]
mod format_cases;
#[path = "agreement/jvm.rs"]
mod jvm;
#[path = "agreement/model.rs"]
mod model;
#[path = "agreement/mutations.rs"]
mod mutations;
#[path = "agreement/seeds.rs"]
mod seeds;
#[path = "assembler/text.rs"]
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use format_cases::{BASE, FORMAT_CASES};
use jgraft_classfile::ClassFile;
use jgraft_classfile::compare::{Vm, compare};
use jgraft_classfile::format::{Refusal, takes_version};
use jgraft_classfile::verification::verify;
use jgraft_jvm_harness::jdks::no_jdk_hint;
use jgraft_jvm_harness::{Jdk, each_release, skip};
use jvm::Outcome;
use model::Model;

/// One class of the table.
struct Case {
    name: String,
    major: u16,
    minor: u16,
    class: Vec<u8>,
}

fn assembled(major: u16, members: &str) -> Vec<u8> {
    let text = format!("class t/T {major}\n{}\n", members.replace(" | ", "\n"));
    text::assemble(&text).unwrap_or_else(|error| panic!("{members}: {error:#}")).remove(0).1
}

fn table() -> Vec<Case> {
    let mut cases = Vec::new();
    let lines = include_str!("agreement/code_cases").lines();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [name, versions, members] = line.split(" : ").collect::<Vec<_>>()[..] else { panic!("{line}") };
        let versions: &[u16] = match versions {
            "old" => &[45, 46, 48, 49],
            "new" => &[50, 51, 52, 55, 61],
            "all" => &[45, 48, 49, 50, 51, 52, 55, 61],
            _ => panic!("{line}"),
        };
        for major in versions {
            let class = assembled(*major, members);
            cases.push(Case { name: format!("{name} ({major})"), major: *major, minor: 0, class });
        }
    }
    for case in FORMAT_CASES {
        for major in case.versions {
            let mut model = Model::read(&assembled(*major, BASE)).unwrap();
            (case.edit)(&mut model);
            let name = format!("{} ({major})", case.name);
            cases.push(Case { name, major: *major, minor: model.minor, class: model.write() });
        }
    }
    cases
}

/// Where a release takes what others refuse, and so do we: the beginning of the cases' name, from which release up to
/// which, and why.
const LAXER: &[(&str, std::ops::RangeInclusive<u16>, &str)] = &[
    (
        "areturn for Runnable of an array (4",
        8..=99,
        "the old verifier takes an array of primitives for an Object, and that for an interface",
    ),
    ("areturn for Runnable of an array (50", 8..=99, "as above: it fails over to the old verifier"),
    ("areturn for Runnable of an array", 8..=8, "a bug of the new one"),
    ("getstatic of an array's (5", 9..=99, "there is no such field, which shows when it runs"),
    ("getstatic of an array's (6", 17..=99, "as above"),
    ("constructor of an interface (52", 8..=8, "unchecked"),
    ("class with two slashes", 8..=8, "unchecked"),
    ("class with a slash at its end (4", 8..=17, "unchecked, by the old rules for names"),
    ("class with a slash at its end", 8..=8, "unchecked"),
    ("field of an empty class", 8..=8, "unchecked"),
    ("field of a class with a slash at its end", 8..=8, "unchecked"),
    ("<clinit> that is not static", 8..=8, "it is no initializer then, but a method that nobody can call"),
    ("<clinit> with a parameter", 8..=8, "as above"),
    ("annotations twice", 8..=8, "unchecked"),
    ("StackMapTable of no frame, with bytes behind it", 22..=99, "unchecked"),
];

/// The error that we say a JVM throws, and why; none where we accept.
fn verdict(case: &Case, feature: u16) -> Option<(Refusal, String)> {
    if !takes_version(feature, case.major, case.minor) {
        return Some((Refusal::UnsupportedClassVersionError, "too new".into()));
    }
    let verified = ClassFile::parse(&case.class).map_err(Into::into).and_then(|class| verify(&class));
    verified.err().map(|error| (error.refusal(), error.to_string()))
}

#[test]
fn the_verdict_is_the_jvms() {
    if Jdk::compiler().is_none() {
        return skip("agreement::table", no_jdk_hint());
    }
    let table = table();
    let names: BTreeSet<_> = table.iter().map(|case| case.name.split(" (").next()).collect();
    assert!(names.len() >= 380, "{} cases", names.len());
    each_release("agreement::table", 8.., |jdk| {
        let scratch = tempfile::tempdir()?;
        let classes: Vec<_> = table.iter().map(|case| case.class.clone()).collect();
        let outcomes = jvm::define_all(jdk, &classes, &[], scratch.path())?;
        let (mut wrong, mut seen) = (String::new(), BTreeMap::<_, usize>::new());
        let (feature, mut laxer_seen) = (u16::try_from(jdk.feature)?, BTreeSet::new());
        for (case, outcome) in table.iter().zip(outcomes) {
            let ours = verdict(case, feature);
            let (theirs, message) = match outcome {
                Outcome::Linked => (None, String::new()),
                Outcome::Refused(class, message) => (Some(class), message),
                Outcome::Ended(how) => anyhow::bail!("{}: {how}", case.name),
            };
            *seen.entry(theirs.clone()).or_default() += 1;
            let expected = ours.as_ref().map(|(refusal, _)| refusal.to_string());
            let laxer = LAXER
                .iter()
                .position(|(name, releases, _)| case.name.starts_with(name) && releases.contains(&feature));
            if let (Some(_), None, Some(row)) = (&expected, &theirs, laxer) {
                laxer_seen.insert(row);
            } else if expected != theirs {
                wrong += &format!("{}: {ours:?}, the JVM {theirs:?} {message}\n", case.name);
            }
        }
        println!("JDK {jdk}: {} cases, {} classes: {seen:?}", names.len(), table.len());
        for (row, (name, releases, why)) in LAXER.iter().enumerate() {
            let seen = laxer_seen.contains(&row) || !releases.contains(&feature);
            anyhow::ensure!(seen, "{name} is said to be taken ({why}), and is not");
        }
        anyhow::ensure!(wrong.is_empty(), "{wrong}");
        Ok(())
    });
}

/// `cargo xtask corpus mutations` does a hundred thousand on each JDK.
#[test]
fn classes_that_are_broken_at_random_get_the_jvms_verdict() {
    const TEST: &str = "agreement::mutations";
    const COUNT: u64 = 4_000;
    let Some(jdk) = Jdk::compiler() else { return skip(TEST, no_jdk_hint()) };
    let own = jdk.host_home().join("jmods/java.base.jmod");
    if !own.is_file() {
        return skip(TEST, "the JDK that compiles has no jmods");
    }
    // Classes of today's version, and those of all versions that no compiler would write.
    let mut classes = seeds::of_jars(&[own], 150).unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for file in fs::read_dir(golden).unwrap().flatten().map(|file| file.path()) {
        if file.extension().is_some_and(|extension| extension == "jasm") {
            let text = fs::read_to_string(file).unwrap();
            let small = text::assemble(&text).unwrap().into_iter().filter(|(_, class)| class.len() < 4_000);
            classes.extend(small.map(|(_, class)| class));
        }
    }
    let scratch = tempfile::tempdir().unwrap();
    let seeds = seeds::that_link(jdk, classes, &[], scratch.path()).unwrap();
    assert!(seeds.len() > 60, "{} classes link", seeds.len());
    let tally = campaign::run(jdk, &seeds, &[], 0..COUNT, scratch.path()).unwrap();
    println!("JDK {jdk}, {} classes: {tally}", seeds.len());
    assert!(tally.wrong.is_empty(), "{tally}");
    assert!(tally.both_accept > COUNT / 20 && tally.both_refuse > COUNT / 4, "{tally}");
}

/// Of two members of one name the first is compared with the first.
#[test]
fn a_class_with_a_method_twice_is_the_same_as_itself() {
    let mut model = Model::read(&assembled(52, BASE)).unwrap();
    let mut other = model.methods[1].clone();
    other.attributes[0].info[1] += 1;
    model.methods.push(other);
    let class = model.write();
    let class = ClassFile::parse(&class).unwrap();
    let found = compare(&class, &class, Vm { feature: 17, allows_adding_methods: false }).unwrap();
    assert!(found.is_same(), "{found:?}");
    assert!(verify(&class).is_err());
}
