//! A patch thought out to its end, before anything changes: which classes of which loaders, what is in force there, what the
//! JVM will say, and the bytes that each class is to become.

use std::collections::BTreeMap;

use jgraft_classfile::ClassFile;
use jgraft_classfile::compare::{Vm, compare};
use jgraft_classfile::compose::{Composed, Patch, Share, compose};
use jgraft_classfile::verification::verify_retransformed;
use jgraft_protocol::nearest::nearest;
use jgraft_protocol::pattern::shown_method;
use serde::Serialize;

use super::agent::Agent;
use super::base::{self, Known};
use super::doctor::Diagnosis;
use super::found::{Base, Candidate, Found};
use super::helpers::{self, Beside};
use super::in_force::Told;
use super::inputs::{NewClass, dotted};
use super::store::{self, Note};
use crate::cli::PatchInput;
use crate::failure::{EXIT_BLOCKED, EXIT_FAILED, Failure};

/// What a class becomes by a patch.
pub(super) struct Becomes {
    pub(super) class: Vec<u8>,
    /// What the patch has to do with it.
    pub(super) share: Share,
    /// The class of the patch, as it was given.
    given: Vec<u8>,
}

impl Becomes {
    /// Whether the patch changes anything.
    fn is_nothing_new(&self) -> bool {
        self.share.changes.is_empty() && self.share.besides.is_empty()
    }

    /// Whether it has anything that differs from the base.
    fn is_new(&self) -> bool {
        !self.is_nothing_new() || !self.share.carries.is_empty()
    }

    /// What is kept of it in the target, under the names of a patch and a class of a loader.
    pub(super) fn kept(&self, patch: &str, loader_id: i64, class: &str) -> [(String, Vec<u8>); 2] {
        let share = store::share_text(&self.share).into_bytes();
        [
            (store::blob(patch, loader_id, class), self.given.clone()),
            (store::share_blob(patch, loader_id, class), share),
        ]
    }
}

/// A class that is to change.
pub(super) struct Step {
    /// By which the agent knows it in this session.
    pub(super) found: usize,
    /// The internal name.
    pub(super) name: String,
    pub(super) diagnosis: Diagnosis,
    pub(super) becomes: Becomes,
}

/// What a patch is to do.
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// Classes that change nothing: the same is in force, or methods of patches below stay.
    pub(super) same: Vec<String>,
    /// Methods that the patch has as they were at first, and that stay as earlier patches have them.
    pub(super) stays: Vec<Stays>,
    /// Whether the patch has anything that differs from what was there at first.
    pub(super) is_new: bool,
    /// New classes, and by what the agent knows the class beside which each is defined.
    pub(super) helpers: Vec<(NewClass, String)>,
    /// Classes that are not loaded: the candidates by which the agent knows them, and what they are to be.
    pub(super) later: Vec<Later>,
}

/// A method of an earlier patch that stays.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Stays {
    pub(super) class: String,
    /// Name and descriptor.
    pub(super) method: String,
    /// The patch.
    pub(super) patch: String,
}

impl Stays {
    /// For people.
    pub(super) fn line(&self) -> String {
        format!("{}::{} stays as {} has it", self.class, shown_method(&self.method), self.patch)
    }

    /// What a patch leaves of a class to those below.
    fn all(name: &str, share: &Share, below: &[OnClass<'_>]) -> impl Iterator<Item = Stays> {
        let of = move |method: &String| {
            let patch = below.iter().rfind(|(_, _, share)| share.changes.contains(method))?.0;
            Some(Stays { class: name.to_owned(), method: method.clone(), patch: patch.to_owned() })
        };
        share.leaves.iter().filter_map(of)
    }
}

/// A class that is patched when it is loaded.
pub(super) struct Later {
    pub(super) candidate: String,
    pub(super) name: String,
    pub(super) loader_id: i64,
    pub(super) base: Vec<u8>,
    pub(super) becomes: Becomes,
}

/// A patch on a class: its name, the class file as it was given, and what it has to do with the class.
pub(super) type OnClass<'a> = (&'a str, &'a [u8], Share);

/// What is known of the target.
pub(super) struct Facts<'a> {
    pub(super) agent: &'a Agent<'a>,
    pub(super) told: &'a [Told],
    /// The patches that are there, the oldest first.
    pub(super) notes: &'a [Note],
    pub(super) vm: Vm,
    pub(super) pid: i32,
}

