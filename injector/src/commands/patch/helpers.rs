//! New classes that a patch brings along: in which loaders they are defined, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use jgraft_classfile::ClassFile;

use super::agent::Found;
use super::inputs::NewClass;

/// The classes beside which a new one is defined, one for each loader: those of its package if the patch has any, else the
/// first that it changes. `patched` are classes of the patch, those that change first.
pub(super) fn neighbours<'f>(class: &str, patched: &[&'f Found]) -> Vec<&'f Found> {
    let near = patched.iter().find(|found| package(&found.name) == package(class)).or(patched.first());
    let Some(near) = near else { return Vec::new() };
    patched.iter().copied().filter(|found| found.name == near.name).collect()
}

fn package(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(package, _)| package)
}

/// What a class extends comes before it: a JVM looks for that as it defines the class.
pub(super) fn in_order(classes: Vec<&NewClass>) -> Vec<&NewClass> {
    let all: BTreeMap<_, _> = classes.iter().map(|class| (class.name.as_str(), *class)).collect();
    let (mut seen, mut ordered) = (BTreeSet::new(), Vec::new());
    for class in classes {
        visit(class, &all, &mut seen, &mut ordered);
    }
    ordered
}

fn visit<'c>(
    class: &'c NewClass,
    all: &BTreeMap<&str, &'c NewClass>,
    seen: &mut BTreeSet<&'c str>,
    ordered: &mut Vec<&'c NewClass>,
) {
    // A circle ends here; the JVM has a word for it.
    if !seen.insert(&class.name) {
        return;
    }
    for supertype in supertypes(&class.bytes).iter().filter_map(|name| all.get(name.as_str())) {
        visit(supertype, all, seen, ordered);
    }
    ordered.push(class);
}

/// It was read before, so it can be.
fn supertypes(class: &[u8]) -> Vec<String> {
    let Ok(class) = ClassFile::parse(class) else { return Vec::new() };
    let superclass = class.super_class_name().ok().flatten();
    let interfaces = class.interfaces().filter_map(Result::ok);
    superclass.into_iter().chain(interfaces).map(|name| name.to_string()).collect()
}
