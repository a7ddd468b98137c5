//! What can go wrong, sorted by what it means for the caller: was anything sent, and may it still happen?

use crate::finding::{Finding, FindingKind};

/// A failed attach. The variant is the consequence; the [`Finding`] in it is the explanation.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// A check stands against it. Nothing was sent and nothing of the target was touched.
    #[error("{0}")]
    Blocked(Finding),
    /// The listener could not be reached, or hung up before it read the request. No command was carried out.
    #[error("{0}")]
    NotSent(Finding),
    /// The command was read, or may have been, and its result is not known: it may still happen, or may have ended the
    /// JVM. Never retried.
    #[error("{0}")]
    Unanswered(Finding),
    /// The caller's cancel descriptor became readable.
    #[error("{finding}")]
    Interrupted {
        /// True once the command was sent: then it may still happen.
        sent: bool,
        /// What was going on.
        finding: Finding,
    },
}

impl AttachError {
    /// Cause, evidence and remedy.
    pub fn finding(&self) -> &Finding {
        match self {
            AttachError::Blocked(finding)
            | AttachError::NotSent(finding)
            | AttachError::Unanswered(finding)
            | AttachError::Interrupted { finding, .. } => finding,
        }
    }

    /// A system call failed that should not have.
    pub(crate) fn system(call: &str, pid: i32, error: impl std::fmt::Display) -> AttachError {
        AttachError::NotSent(Finding::new(
            FindingKind::System,
            format!("{call} failed for pid {pid}"),
            error.to_string(),
            "run jgraft doctor on this pid; as root if it is not yours",
        ))
    }
}
