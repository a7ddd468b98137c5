//! What `check` says of every case, for JDKs that need not be here.

use std::fs::File;

use super::cases;
use jgraft_agentjar::{Question, Severity, TargetFacts, check};

#[test]
fn every_case_on_every_release() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for case in cases::all() {
        let path = case.write(folder.path());
        for feature_version in [8, 11, 16, 17, 21, 25, 26] {
            let target = TargetFacts {
                feature_version: Some(feature_version),
                file_name_encoding: Some("UTF-8".into()),
                preview_enabled: Some(false),
                ..TargetFacts::default()
            };
            let question = Question {
                options: case.options,
                target: Some(&target),
                look: &cases::look,
                ..Question::new(&path)
            };
            let report = check(File::open(&path).unwrap(), &question);
            let codes = |severity: Severity| -> Vec<&str> {
                let some = report.findings.iter().filter(|finding| finding.severity == severity);
                some.map(|finding| finding.code).collect()
            };
            let expected: Vec<&str> = case.refused_by(feature_version).into_iter().collect();
            // What is only inferred is a warning even where a JVM would refuse it.
            let inferred = expected.iter().all(|code| codes(Severity::Warning).contains(code));
            let warned = case.warning.is_none_or(|code| codes(Severity::Warning).contains(&code));
            if !(codes(Severity::Error) == expected || inferred && codes(Severity::Error).is_empty())
                || !warned
            {
                let found: Vec<_> =
                    report.findings.iter().map(|finding| (finding.code, &finding.sentence)).collect();
                wrong.push(format!(
                    "{} on {feature_version}: expected {expected:?} and {:?}, got {found:?}",
                    case.name, case.warning
                ));
            }
            for finding in &report.findings {
                assert!(!finding.remedy.is_empty() && !finding.sentence.is_empty(), "{finding:?}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
