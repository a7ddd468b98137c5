//! The command line as it is typed. Types of clap and nothing else; what they mean is for the commands.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::bundle;
pub(crate) use patch::*;

pub(crate) mod alone;
mod patch;

/// Graft code onto running JVMs: find them, see whether they can be attached to, load agents.
#[derive(Parser)]
#[command(name = "jgraft", version, long_version = bundle::version(), max_term_width = WIDTH, after_help = EXIT_STATUS)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Columns of help on a wider terminal.
const WIDTH: usize = 100;

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
    Threads(Threads),
    HeapDump(HeapDump),
    Histogram(Histogram),
    Properties(Properties),
    AgentProperties(AgentProperties),
    Flag(Flag),
    DataDump(DataDump),
    StartManagement(StartManagement),
    Stat(Stat),
    Trace(Trace),
    Patch(Patch),
    Status(Status),
    Reset(Reset),
    Jattach(Jattach),
}

impl Command {
    pub(crate) fn json(&self) -> bool {
        match self {
            Command::List(options) => options.json,
            Command::Doctor(options) => options.json,
            Command::Check(options) => options.json,
            Command::Load(options) => options.json,
            Command::Jcmd(options) => options.json,
            Command::Threads(options) => options.asked.json,
            Command::HeapDump(options) => options.asked.json,
            Command::Histogram(options) => options.asked.json,
            Command::Properties(options) => options.asked.json,
            Command::AgentProperties(options) => options.asked.json,
            Command::Flag(options) => options.asked.json,
            Command::DataDump(options) => options.asked.json,
            Command::StartManagement(options) => options.asked.json,
            Command::Stat(options) => options.json,
            Command::Trace(options) => options.json,
            Command::Patch(options) => options.action.json(),
            Command::Status(options) => options.json,
            Command::Reset(options) => options.json,
            Command::Jattach(_) => false,
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

/// Whom to ask, and how.
#[derive(Args)]
pub(crate) struct Asked {
    /// A pid, or the main class or jar of exactly one JVM, or the last part of its name.
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) patience: Patience,
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print the stack of every thread, as jstack does.
#[derive(Args)]
pub(crate) struct Threads {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// Also the java.util.concurrent locks that each thread owns.
    #[arg(short = 'l', long)]
    pub(crate) locks: bool,
    /// Also what each thread has allocated and defined (java 11 and newer).
    #[arg(short = 'e', long)]
    pub(crate) extended: bool,
}

/// Dump the heap into a file on this side.
///
/// The JVM writes it to a directory of its own view that is on a disk and has room, /var/tmp, /tmp or its working
/// directory; it is fetched from there and removed there. A dump holds every string of the service: the file is
/// readable for its owner alone.
#[derive(Args)]
pub(crate) struct HeapDump {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// The file to make, which must not exist; `-` is stdout.
    pub(crate) file: std::path::PathBuf,
    /// Where the JVM writes it first: an absolute path in its own view.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<std::path::PathBuf>,
    /// Only objects that are still reachable. The JVM does a full GC for that.
    #[arg(long)]
    pub(crate) live: bool,
}

/// Print how many objects of each class there are, and their bytes, as jmap -histo does.
#[derive(Args)]
pub(crate) struct Histogram {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// Only objects that are still reachable. The JVM does a full GC for that.
    #[arg(long)]
    pub(crate) live: bool,
}

/// Print the system properties of a JVM.
#[derive(Args)]
pub(crate) struct Properties {
    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// Print the agent properties of a JVM: its command, its options, where its management agent listens.
#[derive(Args)]
pub(crate) struct AgentProperties {
    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// Print a flag of a JVM, or set one that can be changed while it runs.
#[derive(Args)]
pub(crate) struct Flag {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// Such as MaxHeapSize, HeapDumpOnOutOfMemoryError=true or HeapDumpPath=/var/tmp.
    #[arg(value_name = "NAME[=VALUE]")]
    pub(crate) flag: String,
}

/// Have the JVM print its threads and heap to its own stdout, as SIGQUIT does.
#[derive(Args)]
pub(crate) struct DataDump {
    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// Start the JMX management agent of a JVM: for this host alone, or as settings say.
#[derive(Args)]
pub(crate) struct StartManagement {
    #[command(flatten)]
    pub(crate) asked: Asked,
    /// Of com.sun.management, such as jmxremote.port=9010; with any of them it listens for the network.
    #[arg(value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
}

/// Read the counters of a JVM (heap, GC, classes, threads, compilation) without touching it.
#[derive(Args)]
pub(crate) struct Stat {
    /// A pid, or the main class or jar of exactly one JVM, or the last part of its name.
    pub(crate) target: String,
    /// Again and again, a line each, until Ctrl-C.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub(crate) every: Option<Duration>,
    /// So many lines; every second unless --every says otherwise.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// One JSON object a line instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Trace calls of methods: a line each, with time, thread, cost, and the exception that left it.
///
/// The methods are rewritten in the running JVM and put back when the trace ends, whatever ends it.
#[derive(Args)]
pub(crate) struct Trace {
    /// A pid, or the main class or jar of exactly one JVM, or the last part of its name.
    pub(crate) target: String,
    /// Class::method with dots between packages; `*` is any text; parameters may follow: shop.Orders::place(int), or a descriptor; shop.Orders+ means its subtypes too.
    #[arg(required = true, value_name = "PATTERN")]
    pub(crate) patterns: Vec<String>,
    /// End after so long.
    #[arg(long = "for", value_parser = duration, value_name = "TIME")]
    pub(crate) time: Option<Duration>,
    /// End after so many calls; 100 if stdout is a terminal.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Change nothing: list the classes and methods that would be rewritten, and what that costs.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Agree to the cost of more than 50 classes, of classes of the JDK, or of a JVM that throws its compiled code away.
    #[arg(long)]
    pub(crate) yes: bool,
    /// One JSON object a line instead of text.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) patience: Patience,
}

/// Say what of ours is active in a JVM, who put it there, and since when. Read-only: nothing is sent, nothing is loaded.
#[derive(Args)]
pub(crate) struct Status {
    /// A pid, or the main class or jar of exactly one JVM, or the last part of its name.
    pub(crate) target: String,
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Take everything of ours out of a JVM: every trace ends, every patch is reverted, and the classes go back.
///
/// Nothing is loaded to end traces; what stays until the JVM ends is said by `jgraft status`.
#[derive(Args)]
pub(crate) struct Reset {
    /// A pid, or the main class or jar of exactly one JVM, or the last part of its name.
    pub(crate) target: String,
    /// Time for the classes to go back (500ms, 10s, 2m).
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
    pub(crate) timeout: Duration,
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The words, output and exit status of jattach 2.1, for scripts; also when called by that name.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Jattach {
    /// PID CMD ARGS…
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "PID CMD ARGS")]
    pub(crate) words: Vec<OsString>,
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

const TIMEOUT: Duration = Duration::from_secs(10);

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
