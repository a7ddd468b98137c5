//! Which version of the attach protocol a listener speaks (JDK-8339289, since 24): asked only where version 1 cannot carry
//! a request, because it costs a connection.
//!
//! Since 25 a listener streams its answers in version 1 as well [measured on 25 and 26], so streaming is no reason to ask.

use std::os::fd::OwnedFd;
use std::time::Instant;

use crate::connection::{Reply, send_request};
use crate::error::AttachError;
use crate::finding::Finding;
use crate::request::{ARGUMENT_LIMIT, Request};
use crate::target::{Kind, Target};
use crate::wait::Patience;

/// The first release that has version 2. Newer ones may have it turned off (`-Djdk.attach.compat=true`).
const SINCE: u32 = 24;
/// An honest answer has a dozen bytes.
const ANSWER_LIMIT: u64 = 1024;

/// How long an argument may be that is sent to this JVM, in bytes, as far as can be told without asking it; none where
/// there is no limit, or only the one of version 2.
pub fn argument_limit(target: &Target) -> Option<usize> {
    (target.kind() != Kind::OpenJ9 && !may_have_version_2(target)).then_some(ARGUMENT_LIMIT)
}

fn may_have_version_2(target: &Target) -> bool {
    target.feature().is_none_or(|feature| feature >= SINCE)
}

/// Ends with `too_long`, which says what version 1 cannot carry, unless the listener says that it speaks version 2. An
/// old release is not even woken for that.
pub(crate) fn must_be_2(
    target: &Target,
    too_long: Finding,
    connect: impl FnOnce() -> Result<OwnedFd, AttachError>,
    patience: &Patience<'_>,
) -> Result<(), AttachError> {
    let refuse = |why: String| {
        let evidence = format!("{}; {why}", too_long.evidence);
        AttachError::Blocked(Finding { evidence, ..too_long.clone() })
    };
    if !may_have_version_2(target) {
        return Err(refuse(format!("java {} knows no version 2", target.version().unwrap_or("?"))));
    }
    let question = Request::new("getversion", &[b"options"]).and_then(|request| request.version_1());
    let question = question.map_err(AttachError::Blocked)?;
    let socket = connect()?;
    let (process, sent_at) = (target.process(), Instant::now());
    send_request(&socket, process, &question, patience)?;
    // Nothing happens in the target however late it answers, so the time for connecting covers this as well.
    let reply = Reply::await_header(socket, process, *patience, sent_at).map_err(only_asked)?;
    let header = reply.header();
    let (text, _) = reply.into_text(ANSWER_LIMIT).map_err(only_asked)?;
    match header == 0 && speaks_2(&text) {
        true => Ok(()),
        false => Err(refuse(format!("asked for its version, it answered {header} {:?}", text.trim()))),
    }
}

/// `2 streaming`: the newest version, and the options of a command.
fn speaks_2(answer: &str) -> bool {
    let version = answer.split_whitespace().next().and_then(|word| word.parse::<u32>().ok());
    version.is_some_and(|version| version >= 2)
}

/// A question that was not answered may not happen later: the request itself was never sent.
fn only_asked(error: AttachError) -> AttachError {
    match error {
        AttachError::Unanswered(finding) => AttachError::NotSent(Finding {
            cause: "the jvm did not say which version of the attach protocol it speaks".to_owned(),
            evidence: format!("{}; {}", finding.cause, finding.evidence),
            remedy: "nothing else was sent; see jgraft doctor --probe".to_owned(),
            ..finding
        }),
        AttachError::Interrupted { finding, .. } => AttachError::Interrupted {
            sent: false,
            finding: Finding {
                cause: "interrupted before the request was sent".to_owned(),
                remedy: "run it again".to_owned(),
                ..finding
            },
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (answer, expected) in [
            ("2 streaming", true),
            ("2", true),
            ("3 x\n", true),
            ("1", false),
            ("", false),
            ("Operation getversion not recognized!", false),
        ] {
            assert_eq!(speaks_2(answer), expected, "{answer}");
        }
    }
}
