//! The command line as it is typed. Types of clap and nothing else; what they mean is for the commands.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Graft code onto running JVMs: find them, see whether they can be attached to, load agents.
#[derive(Parser)]
#[command(name = "jgraft", version, max_term_width = 100, after_help = EXIT_STATUS)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_STATUS: &str = "Exit status:
  0 done, 1 failed in or at the target, 2 usage, 3 blocked by a check (nothing was sent),
  4 partly done, 130 interrupted before any result";

#[derive(Subcommand)]
pub(crate) enum Command {
    List(List),
    Doctor(Doctor),
    Check(Check),
    Load(Load),
    Jcmd(Jcmd),
}

impl Command {
    pub(crate) fn json(&self) -> bool {
        match self {
            Command::List(options) => options.json,
            Command::Doctor(options) => options.json,
            Command::Check(options) => options.json,
            Command::Load(options) => options.json,
            Command::Jcmd(options) => options.json,
        }
    }
}

/// List every JVM on the host, containers included, without touching any.
#[derive(Args)]
pub(crate) struct List {
    /// One JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Say whether and how a process can be attached to, what blocks it, and what to do.
///
/// Read-only: no signal and no request is sent, unless --probe asks for one cheap question.
#[derive(Args)]
#[command(
    after_help = "Exit status:\n  0 it can be attached to (warnings do not count), 3 something blocks it"
)]
pub(crate) struct Doctor {
    /// A pid, or the main class or jar of exactly one JVM, or the last part of its name.
    pub(crate) target: String,
    /// Say what each step of attaching takes (ids, capabilities, access), and what of it we lack.
    #[arg(long)]
    pub(crate) privileges: bool,
    /// Also attach and ask for its version, the cheapest question there is.
    #[arg(long)]
    pub(crate) probe: bool,
    #[command(flatten)]
    pub(crate) patience: Patience,
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Validate a Java agent jar, manifest and classes, before anything is sent to a JVM.
#[derive(Args)]
#[command(
    after_help = "Exit status:\n  0 a JVM will load it (warnings do not count), 3 a JVM will refuse it"
)]
pub(crate) struct Check {
    /// The jar, and perhaps the options it would be loaded with.
    #[arg(value_name = "AGENT.jar[=OPTIONS]")]
    pub(crate) agent: String,
    /// Check it for this JVM: its JDK, its user, its view of the file system.
    #[arg(long = "for", value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Load an agent into a running JVM.
///
/// A jar or library that the JVM does not see at that path (containers, chroots) is copied to where it does; the copy
/// stays until the JVM has ended. Everything that doctor and check find is looked at first; an error among it ends the command with
/// exit status 3 before anything touches the target.
#[derive(Args)]
#[command(
    after_help = "Exit status:\n  0 the agent has started, 1 it failed in the target, 3 blocked by a check, nothing was sent"
)]
pub(crate) struct Load {
    /// A pid, or the main class or jar of exactly one JVM, or the last part of its name.
    pub(crate) target: String,
    /// The agent's jar (with --native: library) and the options handed to it as they are.
    #[arg(value_name = "AGENT.jar[=OPTIONS]")]
    pub(crate) agent: String,
    /// Read OPTIONS from a file; a newline at its end is left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) options_file: Option<std::path::PathBuf>,
    /// The agent is a native library that exports Agent_OnAttach.
    #[arg(long, conflicts_with = "supervised")]
    pub(crate) native: bool,
    /// Take all of this directory along where the JVM does not see it, with the agent's jar inside it.
    #[arg(long, value_name = "DIR", conflicts_with = "native")]
    pub(crate) stage_dir: Option<std::path::PathBuf>,
    /// Load it through the bundled agent, which brings back the stack trace of an agentmain that fails.
    #[arg(long)]
    pub(crate) supervised: bool,
    /// Do nothing, and succeed, where the jar is loaded already.
    #[arg(long)]
    pub(crate) once: bool,
    /// Stop after the checks and show what would be sent.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) patience: Patience,
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Send a diagnostic command to a JVM, as the JDK's jcmd does, and print the answer.
#[derive(Args)]
pub(crate) struct Jcmd {
    /// A pid, or the main class or jar of exactly one JVM, or the last part of its name.
    pub(crate) target: String,
    /// The command and its arguments, such as `VM.version` or `Thread.print -l`.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    pub(crate) words: Vec<String>,
    #[command(flatten)]
    pub(crate) patience: Patience,
    /// One JSON object with the answer's text. Goes in front of TARGET.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How long to wait for what.
#[derive(Args)]
pub(crate) struct Patience {
    /// Time for waking the listener, connecting and sending (500ms, 10s, 2m).
    #[arg(long, default_value = "10s", value_parser = duration, value_name = "TIME")]
    pub(crate) timeout: Duration,
    /// Time for the whole reply; without it the reply is waited for without limit.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub(crate) reply_timeout: Option<Duration>,
}

/// Nobody waits longer, and clocks can count it.
const LONGEST: Duration = Duration::from_secs(1000 * 24 * 60 * 60);

fn duration(text: &str) -> Result<Duration, String> {
    // A bare number means seconds.
    let time = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => humantime::parse_duration(text).map_err(|_| {
            "a time is written 500ms, 10s, 2m or 1h30m; a bare number means seconds".to_owned()
        })?,
    };
    match time {
        Duration::ZERO => Err("no time at all: give it 1ms or more".to_owned()),
        time if time > LONGEST => Err("longer than 1000 days".to_owned()),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn clap_is_content() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations() {
        assert_eq!(duration("10"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1000d"), Ok(LONGEST));
        for (text, words) in [
            ("soon", "500ms, 10s"),
            ("-1", "500ms, 10s"),
            ("0", "no time"),
            ("0ms", "no time"),
            ("1001d", "1000 days"),
            ("18446744073709551615", "1000 days"),
            ("99999999999999999999y", "500ms, 10s"),
        ] {
            assert!(duration(text).is_err_and(|error| error.contains(words)), "{text}");
        }
    }
}
