//! The patch doctor: what of a class would change, what this JVM says to that, and what to do instead. Nothing is asked of the
//! target here: it works on what was read.

use jgraft_classfile::ClassFile;
use jgraft_classfile::compare::{
    Comparison, RedefinitionError, Verdict, Vm, compare, compare_in_force, not_woven_from,
};
use serde::Serialize;

use super::inputs::dotted;

/// A class that a patch is for, as far as it is known.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// The internal name.
    pub(super) name: &'a str,
    pub(super) loader: &'a str,
    pub(super) loader_id: i64,
    /// What the JVM tells of the class in force.
    pub(super) told: &'a [u8],
    /// What we have put there last; where nothing, the class as its loader has it.
    pub(super) current: &'a [u8],
    /// What it is to be.
    pub(super) new: &'a [u8],
}

/// What the doctor says of one class.
#[derive(Debug, Serialize)]
pub(super) struct Diagnosis {
    pub(super) class: String,
    pub(super) loader: String,
    pub(super) loader_id: i64,
    /// `accepted`, `refused` or `unknown-base`.
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
    pub(super) fn of(known: &Known<'_>, vm: Vm) -> Result<Diagnosis, jgraft_classfile::Error> {
        let told = ClassFile::parse(known.told)?;
        let (current, new) = (ClassFile::parse(known.current)?, ClassFile::parse(known.new)?);
        let seen = compare_in_force(&told, &current, vm)?;
        let mut diagnosis = Diagnosis {
            class: dotted(known.name),
            loader: known.loader.to_owned(),
            loader_id: known.loader_id,
            verdict: "accepted",
            errors: Vec::new(),
            differences: Vec::new(),
            changed: Vec::new(),
            foreign: Vec::new(),
        };
        diagnosis.differences = is_another(&seen, &told, &current)?;
        if !diagnosis.differences.is_empty() {
            diagnosis.verdict = "unknown-base";
            return Ok(diagnosis);
        }
        diagnosis.foreign =
            seen.contents.into_iter().filter(|change| change.code).map(|change| change.member).collect();
        let comparison = compare(&current, &new, vm)?;
        diagnosis.errors = errors(comparison.verdict());
        if !diagnosis.errors.is_empty() {
            diagnosis.verdict = "refused";
        }
        diagnosis.differences = comparison
            .differences
            .iter()
            .filter(|difference| difference.error.is_some())
            .map(ToString::to_string)
            .collect();
        diagnosis.changed = comparison
            .contents
            .into_iter()
            .filter(|change| change.code)
            .map(|change| change.member)
            .collect();
        Ok(diagnosis)
    }
}

impl Diagnosis {
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

/// Why what is in force is not this class with other agents' code in it; nothing where it is.
pub(super) fn is_another(
    seen: &Comparison,
    told: &ClassFile<'_>,
    current: &ClassFile<'_>,
) -> Result<Vec<String>, jgraft_classfile::Error> {
    let mut why: Vec<_> = seen.differences.iter().map(|difference| difference.change.to_string()).collect();
    why.extend(
        not_woven_from(current, told)?.into_iter().map(|method| format!("{method} says something else")),
    );
    Ok(why)
}
