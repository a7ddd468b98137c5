//! `patch apply`: thought out, carried out in one redefinition, looked at, and only then kept.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use jgraft_protocol::patch::{GENERATION, stage, step};
use jgraft_protocol::pattern::shown_method;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::base;
use super::doctor::{Diagnosis, wrong};
use super::found::Base;
use super::in_force::{self, OldFrames};
use super::inputs::{NewClass, dotted};
use super::journal::PatchJson;
use super::plan::{Plan, Stays};
use super::reason;
use super::said::{Said, took_us};
use super::store::Note;
use super::work::{Attempt, Work, typed, until_done};
use crate::cli::{Patch, PatchApply};
use crate::failure::{EXIT_BLOCKED, Failure};
use crate::interrupt::Interrupt;
use crate::target::TargetJson;
use crate::{human, json, output};

#[derive(Serialize)]
struct AppliedJson<'a> {
    target: TargetJson,
    /// None where nothing had to be changed.
    patch: Option<PatchJson>,
    /// `applied`, `same`, `dry-run`, or `refused` of a dry run.
    outcome: &'static str,
    /// Of classes that were, or would be, changed.
    classes: Vec<&'a Diagnosis>,
    /// Classes in which the same is in force already.
    same: &'a [String],
    /// Methods that the patch has as they were at first, and that stay as earlier patches have them.
    stays: &'a [Stays],
    /// What the patch has, and what has no effect in a class that is loaded.
    warnings: Vec<String>,
    /// Classes that were, or would be, added.
    helpers: Vec<String>,
    /// Classes that will be changed when they are loaded.
    later: Vec<String>,
    /// Microseconds that the redefinition took.
    took_us: Option<u64>,
    #[serde(flatten)]
    frames: OldFrames,
}

/// Runs the command.
pub(super) fn run(patch: &Patch, options: &PatchApply) -> Result<ExitCode, Failure> {
    let interrupt = Interrupt::catch();
    let patience = &options.patience;
    let (client, classes) = typed(&patch.target, &options.input, patience, &interrupt)?;
    let target = client.into_target();
    let cause = format!("pid {} was not patched", target.pid());
    let mut is_agreed = false;
    until_done(target, &cause, |target| {
        let client = patience.client(target, &interrupt);
        let work = Work::on_classes(client, &classes, patience.timeout, &interrupt)?;
        attempt(work, &classes, options, &mut is_agreed, &interrupt)
    })
}

