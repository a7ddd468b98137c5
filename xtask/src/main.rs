//! Every chore of the project, as `cargo xtask NAME`. One file a chore; CI calls nothing else.

mod bench;
mod build;
mod cargo;
mod demo;
mod jdks;
mod test;
mod tidy;

use std::process::ExitCode;

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
    /// Build everything, then load an agent into a sample service and show what changes
    Demo,
    /// Run every test: Rust, Java, live ones on every JDK found, and tidy
    Test,
    /// Build target/release/jgraft with both agents in it
    Build,
    /// Measure against what a user would pick instead
    #[command(subcommand)]
    Bench(bench::What),
    /// Fetch the JDKs that the tests run on, and jattach for the bench
    Jdks,
    /// Check the rules of the house that no compiler checks
    Tidy,
}

fn main() -> ExitCode {
    let done = match Args::parse().chore {
        Chore::Demo => demo::run(),
        Chore::Test => test::run(),
        Chore::Build => {
            build::run().map(|made| println!("{}\n{}", made.jgraft.display(), made.native_agent.display()))
        }
        Chore::Bench(what) => bench::run(&what),
        Chore::Jdks => jdks::run(),
        Chore::Tidy => tidy::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
