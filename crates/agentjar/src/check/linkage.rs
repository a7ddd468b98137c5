//! Classes that the agent class can't do without before its agentmain is called. They may come from the
//! target's class path, so what is not in the jar is only inferred to be missing.

use std::io::{Read, Seek};

use jgraft_classfile::ClassFile;

use crate::finding::Finding;
use crate::jar::Jar;
use crate::manifest::Manifest;
use crate::question::Question;

use super::agent_class::AgentClass;
use super::class_source;

pub(super) fn check<R: Read + Seek>(
    jar: &mut Jar<R>,
    manifest: &Manifest,
    agent_class: &AgentClass,
    question: &Question<'_>,
    findings: &mut Vec<Finding>,
) {
    let Ok(class) = ClassFile::parse(&agent_class.bytes) else { return };
    let name = &agent_class.name;
    let mut first_unknown = |types: Vec<String>| {
        let unknown = types.into_iter().find(|name| !class_source::is_known(jar, manifest, name, question));
        unknown.map(|name| name.replace('/', "."))
    };
    if let Some(missing) = first_unknown(supertypes(&class)) {
        findings.push(Finding::warning(
            "supertype-not-found",
            format!(
                "{name} extends or implements {missing}, which is not in the jar: if the target has no such \
                 class, the agent class can't be loaded"
            ),
            "pack the class into the jar",
        ));
    }
    if let Some(missing) = first_unknown(signature_types(&class)) {
        findings.push(Finding::warning(
            "method-type-not-found",
            format!(
                "a method of {name} has {missing} in its signature, which is not in the jar: if the target \
                 has no such class, agentmain won't be found"
            ),
            "pack the class into the jar, or move that method to another class",
        ));
    }
}

fn supertypes(class: &ClassFile<'_>) -> Vec<String> {
    let superclass = class.super_class_name().ok().flatten();
    superclass.into_iter().chain(class.interfaces().flatten()).map(|name| name.to_string()).collect()
}

/// Every class in the descriptor of a method, once: reflection resolves them all before it finds one method.
fn signature_types(class: &ClassFile<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for method in class.methods().flatten() {
        // In (IJLjava/lang/String;[B)V a name is what is between the first 'L' of a part and its ';'.
        for part in method.descriptor().to_str_lossy().split_inclusive(';') {
            let name = part.strip_suffix(';').and_then(|part| part.split_once('L'));
            names.extend(name.map(|(_, name)| name.to_owned()));
        }
    }
    names.sort();
    names.dedup();
    names
}
