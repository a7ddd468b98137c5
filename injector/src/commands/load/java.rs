//! A Java agent: what doctor and check say of it together, and the request.

use jgraft_agentjar::Severity;
use jgraft_attach::{FindingKind, Request, Target, argument_limit};

use super::{Delivery, Plan, plan_from};
use crate::cli::Load;
use crate::commands::doctor::{FindingJson, examine_for_agents};
use crate::commands::load::agent::Agent;
use crate::failure::Failure;
use crate::jar::{self, Asked};

/// Everything that stands against loading it, and the request of a plain load.
pub(crate) fn plan(agent: &Agent, target: &Target, typed: &Load) -> Result<Plan, Failure> {
    let options = agent.options.as_deref();
    let preflight = examine_for_agents(target);
    let unreachable = preflight.blockers.iter().any(|blocker| {
        matches!(blocker.kind, FindingKind::NoSuchProcess | FindingKind::NotAJvm | FindingKind::NoAccess)
    });
    let (delivery, undeliverable) = match unreachable {
        true => (Delivery::InPlace, None),
        false => match Delivery::find(agent, target, typed.stage_dir.as_deref())? {
            Ok(delivery) => (delivery, None),
            Err(finding) => (Delivery::InPlace, Some(finding)),
        },
    };
    let path = delivery.path(agent).to_owned();
    // A session's request carries longer options than the attach protocol.
    let limit = argument_limit(target).filter(|_| !typed.supervised);
    let asked = Asked { path: agent.path(), seen_as: delivery.other_path(), options, limit };
    let report = jar::examine(&asked, (!unreachable).then_some(target));
    let already_loaded = report.findings.iter().filter(|finding| finding.code == "already-loaded");
    let already_loaded = already_loaded.map(|finding| finding.sentence.clone()).collect();
    let too_long = report.findings.iter().find(|finding| finding.code == "argument-too-long");
    let request = match Request::load_java_agent(&path, options) {
        Ok(request) => request,
        // The check has its own words for it, or it goes by a session: the request is never sent.
        Err(_) if typed.supervised || too_long.is_some() => {
            Request::load_java_agent("", None).map_err(|f| Failure::blocked(&f))?
        }
        Err(finding) => return Err(Failure::blocked(&finding)),
    };
    let agent_main = report.agent_main.as_ref().map(|main| main.class.clone());
    let mut plan = Plan { already_loaded, agent_main, ..plan_from(request, delivery, preflight) };
    for finding in &report.findings {
        match finding.severity {
            Severity::Error => plan.errors.push(FindingJson::of_jar(finding)),
            Severity::Warning => plan.warnings.push(FindingJson::of_jar(finding)),
        }
    }
    plan.errors.extend(undeliverable);
    Ok(plan)
}
