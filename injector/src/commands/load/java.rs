//! A Java agent: what doctor and check say of it together, and the request.

use std::path::Path;

use jgraft_agentjar::Severity;
use jgraft_attach::{FindingKind, Request, Target};

use super::{Delivery, Plan, plan_from};
use crate::commands::doctor::{FindingJson, examine_for_agents};
use crate::commands::load::agent::Agent;
use crate::failure::Failure;
use crate::jar;

/// Everything that stands against loading it, and the request.
pub(crate) fn plan(agent: &Agent, target: &Target, stage_dir: Option<&Path>) -> Result<Plan, Failure> {
    let options = agent.options.as_deref();
    let preflight = examine_for_agents(target);
    let unreachable = preflight.blockers.iter().any(|blocker| {
        matches!(blocker.kind, FindingKind::NoSuchProcess | FindingKind::NotAJvm | FindingKind::NoAccess)
    });
    let (delivery, undeliverable) = match unreachable {
        true => (Delivery::InPlace, None),
        false => match Delivery::find(agent, target, stage_dir)? {
            Ok(delivery) => (delivery, None),
            Err(finding) => (Delivery::InPlace, Some(finding)),
        },
    };
    let path = delivery.path(agent).to_owned();
    let staged_as = delivery.is_staged().then_some(&*path);
    let report = jar::examine(agent.path(), staged_as, options, (!unreachable).then_some(target));
    let already_loaded = report.findings.iter().filter(|finding| finding.code == "already-loaded");
    let already_loaded = already_loaded.map(|finding| finding.sentence.clone()).collect();
    let too_long = report.findings.iter().find(|finding| finding.code == "argument-too-long");
    let request = match (Request::load_java_agent(&path, options), too_long) {
        (Ok(request), _) => request,
        // The check has its own words for it; the request is never sent.
        (Err(_), Some(_)) => Request::load_java_agent("", None).map_err(|f| Failure::blocked(&f))?,
        (Err(finding), None) => return Err(Failure::blocked(&finding)),
    };
    let mut plan = Plan { already_loaded, ..plan_from(request, delivery, preflight) };
    for finding in &report.findings {
        match finding.severity {
            Severity::Error => plan.errors.push(FindingJson::of_jar(finding)),
            Severity::Warning => plan.warnings.push(FindingJson::of_jar(finding)),
        }
    }
    plan.errors.extend(undeliverable);
    Ok(plan)
}