impl Facts<'_> {
    /// What the JVM tells of a class that the agent has found.
    pub(super) fn told(&self, found: &Found) -> Result<&[u8], Failure> {
        let told = self.told.iter().find(|told| told.is(&found.name, found.loader_id));
        let class = match told {
            Some(told) => told.class.as_deref().map_err(Clone::clone),
            None => Err("it was loaded or unloaded meanwhile".to_owned()),
        };
        class.map_err(|why| {
            Failure::new(
                EXIT_BLOCKED,
                "not-read",
                format!("{} cannot be read as it is in force", dotted(&found.name)),
            )
            .evidence(why)
            .remedy("try again; a class that is not linked yet can be patched once it is used")
        })
    }

    /// The classes of a name, one for each loader that has one.
    pub(super) fn found(&self, name: &str) -> Vec<&Found> {
        self.agent.found.iter().filter(|found| found.name == name).collect()
    }

    /// The class files of patches that are on a class, the lowest first.
    pub(super) fn patches_on(&self, name: &str, loader_id: i64) -> Result<Vec<OnClass<'_>>, Failure> {
        let mut all = Vec::new();
        for note in self.notes {
            let blob = store::blob(&note.id, loader_id, name);
            let Some(bytes) = self.agent.blobs.get(&blob) else { continue };
            let share = self.agent.blobs.get(&store::share_blob(&note.id, loader_id, name));
            let Some(share) = share.map(|text| store::parse_share(text)) else {
                return Err(Failure::new(
                    EXIT_FAILED,
                    "patch-failed",
                    format!("pid {} was not patched", self.pid),
                )
                .evidence(format!("what is kept there of patch {} is not whole", note.id))
                .remedy("jgraft reset takes all patches out"));
            };
            all.push((note.id.as_str(), bytes.as_slice(), share));
        }
        Ok(all)
    }
}

impl Plan {
    /// Thinks it out. Fails where something is not known that has to be; what the JVM would refuse is in the diagnoses.
    pub(super) fn make(facts: &Facts<'_>, classes: &[NewClass], input: &PatchInput) -> Result<Plan, Failure> {
        let mut plan = Plan {
            steps: Vec::new(),
            same: Vec::new(),
            stays: Vec::new(),
            is_new: false,
            helpers: Vec::new(),
            later: Vec::new(),
        };
        let (mut patched, mut brought) = (Vec::new(), Vec::new());
        for class in classes {
            let found = facts.found(&class.name);
            // It may be new where the patch is, though an earlier patch has brought it elsewhere.
            if found.iter().all(|found| found.kind == Base::Helper) {
                match later(facts, class, input)?.filter(|_| found.is_empty()) {
                    Some(all) => plan.later(all),
                    None => brought.push(class),
                }
                continue;
            }
            for found in chosen(found, loader_of, input, class)? {
                plan.class(facts, class, found)?;
                patched.push(found);
            }
        }
        let (changed, unchanged): (Vec<_>, Vec<_>) =
            patched.into_iter().partition(|found| plan.steps.iter().any(|step| step.found == found.n));
        let later = std::mem::take(&mut plan.later);
        let beside = helpers::all_beside(&changed, &later, &unchanged);
        for class in helpers::in_order(brought) {
            plan.brought(facts, class, &helpers::neighbours(&class.name, &beside), input)?;
        }
        drop(beside);
        plan.later = later;
        Ok(plan)
    }

    /// Classes that are not loaded, for which nothing has to be waited where it would be the same.
    fn later(&mut self, all: Vec<Later>) {
        for later in all {
            self.is_new |= later.becomes.is_new();
            match later.becomes.is_nothing_new() {
                true => self.same.push(dotted(&later.name)),
                false => self.later.push(later),
            }
        }
    }

