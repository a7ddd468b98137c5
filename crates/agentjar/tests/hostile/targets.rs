//! What is done to hostile manifests and jars; the fuzz targets in `fuzz/` and the long run `cargo xtask fuzz` call the
//! same.

use std::io::Cursor;
use std::path::Path;

use jgraft_agentjar::{Jar, Manifest, Question, TargetFacts, check, companions};

/// Manifests to begin with.
pub(crate) const MANIFESTS: [&[u8]; 3] = [
    b"Manifest-Version: 1.0\r\nAgent-Class: p.Agent\r\nPremain-Class: p.A\r\n gent\r\nCan-Redefine-Classes: true\r\n\r\n",
    b"Agent-Class: p.Agent\nBoot-Class-Path: a%20b.jar c.jar\nClass-Path: x/ y.jar\nMulti-Release: true\n\nName: p/\nSealed: true\n",
    b"Launcher-Agent-Class: \xc3\xbc.Agent \nCan-Retransform-Classes: TRUE\n \n",
];

/// Reads it as libinstrument does.
pub(crate) fn manifest(bytes: &[u8]) {
    let Ok(manifest) = Manifest::parse(bytes) else { return };
    for name in ["Agent-Class", "agent-class", "Boot-Class-Path", "Can-Retransform-Classes", ""] {
        let _ = manifest.get(name);
        let _ = manifest.is_true(name);
    }
}

/// Checks it as an agent, for every kind of target, looks for what belongs to it, and unpacks it.
pub(crate) fn jar(bytes: &[u8]) {
    let path = Path::new("/a.jar");
    for feature in [8, 17, 25] {
        let facts = TargetFacts { feature_version: Some(feature), ..TargetFacts::default() };
        let report = check(Cursor::new(bytes), &Question { target: Some(&facts), ..Question::new(path) });
        for finding in &report.findings {
            assert!(!finding.code.is_empty() && !finding.sentence.is_empty());
        }
    }
    let _ = companions(Cursor::new(bytes));
    let Ok(mut jar) = Jar::open(Cursor::new(bytes)) else { return };
    let _ = jar.class_path();
    let names: Vec<_> = jar.names().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    for name in names {
        let mut unpacked = Vec::new();
        let told = jar.unpack(&name, &mut unpacked, 1 << 16);
        assert!(unpacked.len() <= (1 << 16) + 1);
        assert!(!matches!(told, Ok(Some(told)) if told != unpacked.len() as u64));
    }
}
