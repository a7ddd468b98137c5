//! agentmain, looked up the way the target's JDK does it. Nothing looks at the return type, and nothing but
//! the lookup's own order decides between two signatures: a method that is found and can't be called ends it.

use std::io::{Read, Seek};

use jgraft_classfile::ClassFile;

use crate::finding::Finding;
use crate::jar::Jar;
use crate::jdk::Lookup;
use crate::manifest::Manifest;
use crate::question::Question;
use crate::report::{AgentMain, Report};

use super::agent_class::AgentClass;
use super::class_source::{self, Found};

/// agentmain(String, Instrumentation) and agentmain(String), in the order of every JDK.
const PARAMETERS: [&str; 2] =
    ["(Ljava/lang/String;Ljava/lang/instrument/Instrumentation;)", "(Ljava/lang/String;)"];
const SIGNATURE: &str = "public static void agentmain(String, Instrumentation)";
/// Superclasses that are followed; no class has as many.
const DEPTH_LIMIT: usize = 64;

/// An agentmain as its class declares it.
#[derive(Clone, Debug)]
struct Declared {
    class: String,
    descriptor: String,
    public: bool,
    is_static: bool,
    inherited: bool,
}

/// Every agentmain that counts, nearest class first.
#[derive(Debug, Default)]
struct Candidates {
    methods: Vec<Declared>,
    /// A superclass that was not found, so that there may be more.
    unseen: Option<String>,
}

