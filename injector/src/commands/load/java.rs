//! A Java agent: what doctor and check say of it together, and the request.

use jgraft_agentjar::Severity;
use jgraft_attach::{FindingKind, Request, Target};

use super::{Plan, add_visibility, plan_from};
use crate::commands::doctor::{FindingJson, examine_for_agents};
use crate::commands::load::agent::Agent;
use crate::failure::Failure;
use crate::jar;

/// Everything that stands against loading it, and the request.
pub(crate) fn plan(agent: &Agent, target: &Target) -> Result<Plan, Failure> {
    let (path, options) = (agent.path(), agent.options.as_deref());
    let preflight = examine_for_agents(target);
    let unreachable = preflight.blockers.iter().any(|blocker| {
        matches!(blocker.kind, FindingKind::NoSuchProcess | FindingKind::NotAJvm | FindingKind::NoAccess)
    });
    let report = jar::examine(path, options, (!unreachable).then_some(target));
    let already_loaded = report.findings.iter().filter(|finding| finding.code == "already-loaded");
    let already_loaded = already_loaded.map(|finding| finding.sentence.clone()).collect();
    let too_long = report.findings.iter().find(|finding| finding.code == "argument-too-long");
    let request = match (Request::load_java_agent(path, options), too_long) {
        (Ok(request), _) => request,
        // The check has its own words for it; the request is never sent.
        (Err(_), Some(_)) => Request::load_java_agent("", None).map_err(|f| Failure::blocked(&f))?,
        (Err(finding), None) => return Err(Failure::blocked(&finding)),
    };
    let mut plan = Plan { already_loaded, ..plan_from(request, preflight) };
    for finding in &report.findings {
        match finding.severity {
            Severity::Error => plan.errors.push(FindingJson::of_jar(finding)),
            Severity::Warning => plan.warnings.push(FindingJson::of_jar(finding)),
        }
    }
    // One reason is enough for a file that is not there at all.
    if !unreachable && plan.errors.is_empty() {
        add_visibility(&mut plan, target, path.as_ref());
    }
    Ok(plan)
}
