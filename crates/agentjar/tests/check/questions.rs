//! What depends on the question more than on the jar: the request, the target's facts, and no target at all.

use std::io::{self, Cursor};
use std::path::Path;

use super::cases::assembler::{Class, PUBLIC, STATIC};
use super::cases::pack::{classes, entry, jar};
use super::cases::{RETURN, TWO, agent, look};
use jgraft_agentjar::{Finding, Question, Report, Severity, TargetFacts, check, unopened};

const PATH: &str = "/opt/agents/agent.jar";

fn ask(jar: &[u8], question: &Question<'_>) -> Report {
    check(Cursor::new(jar), question)
}

fn good() -> Vec<u8> {
    classes(&[agent("p")])
}

/// Severity and code of each finding.
fn codes(report: &Report) -> Vec<(Severity, &'static str)> {
    report.findings.iter().map(|finding| (finding.severity, finding.code)).collect()
}

fn only(report: &Report) -> &Finding {
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    &report.findings[0]
}

#[test]
fn a_good_jar_and_what_is_read_of_it() {
    let manifest = "Agent-Class: @.Agent\nPremain-Class: @.Pre\nLauncher-Agent-Class: @.Launch\n\
                    Boot-Class-Path: a.jar  b.jar\nCan-Redefine-Classes: TRUE\nMulti-Release: true\n\n";
    let jar = jar("p", manifest, &[entry(&agent("p"))]);
    let report = ask(&jar, &Question::new(Path::new(PATH)));
    assert_eq!(codes(&report), []);
    assert!(!report.has_errors());
    let manifest = report.manifest.unwrap();
    assert_eq!(manifest.agent_class.as_deref(), Some("p.Agent"));
    assert_eq!(manifest.premain_class.as_deref(), Some("p.Pre"));
    assert_eq!(manifest.launcher_agent_class.as_deref(), Some("p.Launch"));
    assert_eq!(manifest.boot_class_path, ["a.jar", "b.jar"]);
    assert!(manifest.can_redefine_classes && manifest.multi_release);
    assert!(!manifest.can_retransform_classes && !manifest.can_set_native_method_prefix);
    assert_eq!(report.class_version.unwrap().to_string(), "52.0 (Java 8)");
    let agent_main = report.agent_main.unwrap();
    assert_eq!((agent_main.class.as_str(), agent_main.descriptor.as_str()), ("p.Agent", TWO));
    assert!(agent_main.public && !agent_main.inherited);
}

#[test]
fn the_request() {
    let question = |path: &'static str, options: Option<&'static [u8]>| Question {
        options,
        ..Question::new(Path::new(path))
    };
    let relative = ask(&good(), &question("agents/agent.jar", None));
    assert_eq!(codes(&relative), [(Severity::Warning, "path-relative")]);
    let nul = ask(&good(), &question(PATH, Some(b"a\0b")));
    assert_eq!(codes(&nul), [(Severity::Error, "options-have-nul")]);
    // 1,024 bytes are sent, 1,025 are not.
    let fits = vec![b'x'; 1024 - PATH.len() - 1].leak();
    assert_eq!(codes(&ask(&good(), &question(PATH, Some(fits)))), []);
    let longer = [&fits[..], b"yz"].concat().leak();
    let report = ask(&good(), &question(PATH, Some(longer)));
    let finding = only(&report);
    assert_eq!((finding.severity, finding.code), (Severity::Error, "argument-too-long"));
    assert!(finding.sentence.contains("1026 bytes") && finding.remedy.contains("by 2 bytes"), "{finding:?}");
    assert!(finding.remedy.contains("--supervised"), "{finding:?}");
    let no_limit = Question { argument_limit: None, ..question(PATH, Some(longer)) };
    assert_eq!(codes(&ask(&good(), &no_limit)), []);
}

#[test]
fn what_the_target_can_read_and_has() {
    let target = TargetFacts {
        unreadable: Some("it is uid 1000, the file is -rw------- root".into()),
        already_loaded: vec!["-javaagent on its command line".into(), "open as fd 7".into()],
        ..TargetFacts::default()
    };
    let report = ask(&good(), &Question { target: Some(&target), ..Question::new(Path::new(PATH)) });
    assert_eq!(
        codes(&report),
        [(Severity::Error, "jar-not-readable-by-target"), (Severity::Warning, "already-loaded")]
    );
    assert!(report.findings[0].sentence.contains("uid 1000"));
    assert!(report.findings[1].sentence.contains("-javaagent on its command line; open as fd 7"));
}

#[test]
fn a_path_past_ascii_by_the_targets_encoding() {
    let path = Path::new("/opt/ägent.jar");
    let severity = |encoding: Option<&str>| {
        let target =
            TargetFacts { file_name_encoding: encoding.map(str::to_owned), ..TargetFacts::default() };
        let report = ask(&good(), &Question { target: Some(&target), ..Question::new(path) });
        report.findings.first().map(|finding| finding.severity)
    };
    assert_eq!(severity(Some("UTF-8")), None);
    assert_eq!(severity(Some("utf8")), None);
    assert_eq!(severity(Some("ANSI_X3.4-1968")), Some(Severity::Error));
    assert_eq!(severity(Some("ISO-8859-1")), Some(Severity::Warning));
    assert_eq!(severity(None), Some(Severity::Warning));
}

