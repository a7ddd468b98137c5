//! A native agent: any library with `Agent_OnAttach`.

use jgraft_attach::{FindingKind, Request, Target, agent_loading, examine, files, native_library};

use super::{Delivery, Plan, plan_from, push};
use crate::commands::doctor::FindingJson;
use crate::commands::load::agent::Agent;
use crate::failure::Failure;

/// What stands against loading it, and the request.
pub(crate) fn plan(agent: &Agent, target: &Target) -> Result<Plan, Failure> {
    let options = agent.options.as_deref();
    let preflight = examine(target);
    let unreachable = preflight.blockers.iter().any(|blocker| {
        matches!(blocker.kind, FindingKind::NoSuchProcess | FindingKind::NotAJvm | FindingKind::NoAccess)
    });
    let mut against = Vec::new();
    let mut delivery = Delivery::InPlace;
    // A target that cannot be reached is not asked what files it sees.
    if !agent.is_bare_name() && !unreachable {
        match native_library::check(target, agent.path().as_ref()) {
            Ok(warning) => against.extend(warning.map(|warning| (false, FindingJson::of(&warning)))),
            Err(finding) => against.push((true, FindingJson::of(&finding))),
        }
        match Delivery::find(agent, target, None)? {
            Ok(found) => delivery = found,
            Err(finding) => against.push((true, finding)),
        }
    }
    let path = &*delivery.path(agent).to_owned();
    let request = match agent.is_bare_name() {
        true => Request::load_native_library(path, options),
        false => Request::load_native_agent(path, options),
    };
    let request = request.map_err(|finding| Failure::blocked(&finding))?;
    let mapped = match (unreachable, agent.is_bare_name()) {
        (true, _) => None,
        (false, true) => files::mapped_by_name(target, path),
        (false, false) => files::mapped_in(target, path.as_ref()),
    };
    let already_loaded = mapped.into_iter().map(|file| format!("{} is mapped", file.display())).collect();
    let mut plan = Plan { already_loaded, ..plan_from(request, delivery, preflight) };
    match agent_loading(target) {
        Ok(Some(warning)) => push(&mut plan.warnings, &warning),
        Ok(None) => {}
        Err(blocker) => push(&mut plan.errors, &blocker),
    }
    for (is_error, finding) in against {
        if is_error { plan.errors.push(finding) } else { plan.warnings.push(finding) }
    }
    Ok(plan)
}
