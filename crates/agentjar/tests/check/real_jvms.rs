//! The table of jdk.rs, and all else that `check` calls an error, measured: every case is loaded into a JVM
//! of every JDK found, and the JVM's verdict must be the one that the case states and that `check` gives.

use std::fs::File;

use super::attach;
use super::cases::{self, Case};
use anyhow::{Result, ensure};
use jgraft_agentjar::{Question, Report, Severity, TargetFacts, check};
use jgraft_jvm_harness::{Jdk, Jvm, each_jdk, each_release, targets};

#[test]
fn check_and_the_jvm_agree_on_every_case() {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let cases: Vec<_> = cases::all().into_iter().map(|case| (case.write(folder.path()), case)).collect();
    each_release("check_and_the_jvm_agree_on_every_case", .., |jdk| {
        let jvm = service(jdk, folder.path(), "C.UTF-8")?;
        let mut wrong = Vec::new();
        for (path, case) in &cases {
            let target = facts(jdk, "UTF-8");
            let question = Question {
                options: case.options,
                target: Some(&target),
                look: &cases::look,
                ..Question::new(path)
            };
            let report = check(File::open(path)?, &question);
            let code = attach::load(&jvm, &argument(&question))?;
            if let Some(difference) = difference(case, jdk.feature, &report, code) {
                wrong.push(difference);
            }
        }
        ensure!(jvm.is_alive());
        ensure!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), jvm.stderr());
        Ok(())
    });
}

#[test]
fn a_path_past_ascii_in_the_c_locale() {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let path = folder.path().join("ägent.jar");
    std::fs::write(&path, cases::pack::classes(&[cases::agent("p")])).unwrap();
    each_jdk("a_path_past_ascii_in_the_c_locale", .., |jdk| {
        let jvm = service(jdk, folder.path(), "C")?;
        let target = facts(jdk, "ANSI_X3.4-1968");
        let question = Question { target: Some(&target), ..Question::new(&path) };
        let report = check(File::open(&path)?, &question);
        let code = attach::load(&jvm, &argument(&question))?;
        ensure!(report.has_errors() == (code != 0), "return code {code}, {:#?}", report.findings);
        Ok(())
    });
}

/// What the JVM's verdict differs in from the case's or the check's.
fn difference(case: &Case, feature_version: u32, report: &Report, code: i32) -> Option<String> {
    let expected = case.refused_by(feature_version);
    let inferred = |code: &&str| {
        let known = |finding: &jgraft_agentjar::Finding| {
            finding.code == *code && finding.severity == Severity::Warning
        };
        report.findings.iter().any(known)
    };
    let by_jvm = code != 0;
    let by_check = report.has_errors() || expected.as_ref().is_some_and(inferred);
    (by_jvm != expected.is_some() || by_jvm != by_check).then(|| {
        let found: Vec<_> = report.findings.iter().map(|finding| (finding.code, &finding.sentence)).collect();
        format!("{}: the JVM says {code}, the case {expected:?}, check {found:?}", case.name)
    })
}

fn service(jdk: &Jdk, folder: &std::path::Path, locale: &str) -> Result<Jvm> {
    let jvm = Jvm::builder(jdk)
        .class_path(targets::order_service_classes()?)
        .main("OrderService")
        .program_args(["--quiet"])
        .visible(folder)
        .env("LC_ALL", locale)
        .start()?;
    jvm.wait_ready()?;
    Ok(jvm)
}

fn facts(jdk: &Jdk, encoding: &str) -> TargetFacts {
    TargetFacts {
        feature_version: Some(jdk.feature),
        file_name_encoding: Some(encoding.into()),
        preview_enabled: Some(false),
        ..TargetFacts::default()
    }
}

fn argument(question: &Question<'_>) -> Vec<u8> {
    let path = question.path.as_os_str().as_encoded_bytes();
    match question.options {
        Some(options) => [path, b"=", options].concat(),
        None => path.to_vec(),
    }
}
