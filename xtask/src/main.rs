//! Every chore of the project, as `cargo xtask NAME`. One file a chore; CI calls nothing else.

mod jdks;

use clap::{Parser, Subcommand};

/// Every chore of the project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Fetch the JDKs that the tests run on, and jattach for the bench
    Jdks,
}

fn main() -> anyhow::Result<()> {
    match Args::parse().chore {
        Chore::Jdks => jdks::run(),
    }
}
