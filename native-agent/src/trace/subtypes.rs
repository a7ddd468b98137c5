//! Which classes are meant by a pattern with `+`: the class itself, and whatever extends or implements it.
//!
//! By names: a subtype in one class loader makes all classes of its name one. A class may come through the hook before what
//! it extends does; it is woven a moment later then.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jgraft_classfile::ClassFile;
use jgraft_jvmti::{Environment, Error};
use jgraft_protocol::pattern::Pattern;
use jni::Env;

use super::weaving::internal_name;

/// See the head of this file. Names are internal ones.
#[derive(Debug)]
pub(super) struct Subtypes {
    any: bool,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// For each pattern, in their order.
    of: Vec<HashSet<String>>,
    /// Direct subtypes of classes, by the names of these: of those that may yet turn out to be one.
    below: HashMap<String, BTreeSet<String>>,
    /// Those that turned out to be one after they had come through the hook.
    late: BTreeSet<String>,
}

impl Subtypes {
    pub(super) fn new(patterns: &[Pattern]) -> Subtypes {
        let of = patterns.iter().map(|_| HashSet::new()).collect();
        Subtypes {
            any: patterns.iter().any(Pattern::with_subtypes),
            known: Mutex::new(Known { of, ..Known::default() }),
        }
    }

    /// Whether there is something to be learnt.
    pub(super) fn any(&self) -> bool {
        self.any
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a class is one that the pattern at that index means.
    pub(super) fn has(&self, pattern: usize, class: &str) -> bool {
        self.any && self.known().of.get(pattern).is_some_and(|names| names.contains(class))
    }

    /// Learns from all classes that are loaded.
    pub(super) fn learn_loaded(
        &self,
        patterns: &[Pattern],
        environment: &Environment,
        jni: &Env<'_>,
    ) -> Result<(), Error> {
        let name = |signature: String| internal_name(&signature).map(str::to_owned);
        for class in
            environment.loaded_classes(jni, |signature| signature.to_bytes().first() == Some(&b'L'))?.wanted
        {
            let Some(class_name) = name(class.signature(environment)?.to_string()) else { continue };
            let mut supertypes: Vec<_> = class
                .super_class(environment, jni)?
                .and_then(|text| name(text.to_string()))
                .into_iter()
                .collect();
            // One that is not linked far enough does not tell.
            for interface in class.interfaces(environment, jni).unwrap_or_default() {
                supertypes.extend(name(interface.to_string()));
            }
            self.learn_one(patterns, class_name, &supertypes);
        }
        // They have not come through the hook: whoever asks now finds them. What they are is settled.
        let mut known = self.known();
        known.late.clear();
        known.below.clear();
        Ok(())
    }

    /// Learns from a class that is being loaded.
    pub(super) fn learn(&self, patterns: &[Pattern], class: &ClassFile<'_>) {
        let names = || -> Result<_, jgraft_classfile::Error> {
            let mut supertypes: Vec<_> =
                class.super_class_name()?.map(|name| name.to_string()).into_iter().collect();
            for interface in class.interfaces() {
                supertypes.push(interface?.to_string());
            }
            Ok((class.this_class_name()?.to_string(), supertypes))
        };
        if let Ok((name, supertypes)) = names() {
            self.learn_one(patterns, name, &supertypes);
        }
    }

    fn learn_one(&self, patterns: &[Pattern], class: String, supertypes: &[String]) {
        let mut known = self.known();
        for (n, pattern) in patterns.iter().enumerate().filter(|(_, pattern)| pattern.with_subtypes()) {
            let is_meant =
                |known: &Known, name: &str| pattern.wants_class(name) || known.of[n].contains(name);
            if !supertypes.iter().any(|name| is_meant(&known, name)) && !is_meant(&known, &class) {
                continue;
            }
            let mut found = vec![class.clone()];
            while let Some(name) = found.pop() {
                // What was known before has nothing unknown below it; and broken classes may stand below each other.
                if !known.of[n].insert(name.clone()) {
                    continue;
                }
                found.extend(known.below.get(&name).cloned().unwrap_or_default());
                if name != class {
                    known.late.insert(name);
                }
            }
        }
        // What that has below it is known at once.
        for supertype in supertypes.iter().filter(|name| *name != "java/lang/Object") {
            known.below.entry(supertype.clone()).or_default().insert(class.clone());
        }
    }

    /// Those that are to be woven now that it is known what they are.
    pub(super) fn take_late(&self) -> BTreeSet<String> {
        // Whoever waits here cannot close the gate: a hook that has it for long is not waited for.
        match self.known.try_lock() {
            Ok(mut known) => std::mem::take(&mut known.late),
            Err(_) => BTreeSet::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn subtypes_are_found_whatever_comes_first() {
        let patterns =
            ["shop.Order+::place", "shop.Order::place"].map(|typed| Pattern::parse(typed).unwrap());
        let subtypes = Subtypes::new(&patterns);
        let learn = |class: &str, supertypes: &[&str]| {
            subtypes.learn_one(&patterns, class.to_owned(), &names(supertypes));
        };
        learn("shop/Special", &["shop/Plain", "java/io/Serializable"]);
        learn("shop/Other", &["java/lang/Object"]);
        assert!(!subtypes.has(0, "shop/Special"));
        learn("shop/Plain", &["java/lang/Object", "shop/Order"]);
        assert!(subtypes.has(0, "shop/Plain") && subtypes.has(0, "shop/Special"));
        assert!(!subtypes.has(0, "shop/Other") && !subtypes.has(1, "shop/Plain"));
        assert_eq!(subtypes.take_late(), BTreeSet::from(["shop/Special".to_owned()]));
        learn("shop/Later", &["shop/Special"]);
        assert!(subtypes.has(0, "shop/Later") && subtypes.take_late().is_empty());
    }

    #[test]
    fn names_that_go_round_in_circles_end() {
        let patterns = [Pattern::parse("a.A+::*").unwrap()];
        let subtypes = Subtypes::new(&patterns);
        for (class, supertype) in [("a/B", "a/C"), ("a/C", "a/B"), ("a/B", "a/A")] {
            subtypes.learn_one(&patterns, class.to_owned(), &names(&[supertype]));
        }
        assert!(subtypes.has(0, "a/B") && subtypes.has(0, "a/C"));
    }
}
