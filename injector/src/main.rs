//! `jgraft`: the command line. [`cli`] says what was typed, one file in [`commands`] does it, and [`failure`] turns what
//! went wrong into words and an exit code. No protocol and no class-file bytes here.

use std::process::ExitCode;

use clap::Parser;

mod ask;
mod bundle;
mod cli;
mod commands;
mod consent;
mod failure;
mod human;
mod hung;
mod interrupt;
mod jar;
mod json;
mod native_agent;
mod next_start;
mod output;
mod relay;
mod residents;
mod session;
mod target;
mod terminal;

use cli::{Cli, Command};
use failure::{EXIT_FAILED, EXIT_USAGE, Failure};

fn main() -> ExitCode {
    if let Some(words) = commands::jattach::called_so() {
        return commands::jattach::run(&words);
    }
    let words: Vec<_> = std::env::args_os().collect();
    let parsed =
        cli::alone::parse(&words).unwrap_or_else(|| Cli::try_parse_from(words).map(|cli| cli.command));
    let command = match parsed {
        Ok(command) => command,
        Err(error) => return usage(&error),
    };
    let json = command.json();
    open_many_files();
    let done = match command {
        Command::List(options) => commands::list::run(&options),
        Command::Doctor(options) => commands::doctor::run(&options),
        Command::Check(options) => commands::check::run(&options),
        Command::Load(options) => commands::load::run(&options),
        Command::Jcmd(options) => commands::jcmd::run(&options),
        Command::Threads(options) => commands::threads::run(&options),
        Command::HeapDump(options) => commands::heap_dump::run(&options),
        Command::Histogram(options) => commands::histogram::run(&options),
        Command::Properties(options) => commands::properties::system(&options.asked),
        Command::AgentProperties(options) => commands::properties::agent(&options.asked),
        Command::Flag(options) => commands::flag::run(&options),
        Command::DataDump(options) => commands::data_dump::run(&options.asked),
        Command::StartManagement(options) => commands::start_management::run(&options),
        Command::Stat(options) => commands::stat::run(&options),
        Command::Trace(options) => commands::trace::run(&options),
        Command::Patch(options) => commands::patch::run(&options),
        Command::Status(options) => commands::status::run(&options),
        Command::Reset(options) => commands::reset::run(&options),
        Command::Jattach(options) => return commands::jattach::run(&options.words),
    };
    match done.and_then(|code| output::finish(code, "what was found out is lost")) {
        Ok(code) => code,
        Err(failure) => failure.report(json),
    }
}

/// A name that hundreds of JVMs bear needs three descriptors for each, and the usual soft limit is 1,024: as many as the
/// hard limit grants. Where those are not enough, what cannot be looked at is named.
fn open_many_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// clap's own words, and under `--json` an object as for every other failure. `--help` and `--version` are no failures.
fn usage(error: &clap::Error) -> ExitCode {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let wanted_json = words.iter().skip(1).take_while(|word| *word != "--").any(|word| word == "--json");
    if error.use_stderr() && wanted_json {
        return usage_failure(&error.to_string(), &words).report(true);
    }
    match (output::keep(error.print()) || !output::is_lost(), error.use_stderr()) {
        (_, true) => ExitCode::from(EXIT_USAGE),
        (true, false) => ExitCode::SUCCESS,
        (false, false) => ExitCode::from(EXIT_FAILED),
    }
}

/// The paragraphs of clap's text: what is wrong, perhaps tips, the usage, and where to read more.
fn usage_failure(text: &str, words: &[String]) -> Failure {
    let mut paragraphs = text.split("\n\n").map(|p| p.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    let cause = paragraphs.next().unwrap_or_default();
    let (usage, tips): (Vec<_>, Vec<_>) = paragraphs
        .filter(|paragraph| !paragraph.is_empty() && !paragraph.starts_with("For more information"))
        .partition(|paragraph| paragraph.starts_with("Usage: "));
    let remedy = usage.into_iter().next().unwrap_or_else(|| "jgraft --help".to_owned());
    Failure::usage(cause.trim_start_matches("error: "), words.join(" "), remedy).detail(tips)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_claps_words_is_lost() {
        let words = ["jgraft", "load", "--jsn"];
        let Err(error) = Cli::try_parse_from(words) else { panic!("it parses") };
        let failure = usage_failure(&error.to_string(), &words.map(str::to_owned));
        let json = serde_json::to_value(&failure).unwrap();
        assert_eq!(json["cause"], "unexpected argument '--jsn' found");
        assert_eq!(json["evidence"], "jgraft load --jsn");
        assert!(json["remedy"].as_str().unwrap().starts_with("Usage: jgraft load "), "{json}");
        assert!(json["detail"][0].as_str().unwrap().contains("--json"), "{json}");
        let Err(error) = Cli::try_parse_from(["jgraft", "load"]) else { panic!("it parses") };
        let json = serde_json::to_value(usage_failure(&error.to_string(), &[])).unwrap();
        assert!(
            json["cause"].as_str().unwrap().ends_with("not provided: <TARGET> <AGENT.jar[=OPTIONS]>"),
            "{json}"
        );
    }
}
