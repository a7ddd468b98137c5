//! `cargo xtask faults`: the fault test of the command line at full length: jgraft or the JVM killed or stopped at any step,
//! and peers that answer wrongly. `cargo xtask test` runs a short form of the same.

use anyhow::Result;

use crate::cargo::{cargo, run as run_command};

/// Runs so many faults and prints what they were.
pub(crate) fn run(count: usize) -> Result<()> {
    let mut test =
        cargo(&["test", "--quiet", "--package", "jgraft", "--test", "faults", "--", "--nocapture"]);
    run_command(test.env("JGRAFT_FAULTS", count.to_string()))
}
