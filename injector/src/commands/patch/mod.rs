//! `jgraft patch`: new code into methods of a running JVM, by a redefinition with base bytes, so that other agents' code is
//! woven into it again, and out again. It stays when jgraft has ended.

mod agent;
mod apply;
mod base;
mod class_folder;
mod class_path;
mod compile;
mod compile_inside;
mod diff;
mod doctor;
mod fat_jar;
mod found;
mod helpers;
mod in_force;
mod inputs;
mod javac;
mod journal;
mod plan;
mod reason;
mod revert;
mod said;
mod store;
mod work;

use std::process::ExitCode;

use serde::Serialize;

use crate::cli::{Patch, PatchAction, PatchList};
use crate::failure::Failure;
use crate::target::{self, TargetJson};
use crate::{json, output};

pub(crate) use journal::{PatchJson, read as patches};
pub(crate) use reason::end_leftovers;
pub(crate) use revert::{Reverted, revert};

/// Runs the command.
pub(crate) fn run(patch: &Patch) -> Result<ExitCode, Failure> {
    match &patch.action {
        PatchAction::Apply(options) => apply::run(patch, options),
        PatchAction::List(options) => list(patch, options),
        PatchAction::Revert(options) => revert::run(patch, options),
        PatchAction::Diff(options) => diff::run(patch, options),
    }
}

#[derive(Serialize)]
struct ListJson {
    target: TargetJson,
    /// The oldest first.
    patches: Vec<PatchJson>,
}

fn list(patch: &Patch, options: &PatchList) -> Result<ExitCode, Failure> {
    let target = target::find(&patch.target)?;
    let patches = patches(&target);
    if options.json {
        json::print("patch-list", &ListJson { target: TargetJson::of(&target), patches });
        return Ok(ExitCode::SUCCESS);
    }
    if patches.is_empty() {
        output::line(&format!("pid {} has no patch", target.pid()));
    }
    for patch in &patches {
        output::line(&patch.line());
    }
    Ok(ExitCode::SUCCESS)
}
