//! TARGET as a user types it, made into one process, and what every command says of it.

use std::io::ErrorKind;

use comfy_table::{ContentArrangement, Table, presets};
use jgraft_attach::discover::{NotOne, resolve};
use jgraft_attach::{FindingKind, Kind, Process, Target};
use serde::Serialize;

use crate::failure::{EXIT_FAILED, EXIT_USAGE, Failure};
use crate::human::{age, clean};

/// The one process that was meant.
pub(crate) fn find(text: &str) -> Result<Target, Failure> {
    resolve(text).map_err(|error| match error {
        NotOne::NoProcess { ref pid } => {
            Failure::new(EXIT_USAGE, FindingKind::NoSuchProcess.code(), error.to_string())
                .evidence(format!("/proc/{pid} does not exist"))
                .remedy("jgraft list shows the jvms of this host")
        }
        NotOne::None { .. } => Failure::new(EXIT_USAGE, "no-such-target", error.to_string())
            .evidence("compared with the main class or jar of every jvm, and with the last part of its name; case counts")
            .remedy("jgraft list shows the names; a pid always works"),
        NotOne::Several { ref candidates, .. } => {
            Failure::new(EXIT_USAGE, "ambiguous-target", error.to_string())
                .evidence("each of those below matches")
                .remedy("name one by its pid")
                .detail(lines(candidates))
                .candidates(candidates.iter().map(TargetJson::of).collect())
        }
        NotOne::Unknown { .. } => Failure::new(EXIT_FAILED, "system-call-failed", error.to_string())
            .evidence("one of its namesakes may be among the processes that could not be looked at")
            .remedy("name it by its pid, or raise the limit on open files (ulimit -n)"),
        NotOne::Kernel(ref finding) => Failure::blocked(finding),
        NotOne::Proc(_) => Failure::usage(error.to_string(), "/proc", "mount /proc, or run jgraft as root"),
    })
}

/// The facts of a process that is already held.
pub(crate) fn look_at(process: &Process) -> Result<Target, Failure> {
    let pid = process.pid();
    process.try_clone().and_then(Target::of).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::new(EXIT_FAILED, "target-ended", format!("pid {pid} has ended"))
            .evidence("it was there when the command began")
            .remedy("jgraft list shows the jvms of this host"),
        _ => Failure::new(EXIT_FAILED, "system-call-failed", format!("pid {pid} cannot be looked at"))
            .evidence(error.to_string())
            .remedy("raise the limit on open files (ulimit -n)"),
    })
}

/// What tells candidates apart, in columns.
fn lines(candidates: &[Target]) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["PID", "USER", "JAVA", "UP", "PROGRAM"]);
    for jvm in candidates {
        table.add_row(cells(jvm));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// The first columns of a table of JVMs: pid, user, version, age, program.
pub(crate) fn cells(jvm: &Target) -> Vec<String> {
    vec![
        jvm.pid().to_string(),
        jvm.user(),
        clean(jvm.version().unwrap_or("?")),
        age(jvm.uptime()),
        clean(jvm.program().unwrap_or("?")),
    ]
}

/// What `--json` says of a target in every command.
#[derive(Debug, Serialize)]
pub(crate) struct TargetJson {
    pid: i32,
    inner_pid: i32,
    user: String,
    uid: u32,
    vm: &'static str,
    version: Option<String>,
    feature: Option<u32>,
    uptime_seconds: f64,
    name: Option<String>,
    program: Option<String>,
    java_home: Option<String>,
    container: Option<String>,
}

impl TargetJson {
    pub(crate) fn of(target: &Target) -> TargetJson {
        TargetJson {
            pid: target.pid(),
            inner_pid: target.status().ns_pid,
            user: target.user(),
            uid: target.status().uid,
            vm: match target.kind() {
                Kind::HotSpot => "hotspot",
                Kind::OpenJ9 => "openj9",
                Kind::Launcher => "starting",
                Kind::NotAJvm => "none",
                Kind::Unreadable => "unknown",
            },
            version: target.version().map(Into::into),
            feature: target.feature(),
            uptime_seconds: target.uptime().as_secs_f64(),
            name: target.short_name().map(Into::into),
            program: target.program().map(Into::into),
            java_home: target.java_home().map(|home| home.display().to_string()),
            container: target.container(),
        }
    }
}

/// `pid 4711 (OrderService)`; of what is no JVM the name of the process.
pub(crate) fn label(target: &Target) -> String {
    match target.short_name().map(str::to_owned).or_else(|| target.command_name()) {
        Some(name) => format!("pid {} ({})", target.pid(), clean(&name)),
        None => format!("pid {}", target.pid()),
    }
}
