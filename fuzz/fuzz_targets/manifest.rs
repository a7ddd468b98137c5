//! libFuzzer on the reader of manifests.
#![no_main]

#[allow(dead_code, reason = "each target calls one of them")]
#[path = "../../crates/agentjar/tests/hostile/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::manifest(bytes));