fn attempt(
    mut work: Work<'_>,
    classes: &[NewClass],
    options: &PatchApply,
    is_agreed: &mut bool,
    interrupt: &Interrupt,
) -> Result<Attempt<ExitCode>, Failure> {
    let stderr = human::Stream::stderr();
    let pid = work.pid();
    let cause = format!("pid {pid} was not patched");
    let cost = work.first_flush();
    let agree = |is_agreed: &mut bool| {
        let agreed = cost
            .as_ref()
            .filter(|_| !*is_agreed)
            .map_or(Ok(()), |cost| cost.agree(&cause, options.yes, options.json, &stderr, interrupt));
        *is_agreed |= agreed.is_ok();
        agreed
    };
    // Who thinks about it for long finds that the agent does not wait.
    let stale = |work: Work<'_>| {
        let said = Said::lost("the agent has ended while nobody had agreed yet".to_owned());
        Ok(work.stale(said))
    };
    let unknown = base::unknown(&work.facts(), classes, &options.input)?;
    if !unknown.is_empty() && !options.dry_run {
        agree(is_agreed)?;
        if work.agent.has_given_up() {
            return stale(work);
        }
        base::hand(&mut work.agent, &unknown)
            .map_err(|said| said.failure(&cause).in_the_middle(work.client.target()))?;
    } else if let Some(first) = unknown.into_iter().next() {
        work.agent.end();
        return Err(base::not_to_look_only(first, cost.as_ref()));
    }
    let plan = Plan::make(&work.facts(), classes, &options.input)?;
    let nothing = plan.steps.is_empty() && plan.later.is_empty();
    let note = note(&work, &plan, classes, options)?;
    let mut told = AppliedJson {
        target: TargetJson::of(work.client.target()),
        patch: None,
        outcome: if nothing { "same" } else { "dry-run" },
        classes: plan.steps.iter().map(|step| &step.diagnosis).collect(),
        same: &plan.same,
        stays: &plan.stays,
        warnings: inert(&plan),
        helpers: note.helpers.clone(),
        later: note.later.clone(),
        took_us: None,
        frames: OldFrames::default(),
    };
    if let Some(failure) = refused(&plan) {
        if options.dry_run && options.json {
            work.agent.end();
            told.outcome = "refused";
            json::print("patch-apply", &told);
            return Ok(Attempt::Done(ExitCode::from(EXIT_BLOCKED)));
        }
        return Err(failure);
    }
    if nothing && !plan.is_new && !plan.stays.is_empty() {
        work.agent.end();
        return Err(is_what_was(&plan, pid));
    }
    if !options.json {
        told.warnings.iter().for_each(|warning| stderr.warning(&human::clean(warning)));
    }
    if nothing || options.dry_run {
        work.agent.end();
        if options.json {
            json::print("patch-apply", &told);
        } else if nothing {
            output::line("nothing to change: the same is in force");
            plan.stays.iter().for_each(|stays| output::line(&human::clean(&stays.line())));
        } else {
            lines(&plan, &note).iter().for_each(|line| output::line(line));
            cost.iter().for_each(|cost| stderr.warning(&human::clean(&cost.text)));
            stderr.line("nothing was changed");
        }
        return Ok(Attempt::Done(ExitCode::SUCCESS));
    }
    agree(is_agreed)?;
    if work.agent.has_given_up() {
        return stale(work);
    }
    let done = carry_out(&mut work, &plan, &note);
    let (took, frames) = match done.map_err(|failure| failure.in_the_middle(work.client.target()))? {
        Ok(done) => done,
        Err(said) => return Ok(work.stale(said)),
    };
    if options.json {
        told.outcome = "applied";
        told.frames = frames;
        told.took_us = Some(took);
        told.patch = Some(PatchJson::of(&note));
        json::print("patch-apply", &told);
        return Ok(Attempt::Done(ExitCode::SUCCESS));
    }
    lines(&plan, &note).iter().for_each(|line| output::line(line));
    frames.lines("old").for_each(|line| output::line(&line));
    let how = match (plan.steps.is_empty(), plan.later.is_empty()) {
        (true, _) => "waits for its classes to be loaded".to_owned(),
        (false, true) => format!("is in force, after {:.1} ms", took as f64 / 1e3),
        (false, false) => format!(
            "is in force, after {:.1} ms, in what is loaded, and waits for the rest",
            took as f64 / 1e3
        ),
    };
    output::line(&format!("{} {how}; jgraft patch {pid} revert {0} takes it out", note.id));
    output::finish(ExitCode::SUCCESS, &format!("pid {pid} is patched")).map(Attempt::Done)
}

