//! What is done to the bytes of a hostile JVM, for the tests below, the fuzz targets in `fuzz/` and the long run
//! `cargo xtask fuzz`. Not part of the library: it is there with the feature `hostile` only.
#![allow(missing_docs, reason = "no API: a feature for this project's own fuzzing")]
#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "to panic is its way to tell")]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use crate::hsperfdata::{PerfData, PerfValue};
use crate::openj9::hostile as openj9;
use crate::{LoadOutcome, Patience, Process, Reply, explain_code};

#[cfg(test)]
#[path = "../../classfile/tests/hostile/mutations.rs"]
mod mutations;

/// Reads every counter.
pub fn counters(bytes: &[u8]) {
    let Ok(data) = PerfData::parse(bytes.to_vec()) else { return };
    let mut count = 0;
    for (name, value) in data.iter() {
        count += 1;
        if let PerfValue::Text(text) = value {
            assert!(text.len() <= bytes.len());
        }
        assert!(name.len() <= bytes.len());
    }
    // Each takes at least its fixed part, so a file cannot keep its reader for long.
    assert!(count * 20 <= bytes.len(), "{count} counters in {} bytes", bytes.len());
    let _ = (data.text("sun.rt.javaCommand"), data.long("sun.rt.createVmEndTime"));
}

/// Reads it as what a HotSpot listener answers, through a real socket, and as every answer of OpenJ9.
pub fn reply(bytes: &[u8]) {
    openj9::answer(bytes);
    // Nothing at all is waited for, in case the process is about to end; more than a socket holds would block us.
    if bytes.is_empty() || bytes.len() > 64 << 10 {
        return;
    }
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(bytes).unwrap();
    drop(theirs);
    let process = Process::open(std::process::id().cast_signed()).unwrap();
    let patience = Patience { deadline: None, cancel: None };
    ours.set_nonblocking(true).unwrap();
    let Some(end) = bytes.iter().position(|&b| b == b'\n') else { return };
    let Ok(mut reply) = Reply::await_header(ours.into(), &process, patience, Instant::now()) else { return };
    let header = reply.header();
    let mut text = Vec::new();
    reply.read_to_end(&mut text).unwrap();
    assert_eq!(text, bytes[end + 1..], "what follows the header is the text");
    if let LoadOutcome::AgentFailed(code) = LoadOutcome::parse(header, &String::from_utf8_lossy(&text)) {
        assert_eq!(header, 0);
        let _ = explain_code(code);
    }
}

#[cfg(test)]
mod tests {
    use super::mutations::{XorShift, mutate};
    use super::*;

    /// Answers of HotSpot and OpenJ9.
    const REPLIES: [&[u8]; 6] = [
        b"0\nreturn code: 0",
        b"0\n102",
        b"-1\n/x.so was not loaded.\n/x.so: cannot open shared object file\n",
        b"0\nJDK 17.0.1\nFull thread dump \xe2\x82\xac\n",
        b"ATTACH_ERR AgentInitializationException102",
        b"#x\nopenj9_diagnostics.error=false\nopenj9_diagnostics.string_result=a\\nb\\u00fc\n",
    ];

    #[test]
    fn no_answer_panics() {
        let mut random = XorShift(0x8445_d61a_4e77_4912);
        for _ in 0..3_000 {
            for seed in REPLIES {
                reply(&mutate(seed, &mut random));
            }
        }
    }

    #[test]
    fn no_counters_panic() {
        let seed = crate::hsperfdata::tests::sample();
        let mut random = XorShift(0x1656_67b1_9e37_79f9);
        for _ in 0..50_000 {
            counters(&mutate(&seed, &mut random));
        }
    }
}
