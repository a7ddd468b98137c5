//! New classes that a patch brings along: in which loaders they are defined, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use jgraft_classfile::ClassFile;

use super::found::Found;
use super::inputs::NewClass;
use super::plan::Later;

/// A class of the patch, beside which a new one may be defined.
#[derive(Debug)]
pub(super) struct Beside<'p> {
    /// By which the agent knows it in this session.
    pub(super) id: String,
    pub(super) name: &'p str,
    pub(super) loader_id: i64,
}

/// Those that change come first, then those that will, and the boot loader, where nothing can be defined, last of each.
pub(super) fn all_beside<'p>(
    changed: &[&'p Found],
    later: &'p [Later],
    unchanged: &[&'p Found],
) -> Vec<Beside<'p>> {
    let loaded =
        |found: &&'p Found| Beside { id: found.n.to_string(), name: &found.name, loader_id: found.loader_id };
    let later = later.iter().map(|later| Beside {
        id: later.candidate.clone(),
        name: &later.name,
        loader_id: later.loader_id,
    });
    let ranked = changed.iter().map(loaded).map(|beside| (0, beside));
    let ranked = ranked.chain(later.map(|beside| (1, beside)));
    let ranked = ranked.chain(unchanged.iter().map(loaded).map(|beside| (2, beside)));
    let mut all: Vec<_> = ranked.collect();
    all.sort_by_key(|(rank, beside)| (*rank, beside.loader_id == 0));
    all.into_iter().map(|(_, beside)| beside).collect()
}

/// Where a new class is to be defined, once for each loader: beside what is of its package, if anything is.
pub(super) fn neighbours<'a, 'p>(class: &str, all: &'a [Beside<'p>]) -> Vec<&'a Beside<'p>> {
    let near = all.iter().find(|beside| package(beside.name) == package(class)).or(all.first());
    let Some(near) = near else { return Vec::new() };
    all.iter().filter(|beside| beside.name == near.name).collect()
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