    fn class(&mut self, facts: &Facts<'_>, class: &NewClass, found: &Found) -> Result<(), Failure> {
        let name = dotted(&class.name);
        if !found.modifiable {
            return Err(Failure::new(EXIT_BLOCKED, "not-modifiable", format!("{name} cannot be changed in this jvm"))
                .evidence("the jvm says that it is not modifiable: hidden and primitive classes, and a few of the jdk's own, are not")
                .remedy("patch the class that uses it"));
        }
        let (base, current, seen) = match base::of(facts, found)? {
            Known::Base { base, current, seen } => (base, current, seen),
            Known::Nothing(why) => return Err(why),
        };
        let broken = |what: &str, error: String| {
            Failure::new(EXIT_FAILED, "patch-failed", format!("{name} was not patched: {what}"))
                .evidence(error)
        };
        let uncompared = |error: jgraft_classfile::Error| broken("it cannot be compared", error.to_string());
        let below = facts.patches_on(&class.name, found.loader_id)?;
        let becomes = becomes(base, current, &below, &class.bytes).map_err(|error| {
            Failure::new(EXIT_BLOCKED, "patches-conflict", format!("{name} was not patched")).evidence(error)
        })?;
        self.stays.extend(Stays::all(&name, &becomes.share, &below));
        self.is_new |= becomes.is_new();
        // What the JVM is asked is what it will be, not what was given.
        let diagnosis =
            Diagnosis::of(found, current, &becomes.class, seen.foreign, facts.vm).map_err(uncompared)?;
        let made = ClassFile::parse(&becomes.class)
            .map_err(|error| broken("composed, it is broken", error.to_string()))?;
        verify_retransformed(&made)
            .map_err(|error| broken("composed, it would not verify", error.to_string()))?;
        let step = Step { found: found.n, name: class.name.clone(), diagnosis, becomes };
        match step.becomes.is_nothing_new() && step.diagnosis.errors.is_empty() {
            true => self.same.push(name),
            false => self.steps.push(step),
        }
        Ok(())
    }

