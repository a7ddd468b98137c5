//! What the caller knows of the target and this jar: its user's rights, and a jar that is loaded already.

use crate::finding::Finding;
use crate::question::Question;

pub(super) fn check(question: &Question<'_>, findings: &mut Vec<Finding>) {
    let Some(target) = question.target else { return };
    if let Some(evidence) = &target.unreadable {
        findings.push(Finding::error(
            "jar-not-readable-by-target",
            format!("the target's user can't read {}: {evidence}", question.path.display()),
            "give that user the right to read it, or copy it to where it can",
        ));
    }
    if !target.already_loaded.is_empty() {
        findings.push(Finding::warning(
            "already-loaded",
            format!("the target seems to have this jar already: {}", target.already_loaded.join("; ")),
            "leave it if once is enough: its agentmain would run again, in the classes loaded the first time",
        ));
    }
}
