//! The class that woven methods call, `agent-java/probe`: defined in the boot loader from bytes that the library carries, once
//! for each event memory, whose addresses are constants of it.

use jgraft_jvmti::{Error, define_in_boot_loader};
use jgraft_protocol::events::{PAGE, WORD, WORD_GATE, WORD_ROUND};
use jni::strings::JNIString;
use jni::{Env, jni_sig, jni_str};

use crate::memory::EventMemory;

/// What the internal names of all probes begin with, of whatever version.
pub(crate) const PREFIX: &str = "java/lang/JgraftProbe";
/// Its internal name in the library. The first number is the version of the event memory's layout, the second is counted up.
const NAME: &str = "java/lang/JgraftProbe1_00";
/// So many second numbers there are. Another version of this library may have taken some of them in this JVM.
const NUMBERS: u32 = 100;

static CLASS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe.class"));
static CLASS_FOR_8: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe-8.class"));

/// The first of the numbers in the class that stand for what only the agent knows.
const FIRST_NUMBER: u64 = 0x4a47_5241_4654_0001;

/// Defines a probe that writes into this memory; its internal name.
pub(crate) fn define(jni: &mut Env<'_>, memory: &EventMemory) -> Result<String, Error> {
    // JDK 8 has no modules.
    let has_modules = jni.find_class(jni_str!("java/lang/Module")).is_ok();
    let class = with_numbers(if has_modules { CLASS } else { CLASS_FOR_8 }, memory);
    let mut number = 0;
    loop {
        let name = numbered(number);
        match define_in_boot_loader(jni, &JNIString::from(name.as_str()), &renamed(&class, &name)) {
            Ok(defined) => {
                // Runs its static initialiser, here and not in a method of the application.
                jni.get_static_field(&defined, jni_str!("READ"), jni_sig!("I"))?;
                return Ok(name);
            }
            // The name is taken.
            Err(_) if number + 1 < NUMBERS => number += 1,
            Err(error) => return Err(error),
        }
    }
}

fn numbered(number: u32) -> String {
    format!("{}{number:02}", &NAME[..NAME.len() - 2])
}

/// The class under a name of the same length.
fn renamed(class: &[u8], name: &str) -> Vec<u8> {
    let mut class = class.to_vec();
    if let Some(at) = class.windows(NAME.len()).position(|window| window == NAME.as_bytes()) {
        class[at..at + NAME.len()].copy_from_slice(name.as_bytes());
    }
    class
}

/// The class with the numbers of this memory: constants, which a compiler puts into the code. A native method that told them
/// would make HotSpot 17 and later complain on stdout, since it is in the package java.lang and ours.
fn with_numbers(class: &[u8], memory: &EventMemory) -> Vec<u8> {
    let layout = memory.layout;
    let numbers = [
        memory.address(WORD_GATE),
        memory.address(PAGE),
        layout.shards as i64 - 1,
        (layout.shard_words() * WORD) as i64,
        layout.records as i64 - 1,
        (layout.records - layout.slack) as i64,
        memory.address(WORD_ROUND),
        memory.address(layout.names()),
    ];
    let mut class = class.to_vec();
    for (constant, number) in (FIRST_NUMBER..).map(u64::to_be_bytes).zip(numbers) {
        if let Some(at) = class.windows(8).position(|window| window == constant) {
            class[at..at + 8].copy_from_slice(&number.to_be_bytes());
        }
    }
    class
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_stands_once_in_the_class() {
        for class in [CLASS, CLASS_FOR_8] {
            for constant in (FIRST_NUMBER..).map(u64::to_be_bytes).take(8) {
                let found = class.windows(8).enumerate().filter(|(_, window)| *window == constant);
                let places: Vec<_> = found.map(|(at, _)| at).collect();
                // CONSTANT_Long (JVMS 4.4.5).
                assert!(matches!(places[..], [at] if class[at - 1] == 5), "{constant:x?} at {places:?}");
            }
        }
    }

    #[test]
    fn the_name_stands_once_in_the_class() {
        for class in [CLASS, CLASS_FOR_8] {
            assert_eq!(class.windows(NAME.len()).filter(|window| *window == NAME.as_bytes()).count(), 1);
            let named = renamed(class, &numbered(42));
            assert_eq!(
                jgraft_classfile::ClassFile::parse(&named).unwrap().this_class_name().unwrap().to_string(),
                "java/lang/JgraftProbe1_42"
            );
        }
        assert!(NAME.starts_with(PREFIX) && numbered(0) == NAME);
    }
}
