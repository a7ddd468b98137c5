//! libFuzzer on the check of a jar.
#![no_main]

#[allow(dead_code, reason = "each target calls one of them")]
#[path = "../../crates/agentjar/tests/hostile/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::jar(bytes));
