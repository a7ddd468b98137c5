//! What a class was before any patch, which is what it is redefined from: what we have kept, else what its loader has, where
//! that is what is in force, else what the JVM hands out when the class is retransformed. That is never done to look only.

use jgraft_protocol::patch::step;
use jgraft_protocol::properties;

use super::agent::Agent;
use super::doctor::Seen;
use super::found::{Base, Found};
use super::inputs::{NewClass, dotted};
use super::plan::{Facts, chosen, loader_of};
use super::said::Said;
use crate::cli::PatchInput;
use crate::consent::Flush;
use crate::failure::{EXIT_BLOCKED, EXIT_FAILED, Failure};
use crate::human::clean;

/// What there is of a class.
pub(super) enum Known<'a> {
    Base {
        base: &'a [u8],
        /// What we have put there; the base where that is nothing.
        current: &'a [u8],
        seen: Seen,
    },
    /// Nothing that could be its base, and why.
    Nothing(Failure),
}

/// Holds what the agent tells of a class against what is in force.
pub(super) fn of<'a>(facts: &Facts<'a>, found: &'a Found) -> Result<Known<'a>, Failure> {
    let name = dotted(&found.name);
    let told = facts.told(found)?;
    let base = match &found.base {
        Ok(base) => base.as_slice(),
        Err(why) => {
            return Ok(Known::Nothing(
                Failure::new(EXIT_BLOCKED, "no-base", format!("it is not known what {name} was loaded from"))
                    .evidence(why.clone())
                    .remedy("put the jar back from which it was loaded, or take the other agent out that has changed it"),
            ));
        }
    };
    let current = found.current.as_deref().unwrap_or(base);
    let seen = Seen::of(told, current, facts.vm).map_err(|error| {
        let cause = format!("{name} was not patched: it cannot be compared");
        Failure::new(EXIT_FAILED, "patch-failed", cause).evidence(error.to_string())
    })?;
    // Of what is handed out, what an agent behind us adds is not known to be all that others do.
    let strange = match found.kind {
        Base::Handed => [&seen.another[..], &seen.foreign[..]].concat(),
        _ => seen.another.clone(),
    };
    if strange.is_empty() {
        return Ok(Known::Base { base, current, seen });
    }
    let has = match (found.kind, &found.resource) {
        (Base::Handed, _) => "the jvm hands out".to_owned(),
        (_, Some(url)) => format!("its loader has now in {url}"),
        (_, None) => "its loader has now".to_owned(),
    };
    Ok(Known::Nothing(
        Failure::new(EXIT_BLOCKED, "unknown-base", format!("what is in force of {name} is not what {has}"))
            .evidence(strange.join("; "))
            .remedy(
                "put back the jar from which it was loaded, or take the other agent out that has changed it",
            ),
    ))
}

/// A class of the patch of which the JVM has to be asked for the base.
pub(super) struct Unknown {
    /// By which the agent knows it in this session.
    pub(super) found: usize,
    why: Failure,
}

/// All of them.
pub(super) fn unknown(
    facts: &Facts<'_>,
    classes: &[NewClass],
    input: &PatchInput,
) -> Result<Vec<Unknown>, Failure> {
    let mut all = Vec::new();
    for class in classes {
        let found = facts.found(&class.name);
        if found.iter().all(|found| found.kind == Base::Helper) {
            continue;
        }
        for found in chosen(found, loader_of, input, class)? {
            if !found.modifiable || found.kind != Base::Resource {
                continue;
            }
            if let Known::Nothing(why) = of(facts, found)? {
                all.push(Unknown { found: found.n, why });
            }
        }
    }
    Ok(all)
}

/// Why what only looks ends here.
pub(super) fn not_to_look_only(unknown: Unknown, cost: Option<&Flush>) -> Failure {
    let cost = cost.map_or(String::new(), |cost| format!(", which has a cost: {}", clean(&cost.text)));
    unknown.why.remedy(format!(
        "patch apply asks the jvm for it by a retransformation of the class{cost}; this command does not"
    ))
}

/// Has the JVM hand out what is in force of them, which takes the place of what their loaders have.
pub(super) fn hand(agent: &mut Agent<'_>, unknown: &[Unknown]) -> Result<(), Said> {
    let asked: Vec<_> = (1..)
        .zip(unknown)
        .map(|(i, class)| (format!("{}{i}", step::HAND_CLASS), class.found.to_string()))
        .collect();
    let reply = agent.step(step::HAND, &asked)?;
    for class in unknown {
        let of = |key: &str| properties::get(&reply, &format!("{key}{}", class.found));
        let base = match (of(step::HANDED), of(step::HANDED_ERROR)) {
            (Some(file), _) => agent.read_whole(file),
            (None, why) => Err(why.map(clean).unwrap_or_default()),
        };
        agent.take_handed(class.found, base);
    }
    Ok(())
}
