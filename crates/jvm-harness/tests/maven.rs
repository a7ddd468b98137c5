//! A jar from Maven Central arrives whole, and one that does not exist is a reason, not a crash.

use std::fs;

use jgraft_jvm_harness::{maven, skip};

#[test]
fn a_jar_arrives_and_a_missing_one_is_a_reason() {
    let jar = match maven::artifact("org.jacoco:org.jacoco.agent:0.8.12:runtime") {
        Ok(jar) => jar,
        Err(reason) => return skip("a_jar_arrives_and_a_missing_one_is_a_reason", &reason),
    };
    assert!(jar.ends_with("org.jacoco/org.jacoco.agent-0.8.12-runtime.jar"), "{}", jar.display());
    assert!(fs::read(&jar).unwrap().starts_with(b"PK"));

    let reason = maven::artifact("org.jacoco:no-such-artifact:0.8.12").unwrap_err();
    assert!(reason.starts_with("org.jacoco:no-such-artifact:0.8.12: mvn: "), "{reason}");
    let folder = jar.parent().unwrap();
    let litter =
        fs::read_dir(folder).unwrap().flatten().any(|e| e.file_name().to_string_lossy().starts_with('.'));
    assert!(!litter, "{} holds unfinished work", folder.display());
}
