//! No bytes whatever make the reader of manifests panic. Broken jars are the matter of `check/hostile.rs`.

#[path = "../../classfile/tests/hostile/mutations.rs"]
mod mutations;
#[path = "hostile/targets.rs"]
mod targets;

use mutations::{XorShift, mutate};

#[test]
fn no_manifest_panics() {
    let mut random = XorShift(0x2127_599b_f432_5c37);
    for _ in 0..20_000 {
        for seed in targets::MANIFESTS {
            targets::manifest(&mutate(seed, &mut random));
        }
    }
}

#[test]
fn no_bytes_are_a_jar_that_panics() {
    for length in 0..200 {
        targets::jar(&vec![b'P'; length]);
    }
    targets::jar(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
}
