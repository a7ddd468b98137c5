//! Finding the JVMs of a host, containers included, by reading `/proc` alone.

use std::io;

use crate::finding::{Finding, kernel_too_old};
use crate::target::Target;

/// A process that could not be looked at, so that it is not known whether it is a JVM: too many open files, or a
/// `/proc` that hides others' processes.
#[derive(Debug)]
pub struct Missed {
    /// Its pid.
    pub pid: i32,
    /// Why.
    pub error: io::Error,
}

/// Shows every JVM of this host to `visit`, in the order of their pids. Each holds three descriptors, so who needs no
/// handle on all of them at once does better to let go of each. A process that ends meanwhile is left out. An error of
/// kind `Unsupported` means that the kernel is too old.
pub fn each_jvm(mut visit: impl FnMut(Target)) -> io::Result<Vec<Missed>> {
    let mut pids: Vec<i32> = std::fs::read_dir("/proc")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    let mut missed = Vec::new();
    for pid in pids {
        match Target::inspect(pid) {
            Ok(target) if !target.status().has_ended() && target.is_or_seems_a_jvm() => visit(target),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) if e.kind() == io::ErrorKind::Unsupported => return Err(e),
            Err(error) => missed.push(Missed { pid, error }),
        }
    }
    Ok(missed)
}

/// Why a user's words do not name one JVM.
#[derive(Debug, thiserror::Error)]
pub enum NotOne {
    /// Nothing bears that name.
    #[error("no jvm is called {name:?}")]
    None {
        /// What was asked for.
        name: String,
    },
    /// More than one does.
    #[error("{} jvms are called {name:?}", candidates.len())]
    Several {
        /// What was asked for.
        name: String,
        /// All that match.
        candidates: Vec<Target>,
    },
    /// No process has that pid.
    #[error("there is no process {pid}")]
    NoProcess {
        /// What was asked for, as typed: it may be larger than any pid.
        pid: String,
    },
    /// One of its namesakes may be among the processes that could not be looked at.
    #[error("cannot tell which jvm is called {name:?}: pid {pid} could not be looked at: {error}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The first such process.
        pid: i32,
        /// Why.
        error: io::Error,
    },
    /// The kernel lacks a system call.
    #[error("{0}")]
    Kernel(Finding),
    /// `/proc` could not be read.
    #[error("cannot read /proc: {0}")]
    Proc(io::Error),
}

/// The one process that `text` means: a pid, or exactly the main class or jar, or the last part of its name.
pub fn resolve(text: &str) -> Result<Target, NotOne> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let nobody = || NotOne::NoProcess { pid: text.to_owned() };
        return Target::inspect(text.parse().map_err(|_| nobody())?).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => nobody(),
            _ => unreadable(e),
        });
    }
    let mut candidates = Vec::new();
    let is_called = |target: &Target| target.program() == Some(text) || target.short_name() == Some(text);
    let missed = each_jvm(|target| {
        if is_called(&target) {
            candidates.push(target);
        }
    });
    // Whom we may not even look at we may not attach to either, whatever its name.
    let unknown = |missed: &Missed| missed.error.kind() != io::ErrorKind::PermissionDenied;
    if let Some(Missed { pid, error }) = missed.map_err(unreadable)?.into_iter().find(unknown) {
        return Err(NotOne::Unknown { name: text.to_owned(), pid, error });
    }
    match candidates.len() {
        0 => Err(NotOne::None { name: text.to_owned() }),
        1 => Ok(candidates.remove(0)),
        _ => Err(NotOne::Several { name: text.to_owned(), candidates }),
    }
}

fn unreadable(error: io::Error) -> NotOne {
    kernel_too_old(&error).map_or(NotOne::Proc(error), NotOne::Kernel)
}
