//! The check itself: one file a subject, in the order in which a JVM comes to it.

mod agent_class;
mod agentmain;
mod boot_class_path;
mod capabilities;
mod class_source;
mod container;
mod linkage;
mod manifest_facts;
mod request;
mod target;

use std::io::{self, Read, Seek};
use std::path::PathBuf;

use crate::finding::Finding;
use crate::jar::Jar;
use crate::manifest::Manifest;
use crate::question::Question;
use crate::report::Report;

/// The files of Boot-Class-Path as the manifest has them, relative ones relative.
pub(crate) fn relative_boot_class_path(manifest: &Manifest) -> Vec<PathBuf> {
    boot_class_path::paths_from(manifest, None)
}

/// The files and folders of Class-Path as the manifest has them, relative ones relative.
pub(crate) fn class_path(manifest: &Manifest) -> Vec<PathBuf> {
    class_source::class_path(manifest, None).0.into_iter().map(|(path, _)| path).collect()
}

/// Checks a jar against a question.
pub fn check<R: Read + Seek>(jar: R, question: &Question<'_>) -> Report {
    let mut report = Report::default();
    request::check(question, &mut report.findings);
    target::check(question, &mut report.findings);
    match Jar::open(jar) {
        Ok(mut jar) => check_contents(&mut jar, question, &mut report),
        Err(error) => report.findings.push(container::refusal(&error)),
    }
    report
}

/// The report on a jar that could not be opened; by an error of kind `InvalidInput` where it is no plain file.
pub fn unopened(error: &io::Error, question: &Question<'_>) -> Report {
    let mut report = Report::default();
    let path = question.path.display();
    report.findings.push(match error.kind() {
        io::ErrorKind::NotFound => {
            Finding::error("jar-not-found", format!("{path} is not there"), "check the path")
        }
        io::ErrorKind::IsADirectory => {
            Finding::error("jar-is-a-directory", format!("{path} is a folder"), "name the jar in it")
        }
        io::ErrorKind::InvalidInput => {
            Finding::error("jar-is-no-file", format!("{path} is no plain file"), "name the agent's jar")
        }
        _ => Finding::error(
            "jar-cannot-be-opened",
            format!("{path} can't be opened here: {error}"),
            "run as a user who can read it",
        ),
    });
    request::check(question, &mut report.findings);
    target::check(question, &mut report.findings);
    report
}

fn check_contents<R: Read + Seek>(jar: &mut Jar<R>, question: &Question<'_>, report: &mut Report) {
    let opens = container::check(jar, &mut report.findings);
    let Some(file) = manifest_facts::read(jar, report).filter(|_| opens) else { return };
    let manifest = &file.manifest;
    let findings = &mut report.findings;
    let Some(name) = manifest_facts::agent_class(jar, manifest, question, findings) else { return };
    manifest_facts::check_for_class_loaders(&file, &name, findings);
    boot_class_path::check(manifest, question, findings);
    if let Some(class) = agent_class::find(jar, manifest, &name, question, report) {
        agentmain::check(jar, manifest, &class, question, report);
        linkage::check(jar, manifest, &class, question, &mut report.findings);
    }
    capabilities::check(jar, manifest, &mut report.findings);
}
