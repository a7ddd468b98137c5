//! Every chore of the project, as `cargo xtask NAME`. One file a chore; CI calls nothing else.

mod bench;
mod build;
mod cargo;
mod corpus;
mod demo;
mod dist;
mod faults;
mod fuzz;
mod jdks;
mod soak;
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
    /// Build the static jgraft that is given away, and prove its size, its independence and its memory
    Dist,
    /// Measure against what a user would pick instead
    #[command(subcommand)]
    Bench(bench::What),
    /// Kill and stop jgraft and JVMs at every step, and see that nothing is harmed or left
    Faults {
        /// How many faults
        #[arg(long, default_value_t = 1200)]
        count: usize,
    },
    /// Trace or patch a JVM under load and let it go, a thousand times, and see that it is as before
    Soak {
        /// Of what
        #[arg(long, value_enum, default_value_t = soak::Of::Traces)]
        of: soak::Of,
        /// How often
        #[arg(long, default_value_t = 1000)]
        cycles: usize,
        /// Releases of the JDK
        #[arg(long, value_delimiter = ',', default_value = "17,25")]
        jdks: Vec<u32>,
    },
    /// Feed hostile bytes to every parser, or to one
    Fuzz {
        /// class_read, class_rewrite, class_verify, class_compare, class_rebase, class_text, manifest, jar, properties,
        /// hsperfdata or reply; all without it
        target: Option<String>,
        /// How long, each
        #[arg(long, default_value_t = 10)]
        minutes: u64,
        /// The number of the first input, where cargo-fuzz is not installed
        #[arg(long, default_value_t = 0)]
        first: u64,
    },
    /// The class-file engine against every class of every JDK and of popular jars; by itself it fetches them
    Corpus {
        #[command(subcommand)]
        what: Option<corpus::What>,
    },
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
        Chore::Dist => dist::run(),
        Chore::Bench(what) => bench::run(&what),
        Chore::Faults { count } => faults::run(count),
        Chore::Soak { of, cycles, jdks } => soak::run(of, cycles, &jdks),
        Chore::Fuzz { target, minutes, first } => fuzz::run(target.as_deref(), minutes, first),
        Chore::Corpus { what } => corpus::run(what.as_ref()),
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
