//! What the target says on its stderr while an agent loads: the only place where a JVM tells why one failed.

use std::fs::File;
use std::io::{self, Read};

use jgraft_attach::{Target, files};

use crate::failure::Failure;

/// A stack trace is shorter; a chatty service is not shown in full.
const LIMIT: u64 = 16 << 10;

/// The target's stderr from now on, where that is a file that its user may read.
pub(crate) struct TargetStderr {
    file: io::Result<File>,
    destination: String,
}

impl TargetStderr {
    pub(crate) fn follow(target: &Target) -> TargetStderr {
        let destination = files::destination(target, 2).unwrap_or_else(|| "unknown".to_owned());
        TargetStderr { file: files::follow(target, 2), destination }
    }

    /// Adds what was said meanwhile, or where to look.
    pub(crate) fn explain(self, failure: Failure) -> Failure {
        let mut text = Vec::new();
        let said = match self.file {
            Err(e) => return failure.detail([hint(&self.destination, &e)]),
            Ok(file) => file.take(LIMIT).read_to_end(&mut text).map(|_| String::from_utf8_lossy(&text)),
        };
        match said {
            Ok(said) if !said.trim().is_empty() => {
                let head = format!("its stderr ({}) gained meanwhile:", self.destination);
                failure.detail([head].into_iter().chain(said.lines().map(|line| format!("  {line}"))))
            }
            _ => failure.detail([format!("its stderr ({}) gained nothing", self.destination)]),
        }
    }
}

/// Where to look instead.
fn hint(destination: &str, error: &io::Error) -> String {
    let place = match destination {
        pipe if pipe.starts_with("pipe:") => "a pipe: see docker logs, kubectl logs or its supervisor's log",
        socket if socket.starts_with("socket:") => "a socket: see journalctl -u its unit",
        "/dev/null" => "thrown away",
        _ if error.kind() == io::ErrorKind::PermissionDenied => {
            "closed to the jvm's own user, so not read here: look at its end"
        }
        _ => "not a file",
    };
    format!("its stderr goes to {destination} ({place})")
}
