//! `cargo xtask bench`: ratios against what a user would pick instead, in one interleaved run on this machine. Never a
//! test: the machine is shared, so figures are for people.

mod attach;
mod classfile;
mod list;
mod trace;

use anyhow::Result;
use clap::Subcommand;

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// The time of a whole command, cold and warm: the static jgraft of `dist`, jattach and jcmd
    Attach {
        /// Samples of each kind
        #[arg(long, default_value_t = 11)]
        rounds: usize,
        /// Another jgraft beside this one, such as that of another branch
        #[arg(long, value_name = "FILE")]
        other: Option<std::path::PathBuf>,
    },
    /// Weaving java.base: our engine, ASM (Maven Central) and ristretto_classfile (crates.io), on one core each
    Classfile {
        /// Samples of each kind, after as many to warm up
        #[arg(long, default_value_t = 15)]
        rounds: usize,
    },
    /// The time of `jgraft list` with many idle JVMs, beside jps
    List {
        /// How many JVMs; fewer where memory ends
        #[arg(long, default_value_t = 200)]
        jvms: usize,
        /// Samples of each kind
        #[arg(long, default_value_t = 15)]
        rounds: usize,
    },
    /// What a traced call costs, how soon the first comes, and what 5,000 classes cost: jgraft trace and its peers, JDK 25
    Trace {
        /// Samples of each kind
        #[arg(long, default_value_t = 9)]
        rounds: usize,
        /// Only this part
        #[arg(long, value_enum)]
        only: Option<trace::Part>,
    },
}

/// Measures and prints.
pub(crate) fn run(what: &What) -> Result<()> {
    match what {
        What::Attach { rounds, other } => attach::run(*rounds, other.as_deref()),
        What::Classfile { rounds } => classfile::run(*rounds),
        What::List { jvms, rounds } => list::run(*jvms, *rounds),
        What::Trace { rounds, only } => trace::run(*rounds, *only),
    }
}

/// Samples of one contestant, in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, milliseconds: f64) {
        self.0.push(milliseconds);
        self.0.sort_by(f64::total_cmp);
    }

    fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn line(&self, name: &str, reference: f64) -> String {
        let (min, max) =
            (self.0.first().copied().unwrap_or(f64::NAN), self.0.last().copied().unwrap_or(f64::NAN));
        let ratio = self.median() / reference;
        format!("  {name:<26} {min:>9.2} {:>9.2} {max:>9.2} {ratio:>9.2}", self.median())
    }

    fn header() -> String {
        format!("  {:<26} {:>9} {:>9} {:>9} {:>9}", "", "min ms", "median ms", "max ms", "ratio")
    }
}

#[cfg(test)]
mod tests {
    use super::Samples;

    #[test]
    fn the_median_is_of_sorted_samples() {
        let mut samples = Samples::default();
        for sample in [9.0, 1.0, 5.0] {
            samples.push(sample);
        }
        assert_eq!(samples.median(), 5.0);
        assert!(samples.line("x", 2.5).ends_with("2.00"));
    }
}
