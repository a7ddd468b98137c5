//! libFuzzer on the answers of attach listeners.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| jgraft_attach::hostile::reply(bytes));