/// What one JDK makes of the candidates.
#[derive(Debug)]
enum Outcome<'c> {
    Called(&'c Declared),
    Refused(Refused<'c>),
    /// It would be in a superclass that was not found.
    Unseen(&'c str),
}

#[derive(Clone, Copy, Debug)]
enum Refused<'c> {
    NotFound,
    NotStatic(&'c Declared),
    NotPublic(&'c Declared),
    /// Only a superclass has it.
    Inherited(&'c Declared),
}

pub(super) fn check<R: Read + Seek>(
    jar: &mut Jar<R>,
    manifest: &Manifest,
    agent_class: &AgentClass,
    question: &Question<'_>,
    report: &mut Report,
) {
    let Ok(class) = ClassFile::parse(&agent_class.bytes) else { return };
    let name = &agent_class.name;
    let candidates = candidates(jar, manifest, &class, question);
    let rules = Lookup::of(question.feature_version());
    let outcomes: Vec<(Lookup, Outcome<'_>)> =
        rules.iter().map(|rule| (*rule, look_up(*rule, &candidates))).collect();
    let refusals = outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Refused(_))).count();
    for (rule, outcome) in &outcomes {
        match outcome {
            Outcome::Called(method) => {
                report.agent_main = Some(method.facts());
                report.findings.extend(returns_something(method));
            }
            Outcome::Refused(refused) => {
                let finding = refusal(*refused, name, &candidates, &class);
                let everywhere = refusals == outcomes.len();
                report.findings.push(if everywhere { finding } else { only_by(*rule, finding) });
            }
            Outcome::Unseen(superclass) => report.findings.push(Finding::warning(
                "agentmain-perhaps-inherited",
                format!(
                    "{name} declares no agentmain, and its superclass {superclass} was not found in the jar"
                ),
                format!("declare {SIGNATURE} in {name} itself"),
            )),
        }
    }
    report.findings.dedup();
}

/// One finding for what only some JDKs refuse.
fn only_by(rule: Lookup, finding: Finding) -> Finding {
    Finding::warning(finding.code, format!("on {}: {}", rule.releases(), finding.sentence), finding.remedy)
}

fn look_up(rule: Lookup, candidates: &Candidates) -> Outcome<'_> {
    let of = |inherited: bool, parameters: &str| {
        let fits = |method: &&Declared| {
            method.inherited == inherited
                && (method.public || !inherited)
                && method.descriptor.starts_with(parameters)
        };
        candidates.methods.iter().find(fits)
    };
    let declared = PARAMETERS.iter().find_map(|parameters| of(false, parameters));
    let inherited = PARAMETERS.iter().find_map(|parameters| of(true, parameters));
    let found = match rule {
        Lookup::DeclaredOrInherited => declared.or(inherited),
        Lookup::DeclaredPublic => declared,
    };
    match (rule, found) {
        (Lookup::DeclaredPublic, Some(method)) if !method.public => {
            Outcome::Refused(Refused::NotPublic(method))
        }
        (_, Some(method)) if !method.is_static => Outcome::Refused(Refused::NotStatic(method)),
        (_, Some(method)) => Outcome::Called(method),
        (Lookup::DeclaredOrInherited, None) => match &candidates.unseen {
            Some(superclass) => Outcome::Unseen(superclass),
            None => Outcome::Refused(Refused::NotFound),
        },
        (Lookup::DeclaredPublic, None) => {
            Outcome::Refused(inherited.map_or(Refused::NotFound, Refused::Inherited))
        }
    }
}

fn refusal(refused: Refused<'_>, name: &str, candidates: &Candidates, class: &ClassFile<'_>) -> Finding {
    let remedy = format!("declare {SIGNATURE} in {name}");
    match refused {
        Refused::NotStatic(method) => Finding::error(
            "agentmain-not-static",
            format!("{}.agentmain{} is not static", method.class, method.descriptor),
            remedy,
        ),
        Refused::NotPublic(method) => Finding::error(
            "agentmain-not-public",
            format!(
                "{}.agentmain{} is not public, which JDK 17 and newer ask for",
                method.class, method.descriptor
            ),
            remedy,
        ),
        Refused::Inherited(method) => Finding::error(
            "agentmain-inherited",
            format!(
                "{name} has its agentmain from {}, and JDK 17 and newer look in the agent class only",
                method.class
            ),
            remedy,
        ),
        Refused::NotFound => match candidates.methods.iter().find(|method| !method.inherited) {
            Some(method) => Finding::error(
                "agentmain-wrong-signature",
                format!(
                    "{name}.agentmain takes {}, not (String, Instrumentation) or (String)",
                    method.descriptor
                ),
                remedy,
            ),
            None => {
                let has_premain = class.methods().flatten().any(|method| method.name() == "premain");
                let also = if has_premain { ", but a premain, which is for -javaagent only" } else { "" };
                Finding::error("agentmain-missing", format!("{name} has no agentmain{also}"), remedy)
            }
        },
    }
}

fn returns_something(method: &Declared) -> Option<Finding> {
    (!method.descriptor.ends_with(")V")).then(|| {
        Finding::warning(
            "agentmain-returns-a-value",
            format!(
                "{}.agentmain{} returns a value, which the JVM throws away",
                method.class, method.descriptor
            ),
            format!("declare {SIGNATURE}"),
        )
    })
}

fn candidates<R: Read + Seek>(
    jar: &mut Jar<R>,
    manifest: &Manifest,
    class: &ClassFile<'_>,
    question: &Question<'_>,
) -> Candidates {
    let mut candidates = Candidates::default();
    declared_in(class, false, &mut candidates.methods);
    let mut next = class.super_class_name().ok().flatten().map(|name| name.to_string());
    for _ in 0..DEPTH_LIMIT {
        // No class of the JDK has an agentmain.
        let Some(name) = next.take().filter(|name| !name.starts_with("java/")) else { break };
        let Found::Class { bytes, .. } = class_source::find(jar, manifest, &name, question) else {
            candidates.unseen = Some(name.replace('/', "."));
            break;
        };
        let Ok(superclass) = ClassFile::parse(&bytes.bytes) else { break };
        declared_in(&superclass, true, &mut candidates.methods);
        next = superclass.super_class_name().ok().flatten().map(|name| name.to_string());
    }
    candidates
}

fn declared_in(class: &ClassFile<'_>, inherited: bool, methods: &mut Vec<Declared>) {
    let name = class.this_class_name().map(|name| name.to_string().replace('/', ".")).unwrap_or_default();
    methods.extend(class.methods().flatten().filter(|method| method.name() == "agentmain").map(|method| {
        Declared {
            class: name.clone(),
            descriptor: method.descriptor().to_string(),
            public: method.is_public(),
            is_static: method.is_static(),
            inherited,
        }
    }));
}

impl Declared {
    fn facts(&self) -> AgentMain {
        AgentMain {
            class: self.class.clone(),
            descriptor: self.descriptor.clone(),
            public: self.public,
            inherited: self.inherited,
        }
    }
}
