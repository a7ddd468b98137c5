//! What a trace would touch: the loaded classes that are wanted, found without changing any.

use std::collections::BTreeSet;

use jgraft_jvmti::{Class, Environment, Error};
use jgraft_protocol::native::{stage, trace as keys};
use jgraft_protocol::nearest::nearest;
use jgraft_protocol::pattern::shown_method;
use jni::Env;

use super::edits::{Wanted, shown};
use super::weaving::{internal_name, loaded};
use crate::report::Failure;

const ACC_NATIVE: u16 = 0x0100;
const ACC_ABSTRACT: u16 = 0x0400;
/// So many names are suggested for one that is not there.
const SUGGESTED: usize = 3;
/// So many methods are listed then.
const LISTED: usize = 10;

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Plan {
    /// The classes, to be sent through the hook.
    pub(super) classes: Vec<Class>,
    /// The same in the same order.
    touched: Vec<Touched>,
    /// What is named and not there, with what there is.
    missing: Option<Missing>,
    /// Numbers of patterns that mean nothing there is.
    unmatched: String,
}

/// What to say of it, and while looking for what.
type Missing = (&'static str, String);

/// One of them.
#[derive(Debug)]
struct Touched {
    /// With dots.
    name: String,
    /// Bytes of its constant pool and of the code of its methods.
    bytes: usize,
    /// How many methods with code are wanted; none where the class is not linked, and does not tell.
    methods: Option<usize>,
    /// Their names with descriptors, where the plan is to be shown. Not kept otherwise: it would be megabytes.
    listed: String,
}

impl Plan {
    /// With the names of methods where it is to be `shown`.
    pub(super) fn make(
        environment: &Environment,
        jni: &Env<'_>,
        wanted: &Wanted,
        shown: bool,
    ) -> Result<Plan, Error> {
        let mut plan =
            Plan { classes: Vec::new(), touched: Vec::new(), missing: None, unmatched: String::new() };
        // Of those that are named, what there is.
        let mut names: Vec<(String, Vec<String>)> = Vec::new();
        if wanted.subtypes.any() {
            wanted.subtypes.learn_loaded(&wanted.patterns, environment, jni)?;
        }
        for class in loaded(environment, jni, |name| wanted.class(name))? {
            let signature = class.signature(environment)?.to_string();
            let name = internal_name(&signature).unwrap_or(&signature).to_owned();
            let (mut touched, found) = look(environment, &class, &name, wanted);
            if wanted.patterns.iter().any(|pattern| pattern.class() == Some(&touched.name)) {
                names.push((touched.name.clone(), found.all));
            }
            if shown {
                touched.listed = found.wanted.join(" ");
            }
            if touched.methods != Some(0) {
                plan.classes.push(class);
                plan.touched.push(touched);
            }
        }
        plan.unmatched = wanted.unmatched();
        plan.missing = missing_method(wanted, &names).map(|message| (stage::FIND_METHOD, message));
        if let Some(class) = missing_class(wanted, &names) {
            plan.missing = Some((stage::FIND, suggest_class(environment, jni, class)?));
        }
        Ok(plan)
    }

    /// Fails where a class or method is named that is not there.
    pub(super) fn is_found(&self) -> Result<(), Failure> {
        self.missing.clone().map_or(Ok(()), |(stage, message)| Err(Failure::new(stage, message)))
    }

    /// Fails where so many classes are wanted, or such, that it has to be agreed to.
    pub(super) fn is_cheap(&self) -> Result<(), Failure> {
        if let Some(class) = self.touched.iter().find(|class| class.name.starts_with("java.")) {
            let message = format!("{} is one of the jdk's own classes; {}", class.name, self.summary());
            return Err(Failure::new(stage::CONSENT, message));
        }
        if self.touched.len() > keys::FEW_CLASSES {
            return Err(Failure::new(stage::CONSENT, self.summary()));
        }
        Ok(())
    }

    fn summary(&self) -> String {
        let (classes, methods, bytes) = self.sums();
        // 5,000 classes of 830 bytes took 4.2 times their class files, of 3,700 bytes 2.3 times (`cargo xtask bench trace`).
        format!(
            "methods: {methods}, of loaded classes: {classes}, with {} KiB of code and constants; the jvm takes two to four \
             times that, and keeps it",
            bytes.div_ceil(1024)
        )
    }

    fn sums(&self) -> (usize, usize, usize) {
        let methods = self.touched.iter().map(|class| class.methods.unwrap_or(0)).sum();
        (self.touched.len(), methods, self.touched.iter().map(|class| class.bytes).sum())
    }

    /// What the reply to a dry run says.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let (classes, methods, bytes) = self.sums();
        let numbers = [(keys::CLASSES, classes), (keys::METHODS, methods), (keys::BYTES, bytes)];
        let pairs = numbers.into_iter().map(|(key, number)| (key.to_owned(), number.to_string()));
        pairs.chain([(keys::UNMATCHED.to_owned(), self.unmatched.clone())]).collect()
    }

    /// The file of a dry run.
    pub(super) fn text(&self) -> String {
        let lines =
            self.touched.iter().map(|class| format!("{}\t{}\t{}\n", class.name, class.bytes, class.listed));
        lines.collect()
    }
}

