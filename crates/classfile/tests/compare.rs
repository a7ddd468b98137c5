//! Our verdict is the JVM's: a table of changes, each put to the comparer and to every JDK, code for code.

#[path = "compare/edits.rs"]
mod edits;
#[path = "compare/table.rs"]
mod table;

use std::collections::BTreeSet;
use std::fs;

use jgraft_classfile::ClassFile;
use jgraft_classfile::compare::{Artefact, Change, Verdict, Vm, compare};
use jgraft_jvm_harness::{Jvm, each_release};
use table::{Case, cases};

#[test]
fn the_verdict_is_the_jvms_code_for_code() {
    let Some(made) = cases() else { return };
    each_release("compare::verdicts", 8.., |jdk| {
        let feature = u16::try_from(jdk.feature)?;
        // The flag is there from 13 on; before, all do as if.
        for allows_adding_methods in [false, true] {
            if allows_adding_methods && feature < 13 {
                continue;
            }
            let vm = Vm { feature, allows_adding_methods };
            let dir = tempfile::tempdir()?;
            let cases = made.for_vm(feature, dir.path())?;
            let list: String = cases.iter().map(Case::line).collect();
            let list_file = dir.path().join("cases");
            fs::write(&list_file, list)?;
            let mut options = vec![format!("-javaagent:{}", made.agent.display()), "-Xmx128m".to_owned()];
            if allows_adding_methods {
                options.push("-XX:+AllowRedefinitionToAddDeleteMethods".to_owned());
            }
            let jvm = Jvm::builder(jdk)
                .args(options)
                .class_path(&made.harness)
                .visible(&made.agent)
                .visible(&made.dir)
                .visible(dir.path())
                .main("Redefine")
                .program_args([&list_file])
                .ready_when("done")
                .start()?;
            jvm.wait_ready()?;
            let said = jvm.stdout();
            let codes: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("case\t")).collect();
            anyhow::ensure!(codes.len() == cases.len(), "{} of {} cases", codes.len(), cases.len());
            let mut wrong = String::new();
            let mut seen = BTreeSet::new();
            for (case, said) in cases.iter().zip(codes) {
                let (name, code) = said.split_once('\t').unwrap_or_default();
                anyhow::ensure!(name == case.name, "{name} for {}", case.name);
                let (old, new) = (ClassFile::parse(&case.old)?, ClassFile::parse(&case.new)?);
                let found = compare(&old, &new, vm)?;
                let ours = match found.verdict() {
                    Verdict::Accepted => vec!["0".to_owned()],
                    Verdict::Refused(error) => vec![error.code().to_string()],
                    Verdict::RefusedByOneOf(errors) => {
                        errors.iter().map(|error| error.code().to_string()).collect()
                    }
                };
                seen.insert(code.to_owned());
                if !ours.iter().any(|ours| ours == code) {
                    wrong += &format!("{name}: {ours:?}, the jvm {code}\n");
                }
            }
            println!("JDK {jdk}, {vm:?}: {} cases, codes {seen:?}", cases.len());
            anyhow::ensure!(wrong.is_empty(), "{vm:?}\n{wrong}");
            let mut all = vec!["0", "63", "64", "66", "67", "68", "69", "70", "71"];
            all.extend((feature >= 11).then_some("72"));
            anyhow::ensure!(all.iter().all(|code| seen.contains(*code)), "{seen:?}");
        }
        Ok(())
    });
}

#[test]
fn what_javac_made_is_told() {
    let Some(made) = cases() else { return };
    let expected = [
        ("lambda", 17, Artefact::Lambda),
        ("lambda goes", 17, Artefact::Lambda),
        ("serializable lambda", 17, Artefact::Lambda),
        ("assert", 17, Artefact::Assert),
        ("assert goes", 17, Artefact::Assert),
        ("enum switch", 17, Artefact::EnumSwitch),
        ("anonymous class", 17, Artefact::AnonymousClass),
        ("local class", 17, Artefact::AnonymousClass),
        ("private member is used by a nested class", 8, Artefact::Accessor),
        ("initial value of a static field", 17, Artefact::StaticInitializer),
        ("narrower result with a bridge", 17, Artefact::Bridge),
    ];
    for (name, release, artefact) in expected {
        let case = made.source(name, release);
        let (old, new) = (ClassFile::parse(&case.old).unwrap(), ClassFile::parse(&case.new).unwrap());
        let found = compare(&old, &new, Vm { feature: 17, allows_adding_methods: false }).unwrap();
        let told = found.differences.iter().find(|difference| difference.artefact == Some(artefact));
        let told = told.unwrap_or_else(|| panic!("{name}: {:?}", found.differences));
        assert!(told.to_string().contains(artefact.remedy()), "{told}");
    }
}

#[test]
fn code_debug_and_attributes_are_told_apart() {
    let Some(made) = cases() else { return };
    let vm = Vm { feature: 17, allows_adding_methods: false };
    let contents = |name: &str| {
        let case = made.source(name, 17);
        let (old, new) = (ClassFile::parse(&case.old).unwrap(), ClassFile::parse(&case.new).unwrap());
        compare(&old, &new, vm).unwrap()
    };
    assert!(contents("nothing").is_same());
    let body = contents("string constant");
    let [change] = body.contents.as_slice() else { panic!("{body:?}") };
    assert!(change.code && !change.debug && change.attributes.is_empty(), "{change:?}");
    assert_eq!(change.member, "m()Ljava/lang/String;");
    let thrown = contents("throws clause");
    let [change] = thrown.contents.as_slice() else { panic!("{thrown:?}") };
    assert!(!change.code && change.attributes == ["Exceptions"], "{change:?}");
    let constant = contents("value of a constant");
    assert_eq!(constant.contents[0].attributes, ["ConstantValue"], "{constant:?}");
    let added = contents("order of fields");
    assert_eq!(added.differences[0].change, Change::FieldOrder);
}
