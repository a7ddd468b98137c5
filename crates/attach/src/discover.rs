//! Finding the JVMs of a host, containers included, by reading `/proc` alone.

use std::io;

use crate::target::Target;

/// Every JVM that can be seen, in the order of their pids. A process that ends meanwhile is left out.
pub fn jvms() -> io::Result<Vec<Target>> {
    let mut pids: Vec<i32> = std::fs::read_dir("/proc")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    Ok(pids.into_iter().filter_map(jvm).collect())
}

fn jvm(pid: i32) -> Option<Target> {
    let target = Target::inspect(pid).ok()?;
    (!target.status().has_ended() && target.is_or_seems_a_jvm()).then_some(target)
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
    /// `/proc` could not be read.
    #[error("cannot read /proc: {0}")]
    Proc(#[from] io::Error),
}

/// The one process that `text` means: a pid, or exactly the main class or jar, or the last part of its name.
pub fn resolve(text: &str) -> Result<Target, NotOne> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let nobody = || NotOne::NoProcess { pid: text.to_owned() };
        return Target::inspect(text.parse().map_err(|_| nobody())?).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => nobody(),
            _ => NotOne::Proc(e),
        });
    }
    let mut candidates: Vec<Target> = jvms()?
        .into_iter()
        .filter(|target| target.program() == Some(text) || target.short_name() == Some(text))
        .collect();
    match candidates.len() {
        0 => Err(NotOne::None { name: text.to_owned() }),
        1 => Ok(candidates.remove(0)),
        _ => Err(NotOne::Several { name: text.to_owned(), candidates }),
    }
}
