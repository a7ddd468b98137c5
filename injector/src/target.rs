//! TARGET as a user types it, made into one process, and what every command says of it.

use jgraft_attach::discover::{NotOne, resolve};
use jgraft_attach::{FindingKind, Kind, Target};
use serde::Serialize;

use crate::failure::{EXIT_BLOCKED, Failure};

/// The one process that was meant.
pub(crate) fn find(text: &str) -> Result<Target, Failure> {
    resolve(text).map_err(|error| match error {
        // A pid names exactly one process, so a missing one is no usage error: there was a target, and it is gone.
        NotOne::NoProcess { pid } => Failure::new(EXIT_BLOCKED, FindingKind::NoSuchProcess.code(), error.to_string())
            .evidence(format!("/proc/{pid} does not exist"))
            .remedy("jgraft list shows the jvms of this host"),
        NotOne::None { .. } => Failure::usage(
            error.to_string(),
            "compared with the main class or jar of every jvm, and with the last part of its name; case counts",
            "jgraft list shows the names; a pid always works",
        ),
        NotOne::Several { ref candidates, .. } => {
            let lines = candidates.iter().map(|t| format!("{:>7}  {}", t.pid(), t.program().unwrap_or("?")));
            Failure::usage(error.to_string(), "each of those below matches", "name one by its pid").detail(lines)
        }
        NotOne::Proc(_) => Failure::usage(error.to_string(), "/proc", "mount /proc, or run jgraft as root"),
    })
}

/// What `--json` says of a target in every command.
#[derive(Serialize)]
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

/// `pid 4711 (OrderService)`.
pub(crate) fn label(target: &Target) -> String {
    match target.short_name() {
        Some(name) => format!("pid {} ({})", target.pid(), crate::human::clean(name)),
        None => format!("pid {}", target.pid()),
    }
}
