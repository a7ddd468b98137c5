//! libFuzzer on the counters of a JVM.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| jgraft_attach::hostile::counters(bytes));
