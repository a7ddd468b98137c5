//! The golden programs have it all: every instruction, every kind of stack map frame, both switches at every padding,
//! jumps that get too long by weaving. So none of it can get lost unseen.

use std::collections::BTreeSet;
use std::fs;

use jgraft_classfile::attributes::{FrameChange, StackMapTable, VerificationType};
use jgraft_classfile::opcode::{Format, format, mnemonic};
use jgraft_classfile::{ClassFile, Instructions, Operands};

use crate::plan::{CONFIGS, WovenPrograms};
use crate::programs::{Programs, class_files};

const WIDE: u8 = 0xc4;
const GOTO_W: u8 = 0xc8;

/// What was seen in classes, in words.
type Seen = BTreeSet<String>;

fn look(bytes: &[u8], seen: &mut Seen) {
    let class = ClassFile::parse(bytes).unwrap();
    seen.insert(format!("version {}", class.major_version()));
    for method in class.methods() {
        let method = method.unwrap();
        let Some(code) = method.code(class.constant_pool()).unwrap() else { continue };
        if (255..=256).contains(&code.max_locals()) || code.max_locals() >= 260 {
            seen.insert(format!("locals {}", code.max_locals().min(260)));
        }
        for instruction in Instructions::new(code.code(), 0) {
            let instruction = instruction.unwrap();
            let name = mnemonic(instruction.opcode);
            seen.insert(name.to_owned());
            // The opcode is that of the instruction that is widened.
            if code.code()[instruction.pc] == WIDE {
                seen.insert(format!("wide {name}"));
            }
            match instruction.operands {
                Operands::Switch(switch) => {
                    seen.insert(format!("{name} padded by {}", switch.padding()));
                }
                Operands::Branch(to) => {
                    if to == 0 {
                        seen.insert("a jump to the start".into());
                    }
                    let distance = to as i64 - instruction.pc as i64;
                    if distance == 32_767 || distance == -32_768 {
                        seen.insert(format!("{name} over {distance}"));
                    }
                }
                _ => {}
            }
        }
        let table = code.attributes(class.constant_pool()).find("StackMapTable").unwrap();
        for frame in table.into_iter().flat_map(|table| StackMapTable::parse(&table).unwrap()) {
            let frame = frame.unwrap();
            let kind = match frame.frame_type {
                0..=63 => "same".to_owned(),
                64..=127 => "same_locals_1_stack_item".into(),
                247 => "same_locals_1_stack_item_extended".into(),
                chop @ 248..=250 => format!("chop {}", 251 - chop),
                251 => "same_extended".into(),
                append @ 252..=254 => format!("append {}", append - 251),
                _ => "full".into(),
            };
            seen.insert(format!("frame {kind}"));
            let mut values = |values: &mut dyn Iterator<Item = VerificationType>| {
                values.for_each(|value| {
                    let word = format!("{value:?}");
                    seen.insert(format!("frame of {}", word.split('(').next().unwrap_or_default()));
                });
            };
            match frame.change {
                FrameChange::Append(locals) => values(&mut locals.iter()),
                FrameChange::Full { locals, stack } => values(&mut locals.iter().chain(stack.iter())),
                FrameChange::SameLocals1StackItem(item) => values(&mut std::iter::once(item)),
                FrameChange::Same | FrameChange::Chop(_) => {}
            }
        }
    }
}

#[test]
fn golden_programs_have_it_all() {
    let programs = Programs::make().unwrap();
    let mut seen = Seen::new();
    for file in class_files(programs.folder()).unwrap() {
        look(&fs::read(file).unwrap(), &mut seen);
    }
    let mut wanted: Vec<String> = (0..=GOTO_W + 1)
        .filter(|opcode| !matches!(format(*opcode), Format::Wide | Format::Undefined))
        .map(|opcode| mnemonic(opcode).to_owned())
        .collect();
    for name in [
        "iload", "lload", "fload", "dload", "aload", "istore", "lstore", "fstore", "dstore", "astore", "iinc",
    ] {
        wanted.push(format!("wide {name}"));
    }
    for padding in 0..4 {
        wanted.extend([
            format!("tableswitch padded by {padding}"),
            format!("lookupswitch padded by {padding}"),
        ]);
    }
    wanted.extend((45..=50).chain([52]).map(|version| format!("version {version}")));
    wanted.extend((1..=3).flat_map(|count| [format!("frame chop {count}"), format!("frame append {count}")]));
    let words = [
        "frame same",
        "frame same_extended",
        "frame same_locals_1_stack_item",
        "frame same_locals_1_stack_item_extended",
        "frame full",
        "frame of Top",
        "frame of Integer",
        "frame of Float",
        "frame of Double",
        "frame of Long",
        "frame of Null",
        "frame of UninitializedThis",
        "frame of Object",
        "frame of Uninitialized",
        "a jump to the start",
        "locals 255",
        "locals 256",
        "locals 260",
        "goto over 32767",
        "goto over -32768",
        "ifeq over 32767",
        "ifnull over 32767",
        "ifgt over -32768",
        "if_icmplt over -32768",
    ];
    wanted.extend(words.map(str::to_owned));
    let missing: Vec<_> = wanted.iter().filter(|wanted| !seen.contains(*wanted)).collect();
    assert!(missing.is_empty(), "no golden program has {missing:?}");
}

#[test]
fn long_jumps_get_longer_by_weaving() {
    let programs = Programs::make().unwrap();
    let plain = fs::read(programs.folder().join("golden/Far.class")).unwrap();
    let woven = WovenPrograms::make(&CONFIGS[0], &programs).unwrap();
    let woven = fs::read(woven.folder().join("golden/Far.class")).unwrap();
    let far = |bytes: &[u8]| {
        let class = ClassFile::parse(bytes).unwrap();
        let code = |method: jgraft_classfile::MethodInfo<'_>| {
            let code = method.code(class.constant_pool()).unwrap().unwrap();
            Instructions::new(code.code(), 0).filter(|one| one.as_ref().unwrap().opcode == GOTO_W).count()
        };
        class.methods().map(|method| code(method.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(far(&plain), [0; 7]);
    assert_eq!(far(&woven), [0, 1, 1, 1, 1, 1, 1]);
}