/// What is kept of it.
fn note(work: &Work<'_>, plan: &Plan, classes: &[NewClass], options: &PatchApply) -> Result<Note, Failure> {
    let is_free = |id: &String| work.notes.iter().all(|note| note.id != *id);
    let id = match &options.id {
        // The same patch once more changes nothing, and needs no name.
        Some(id) if plan.steps.is_empty() && plan.later.is_empty() => id.clone(),
        Some(id) => named(id, &work.notes)?,
        // A number that no patch of this JVM has ever had.
        None => (work.agent.generation + 1..).map(|n| format!("p{n}")).find(is_free).unwrap_or_default(),
    };
    Ok(Note {
        id,
        digest: digest(classes),
        by: human::by(),
        at_ms: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64,
        note: options.note.clone(),
        classes: changed(plan),
        later: plan.later.iter().map(|later| dotted(&later.name)).collect(),
        methods: methods(plan),
        helpers: plan.added(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// Who puts the class of before over a patch wants it to be gone, and a patch takes nothing from those below.
fn is_what_was(plan: &Plan, pid: i32) -> Failure {
    let ids: BTreeSet<&str> = plan.stays.iter().map(|stays| stays.patch.as_str()).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let first = plan.stays.first().map(Stays::line).unwrap_or_default();
    let cause = format!("nothing would change: that is what was there before {}", ids.join(", "));
    Failure::new(EXIT_BLOCKED, "patches-conflict", cause)
        .evidence(first)
        .remedy(format!("jgraft patch {pid} revert {} takes it out", ids.last().unwrap_or(&"")))
        .detail(plan.stays.iter().skip(1).map(Stays::line))
}

/// What a patch has that has no effect in a class that is initialised.
fn inert(plan: &Plan) -> Vec<String> {
    let mut all = Vec::new();
    for planned in &plan.steps {
        let class = &planned.diagnosis.class;
        if planned.becomes.share.changes.iter().any(|method| method == "<clinit>()V") {
            all.push(format!(
                "{class}::<clinit>() has run, and does not run again: what it sets stays as it is"
            ));
        }
        let fields = planned.becomes.share.besides.iter().filter_map(|name| name.split_once(':'));
        all.extend(fields.map(|(field, _)| {
            format!("{class}.{field} keeps the value that it has, and so does code that was compiled with it")
        }));
    }
    all
}

/// What the JVM would not take.
fn refused(plan: &Plan) -> Option<Failure> {
    let refused =
        || plan.steps.iter().map(|step| &step.diagnosis).filter(|diagnosis| !diagnosis.errors.is_empty());
    let first = refused().next()?;
    let cause = format!("this jvm would not take the patch of {}", first.class);
    Some(
        Failure::new(EXIT_BLOCKED, "redefinition-refused", cause)
            .evidence(first.differences.first().cloned().unwrap_or_default())
            .remedy("change bodies of methods alone; nothing was sent that changes a class")
            .detail(refused().flat_map(Diagnosis::lines)),
    )
}

/// Applies, looks, and keeps it or takes it back; how long the redefinition took, in microseconds, and who is still in old
/// code. Or the agent's word that what is patched is not what it was.
fn carry_out(
    work: &mut Work<'_>,
    plan: &Plan,
    note: &Note,
) -> Result<Result<(u64, OldFrames), Said>, Failure> {
    let cause = format!("pid {} was not patched", work.pid());
    let mut pairs = vec![(GENERATION.to_owned(), work.agent.generation.to_string())];
    let mut put = |key: String, value: &str| pairs.push((key, value.to_owned()));
    for (n, planned) in (1..).zip(&plan.steps) {
        let set = format!("{}{n}", step::SET);
        let file = format!("new-{n}");
        work.agent.put(&file, &planned.becomes.class)?;
        put(set.clone(), &planned.found.to_string());
        put(format!("{set}{}", step::FILE), &file);
        if let Some(Ok(base)) =
            work.agent.found(planned.found).filter(|found| found.kind != Base::Kept).map(|found| &found.base)
        {
            let file = format!("keep-{n}");
            work.agent.put(&file, base)?;
            put(format!("{set}{}", step::SET_BASE), &file);
        }
    }
    for (n, (class, beside)) in (1..).zip(&plan.helpers) {
        let define = format!("{}{n}", step::DEFINE);
        let file = format!("define-{n}");
        work.agent.put(&file, &class.bytes)?;
        put(define.clone(), &dotted(&class.name));
        put(format!("{define}{}", step::DEFINE_LOADER), beside);
        put(format!("{define}{}", step::FILE), &file);
    }
    for (n, later) in (1..).zip(&plan.later) {
        let load = format!("{}{n}", step::LOAD);
        let (file, base) = (format!("later-{n}"), format!("expected-{n}"));
        work.agent.put(&file, &later.becomes.class)?;
        work.agent.put(&base, &later.base)?;
        put(load.clone(), &later.candidate);
        put(format!("{load}{}", step::FILE), &file);
        put(format!("{load}{}", step::LOAD_BASE), &base);
    }
    let reply = match work.agent.step(step::APPLY, &pairs) {
        Ok(reply) => reply,
        Err(said) if said.stage == stage::GENERATION => return Ok(Err(said)),
        Err(said) => reason::again(&mut work.client, &mut work.agent, &pairs, said)
            .map_err(|said| said.failure(&cause))?,
    };
    let looked = look(work, plan);
    let remedy = "it was taken back at once; take the other agent out first, or ask its makers";
    let frames = work.agent.unless_wrong(looked, &cause, remedy)?;
    keep(work, plan, note, &cause)?;
    Ok(Ok((took_us(&reply), frames)))
}

/// What is not as it should be now: code of other agents that is gone, code that is not ours.
fn look(work: &mut Work<'_>, plan: &Plan) -> Result<(Vec<String>, OldFrames), Failure> {
    let names: Vec<&str> = plan.steps.iter().map(|planned| planned.name.as_str()).collect();
    if names.is_empty() {
        return Ok((Vec::new(), OldFrames::default()));
    }
    let (told, frames) = in_force::read_with_threads(&mut work.client, &names, work.timeout)?;
    let wrong = plan.steps.iter().flat_map(|planned| {
        let class = (planned.name.as_str(), planned.diagnosis.loader_id);
        wrong(&told, class, &planned.becomes.class, &planned.diagnosis.foreign, work.vm)
    });
    Ok((wrong.collect(), frames))
}

fn keep(work: &mut Work<'_>, plan: &Plan, note: &Note, cause: &str) -> Result<(), Failure> {
    let mut notes = work.notes.clone();
    notes.push(note.clone());
    let loaded =
        plan.steps.iter().map(|planned| (&planned.becomes, planned.diagnosis.loader_id, &planned.name));
    let later = plan.later.iter().map(|later| (&later.becomes, later.loader_id, &later.name));
    let kept =
        loaded.chain(later).flat_map(|(becomes, loader_id, name)| becomes.kept(&note.id, loader_id, name));
    let blobs: Vec<_> = kept.collect();
    work.agent.keep(&notes, &blobs, &[], cause)
}

fn changed(plan: &Plan) -> Vec<String> {
    let loaded = plan.steps.iter().map(|planned| &planned.name);
    let all: BTreeSet<_> = loaded.chain(plan.later.iter().map(|later| &later.name)).collect();
    all.into_iter().map(|name| dotted(name)).collect()
}

/// `CLASS::METHOD` of all that it changes.
fn methods(plan: &Plan) -> Vec<String> {
    let loaded = plan.steps.iter().map(|planned| (&planned.name, &planned.becomes.share));
    let later = plan.later.iter().map(|later| (&later.name, &later.becomes.share));
    let changes = loaded.chain(later).flat_map(|(name, share)| {
        let class = dotted(name);
        share.changes.iter().map(move |method| format!("{class}::{method}"))
    });
    // Several loaders may have the class.
    let mut seen = BTreeSet::new();
    changes.filter(|method| seen.insert(method.clone())).collect()
}

/// What is, or would be, done, for people.
fn lines(plan: &Plan, note: &Note) -> Vec<String> {
    let mut lines = Vec::new();
    for planned in &plan.steps {
        let diagnosis = &planned.diagnosis;
        lines.push(format!("{} ({})", diagnosis.class, diagnosis.loader));
        if diagnosis.base == Base::Handed {
            lines.push("  as the jvm has it: its loader has it no more".to_owned());
        }
        lines.extend(
            planned.becomes.share.changes.iter().map(|method| format!("  changes {}", shown_method(method))),
        );
        lines.extend(
            planned.becomes.share.besides.iter().map(|what| format!("  changes {what} of the class")),
        );
        lines.extend(
            planned
                .becomes
                .share
                .carries
                .iter()
                .map(|method| format!("  {} is as an earlier patch has it", shown_method(method))),
        );
        lines.extend(
            diagnosis
                .foreign
                .iter()
                .map(|method| format!("  {} has code of another agent, which stays", shown_method(method))),
        );
    }
    lines.extend(plan.stays.iter().map(Stays::line));
    lines.extend(note.helpers.iter().map(|class| format!("{class} is added")));
    lines.extend(
        plan.later.iter().map(|later| format!("{} is changed when it is loaded", dotted(&later.name))),
    );
    match &plan.same[..] {
        [] => {}
        [one] => lines.push(format!("{one} is that already")),
        more => lines.push(format!("{} are that already", human::count(more.len() as u64, "class"))),
    }
    lines
}

fn named(id: &str, notes: &[Note]) -> Result<String, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if id.is_empty() || id.len() > 64 || !id.chars().all(plain) {
        return Err(Failure::usage(
            format!("{id:?} is no name for a patch"),
            "letters, digits, . _ and -, at most 64",
            "--id fix-1234",
        ));
    }
    match notes.iter().any(|note| note.id == id) {
        true => Err(Failure::usage(
            format!("there is a patch {id} already"),
            "each has a name of its own",
            "jgraft patch TARGET list shows them",
        )),
        false => Ok(id.to_owned()),
    }
}

fn digest(classes: &[NewClass]) -> String {
    let mut state = Sha256::new();
    for class in classes {
        state.update(class.name.as_bytes());
        state.update((class.bytes.len() as u64).to_be_bytes());
        state.update(&class.bytes);
    }
    state.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
