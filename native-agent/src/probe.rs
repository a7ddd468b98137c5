//! The class that woven methods call, `agent-java/probe`: defined in the boot loader from bytes that the library carries,
//! once in the life of a JVM.

use std::sync::{Mutex, PoisonError};

use jgraft_jvmti::{Error, define_in_boot_loader};
use jgraft_protocol::events::{PAGE, WORD, WORD_GATE, WORD_NAMES};
use jni::strings::JNIStr;
use jni::{Env, jni_sig, jni_str};

use crate::memory::EventMemory;

/// Its internal name, which carries the version of the event memory's layout.
pub(crate) const NAME: &str = "java/lang/JgraftProbe1";
const JNI_NAME: &JNIStr = jni_str!("java/lang/JgraftProbe1");

static CLASS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe.class"));
static CLASS_FOR_8: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe-8.class"));

/// The first of the numbers in the class that stand for what only the agent knows.
const FIRST_NUMBER: u64 = 0x4a47_5241_4654_0001;

static DEFINED: Mutex<bool> = Mutex::new(false);

/// Defines the Probe if this JVM has none.
pub(crate) fn define(jni: &mut Env<'_>, memory: &EventMemory) -> Result<(), Error> {
    let mut defined = DEFINED.lock().unwrap_or_else(PoisonError::into_inner);
    if *defined {
        return Ok(());
    }
    // JDK 8 has no modules.
    let has_modules = jni.find_class(jni_str!("java/lang/Module")).is_ok();
    let class = with_numbers(if has_modules { CLASS } else { CLASS_FOR_8 }, memory);
    let class = define_in_boot_loader(jni, JNI_NAME, &class)?;
    // Runs its static initialiser, here and not in a method of the application.
    jni.get_static_field(&class, jni_str!("READ"), jni_sig!("I"))?;
    *defined = true;
    Ok(())
}

/// The class with the numbers of this JVM: constants, which a compiler puts into the code. A native method that told them
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
        memory.address(WORD_NAMES),
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
}