/// Names with descriptors of a class's methods.
#[derive(Default)]
struct Names {
    /// Those with code that are wanted.
    wanted: Vec<String>,
    all: Vec<String>,
}

/// What of a class is wanted, and the names of its methods.
fn look(environment: &Environment, class: &Class, name: &str, wanted: &Wanted) -> (Touched, Names) {
    let mut touched = Touched { name: shown(name), bytes: 0, methods: None, listed: String::new() };
    touched.bytes = class.constant_pool(environment).map_or(0, |pool| pool.len());
    let mut names = Names::default();
    let Ok(methods) = class.methods(environment) else { return (touched, names) };
    for method in methods {
        let Ok((method_name, descriptor)) = method.name(environment) else { continue };
        let (method_name, descriptor) = (method_name.to_string(), descriptor.to_string());
        let flags = method.modifiers(environment).unwrap_or(0);
        if flags & (ACC_NATIVE | ACC_ABSTRACT) == 0 {
            touched.bytes += method.bytecodes(environment).map_or(0, |code| code.len());
            if wanted.meet(name, &method_name, &descriptor) {
                names.wanted.push(format!("{method_name}{descriptor}"));
            }
        }
        names.all.push(format!("{method_name}{descriptor}"));
    }
    touched.methods = Some(names.wanted.len());
    (touched, names)
}

/// The first class that is named and is not among these.
fn missing_class<'w>(wanted: &'w Wanted, found: &[(String, Vec<String>)]) -> Option<&'w str> {
    let mut named = wanted.patterns.iter().filter_map(|pattern| pattern.class());
    named.find(|class| !found.iter().any(|(name, _)| name == class))
}

/// What to say of the first method that is named and that the class that is named has not.
fn missing_method(wanted: &Wanted, found: &[(String, Vec<String>)]) -> Option<String> {
    // Of a pattern with subtypes the method may be one of theirs.
    wanted.patterns.iter().filter(|pattern| !pattern.with_subtypes()).find_map(|pattern| {
        let (class, method) = (pattern.class()?, pattern.method()?);
        let (_, methods) = found.iter().find(|(name, methods)| name == class && !methods.is_empty())?;
        let split = |full: &str| full.find('(').map(|at| (full[..at].to_owned(), full[at..].to_owned()));
        let known: Vec<_> = methods.iter().filter_map(|full| split(full)).collect();
        if known.iter().any(|(name, descriptor)| pattern.wants_method(name, descriptor)) {
            return None;
        }
        // Those of the very name have other parameters.
        let names: BTreeSet<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
        let near = match names.contains(method) {
            true => vec![method],
            false => nearest(method, names.into_iter(), SUGGESTED),
        };
        let is_near = |name: &str| near.is_empty() || near.contains(&name);
        let mut has: Vec<_> =
            methods.iter().filter(|full| split(full).is_some_and(|(name, _)| is_near(&name))).collect();
        has.sort_by_key(|full| near.iter().position(|name| full.starts_with(&format!("{name}("))));
        let has: Vec<_> = has.into_iter().take(LISTED).map(|full| shown_method(full)).collect();
        Some(format!("{class} declares no method {}; it has {}", pattern.member(), has.join(", ")))
    })
}

fn suggest_class(environment: &Environment, jni: &Env<'_>, class: &str) -> Result<String, Error> {
    let mut all = Vec::new();
    environment.loaded_classes(jni, |signature| {
        all.extend(internal_name(&signature.to_string()).map(shown));
        false
    })?;
    let near = nearest(class, all.iter().map(String::as_str), SUGGESTED);
    let near = match &near[..] {
        [] => String::new(),
        near => format!("; there is {}", near.join(", ")),
    };
    Ok(format!(
        "no loaded class that can be changed is called {class}{near}; a pattern with * may mean classes that are loaded later"
    ))
}
