//! libFuzzer on the text of properties.
#![no_main]

#[allow(dead_code, reason = "each target calls one of them")]
#[path = "../../crates/protocol/tests/hostile/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::properties(bytes));
