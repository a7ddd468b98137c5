//! The manifest: whether libinstrument reads it, what it says, and which class it names.

use std::io::{Read, Seek};

use jgraft_classfile::{ClassFile, encoded_len};

use crate::finding::Finding;
use crate::jar::{Jar, MANIFEST, MANIFEST_LIMIT, Scan};
use crate::java_manifest::{self, Refusal};
use crate::jdk;
use crate::manifest::{Manifest, ManifestError};
use crate::question::Question;
use crate::report::{ManifestFacts, Report};

/// A name is a CONSTANT_Utf8, whose length is a u2.
const NAME_LIMIT: usize = 0xffff;

/// The manifest, as its two readers see it.
pub(super) struct ManifestFile {
    /// As libinstrument reads it.
    pub(super) manifest: Manifest,
    /// What java.util.jar would say of it, if asked.
    refusal_by_java: Option<Refusal>,
}

/// Reads the manifest into the report; none if there is no going on without it.
pub(super) fn read<R: Read + Seek>(jar: &mut Jar<R>, report: &mut Report) -> Option<ManifestFile> {
    let bytes = match jar.read(MANIFEST, MANIFEST_LIMIT) {
        Ok(Some(entry)) => entry,
        Ok(None) => {
            report.findings.push(missing(jar));
            return None;
        }
        Err(error) => {
            report.findings.push(Finding::error(
                "manifest-unreadable",
                format!("{MANIFEST} can't be read: {error}"),
                "pack the jar again",
            ));
            return None;
        }
    };
    // Where the limit cuts the main section, what is read of it says nothing.
    let manifest = if bytes.cut && !has_blank_line(&bytes.bytes) {
        Err(ManifestError::TooLong(MANIFEST_LIMIT))
    } else {
        Manifest::parse(&bytes.bytes)
    };
    let manifest = match manifest {
        Ok(manifest) => manifest,
        Err(error) => {
            let sentence = format!("{MANIFEST} {error}, so the JVM refuses the jar as if it had no manifest");
            report.findings.push(Finding::error(
                "manifest-malformed",
                sentence,
                "write it with the jar tool (jar cfm)",
            ));
            return None;
        }
    };
    let text = |name| manifest.get(name).map(|value| value.into_owned());
    let facts = ManifestFacts {
        agent_class: text("Agent-Class"),
        premain_class: text("Premain-Class"),
        launcher_agent_class: text("Launcher-Agent-Class"),
        boot_class_path: super::boot_class_path::entries(&manifest),
        can_redefine_classes: manifest.is_true("Can-Redefine-Classes"),
        can_retransform_classes: manifest.is_true("Can-Retransform-Classes"),
        can_set_native_method_prefix: manifest.is_true("Can-Set-Native-Method-Prefix"),
        multi_release: manifest.is_multi_release(),
    };
    report.manifest = Some(facts);
    Some(ManifestFile { manifest, refusal_by_java: java_manifest::refusal(&bytes.bytes) })
}

/// Whether class loaders can read the manifest. They do so by java.util.jar, for a class in a package or to
/// find a Class-Path; else they never look.
pub(super) fn check_for_class_loaders(file: &ManifestFile, agent_class: &str, findings: &mut Vec<Finding>) {
    let asked = agent_class.contains('.') || file.manifest.java_value("Class-Path").is_some();
    if let Some(refusal) = file.refusal_by_java.filter(|_| asked) {
        findings.push(Finding::error(
            "manifest-refused-by-class-loader",
            format!("{MANIFEST}: {refusal}, so class loaders won't load {agent_class} from this jar"),
            "write it with the jar tool (jar cfm)",
        ));
    }
}

