//! Can-… attributes that the manifest lacks although classes of the jar call what they allow: the call then
//! throws UnsupportedOperationException. Classes are read only where an attribute is lacking.

use std::io::{Read, Seek};

use jgraft_classfile::ClassFile;

use crate::finding::Finding;
use crate::jar::{Jar, MANIFEST, SCAN_LIMIT, Scan};
use crate::manifest::Manifest;

struct Capability {
    attribute: &'static str,
    /// Of java.lang.instrument.Instrumentation.
    method: &'static str,
    code: &'static str,
}

const INSTRUMENTATION: &str = "java/lang/instrument/Instrumentation";
/// Native method prefixes are left out: nearly no agent has them, and to look for them costs a scan of nearly
/// every agent.
const CAPABILITIES: [Capability; 2] = [
    Capability {
        attribute: "Can-Retransform-Classes",
        method: "retransformClasses",
        code: "can-retransform-classes-missing",
    },
    Capability {
        attribute: "Can-Redefine-Classes",
        method: "redefineClasses",
        code: "can-redefine-classes-missing",
    },
];

pub(super) fn check<R: Read + Seek>(jar: &mut Jar<R>, manifest: &Manifest, findings: &mut Vec<Finding>) {
    let lacking: Vec<&Capability> =
        CAPABILITIES.iter().filter(|capability| !manifest.is_true(capability.attribute)).collect();
    let mut callers: Vec<Option<String>> = vec![None; lacking.len()];
    if lacking.is_empty() {
        return;
    }
    let whole = jar.scan_classes(|bytes| {
        let Ok(class) = ClassFile::parse(bytes) else { return Scan::More };
        for call in class.constant_pool().method_refs().flatten() {
            if call.class != INSTRUMENTATION {
                continue;
            }
            for (capability, caller) in lacking.iter().zip(&mut callers) {
                if caller.is_none() && call.name == capability.method {
                    *caller = class.this_class_name().ok().map(|name| name.to_string().replace('/', "."));
                }
            }
        }
        if callers.iter().all(Option::is_some) { Scan::Stop } else { Scan::More }
    });
    if !whole {
        let methods: Vec<_> = lacking.iter().map(|capability| capability.method).collect();
        findings.push(Finding::warning(
            "classes-not-all-scanned",
            format!(
                "the jar has more than {} MiB of classes, and those past that were not searched for calls of {}",
                SCAN_LIMIT >> 20,
                methods.join(" and ")
            ),
            "see by its documentation which Can-… attributes the agent needs",
        ));
    }
    for (capability, caller) in lacking.iter().zip(callers) {
        let Some(caller) = caller else { continue };
        let Capability { attribute, method, code } = capability;
        let says = match manifest.get(attribute) {
            Some(value) => format!("has {attribute}: {value}, which is not 'true'"),
            None => format!("has no {attribute}"),
        };
        findings.push(Finding::warning(
            code,
            format!("{caller} calls {method}, but the manifest {says}: the call will throw"),
            format!("add '{attribute}: true' to {MANIFEST}"),
        ));
    }
}