    /// A class that is new, or that an earlier patch has brought.
    fn brought(
        &mut self,
        facts: &Facts<'_>,
        class: &NewClass,
        beside: &[&Beside<'_>],
        input: &PatchInput,
    ) -> Result<(), Failure> {
        let there = facts.found(&class.name);
        if beside.is_empty() && !there.is_empty() {
            for found in chosen(there, loader_of, input, class)? {
                self.class(facts, class, found)?;
            }
            return Ok(());
        }
        if beside.is_empty() {
            return Err(nowhere(facts, class));
        }
        for beside in beside {
            if let Some(found) = there.iter().find(|found| found.loader_id == beside.loader_id) {
                self.class(facts, class, found)?;
            } else if beside.loader_id == 0 {
                return Err(Failure::new(
                    EXIT_BLOCKED,
                    "not-found",
                    format!("{} is new, and cannot be added", dotted(&class.name)),
                )
                .evidence(format!(
                    "it belongs to {}, which is of the boot loader: nothing can be defined there from outside",
                    dotted(beside.name)
                ))
                .remedy("write what is new into methods that are there"));
            } else {
                self.helpers.push((class.clone(), beside.id.clone()));
            }
        }
        Ok(())
    }

    /// The names of the classes that are added, each once.
    pub(super) fn added(&self) -> Vec<String> {
        let mut names: Vec<_> = self.helpers.iter().map(|(class, _)| dotted(&class.name)).collect();
        names.dedup();
        names
    }
}

/// What a class becomes by a patch above those that are on it.
fn becomes(base: &[u8], current: &[u8], below: &[OnClass<'_>], given: &[u8]) -> Result<Becomes, String> {
    let below: Vec<_> = below.iter().collect();
    let mut composed = composed(base, current, &below, Some(given))?;
    // There is one for each patch, and this one is the last.
    let share = composed.shares.pop().unwrap_or_default();
    Ok(Becomes { class: composed.class, share, given: given.to_vec() })
}

/// Base, patches on it, and perhaps a new one above them. The words of an error are for people.
pub(super) fn composed(
    base: &[u8],
    current: &[u8],
    patches: &[&OnClass<'_>],
    new: Option<&[u8]>,
) -> Result<Composed, String> {
    let parse = |bytes| ClassFile::parse(bytes).map_err(|error: jgraft_classfile::Error| error.to_string());
    let (base, current, new) = (parse(base)?, parse(current)?, new.map(parse).transpose()?);
    let classes = patches.iter().map(|(_, bytes, _)| parse(bytes)).collect::<Result<Vec<_>, _>>()?;
    let applied =
        classes.iter().zip(patches).map(|(class, (_, _, share))| Patch { class, share: Some(share) });
    let patches: Vec<_> = applied.chain(new.as_ref().map(|class| Patch { class, share: None })).collect();
    compose(&base, &current, &patches).map_err(|error| error.to_string())
}

pub(super) fn loader_of(found: &Found) -> (String, i64) {
    (found.loader.clone(), found.loader_id)
}

/// Those of the loaders that are meant; `loader` says the loader of each, by its class and its number.
pub(super) fn chosen<'f, T>(
    found: Vec<&'f T>,
    loader: impl Fn(&T) -> (String, i64),
    input: &PatchInput,
    class: &NewClass,
) -> Result<Vec<&'f T>, Failure> {
    let name = dotted(&class.name);
    let list = |found: &[&T]| {
        let all: Vec<_> = found.iter().map(|found| loader(found)).collect();
        all.iter().map(|(loader, id)| format!("{loader} {id}")).collect::<Vec<_>>().join(", ")
    };
    if let Some(wanted) = &input.loader {
        let is_meant = |found: &&T| {
            let (loader, id) = loader(found);
            is_named(wanted, &loader, id)
        };
        let meant: Vec<_> = found.iter().copied().filter(is_meant).collect();
        return match meant.is_empty() {
            true => Err(Failure::usage(
                format!("no loader {wanted} has {name}"),
                list(&found),
                "--loader takes one of these",
            )),
            false if meant.len() > 1 => Err(several(&name, list(&meant))),
            false => Ok(meant),
        };
    }
    match found.len() > 1 && !input.all_loaders {
        true => Err(several(&name, list(&found))),
        false => Ok(found),
    }
}

fn several(name: &str, loaders: String) -> Failure {
    Failure::new(EXIT_BLOCKED, "several-loaders", format!("{name} is loaded by several class loaders"))
        .evidence(loaders)
        .remedy("--loader names one, by its class or its number; --all-loaders means all")
}

fn is_named(wanted: &str, loader: &str, id: i64) -> bool {
    wanted == id.to_string() || wanted == loader || loader.rsplit('.').next() == Some(wanted)
}

/// What is to happen when a class is loaded that is not yet; none where no loader has it.
fn later(facts: &Facts<'_>, class: &NewClass, input: &PatchInput) -> Result<Option<Vec<Later>>, Failure> {
    let unloaded = facts.agent.unloaded.iter().find(|unloaded| unloaded.name == class.name);
    let Some(unloaded) = unloaded.filter(|unloaded| !unloaded.candidates.is_empty()) else { return Ok(None) };
    let candidates = unloaded.candidates.iter().collect();
    let of = |candidate: &Candidate| (candidate.loader.clone(), candidate.loader_id);
    let mut all = Vec::new();
    for candidate in chosen(candidates, of, input, class)? {
        let wanted = facts
            .agent
            .wanted
            .iter()
            .find(|row| row.name == class.name && row.loader_id == candidate.loader_id);
        let (base, current) =
            wanted.map_or((&candidate.bytes, &candidate.bytes), |row| (&row.base, &row.current));
        let below = facts.patches_on(&class.name, candidate.loader_id)?;
        let name = dotted(&class.name);
        let refused = |why: String| {
            Failure::new(
                EXIT_BLOCKED,
                "patches-conflict",
                format!("{name}, which is not loaded yet, cannot be patched"),
            )
            .evidence(why)
        };
        let becomes = becomes(base, current, &below, &class.bytes).map_err(refused)?;
        // It has to go back one day, and no JVM takes back what has another shape.
        let parse = |bytes| {
            ClassFile::parse(bytes).map_err(|error: jgraft_classfile::Error| refused(error.to_string()))
        };
        let comparison = compare(&parse(base)?, &parse(&becomes.class)?, facts.vm)
            .map_err(|error| refused(error.to_string()))?;
        if let Some(difference) = comparison.differences.iter().find(|difference| difference.error.is_some())
        {
            return Err(Failure::new(
                EXIT_BLOCKED,
                "redefinition-refused",
                format!("{name}, which is not loaded yet, could not be put back"),
            )
            .evidence(difference.to_string())
            .remedy("change bodies of methods alone"));
        }
        all.push(Later {
            candidate: candidate.id.clone(),
            name: class.name.clone(),
            loader_id: candidate.loader_id,
            base: base.clone(),
            becomes,
        });
    }
    Ok(Some(all))
}

/// A class that is nowhere, in a patch that changes nothing that it could belong to.
fn nowhere(facts: &Facts<'_>, class: &NewClass) -> Failure {
    let simple = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let known: BTreeMap<String, &str> =
        facts.agent.found.iter().map(|found| (simple(&found.name), found.name.as_str())).collect();
    let near = nearest(&simple(&class.name), known.keys().map(String::as_str), 3);
    let near = match &near[..] {
        [] => String::new(),
        near => format!("; there is {}", near.join(", ")),
    };
    Failure::new(EXIT_BLOCKED, "not-found", format!("pid {} has no class {}", facts.pid, dotted(&class.name)))
        .evidence(format!("none is loaded, and no loader has {}.class{near}", class.name))
        .remedy("see that its package is right; a new class goes with the class that uses it")
}
