//! `cargo xtask bench trace`: what tracing costs, by jgraft and by what a user would pick instead, on JDK 25.
//!
//! The reader of events runs in this process and must keep up with millions a second, so an xtask that is not optimised
//! builds one that is and has it go on.

mod arthas;
mod calls;
mod drain;
mod fetch;
mod first_event;
mod many_classes;
mod peers;
mod rate;
mod session;

use anyhow::{Context, Result};
use clap::ValueEnum;
use jgraft_jvm_harness::Jdk;

use super::Samples;
use crate::build;
use crate::cargo::{cargo, run as run_command};

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The cost of a recorded call
    Calls,
    /// The time from the command to the first event
    FirstEvent,
    /// 5,000 classes
    Classes,
    /// Calls a second without loss
    Rate,
}

pub(super) fn run(rounds: usize, only: Option<Part>) -> Result<()> {
    if cfg!(debug_assertions) {
        let mut again = cargo(&["run", "--quiet", "--release", "--package", "xtask", "--", "bench", "trace"]);
        again.args(["--rounds", &rounds.to_string()]);
        if let Some(part) = only.and_then(|part| part.to_possible_value()) {
            again.args(["--only", part.get_name()]);
        }
        return run_command(&mut again);
    }
    let made = build::run()?;
    let find = |feature| {
        let found = Jdk::all().iter().find(|jdk| jdk.root.is_none() && jdk.feature == feature);
        found.with_context(|| format!("no JDK {feature}: cargo xtask jdks"))
    };
    let jdk = find(25)?;
    let is_wanted = |part| only.is_none_or(|only| only == part);
    if is_wanted(Part::Calls) {
        calls::run(jdk, &made, rounds)?;
        // BTrace does not weave on 25.
        calls::run(find(17)?, &made, rounds)?;
    }
    if is_wanted(Part::FirstEvent) {
        first_event::run(jdk, &made, rounds)?;
    }
    if is_wanted(Part::Classes) {
        many_classes::run(jdk, &made, rounds)?;
    }
    if is_wanted(Part::Rate) {
        rate::run(jdk, &made)?;
    }
    Ok(())
}

impl Samples {
    /// The median, and between what.
    pub(crate) fn spread(&self) -> String {
        let (min, max) = (self.0.first().copied(), self.0.last().copied());
        let (min, max) = (min.unwrap_or(f64::NAN), max.unwrap_or(f64::NAN));
        format!("{:.1} ({min:.1} to {max:.1})", self.median())
    }
}
