//! The patch doctor: what of a class would change, what this JVM says to that, and what to do instead. Nothing is asked of the
//! target here: it works on what was read.

use jgraft_classfile::ClassFile;
use jgraft_classfile::compare::{
    ContentChange, RedefinitionError, Verdict, Vm, compare, compare_in_force, not_woven_from,
};
use serde::Serialize;

use super::found::{Base, Found};
use super::in_force::Told;
use super::inputs::dotted;

/// What is in force of a class, beside what we have put there.
#[derive(Debug)]
pub(super) struct Seen {
    /// Why it is not that class with other agents' code in it; nothing where it is.
    pub(super) another: Vec<String>,
    /// Methods in which another agent's code is in force.
    pub(super) foreign: Vec<String>,
}

impl Seen {
    /// What the JVM tells beside what is ours; where we have put nothing there, that is the class as its loader has it.
    pub(super) fn of(told: &[u8], ours: &[u8], vm: Vm) -> Result<Seen, jgraft_classfile::Error> {
        let (told, ours) = (ClassFile::parse(told)?, ClassFile::parse(ours)?);
        let seen = compare_in_force(&told, &ours, vm)?;
        let mut another: Vec<_> =
            seen.differences.iter().map(|difference| difference.change.to_string()).collect();
        let other = not_woven_from(&ours, &told)?;
        another.extend(other.into_iter().map(|method| format!("{method} says something else")));
        Ok(Seen { another, foreign: with_other_code(seen.contents) })
    }
}

/// What is not as it should be now of a class that was to become `ours`: also where the code of other agents, which was in
/// `foreign` methods, is gone.
pub(super) fn wrong(
    told: &[Told],
    (name, loader_id): (&str, i64),
    ours: &[u8],
    foreign: &[String],
    vm: Vm,
) -> Vec<String> {
    let class = dotted(name);
    let now = told.iter().find(|told| told.is(name, loader_id));
    let Some(Ok(now)) = now.map(|told| &told.class) else {
        return vec![format!("{class} cannot be read any more")];
    };
    match Seen::of(now, ours, vm) {
        Err(error) => vec![format!("{class}: {error}")],
        Ok(seen) => {
            let lost = foreign.iter().filter(|member| !seen.foreign.contains(member));
            let lost =
                lost.map(|member| format!("what another agent had put into {class}::{member} was lost"));
            seen.another.iter().map(|what| format!("{class}: {what}")).chain(lost).collect()
        }
    }
}

fn with_other_code(contents: Vec<ContentChange>) -> Vec<String> {
    contents.into_iter().filter(|change| change.code).map(|change| change.member).collect()
}

/// What the doctor says of one class.
#[derive(Debug, Serialize)]
pub(super) struct Diagnosis {
    pub(super) class: String,
    pub(super) loader: String,
    pub(super) loader_id: i64,
    /// Where the base is from.
    pub(super) base: Base,
    /// `accepted` or `refused`.
    pub(super) verdict: &'static str,
    /// Numbers of the JVMTI errors, one of which the JVM gives; none where it takes the class.
    pub(super) errors: Vec<u16>,
    /// Differences in shape, each with the error that it gives and what to do.
    pub(super) differences: Vec<String>,
    /// Methods whose code differs from what is in force of ours.
    pub(super) changed: Vec<String>,
    /// Methods in which another agent's code is in force.
    pub(super) foreign: Vec<String>,
}

impl Diagnosis {
    /// Of a class that is to become `new` where `current` is what we have put there, or its loader has.
    pub(super) fn of(
        found: &Found,
        current: &[u8],
        new: &[u8],
        foreign: Vec<String>,
        vm: Vm,
    ) -> Result<Diagnosis, jgraft_classfile::Error> {
        let comparison = compare(&ClassFile::parse(current)?, &ClassFile::parse(new)?, vm)?;
        let errors = errors(comparison.verdict());
        let in_the_way = comparison.differences.iter().filter(|difference| difference.error.is_some());
        Ok(Diagnosis {
            class: dotted(&found.name),
            loader: found.loader.clone(),
            loader_id: found.loader_id,
            base: found.kind,
            verdict: if errors.is_empty() { "accepted" } else { "refused" },
            errors,
            differences: in_the_way.map(ToString::to_string).collect(),
            changed: with_other_code(comparison.contents),
            foreign,
        })
    }

    /// What stands against it, for people.
    pub(super) fn lines(&self) -> Vec<String> {
        self.differences.iter().map(|difference| format!("{}: {difference}", self.class)).collect()
    }
}

fn errors(verdict: &Verdict) -> Vec<u16> {
    match verdict {
        Verdict::Accepted => Vec::new(),
        Verdict::Refused(error) => vec![error.code()],
        Verdict::RefusedByOneOf(errors) => errors.iter().copied().map(RedefinitionError::code).collect(),
    }
}
