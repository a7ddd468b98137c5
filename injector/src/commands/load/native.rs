//! A native agent: any library with `Agent_OnAttach`.

use jgraft_attach::{FindingKind, Request, Target, agent_loading, examine};

use super::{Plan, add_visibility, plan_from, push};
use crate::commands::load::agent::Agent;
use crate::failure::Failure;

/// What stands against loading it, and the request.
pub(crate) fn plan(agent: &Agent, target: &Target) -> Result<Plan, Failure> {
    let path = agent.path();
    let options = agent.options.as_deref();
    let request = match agent.is_bare_name() {
        true => Request::load_native_library(path, options),
        false => Request::load_native_agent(path, options),
    };
    let mut plan = plan_from(request.map_err(|finding| Failure::blocked(&finding))?, examine(target));
    match agent_loading(target) {
        Ok(Some(warning)) => push(&mut plan.warnings, &warning),
        Ok(None) => {}
        Err(blocker) => push(&mut plan.errors, &blocker),
    }
    // A target that cannot be reached is not asked what files it sees.
    let unreachable = plan.errors.iter().any(|e| {
        [FindingKind::NoSuchProcess, FindingKind::NotAJvm, FindingKind::NoAccess]
            .iter()
            .any(|k| k.code() == e.code)
    });
    if !agent.is_bare_name() && !unreachable {
        add_visibility(&mut plan, target, path.as_ref());
    }
    Ok(plan)
}
