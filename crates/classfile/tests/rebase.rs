//! Re-basing: a class on its own pool is itself; on any other it verifies and says the same, and what the base had
//! stands where it stood.

mod corpus_files;
#[path = "rebase/shuffle.rs"]
mod shuffle;

use corpus_files::{archive, each_class};
use jgraft_classfile::compare::{Comparison, Verdict, Vm, compare};
use jgraft_classfile::opcode::ICONST_0;
use jgraft_classfile::rebase::{RebaseError, rebase};
use jgraft_classfile::verification::verify;
use jgraft_classfile::{ClassFile, Tag};

/// Classes to look at, each so manieth. All of them: `cargo test -p jgraft-classfile --test rebase -- --ignored`.
const EVERY: usize = 25;

const VM: Vm = Vm { feature: 99, allows_adding_methods: false };

#[test]
fn a_sample_of_a_jdk_on_pools_in_another_order_and_of_other_classes() {
    whole_jdk(EVERY);
}

#[test]
#[ignore = "takes minutes: every class of java.base"]
fn every_class_of_a_jdk_on_pools_in_another_order_and_of_other_classes() {
    whole_jdk(1);
}

fn whole_jdk(every: usize) {
    let Some(archive) = archive() else { return };
    let (mut seen, mut moved, mut wider) = (0, 0, 0);
    // A class of many constants, so that what is not among them stands past 255.
    let mut other: Option<Vec<u8>> = None;
    each_class(&archive, |name, bytes| {
        seen += 1;
        // A module's description can't be redefined, and has attributes of the JDK's own.
        if seen % every != 0 || name.ends_with("module-info.class") {
            return;
        }
        let class = ClassFile::parse(bytes).unwrap();
        let again = rebase(&class, &class).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(again == bytes, "{name} on its own pool is not itself");

        let shuffled = shuffle::shuffle(&class, seen as u64);
        let base = ClassFile::parse(&shuffled).unwrap();
        verify(&base).unwrap_or_else(|error| panic!("{name} shuffled: {error}"));
        assert_same(name, &class, &base);
        let done = rebased(name, &base, &class);
        let result = ClassFile::parse(&done).unwrap();
        assert_eq!(result.constant_pool().count(), base.constant_pool().count(), "{name} has appended");
        moved += 1;

        assert_one_change_is_seen(name, &class);
        if let Some(other) = &other {
            let done = rebased(name, &ClassFile::parse(other).unwrap(), &class);
            let result = ClassFile::parse(&done).unwrap();
            wider += usize::from(code_bytes(&result) > code_bytes(&class));
            // And back: what it had before it has again, wide instructions aside.
            rebased(name, &class, &result);
        }
        if class.constant_pool().count() > 300 {
            other = Some(bytes.to_vec());
        }
    });
    println!("{moved} classes re-based, {wider} of them with wider instructions on another class's pool");
    assert!(moved > 20 && wider > 0, "{moved} classes, {wider} wider");
}

/// Re-bases, and checks all that has to hold.
fn rebased(name: &str, base: &ClassFile<'_>, class: &ClassFile<'_>) -> Vec<u8> {
    let bytes = rebase(base, class).unwrap_or_else(|error| panic!("{name}: {error}"));
    let result = ClassFile::parse(&bytes).unwrap();
    result.check_structure().unwrap();
    verify(&result).unwrap_or_else(|error| panic!("{name} re-based: {error}"));
    assert_same(name, class, &result);
    let pool = |class: &ClassFile<'_>| -> Vec<String> {
        let pool = class.constant_pool();
        (0..pool.count()).map(|index| format!("{:?}", pool.constant(index).ok())).collect()
    };
    assert!(pool(&result).starts_with(&pool(base)), "{name}: the base's constants moved");
    bytes
}

fn assert_same(name: &str, old: &ClassFile<'_>, new: &ClassFile<'_>) {
    let Comparison { differences, contents, .. } = compare(old, new, VM).unwrap();
    assert!(differences.is_empty() && contents.is_empty(), "{name}: {differences:?} {contents:?}");
}

/// The first constant that a class pushes becomes another: that, and nothing else, is told.
fn assert_one_change_is_seen(name: &str, class: &ClassFile<'_>) {
    let push = |code: jgraft_classfile::attributes::Code<'_>| {
        let found = code.instructions().map(|instruction| instruction.unwrap());
        let mut found = found.filter(|instruction| instruction.opcode == ICONST_0);
        found.next().map(|instruction| code.offset() + instruction.pc)
    };
    let found = class.methods().map(|method| method.unwrap()).find_map(|method| {
        let at = push(method.code(class.constant_pool()).unwrap()?)?;
        Some((format!("{}{}", method.name(), method.descriptor()), at))
    });
    let Some((method, at)) = found else { return };
    let mut changed = class.bytes().to_vec();
    changed[at] = ICONST_0 + 1;
    let found = compare(class, &ClassFile::parse(&changed).unwrap(), VM).unwrap();
    assert!(found.differences.is_empty() && *found.verdict() == Verdict::Accepted, "{name}: {found:?}");
    let [change] = found.contents.as_slice() else { panic!("{name}: {found:?}") };
    let only_code = change.code && !change.frames && !change.debug && change.attributes.is_empty();
    assert!(only_code && change.member == method, "{name}: {change:?} instead of {method}");
}

#[test]
fn a_constant_that_is_too_new_is_a_reason() {
    let Some(archive) = archive() else { return };
    each_class(&archive, |_, bytes| {
        let class = ClassFile::parse(bytes).unwrap();
        let pool = class.constant_pool();
        if (1..pool.count()).all(|index| pool.tag(index) != Ok(Tag::InvokeDynamic)) {
            return;
        }
        let mut old = bytes.to_vec();
        old[6..8].copy_from_slice(&50_u16.to_be_bytes());
        let error = rebase(&class, &ClassFile::parse(&old).unwrap()).unwrap_err();
        assert!(matches!(error, RebaseError::OlderVersion { major: 50, .. }), "{error}");
    });
}

fn code_bytes(class: &ClassFile<'_>) -> usize {
    let methods = class.methods().map(|method| method.unwrap());
    methods
        .filter_map(|method| method.code(class.constant_pool()).unwrap())
        .map(|code| code.code().len())
        .sum()
}

#[test]
fn an_attribute_that_nobody_knows_is_a_reason() {
    let Some(archive) = archive() else { return };
    let mut found = false;
    each_class(&archive, |name, bytes| {
        if !name.ends_with("java/lang/Runnable.class") {
            return;
        }
        // The attribute's name becomes another of the same length.
        let mut strange = bytes.to_vec();
        let at = strange.windows(10).position(|text| text == b"SourceFile").unwrap();
        strange[at..at + 10].copy_from_slice(b"SourceTale");
        let (class, strange) = (ClassFile::parse(bytes).unwrap(), ClassFile::parse(&strange).unwrap());
        let error = rebase(&class, &strange).unwrap_err();
        assert_eq!(error, RebaseError::UnknownAttribute("SourceTale".into()));
        assert!(error.to_string().contains("SourceTale is not of the specification"), "{error}");
        found = true;
    });
    assert!(found || archive.ends_with("jrt-fs.jar"), "no Runnable in {}", archive.display());
}
