//! Agents that no one here wrote, as they are on Maven Central.

use std::fs::File;

use jgraft_agentjar::{Question, Report, Severity, TargetFacts, check};
use jgraft_jvm_harness::{maven, skip};

/// The report on an artifact for JDK 17; none, and the skip recorded, if it can't be had.
fn ask(test: &str, coordinates: &str) -> Option<Report> {
    let path = match maven::artifact(coordinates) {
        Ok(path) => path,
        Err(reason) => {
            skip(test, &reason);
            return None;
        }
    };
    let target = TargetFacts { feature_version: Some(17), ..TargetFacts::default() };
    let question = Question { target: Some(&target), look: &super::cases::look, ..Question::new(&path) };
    Some(check(File::open(&path).unwrap(), &question))
}

#[test]
fn byte_buddy_agent_is_fine() {
    let Some(report) = ask("byte_buddy_agent_is_fine", "net.bytebuddy:byte-buddy-agent:1.17.5") else {
        return;
    };
    assert_eq!(report.findings, []);
    assert!(report.agent_main.is_some_and(|method| method.class == "net.bytebuddy.agent.Installer"));
}

#[test]
fn the_opentelemetry_agent_has_no_errors() {
    let coordinates = "io.opentelemetry.javaagent:opentelemetry-javaagent:2.14.0";
    let Some(report) = ask("the_opentelemetry_agent_has_no_errors", coordinates) else { return };
    let errors: Vec<_> = report.findings.iter().filter(|found| found.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(report.manifest.is_some_and(|manifest| manifest.can_retransform_classes));
}

#[test]
fn jacoco_is_for_start_up_only() {
    let Some(report) = ask("jacoco_is_for_start_up_only", "org.jacoco:org.jacoco.agent:0.8.12:runtime")
    else {
        return;
    };
    let [finding] = &report.findings[..] else { panic!("{report:#?}") };
    assert_eq!((finding.severity, finding.code), (Severity::Error, "premain-only"));
    assert!(finding.remedy.starts_with("start the JVM with -javaagent:/"), "{finding:?}");
}