#[test]
fn start_up_only_names_the_line_that_works() {
    let premain = Class::new("p/Agent").method(PUBLIC | STATIC, "premain", TWO, &[RETURN]);
    let jar = jar("p", "Premain-Class: @.Agent\n\n", &[entry(&premain)]);
    let question = Question { options: Some(b"port=1"), ..Question::new(Path::new(PATH)) };
    let report = ask(&jar, &question);
    let finding = only(&report);
    assert_eq!(finding.code, "premain-only");
    assert!(finding.remedy.contains("-javaagent:/opt/agents/agent.jar=port=1"), "{finding:?}");
    assert!(!finding.remedy.contains("Agent-Class"), "{finding:?}");
}

#[test]
fn an_agentmain_that_no_manifest_names_is_found() {
    let jar = jar("p", "Premain-Class: @.Agent\n\n", &[entry(&agent("p"))]);
    let report = ask(&jar, &Question::new(Path::new(PATH)));
    assert!(only(&report).remedy.contains("'Agent-Class: p.Agent'"), "{report:#?}");
}

#[test]
fn a_misplaced_class_is_named() {
    let class = entry(&agent("com/example"));
    for (named, found) in [
        ("com.example.agent", "com/example/Agent"),
        ("other.Agent", "com/example/Agent"),
        ("com.example.Agent.class", "com/example/Agent"),
    ] {
        let report = ask(
            &jar("", &format!("Agent-Class: {named}\n\n"), std::slice::from_ref(&class)),
            &Question::new(Path::new(PATH)),
        );
        let finding = only(&report);
        assert_eq!(finding.code, "agent-class-not-found");
        assert!(finding.remedy.contains(found), "{finding:?}");
    }
}

#[test]
fn without_a_target_what_only_some_refuse_is_a_warning() {
    let mut class = Class::new("p/Agent").method(STATIC, "agentmain", TWO, &[RETURN]);
    class.major = 61;
    let report = ask(&classes(&[class]), &Question::new(Path::new(PATH)));
    assert_eq!(
        codes(&report),
        [(Severity::Warning, "class-version-too-new"), (Severity::Warning, "agentmain-not-public")]
    );
    assert!(report.findings[1].sentence.starts_with("on JDK 17 and newer: "), "{report:#?}");
    // No JDK takes this one.
    let class = Class::new("p/Agent").method(PUBLIC, "agentmain", TWO, &[RETURN]);
    let report = ask(&classes(&[class]), &Question::new(Path::new(PATH)));
    assert_eq!(codes(&report), [(Severity::Error, "agentmain-not-static")]);
}

#[test]
fn preview_features_depend_on_the_flag() {
    let mut class = agent("p");
    (class.major, class.minor) = (61, 0xffff);
    let jar = classes(&[class]);
    for (preview_enabled, expected) in
        [(Some(true), None), (Some(false), Some(Severity::Error)), (None, Some(Severity::Warning))]
    {
        let target = TargetFacts { feature_version: Some(17), preview_enabled, ..TargetFacts::default() };
        let report = ask(&jar, &Question { target: Some(&target), ..Question::new(Path::new(PATH)) });
        assert_eq!(report.findings.first().map(|finding| finding.severity), expected);
    }
}

#[test]
fn places_that_were_not_looked_at_leave_a_doubt() {
    let jar = jar("p", "Agent-Class: @.Agent\nClass-Path: lib.jar\n\n", &[]);
    let report = ask(&jar, &Question::new(Path::new(PATH)));
    let finding = only(&report);
    assert_eq!((finding.severity, finding.code), (Severity::Warning, "agent-class-not-in-jar"));
    assert!(finding.sentence.contains("/opt/agents/lib.jar"), "{finding:?}");
}

#[test]
fn the_targets_own_class_path_may_have_the_class() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("library.jar");
    std::fs::write(&library, classes(&[agent("p")])).unwrap();
    let target = TargetFacts { class_path: vec![library], ..TargetFacts::default() };
    let jar = jar("p", "Agent-Class: @.Agent\n\n", &[]);
    let question = Question { target: Some(&target), look: &look, ..Question::new(Path::new(PATH)) };
    assert_eq!(codes(&ask(&jar, &question)), []);
    let bare = Question { target: None, ..question };
    assert_eq!(codes(&ask(&jar, &bare)), [(Severity::Error, "agent-class-not-found")]);
}

#[test]
fn a_jar_that_cannot_be_opened() {
    for (kind, code) in [
        (io::ErrorKind::NotFound, "jar-not-found"),
        (io::ErrorKind::IsADirectory, "jar-is-a-directory"),
        (io::ErrorKind::PermissionDenied, "jar-cannot-be-opened"),
    ] {
        let report = unopened(&kind.into(), &Question::new(Path::new(PATH)));
        assert_eq!(codes(&report), [(Severity::Error, code)]);
        assert!(report.findings[0].sentence.contains(PATH));
    }
}
