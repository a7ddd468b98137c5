//! Type annotations of code in a woven method point at what they pointed at before: the same instruction, the same local
//! variable, the same handler.

use std::path::Path;

use jgraft_classfile::attributes::{Attribute, Code, LocalVariableTable, Target};
use jgraft_classfile::weave::{Call, CallSites, Event, Operand, Probes, StaticMethod, weave};
use jgraft_classfile::{ClassFile, MethodInfo, Operands};
use jgraft_jvm_harness::{cache, javac};

fn probes() -> Probes<'static> {
    let event =
        |name| Some(Event::of(Call::new(StaticMethod::new("java/lang/Probe", name), &[Operand::StartTime])));
    let before =
        Some(Event::of(Call::new(StaticMethod::new("java/lang/Probe", "before"), &[Operand::CallPc])));
    let call_sites =
        CallSites { before, after: event("after"), throw: event("threw"), ..CallSites::default() };
    Probes { exit: event("exit"), throw: event("thrown"), call_sites: Some(call_sites), ..Probes::default() }
}

/// What each type annotation of a method's code points at, in words that weaving does not change.
fn pointed_at(class: &ClassFile<'_>, method: &MethodInfo<'_>) -> Vec<String> {
    let pool = class.constant_pool();
    let Some(code) = method.code(pool).unwrap() else { return Vec::new() };
    let mut found = Vec::new();
    for attribute in code.attributes(pool) {
        let attribute = attribute.unwrap();
        let Attribute::RuntimeVisibleTypeAnnotations(annotations) =
            Attribute::decode(&attribute, pool).unwrap()
        else {
            continue;
        };
        for annotation in annotations.iter() {
            let place = match annotation.target {
                Target::Offset { offset } | Target::TypeArgument { offset, .. } => {
                    instruction(&code, usize::from(offset))
                }
                Target::LocalVar { table } => {
                    table.chunks_exact(6).map(|row| variable(class, &code, row)).collect()
                }
                Target::Catch { exception_table_index } => {
                    let row = code.exception_table().nth(usize::from(exception_table_index)).unwrap();
                    format!("{} {}", row.catch_type, instruction(&code, usize::from(row.start_pc)))
                }
                other => format!("{other:?}"),
            };
            found.push(format!("{:#x} {place}", annotation.target_type));
        }
    }
    found
}

/// An instruction by its opcode and constant, and how many of the same stand before it.
fn instruction(code: &Code<'_>, pc: usize) -> String {
    let mut same_before = Vec::new();
    for instruction in code.instructions() {
        let instruction = instruction.unwrap();
        let constant = match instruction.operands {
            Operands::Pool(index) => index,
            _ => 0,
        };
        let what = (instruction.opcode, constant);
        if instruction.pc == pc {
            return format!("{what:?} {}", same_before.iter().filter(|before| **before == what).count());
        }
        same_before.push(what);
    }
    panic!("no instruction at {pc}");
}

/// A local variable by the name that the LocalVariableTable has for the same range and slot.
fn variable(class: &ClassFile<'_>, code: &Code<'_>, row: &[u8]) -> String {
    let pool = class.constant_pool();
    let found = code.attributes(pool).find("LocalVariableTable").unwrap().expect("compiled with -g");
    let u2 = |at: usize| u16::from_be_bytes([row[at], row[at + 1]]);
    let same = LocalVariableTable::parse(&found)
        .unwrap()
        .rows()
        .find(|known| (known.start_pc, known.length, known.index) == (u2(0), u2(2), u2(4)));
    let same = same.unwrap_or_else(|| panic!("no variable has the range {row:?}"));
    pool.utf8(same.name_index).unwrap().to_string()
}

#[test]
fn they_point_at_what_they_pointed_at() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/Annotated.java");
    let classes = cache::target_dir().join("golden/type-annotations");
    javac::compile(&[source], &classes, &["--release", "8", "-g"]).unwrap();
    let bytes = std::fs::read(classes.join("golden/Annotated.class")).unwrap();
    let class = ClassFile::parse(&bytes).unwrap();
    let probes = probes();
    let woven = weave(&class, |_| Some((&probes, 100_000))).unwrap();
    assert!(woven.left_alone.is_empty(), "{:?}", woven.left_alone);
    let woven = woven.class.unwrap();
    let woven = ClassFile::parse(&woven).unwrap();
    let mut kinds = Vec::new();
    for (before, after) in class.methods().zip(woven.methods()) {
        let (before, after) = (before.unwrap(), after.unwrap());
        let expected = pointed_at(&class, &before);
        assert_eq!(expected, pointed_at(&woven, &after), "{}", before.name());
        kinds.extend(expected.iter().filter_map(|one| one.split(' ').next().map(str::to_owned)));
    }
    // A local variable, a resource, a caught exception, instanceof, new, a constructor reference, a cast.
    for kind in ["0x40", "0x41", "0x42", "0x43", "0x44", "0x45", "0x47"] {
        assert!(kinds.iter().any(|found| found == kind), "{kind} is not tested: {kinds:?}");
    }
}