/// The class that the manifest names for attach, with dots.
pub(super) fn agent_class<R: Read + Seek>(
    jar: &mut Jar<R>,
    manifest: &Manifest,
    question: &Question<'_>,
    findings: &mut Vec<Finding>,
) -> Option<String> {
    let Some(name) = manifest.get("Agent-Class") else {
        findings.push(no_agent_class(jar, manifest, question));
        return None;
    };
    if manifest.conflicts("Agent-Class") {
        findings.push(Finding::warning(
            "agent-class-twice",
            format!(
                "Agent-Class is there more than once, and the JVM takes the first that is not empty: {name}"
            ),
            "leave one of them",
        ));
    }
    let length = encoded_len(&name);
    let refusal = if length > NAME_LIMIT {
        let sentence =
            format!("Agent-Class has {length} bytes, and the name of a class at most {NAME_LIMIT}");
        Some(("agent-class-too-long", sentence, "name the agent class".to_owned()))
    } else if name.contains('/') {
        let remedy = format!("write Agent-Class: {}", name.replace('/', "."));
        Some((
            "agent-class-has-slash",
            format!("Agent-Class {name} has a '/', and names of classes have '.'"),
            remedy,
        ))
    } else if name.starts_with("java.") {
        let sentence =
            format!("Agent-Class {name} is in a package java.…, which class loaders refuse to define");
        Some((
            "agent-class-in-java-package",
            sentence,
            "move the agent class to a package of its own".to_owned(),
        ))
    } else {
        None
    };
    match refusal {
        Some((code, sentence, remedy)) => {
            findings.push(Finding::error(code, sentence, remedy));
            None
        }
        None => {
            findings.extend(in_jdk_territory(&name, question));
            Some(name.into_owned())
        }
    }
}

fn in_jdk_territory(name: &str, question: &Question<'_>) -> Option<Finding> {
    let modular = question.feature_version().is_none_or(|version| version >= 9);
    (modular && jdk::is_in_jdk_territory(name)).then(|| {
        let sentence = format!(
            "Agent-Class {name} lies among the JDK's packages: if a module of the target has that package, \
             class loaders of JDK 9 and newer look for it there and not in the jar"
        );
        Finding::warning(
            "agent-class-in-jdk-package",
            sentence,
            "move the agent class to a package of its own",
        )
    })
}

fn missing<R: Read + Seek>(jar: &Jar<R>) -> Finding {
    let other_case = jar.names().find(|name| name.eq_ignore_ascii_case(MANIFEST.as_bytes()));
    match other_case.map(String::from_utf8_lossy) {
        Some(name) => Finding::error(
            "manifest-missing",
            format!("the jar has {name} but not {MANIFEST}, and upper and lower case count"),
            format!("name the entry {MANIFEST}"),
        ),
        None => Finding::error(
            "manifest-missing",
            format!("the jar has no {MANIFEST}"),
            "pack it with the jar tool (jar cfm) and a manifest with Agent-Class",
        ),
    }
}

fn no_agent_class<R: Read + Seek>(jar: &mut Jar<R>, manifest: &Manifest, question: &Question<'_>) -> Finding {
    let with_agentmain = class_with_agentmain(jar);
    let add = |name: &str| format!("add 'Agent-Class: {name}' to {MANIFEST}");
    if let Some(premain) = manifest.get("Premain-Class") {
        let options = question.options.map(String::from_utf8_lossy);
        let equals = if options.is_some() { "=" } else { "" };
        let line = format!("-javaagent:{}{equals}{}", question.path.display(), options.unwrap_or_default());
        let or_else = with_agentmain.map(|name| format!("; or {}", add(&name))).unwrap_or_default();
        return Finding::error(
            "premain-only",
            format!("the manifest has Premain-Class {premain} but no Agent-Class: it is for start-up only"),
            format!("start the JVM with {line}, on its command line or in JAVA_TOOL_OPTIONS{or_else}"),
        );
    }
    let remedy = with_agentmain.map_or_else(|| add("the.agent.Class"), |name| add(&name));
    match manifest.get("Launcher-Agent-Class") {
        Some(launcher) => Finding::error(
            "launcher-agent-only",
            format!(
                "the manifest has Launcher-Agent-Class {launcher}, for java -jar only, but no Agent-Class"
            ),
            remedy,
        ),
        None => Finding::error("agent-class-missing", format!("{MANIFEST} has no Agent-Class"), remedy),
    }
}

/// The first class of the jar that looks as if it was meant.
fn class_with_agentmain<R: Read + Seek>(jar: &mut Jar<R>) -> Option<String> {
    let mut found = None;
    jar.scan_classes(|bytes| {
        let Ok(class) = ClassFile::parse(bytes) else { return Scan::More };
        if class.methods().flatten().any(|method| method.name() == "agentmain") {
            found = class.this_class_name().ok().map(|name| name.to_string().replace('/', "."));
        }
        if found.is_some() { Scan::Stop } else { Scan::More }
    });
    found
}

fn has_blank_line(bytes: &[u8]) -> bool {
    let blank = |pair: &[u8]| matches!(pair, [b'\n', b'\n' | b'\r'] | [b'\r', b'\r']);
    bytes.contains(&0) || bytes.windows(2).any(blank)
}
