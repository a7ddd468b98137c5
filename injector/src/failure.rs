//! What went wrong, for people and for machines: what failed, the evidence, the remedy, and the exit code.

use std::path::Path;
use std::process::ExitCode;

use jgraft_attach::{AttachError, Finding, FindingKind, Target};
use serde::Serialize;

use crate::target::TargetJson;
use crate::{human, json, output};

/// The operation failed in or at the target.
pub(crate) const EXIT_FAILED: u8 = 1;
/// The command line makes no sense, or does not name one target.
pub(crate) const EXIT_USAGE: u8 = 2;
/// A check stands against it; nothing was sent.
pub(crate) const EXIT_BLOCKED: u8 = 3;
/// Interrupted before any result.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;

/// A failure of a command.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    #[serde(skip)]
    exit: u8,
    code: &'static str,
    cause: String,
    evidence: String,
    remedy: String,
    /// What stays in the target's view: a path there.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<String>,
    /// Further lines for people: a stack trace, the candidates of an ambiguous name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    detail: Vec<String>,
    /// The targets that an ambiguous name may mean.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    candidates: Box<[TargetJson]>,
}

impl Failure {
    pub(crate) fn new(exit: u8, code: &'static str, cause: impl Into<String>) -> Failure {
        let (evidence, remedy) = (String::new(), String::new());
        let (detail, candidates) = (Vec::new(), Box::default());
        Failure { exit, code, cause: cause.into(), evidence, remedy, left: None, detail, candidates }
    }

    pub(crate) fn usage(
        cause: impl Into<String>,
        evidence: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Failure {
        Failure::new(EXIT_USAGE, "usage", cause).evidence(evidence).remedy(remedy)
    }

    /// A check stands against it; nothing was sent.
    pub(crate) fn blocked(finding: &Finding) -> Failure {
        Failure::from_finding(EXIT_BLOCKED, finding)
    }

    /// This failure in the middle of a job; where the target has ended meanwhile, that is what failed, and what was asked of
    /// it before has ended with it.
    pub(crate) fn in_the_middle(self, target: &Target) -> Failure {
        if !target.process().has_ended() {
            return self;
        }
        let cause = format!("pid {} ended in the middle", target.pid());
        Failure::new(EXIT_FAILED, FindingKind::Ended.code(), cause)
            .evidence(format!("{}: {}", self.cause, self.evidence))
            .remedy("what was under way ended with it; do it again with the jvm that takes its place")
    }

    /// Something that failed behind something else, which is what matters.
    pub(crate) fn behind(self, cause: &str, remedy: &str) -> Failure {
        let evidence = format!("{}: {}", self.cause, self.evidence);
        Failure { cause: cause.to_owned(), evidence, remedy: remedy.to_owned(), ..self }
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.exit == EXIT_INTERRUPTED
    }

    pub(crate) fn evidence(self, evidence: impl Into<String>) -> Failure {
        Failure { evidence: evidence.into(), ..self }
    }

    pub(crate) fn remedy(self, remedy: impl Into<String>) -> Failure {
        Failure { remedy: remedy.into(), ..self }
    }

    /// Says what stays in the view of `pid`, before any other line.
    pub(crate) fn left(mut self, pid: i32, path: &Path) -> Failure {
        let line =
            format!("left:     {} as pid {pid} sees it, /proc/{pid}/root{0} from here", path.display());
        self.detail.insert(0, line);
        Failure { left: Some(path.display().to_string()), ..self }
    }

    /// Adds further lines for people.
    pub(crate) fn detail(mut self, lines: impl IntoIterator<Item = String>) -> Failure {
        self.detail.extend(lines);
        self
    }

    pub(crate) fn candidates(self, candidates: Box<[TargetJson]>) -> Failure {
        Failure { candidates, ..self }
    }

    /// Says it on stderr, or as one object on stdout, and gives the exit code.
    pub(crate) fn report(&self, as_json: bool) -> ExitCode {
        if as_json && !output::is_lost() {
            json::print("failure", self);
            // Where that failed, somebody may still read stderr.
            if !output::is_lost() {
                return ExitCode::from(self.exit);
            }
        }
        let err = human::Stream::stderr();
        err.line(&format!("{} {}", err.red("error:"), human::clean(&self.cause)));
        for (label, text) in [("evidence:", &self.evidence), ("remedy:", &self.remedy)] {
            if !text.is_empty() {
                err.line(&format!("  {} {}", err.bold(&format!("{label:<9}")), human::clean(text)));
            }
        }
        for line in &self.detail {
            err.line(&format!("  {}", human::clean(line)));
        }
        ExitCode::from(self.exit)
    }

    fn from_finding(exit: u8, finding: &Finding) -> Failure {
        Failure::new(exit, finding.kind.code(), &finding.cause)
            .evidence(&finding.evidence)
            .remedy(&finding.remedy)
    }
}

impl From<AttachError> for Failure {
    fn from(error: AttachError) -> Failure {
        let exit = match &error {
            AttachError::Blocked(_) => EXIT_BLOCKED,
            AttachError::NotSent(_) | AttachError::Unanswered(_) => EXIT_FAILED,
            AttachError::Interrupted { .. } => EXIT_INTERRUPTED,
        };
        Failure::from_finding(exit, error.finding())
    }
}
