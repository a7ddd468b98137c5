//! No text whatever makes the reader of properties panic, and what it has read it reads again.

#[path = "../../classfile/tests/hostile/mutations.rs"]
mod mutations;
#[path = "hostile/targets.rs"]
mod targets;

use mutations::{XorShift, mutate};

#[test]
fn no_text_panics() {
    let mut random = XorShift(0x5bd1_e995_9d1b_54a5);
    for _ in 0..20_000 {
        for seed in targets::PROPERTIES {
            targets::properties(&mutate(seed, &mut random));
        }
    }
}
