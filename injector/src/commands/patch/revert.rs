//! `patch revert`: a class becomes what it is with the patches that stay, or what it was before the first.

use std::collections::BTreeSet;
use std::process::ExitCode;

use jgraft_attach::Target;
use jgraft_classfile::compose::{Share, may_revert};
use jgraft_protocol::patch::{GENERATION, stage, step};
use jgraft_protocol::pattern::shown_method;
use serde::Serialize;

use super::doctor::wrong;
use super::in_force::{self, OldFrames};
use super::inputs::dotted;
use super::journal::{self, PatchJson};
use super::plan::composed;
use super::said::{Said, took_us};
use super::store::{self, Note};
use super::work::{Attempt, Work, may_be_patched, until_done};
use crate::cli::{Patch, PatchRevert, Patience};
use crate::failure::{EXIT_BLOCKED, Failure};
use crate::interrupt::Interrupt;
use crate::target::{self, TargetJson};
use crate::{human, json, output};

#[derive(Serialize)]
struct RevertedJson {
    target: TargetJson,
    #[serde(flatten)]
    reverted: Reverted,
}

/// What came of it.
#[derive(Default, Serialize)]
pub(crate) struct Reverted {
    /// Those that were taken out.
    pub(crate) patches: Vec<PatchJson>,
    /// Classes that were changed for it.
    classes: Vec<String>,
    /// Microseconds that the redefinition took.
    took_us: u64,
    #[serde(flatten)]
    frames: OldFrames,
}

/// A class that changes.
struct Change {
    n: usize,
    name: String,
    loader_id: i64,
    becomes: Vec<u8>,
    /// No patch stays on it.
    is_clear: bool,
}

/// Runs the command.
pub(super) fn run(patch: &Patch, options: &PatchRevert) -> Result<ExitCode, Failure> {
    let interrupt = Interrupt::catch();
    let target = target::find(&patch.target)?;
    let (told, pid) = (TargetJson::of(&target), target.pid());
    let known = journal::read(&target);
    let ids: Vec<String> = match (&options.id, options.all, &known[..]) {
        (Some(id), ..) if known.iter().any(|patch| patch.id == *id) => vec![id.clone()],
        (Some(id), ..) => {
            return Err(Failure::usage(
                format!("pid {pid} has no patch {id}"),
                list(&known),
                "jgraft patch TARGET list",
            ));
        }
        (None, true, _) => known.iter().map(|patch| patch.id.clone()).collect(),
        (None, false, [only]) => vec![only.id.clone()],
        (None, false, []) => Vec::new(),
        (None, false, _) => {
            return Err(Failure::usage(
                format!("pid {pid} has several patches"),
                list(&known),
                "name one, or say --all",
            ));
        }
    };
    let reverted = match ids.is_empty() {
        true => Reverted::default(),
        false => revert(target, &known, &ids, &options.patience, &interrupt)?,
    };
    if options.json {
        json::print("patch-revert", &RevertedJson { target: told, reverted });
        return Ok(ExitCode::SUCCESS);
    }
    match &ids[..] {
        [] => output::line(&format!("pid {pid} has no patch")),
        ids if reverted.patches.is_empty() => {
            output::line(&format!("taken out already, by another: {}", human::clean(&ids.join(", "))));
        }
        _ => {}
    }
    reverted.lines().iter().for_each(|line| output::line(line));
    output::finish(ExitCode::SUCCESS, &format!("pid {pid} is not patched any more"))
}

fn list(known: &[PatchJson]) -> String {
    let ids: Vec<_> = known.iter().map(|patch| patch.id.as_str()).collect();
    if ids.is_empty() { "it has none".to_owned() } else { format!("it has {}", ids.join(", ")) }
}

impl Reverted {
    /// For people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let patches = self.patches.iter().map(|patch| format!("{} is taken out", patch.id));
        let classes = self.classes.iter().map(|class| format!("  {class}"));
        patches.chain(classes).chain(self.frames.lines("earlier")).collect()
    }
}

/// Takes patches out, by their names; `known` is what the journal says.
pub(crate) fn revert(
    target: Target,
    known: &[PatchJson],
    ids: &[String],
    patience: &Patience,
    interrupt: &Interrupt,
) -> Result<Reverted, Failure> {
    may_be_patched(&target)?;
    let cause = format!("nothing was taken out of pid {}", target.pid());
    until_done(target, &cause, |target| attempt(target, known, ids, patience, interrupt))
}

