//! libFuzzer on the verifier.
#![no_main]

#[allow(dead_code, reason = "each target calls one of them")]
#[path = "../../crates/classfile/tests/hostile/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::verify_as_any(bytes));
