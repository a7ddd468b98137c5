//! The agent class: that it is where its name says, whole, itself, and of a version that the target loads.

use std::io::{Read, Seek};

use jgraft_classfile::ClassFile;

use crate::finding::Finding;
use crate::jar::{CLASS_LIMIT, Jar};
use crate::jdk::{ClassVersion, Loadable};
use crate::manifest::Manifest;
use crate::question::Question;
use crate::report::Report;

use super::class_source::{self, Found};

/// The agent class, known to be a whole class file of this name.
pub(super) struct AgentClass {
    /// With dots.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

pub(super) fn find<R: Read + Seek>(
    jar: &mut Jar<R>,
    manifest: &Manifest,
    name: &str,
    question: &Question<'_>,
    report: &mut Report,
) -> Option<AgentClass> {
    let internal_name = name.replace('.', "/");
    let findings = &mut report.findings;
    let (bytes, place) = match class_source::find(jar, manifest, &internal_name, question) {
        Found::Class { bytes, place } => (bytes, place),
        Found::Nowhere { looked_in } => {
            findings.push(Finding::error(
                "agent-class-not-found",
                format!("Agent-Class {name} is not in {}", looked_in.join(", ")),
                similar(jar, &internal_name).map_or_else(
                    || "pack the class into the jar, or correct Agent-Class".to_owned(),
                    |similar| {
                        format!("the jar has {similar}: correct Agent-Class, or pack the class at its root")
                    },
                ),
            ));
            return None;
        }
        Found::Perhaps { unseen } => {
            findings.push(Finding::warning(
                "agent-class-not-in-jar",
                format!(
                    "Agent-Class {name} is not in the jar; where else it may come from was not looked at: {}",
                    unseen.join(", ")
                ),
                "make sure that the class is there",
            ));
            return None;
        }
        Found::Unreadable { place, error } => {
            findings.push(Finding::error(
                "agent-class-unreadable",
                format!("{place} can't be read: {error}"),
                "pack the jar again",
            ));
            return None;
        }
    };
    if bytes.cut {
        findings.push(Finding::error(
            "zip-bomb",
            format!("{place} has more than {CLASS_LIMIT} bytes, and no class of an agent does"),
            "load an agent jar from a source you trust",
        ));
        return None;
    }
    let bytes = bytes.bytes;
    let class = match ClassFile::parse(&bytes).and_then(|class| class.check_structure().map(|()| class)) {
        Ok(class) => class,
        Err(error) => {
            let sentence = format!("{place} is no whole class file: {error}");
            findings.push(Finding::error("agent-class-malformed", sentence, "compile and pack it again"));
            return None;
        }
    };
    let version = ClassVersion { major: class.major_version(), minor: class.minor_version() };
    report.class_version = Some(version);
    findings.extend(check_version(version, name, question));
    if let Some(found) = class.this_class_name().ok().filter(|found| *found != internal_name.as_str()) {
        let found = found.to_string().replace('/', ".");
        findings.push(Finding::error(
            "agent-class-wrong-name",
            format!("{place} holds the class {found}, not {name}"),
            format!("write Agent-Class: {found}, and pack it below its package's folders"),
        ));
        return None;
    }
    Some(AgentClass { name: name.to_owned(), bytes })
}

fn check_version(version: ClassVersion, name: &str, question: &Question<'_>) -> Option<Finding> {
    const TOO_NEW: &str = "class-version-too-new";
    let needs = version.feature_version();
    let Some(target) = question.feature_version() else {
        // Java 8 is what anyone would expect; above it, say so.
        let sentence = format!("{name} has class-file version {version}: only JDK {needs} and newer load it");
        return (version.major > 52 || version.is_preview())
            .then(|| Finding::warning(TOO_NEW, sentence, "ask again with the JVM it is meant for"));
    };
    let sentence = format!("{name} has class-file version {version}, and the target is JDK {target}");
    let recompile = format!("compile the agent with --release {target} or lower");
    match version.loadable_by(target) {
        Loadable::Yes => None,
        Loadable::TooNew => Some(Finding::error(TOO_NEW, sentence, recompile)),
        Loadable::TooOld | Loadable::BadMinor => Some(Finding::error(
            "class-version-unknown",
            format!("{sentence}, which knows no such version"),
            recompile,
        )),
        Loadable::OtherPreview => Some(Finding::error(
            "class-version-preview",
            format!("{sentence}, which loads its own preview features only"),
            recompile,
        )),
        Loadable::NeedsPreview => {
            let code = "class-version-preview";
            match question.target.and_then(|target| target.preview_enabled) {
                Some(true) => None,
                Some(false) => {
                    let sentence = format!("{sentence}, started without --enable-preview");
                    Some(Finding::error(code, sentence, "compile the agent without --enable-preview"))
                }
                None => Some(Finding::warning(
                    code,
                    format!("{sentence}, which loads it only if started with --enable-preview"),
                    "compile the agent without --enable-preview",
                )),
            }
        }
    }
}

/// A class of the jar whose name differs only in case, in '.' for '$', or in a folder before it.
fn similar<R: Read + Seek>(jar: &Jar<R>, internal_name: &str) -> Option<String> {
    let plain = |name: &str| name.to_lowercase().replace('$', "/");
    let wanted = plain(internal_name.strip_suffix("/class").unwrap_or(internal_name));
    let simple = wanted.rsplit('/').next().map(|name| format!("/{name}"))?;
    let mut same_simple_name = None;
    for name in jar.names().filter_map(|name| std::str::from_utf8(name).ok()?.strip_suffix(".class")) {
        let candidate = plain(name);
        if candidate.ends_with(&wanted) {
            return Some(name.to_owned());
        }
        if same_simple_name.is_none() && format!("/{candidate}").ends_with(&simple) {
            same_simple_name = Some(name.to_owned());
        }
    }
    same_simple_name
}
