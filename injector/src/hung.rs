//! A JVM that does not answer: what its threads do, as the kernel sees them, and the line that shows more.

use std::fmt::Write;

use jgraft_attach::{AttachError, FindingKind, Target, ThreadState, threads};

use crate::failure::Failure;
use crate::human;

/// No more threads than fit on a screen; the others are counted.
const SHOWN: usize = 24;
/// Threads that say most about why a JVM does not answer, by the 15 bytes that the kernel keeps of a name.
const TELLING: [&str; 4] = ["Attach Listener", "VM Thread", "Signal Dispatch", "Service Thread"];

/// A failure of attaching. Where the JVM took too long it says what its threads do meanwhile.
pub(crate) fn explain_hang(error: AttachError, target: &Target) -> Failure {
    let kind = error.finding().kind;
    let failure = Failure::from(error);
    match kind {
        FindingKind::NoListener | FindingKind::Unanswered => failure.detail(lines(target)),
        _ => failure,
    }
}

/// State and name of its threads, those that run or wait in the kernel first, and how to see their stacks.
pub(crate) fn lines(target: &Target) -> Vec<String> {
    let Ok(mut threads) = threads(target) else { return Vec::new() };
    threads.sort_by_key(|thread| (rank(thread), thread.tid));
    let mut lines = vec![format!("its threads ({}):", counts(&threads))];
    lines.extend(threads.iter().take(SHOWN).map(|thread| {
        let wchan = thread.wchan.as_ref().map_or(String::new(), |place| format!("  in {place}"));
        format!("  {:>7} {} {:<15}{wchan}", thread.tid, thread.state, human::clean(&thread.name))
    }));
    if threads.len() > SHOWN {
        lines.push(format!("  … and {} more", threads.len() - SHOWN));
    }
    lines.push(format!("their java stacks, while the jvm is held still: {}", stacks_line(target)));
    lines
}

fn rank(thread: &ThreadState) -> usize {
    match (TELLING.iter().position(|name| *name == thread.name), thread.state) {
        (Some(at), _) => at,
        (None, 'D') => TELLING.len(),
        (None, 'R') => TELLING.len() + 1,
        _ => TELLING.len() + 2,
    }
}

/// `3 R, 40 S`.
fn counts(threads: &[ThreadState]) -> String {
    let mut states: Vec<char> = threads.iter().map(|thread| thread.state).collect();
    states.sort_unstable();
    let mut text = String::new();
    for run in states.chunk_by(|a, b| a == b) {
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{separator}{} {}", run.len(), run.first().copied().unwrap_or('?'));
    }
    text
}

/// The serviceability agent reads the process by ptrace and needs no answer from it. It must be the target's own release.
fn stacks_line(target: &Target) -> String {
    let tool = |name: &str| match target.java_home() {
        Some(home) => home.join("bin").join(name).display().to_string(),
        None => name.to_owned(),
    };
    match target.feature() {
        Some(8) => format!("{} -F {}", tool("jstack"), target.pid()),
        _ => format!("{} jstack --pid {}", tool("jhsdb"), target.pid()),
    }
}
