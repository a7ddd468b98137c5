//! Code that was woven is known to be the class file's, whoever wove it; code of another build is not.

mod changed_constants;
mod corpus_files;
#[path = "hostile/ways.rs"]
mod ways;

use std::fs;
use std::path::Path;
use std::process::Command;

use changed_constants::constants_changed;
use corpus_files::{archive, each_class};
use jgraft_classfile::compare::{not_woven_from, woven_from};
use jgraft_classfile::weave::weave;
use jgraft_classfile::{ClassFile, Operands};
use jgraft_jvm_harness::cache::target_dir;
use jgraft_jvm_harness::jdks::no_jdk_hint;
use jgraft_jvm_harness::{Jdk, javac, maven, skip};

/// Classes of a JDK to look at, each so manieth.
const EVERY: usize = 100;

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

const JARS: [&str; 5] = [
    "net.bytebuddy:byte-buddy:1.18.17",
    "org.ow2.asm:asm:9.8",
    "org.ow2.asm:asm-tree:9.8",
    "org.ow2.asm:asm-analysis:9.8",
    "org.ow2.asm:asm-commons:9.8",
];

#[test]
fn what_we_weave_is_known_in_a_jdk() {
    let Some(archive) = archive() else { return };
    let (mut seen, mut woven_classes, mut changed) = (0, 0, 0);
    each_class(&archive, |name, bytes| {
        seen += 1;
        if seen % EVERY != 0 {
            return;
        }
        let base = ClassFile::parse(bytes).unwrap();
        assert_eq!(not_woven_from(&base, &base).unwrap(), [""; 0], "{name}");
        let other_build = constants_changed(&base).pop();
        for probes in ways::ways() {
            let mut id = 0;
            let woven = weave(&base, |_| {
                id += 1;
                Some((&probes, id))
            });
            let Some(class) = woven.unwrap().class else { continue };
            let woven = ClassFile::parse(&class).unwrap();
            assert_eq!(not_woven_from(&base, &woven).unwrap(), [""; 0], "{name}");
            woven_classes += 1;
        }
        if let Some((method, bytes)) = other_build {
            let other = ClassFile::parse(&bytes).unwrap();
            assert_eq!(not_woven_from(&base, &other).unwrap(), [method.as_str()], "{name}");
            assert_eq!(not_woven_from(&other, &base).unwrap(), [method.as_str()], "{name}");
            changed += 1;
        }
    });
    println!("{woven_classes} woven classes known, {changed} with another constant told from them");
    assert!(woven_classes > 100 && changed > 10, "{woven_classes} {changed}");
}

#[test]
fn an_instruction_less_or_another_is_another_build() {
    let Some(archive) = archive() else { return };
    let (mut seen, mut told) = (0, 0);
    each_class(&archive, |name, bytes| {
        seen += 1;
        if seen % EVERY != 0 {
            return;
        }
        let class = ClassFile::parse(bytes).unwrap();
        let pool = class.constant_pool();
        let [probes, ..] = ways::ways();
        let woven = weave(&class, |_| Some((&probes, 7))).unwrap().class;
        let Some(woven) = woven else { return };
        let woven = ClassFile::parse(&woven).unwrap();
        for (method, now) in class.methods().zip(woven.methods()) {
            let Some(code) = method.unwrap().code(pool).unwrap() else { continue };
            let Some(now) = now.unwrap().code(woven.constant_pool()).unwrap() else { continue };
            let now = (woven.constant_pool(), now.code());
            assert!(woven_from((pool, code.code()), now).unwrap(), "{name}");
            // A call that the base has, and the code in force does not: it becomes a nop.
            for instruction in code.instructions().map(|instruction| instruction.unwrap()) {
                let at = instruction.pc;
                if !matches!(instruction.operands, Operands::Pool(_)) || instruction.len != 3 {
                    continue;
                }
                let mut less = now.1.to_vec();
                let Some(place) = less.windows(3).position(|found| *found == code.code()[at..at + 3]) else {
                    continue;
                };
                less[place..place + 3].fill(0);
                // Another of the same may stand behind it.
                let again = less.windows(3).any(|found| *found == code.code()[at..at + 3]);
                if !again {
                    told += 1;
                    assert!(!woven_from((pool, code.code()), (now.0, &less)).unwrap(), "{name} {at}");
                }
            }
        }
    });
    println!("{told} times an instruction was missed");
    assert!(told > 100, "{told}");
}

#[test]
fn what_byte_buddy_and_asm_weave_is_known() {
    if Jdk::compiler().is_none() {
        return skip("woven::agents", no_jdk_hint());
    }
    let jars: Result<Vec<_>, _> = JARS.iter().map(|jar| maven::artifact(jar)).collect();
    let jars = match jars {
        Ok(jars) => jars,
        Err(reason) => return skip("woven::agents", &reason),
    };
    let mut class_path: Vec<_> = jars.iter().map(|jar| jar.display().to_string()).collect();
    let weavers = target_dir().join("woven/weavers");
    let source = Path::new(TESTS).join("woven/Weavers.java");
    javac::compile(&[source], &weavers, &["--release", "17", "-cp", &class_path.join(":")]).unwrap();
    class_path.push(weavers.display().to_string());
    let original = target_dir().join("woven/golden");
    javac::compile(&[Path::new(TESTS).join("rebase/Golden.java")], &original, &["--release", "17", "-g"])
        .unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let folders = [scratch.path().join("byte-buddy"), scratch.path().join("asm")];
    let done = Command::new(Jdk::compiler().unwrap().java())
        .args(["-cp", &class_path.join(":"), "Weavers"])
        .arg(&original)
        .args(&folders)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    for folder in &folders {
        let (mut changed, mut told, mut missed) = (0, 0, 0);
        for file in fs::read_dir(folder).unwrap() {
            let file = file.unwrap();
            let (base, woven) =
                (fs::read(original.join(file.file_name())).unwrap(), fs::read(file.path()).unwrap());
            let (base, woven) = (ClassFile::parse(&base).unwrap(), ClassFile::parse(&woven).unwrap());
            assert_eq!(not_woven_from(&base, &woven).unwrap(), [""; 0], "{}", file.path().display());
            changed += not_woven_from(&woven, &base).unwrap().len();
            for (method, other) in constants_changed(&base) {
                let found = not_woven_from(&ClassFile::parse(&other).unwrap(), &woven).unwrap();
                told += usize::from(found == [method]);
                missed += usize::from(found.is_empty());
            }
        }
        println!(
            "{}: {changed} methods were woven, {told} of another build told, {missed} not",
            folder.display()
        );
        // Where what is woven in pushes the constant itself, it is not missed.
        assert!(changed > 15 && told > missed, "{changed} {told} {missed}");
    }
}
