//! Jars made to hurt: bombs are named and cost little, and no change of a byte makes `check` panic.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cases::agent;
use super::cases::pack::{central_headers, classes, entry, jar, jar_of_bytes};
use jgraft_agentjar::{Question, Report, check};

fn ask(jar: impl Read + Seek) -> Report {
    check(jar, &Question::new(Path::new("/a.jar")))
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn bombs_are_named() {
    let long_main_section = "A: b\n".repeat(300_000);
    let report = ask(Cursor::new(jar("p", &long_main_section, &[])));
    assert_eq!(codes(&report), ["manifest-malformed"]);
    assert!(report.findings[0].sentence.contains("more than 1048576 bytes"), "{report:#?}");

    let (name, _) = entry(&agent("p"));
    let long_class = jar("p", "Agent-Class: @.Agent\n\n", &[(name, vec![0; 5 << 20])]);
    assert_eq!(codes(&ask(Cursor::new(long_class))), ["zip-bomb"]);

    // An end record that announces more than it has.
    let mut announced = classes(&[agent("p")]);
    let end = announced.len() - 22;
    announced[end + 12..end + 16].copy_from_slice(&(17_u32 << 20).to_le_bytes());
    assert_eq!(codes(&ask(Cursor::new(announced))), ["zip-bomb"]);
}

#[test]
fn a_scan_that_ends_early_is_said() {
    let mut entries: Vec<_> = (0..18).map(|n| (format!("p/C{n}.class"), vec![0; 4 << 20])).collect();
    entries.insert(0, entry(&agent("p")));
    let report = ask(Cursor::new(jar("p", "Agent-Class: @.Agent\n\n", &entries)));
    assert_eq!(codes(&report), ["classes-not-all-scanned"]);
    assert!(report.findings[0].sentence.contains("64 MiB"), "{report:#?}");
    let both = "Agent-Class: @.Agent\nCan-Retransform-Classes: true\nCan-Redefine-Classes: true\n\n";
    assert_eq!(codes(&ask(Cursor::new(jar("p", both, &entries)))), [""; 0]);
}

#[test]
fn as_many_manifests_as_there_are_entries_cost_no_more_than_entries() {
    // Each later one is hidden while the directory is read: looked for one by one that is 1,000,000,000 steps.
    let manifests = (0..40_000).map(|n| (format!("META-INF/MANIFEST_{n:06}"), Vec::new()));
    let entries: Vec<_> = manifests.chain([entry(&agent("p"))]).collect();
    let mut jar = jar("p", "Agent-Class: @.Agent\n\n", &entries);
    // The last four bytes of each name become an empty extra field, and what is left is the one name.
    for at in central_headers(&jar) {
        let name = at + 46;
        if jar[name..].starts_with(b"META-INF/MANIFEST_") {
            jar[name..name + 24].copy_from_slice(b"META-INF/MANIFEST.MF\xfe\xca\0\0");
            jar[at + 28] = 20;
            jar[at + 30] = 4;
        }
    }
    let report = ask(Cursor::new(jar));
    assert_eq!(codes(&report), ["zip-duplicate-entries"]);
    assert_eq!(report.manifest.and_then(|manifest| manifest.agent_class).as_deref(), Some("p.Agent"));
}

#[test]
fn a_long_manifest_with_a_short_main_section_is_fine() {
    // As in a signed jar: a section for each entry.
    let mut manifest = b"Agent-Class: p.Agent\n\n".to_vec();
    for number in 0..30_000 {
        manifest.extend(format!("Name: entry/{number}\nSHA-256-Digest: AAAAAAAAAAAAAAAAAAAA\n\n").bytes());
    }
    assert!(manifest.len() > 1 << 20);
    assert_eq!(codes(&ask(Cursor::new(jar_of_bytes(&manifest, &[entry(&agent("p"))])))), [""; 0]);
}

#[test]
fn a_large_jar_is_not_read_as_a_whole() {
    let mut entries: Vec<_> =
        (0..5_000).map(|number| (format!("data/{number}.bin"), noise(1_000, number))).collect();
    entries.push(entry(&agent("p")));
    let jar = jar("p", "Agent-Class: @.Agent\n\n", &entries);
    let read = AtomicU64::new(0);
    let report = ask(Counting { inner: Cursor::new(&jar), read: &read });
    assert_eq!(codes(&report), [""; 0]);
    let read = read.into_inner();
    assert!(jar.len() > 5_000_000 && read < 1_000_000, "{read} of {} bytes", jar.len());
}

#[test]
fn no_mutation_panics() {
    let jars = [
        classes(&[agent("p")]),
        jar(
            "p",
            "Agent-Class: @.Agent\nBoot-Class-Path: a%20b.jar c.jar\nClass-Path: x/ y.jar\n\
             Multi-Release: true\n\n",
            &[entry(&agent("p")), ("META-INF/versions/11/p/Agent.class".into(), agent("p").bytes())],
        ),
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    let mut findings = 0;
    for whole in jars {
        for length in 0..whole.len() {
            findings += ask(Cursor::new(&whole[..length])).findings.len();
        }
        for _ in 0..20_000 {
            let mut broken = whole.clone();
            for _ in 0..=random(4) {
                let at = random(broken.len());
                broken[at] = random(256) as u8;
            }
            findings += ask(Cursor::new(&broken)).findings.len();
        }
    }
    assert!(findings > 1_000, "{findings}");
}

/// Bytes that don't compress.
fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

struct Counting<'c, R> {
    inner: R,
    read: &'c AtomicU64,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: Seek> Seek for Counting<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
