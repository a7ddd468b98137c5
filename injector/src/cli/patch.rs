//! The command line of `jgraft patch`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Patience;

/// Put new code into methods of a running JVM, and take it out again: checked before, whole or not at all.
#[derive(Args)]
pub(crate) struct Patch {
    /// A pid, or the main class or jar of exactly one JVM, or the last part of its name.
    pub(crate) target: String,
    #[command(subcommand)]
    pub(crate) action: PatchAction,
}

#[derive(Subcommand)]
pub(crate) enum PatchAction {
    Apply(PatchApply),
    List(PatchList),
    Revert(PatchRevert),
    Diff(PatchDiff),
}

impl PatchAction {
    pub(super) fn json(&self) -> bool {
        match self {
            PatchAction::Apply(options) => options.json,
            PatchAction::List(options) => options.json,
            PatchAction::Revert(options) => options.json,
            PatchAction::Diff(options) => options.json,
        }
    }
}

/// What a patch is made of, and for whom.
#[derive(Args)]
pub(crate) struct PatchInput {
    /// Class files, directories and jars with class files, or .java sources.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The class loader, where several have a class: the name of its class, or its number as jgraft shows it.
    #[arg(long, value_name = "LOADER")]
    pub(crate) loader: Option<String>,
    /// Patch the classes of all loaders.
    #[arg(long, conflicts_with = "loader")]
    pub(crate) all_loaders: bool,
    /// More for the class path of sources, beside the target's own.
    #[arg(long, value_name = "PATH")]
    pub(crate) class_path: Vec<PathBuf>,
    /// Let annotation processors of --class-path run when sources are compiled; those of the target never do.
    #[arg(long)]
    pub(crate) processors: bool,
}

/// Apply a patch: it stays, also when jgraft has ended, until it is reverted.
///
/// Whoever runs an old body goes on in it until it ends. Platform threads that do are named; virtual threads are not seen.
#[derive(Args)]
pub(crate) struct PatchApply {
    #[command(flatten)]
    pub(crate) input: PatchInput,
    /// A name, by which it can be reverted.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Why, for whoever finds it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Change nothing: say what would be changed, and what the JVM would say to it.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Agree to a JVM that throws its compiled code away.
    #[arg(long)]
    pub(crate) yes: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) patience: Patience,
}

/// List the patches of a JVM. Read-only: nothing is sent, nothing is loaded.
#[derive(Args)]
pub(crate) struct PatchList {
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Take a patch out: the only one, one by its name, or all.
#[derive(Args)]
pub(crate) struct PatchRevert {
    /// The patch, as list shows it.
    pub(crate) id: Option<String>,
    /// All of them.
    #[arg(long, conflicts_with = "id")]
    pub(crate) all: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) patience: Patience,
}

/// Show the instructions of the methods that a patch would change, before and after. Nothing is changed.
#[derive(Args)]
pub(crate) struct PatchDiff {
    #[command(flatten)]
    pub(crate) input: PatchInput,
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) patience: Patience,
}