fn attempt(
    target: Target,
    known: &[PatchJson],
    ids: &[String],
    patience: &Patience,
    interrupt: &Interrupt,
) -> Result<Attempt<Reverted>, Failure> {
    let pid = target.pid();
    let cause = format!("nothing was taken out of pid {pid}");
    let meant = known.iter().filter(|patch| ids.contains(&patch.id));
    let names: BTreeSet<String> =
        meant.flat_map(|patch| &patch.classes).map(|class| class.replace('.', "/")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let client = patience.client(target, interrupt);
    let mut work = Work::on_names(client, &names, patience.timeout, interrupt, &cause)?;
    let changes = plan(&work, ids, &cause)?;
    let done = carry_out(&mut work, &changes, ids, &cause);
    let (took_us, frames) = match done.map_err(|failure| failure.in_the_middle(work.client.target()))? {
        Ok(done) => done,
        Err(said) => return Ok(work.stale(said)),
    };
    let patches = work.notes.iter().filter(|note| ids.contains(&note.id)).map(PatchJson::of).collect();
    let classes = changes.iter().map(|change| dotted(&change.name)).collect();
    Ok(Attempt::Done(Reverted { patches, classes, took_us, frames }))
}

/// How long the redefinition took, and who is still in earlier code; or the agent's word that what is patched is not what it was.
fn carry_out(
    work: &mut Work<'_>,
    changes: &[Change],
    ids: &[String],
    cause: &str,
) -> Result<Result<(u64, OldFrames), Said>, Failure> {
    let mut pairs = vec![(GENERATION.to_owned(), work.agent.generation.to_string())];
    for (n, change) in (1..).zip(changes) {
        let (set, file) = (format!("{}{n}", step::SET), format!("back-{n}"));
        work.agent.put(&file, &change.becomes)?;
        pairs.push((set.clone(), change.n.to_string()));
        pairs.push((format!("{set}{}", step::FILE), file));
        if change.is_clear {
            pairs.push((format!("{set}{}", step::SET_CLEAR), "true".to_owned()));
        }
    }
    for (n, wanted) in (1..).zip(work.agent.wanted.iter().filter(|wanted| {
        ids.iter().any(|id| work.agent.blobs.contains_key(&store::blob(id, wanted.loader_id, &wanted.name)))
    })) {
        pairs.push((format!("{}{n}", step::FORGET), wanted.n.clone()));
    }
    let reply = match work.agent.step(step::APPLY, &pairs) {
        Ok(reply) => reply,
        Err(said) if said.stage == stage::GENERATION => return Ok(Err(said)),
        Err(said) => return Err(said.failure(cause)),
    };
    let looked = look(work, changes);
    let remedy = "the patch is still there; take the other agent out first";
    let frames = work.agent.unless_wrong(looked, cause, remedy)?;
    let notes: Vec<Note> = work.notes.iter().filter(|note| !ids.contains(&note.id)).cloned().collect();
    let dropped: Vec<String> = work
        .agent
        .blobs
        .keys()
        .filter(|name| store::parse_blob(name).is_some_and(|(id, ..)| ids.iter().any(|wanted| wanted == id)))
        .cloned()
        .collect();
    work.agent.keep(&notes, &[], &dropped, cause)?;
    Ok(Ok((took_us(&reply), frames)))
}

/// What each class of these patches becomes.
fn plan(work: &Work<'_>, ids: &[String], cause: &str) -> Result<Vec<Change>, Failure> {
    let facts = work.facts();
    let mut changes = Vec::new();
    for found in work.agent.found.iter().filter(|found| found.current.is_some()) {
        let all = facts.patches_on(&found.name, found.loader_id)?;
        let leaves = |n: usize| ids.iter().any(|id| id == all[n].0);
        if !(0..all.len()).any(leaves) {
            continue;
        }
        let name = dotted(&found.name);
        let refused = |evidence: String| {
            Failure::new(EXIT_BLOCKED, "patches-conflict", cause)
                .evidence(format!("{name}: {evidence}"))
                .remedy("revert the later patch first, or --all of them")
        };
        // Those above stay: they were not made to follow on something else.
        let staying = |from: usize| (from..all.len()).filter(|n| !leaves(*n));
        for n in (0..all.len()).filter(|n| leaves(*n)) {
            let shares: Vec<Share> = std::iter::once(n).chain(staying(n)).map(|n| all[n].2.clone()).collect();
            may_revert(&shares, 0).map_err(|shared| {
                let above = std::iter::once(n).chain(staying(n)).nth(shared.later).map_or("", |n| all[n].0);
                refused(format!(
                    "{above}, which is above {}, changes {} too",
                    all[n].0,
                    shown_method(&shared.method)
                ))
            })?;
        }
        let base = found.base.as_deref().map_err(|why| refused(why.clone()))?;
        let current = found.current.as_deref().unwrap_or(base);
        let rest: Vec<_> = staying(0).map(|n| &all[n]).collect();
        let composed = composed(base, current, &rest, None).map_err(refused)?;
        changes.push(Change {
            n: found.n,
            name: found.name.clone(),
            loader_id: found.loader_id,
            becomes: composed.class,
            is_clear: rest.is_empty(),
        });
    }
    Ok(changes)
}

/// What is not as it should be now.
fn look(work: &mut Work<'_>, changes: &[Change]) -> Result<(Vec<String>, OldFrames), Failure> {
    let names: Vec<&str> = changes.iter().map(|change| change.name.as_str()).collect();
    if names.is_empty() {
        return Ok((Vec::new(), OldFrames::default()));
    }
    let (now, frames) = in_force::read_with_threads(&mut work.client, &names, work.timeout)?;
    let wrong = changes
        .iter()
        .flat_map(|change| wrong(&now, (&change.name, change.loader_id), &change.becomes, &[], work.vm));
    Ok((wrong.collect(), frames))
}
