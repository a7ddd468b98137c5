//! `jgraft`: the command line. [`cli`] says what was typed, one file in [`commands`] does it, and [`failure`] turns what
//! went wrong into words and an exit code. No protocol and no class-file bytes here.

use std::process::ExitCode;

use clap::Parser;

mod bundle;
mod cli;
mod commands;
mod failure;
mod human;
mod interrupt;
mod jar;
mod json;
mod next_start;
mod session;
mod target;

use cli::{Cli, Command};
use failure::{EXIT_USAGE, Failure};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let json = cli.command.json();
    let done = match cli.command {
        Command::List(options) => commands::list::run(&options),
        Command::Doctor(options) => commands::doctor::run(&options),
        Command::Check(options) => commands::check::run(&options),
        Command::Load(options) => commands::load::run(&options),
        Command::Jcmd(options) => commands::jcmd::run(&options),
    };
    match done {
        Ok(code) => code,
        Err(failure) => failure.report(json),
    }
}

/// clap's own words, and under `--json` an object as for every other failure. `--help` and `--version` are no failures.
fn usage(error: &clap::Error) -> ExitCode {
    let wanted_json =
        std::env::args_os().skip(1).take_while(|word| word != "--").any(|word| word == "--json");
    if error.use_stderr() && wanted_json {
        let text = error.to_string();
        let cause = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return Failure::usage(cause, "the command line", "jgraft --help").report(true);
    }
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { EXIT_USAGE } else { 0 })
}
