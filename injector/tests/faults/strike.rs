//! One command, one fault, at one step of it.

use std::path::Path;

use anyhow::{Result, ensure};
use jgraft_jvm_harness::steps::{Stepped, stepped};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Counts;

/// The variable that marks all that a run leaves behind, its janitor included.
pub(crate) const MARK: &str = "JGRAFT_FAULT_TEST";

/// Who suffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    /// jgraft is killed.
    Injector,
    /// The JVM is killed, and jgraft goes on.
    Jvm,
    /// The JVM is stopped, jgraft goes on until it gives up, and the JVM wakes up again.
    Sleeper,
}

impl Victim {
    pub(crate) const ALL: [Victim; 3] = [Victim::Injector, Victim::Jvm, Victim::Sleeper];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Victim::Injector => "jgraft killed",
            Victim::Jvm => "the JVM killed",
            Victim::Sleeper => "the JVM stopped for a time",
        }
    }
}

/// Runs jgraft; before its step `at` the victim suffers.
pub(crate) fn strike(
    args: &[&str],
    mark: &str,
    at: Option<usize>,
    victim: Victim,
    jvm: u32,
) -> Result<Stepped> {
    let jvm = Pid::from_raw(jvm.cast_signed());
    let run = stepped(Path::new(env!("CARGO_BIN_EXE_jgraft")), args, &[(MARK, mark)], at, |jgraft| {
        let (whom, signal) = match victim {
            Victim::Injector => (jgraft, Signal::SIGKILL),
            Victim::Jvm => (jvm, Signal::SIGKILL),
            Victim::Sleeper => (jvm, Signal::SIGSTOP),
        };
        Ok(kill(whom, signal)?)
    });
    if victim == Victim::Sleeper {
        kill(jvm, Signal::SIGCONT)?;
    }
    let run = run?;
    match victim {
        Victim::Injector if run.struck => ensure!(run.code.is_none(), "it lives: {run:#?}"),
        // Whatever becomes of the JVM, jgraft ends by itself and says why.
        _ => {
            let code = run.code.unwrap_or(-1);
            ensure!((0..=3).contains(&code), "{run:#?}");
            // doctor explains on stdout.
            let explained = [&run.stdout, &run.stderr].iter().any(|text| text.contains("  remedy: "));
            ensure!(code == 0 || explained, "not explained: {run:#?}");
        }
    }
    Ok(run)
}

/// Which of `steps` fault number `n` of `count` strikes at: the middle of its share.
pub(crate) fn step(n: usize, count: usize, steps: usize) -> usize {
    1 + (2 * n + 1) * steps / (2 * count.max(1))
}

/// Counts a run whose fault struck.
pub(crate) fn note(counts: &mut Counts, run: &Stepped, what: &str) {
    if run.struck {
        *counts.entry(what.to_owned()).or_default() += 1;
    }
}
