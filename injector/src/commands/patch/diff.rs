//! `patch diff`: the methods that a patch would change, before and after. Nothing is changed for it.

use std::process::ExitCode;

use jgraft_classfile::ClassFile;
use jgraft_classfile::diff::{MethodDiff, Side, Told, diff};
use jgraft_protocol::pattern::shown_method;
use serde::Serialize;

use super::base;
use super::doctor::Diagnosis;
use super::inputs::dotted;
use super::plan::{Plan, Stays, Step};
use super::work::{Work, typed};
use crate::cli::{Patch, PatchDiff};
use crate::failure::{EXIT_BLOCKED, EXIT_FAILED, Failure};
use crate::interrupt::Interrupt;
use crate::target::TargetJson;
use crate::{human, json, output};

#[derive(Serialize)]
struct DiffJson<'a> {
    target: TargetJson,
    /// `same` where nothing would change, `changes`, or `refused`.
    outcome: &'static str,
    classes: Vec<ClassJson<'a>>,
    /// Methods that the patch has as they were at first, and that stay as earlier patches have them.
    stays: &'a [Stays],
    /// Classes that would be added.
    helpers: Vec<String>,
    /// Classes that would be changed when they are loaded: their methods are not shown.
    later: Vec<String>,
}

#[derive(Serialize)]
struct ClassJson<'a> {
    #[serde(flatten)]
    diagnosis: &'a Diagnosis,
    methods: Vec<MethodJson>,
}

#[derive(Serialize)]
struct MethodJson {
    method: String,
    /// Code of another agent is in it as well, and stays: it is not shown.
    foreign: bool,
    /// Names of attributes that differ.
    attributes: Vec<String>,
    lines: Vec<LineJson>,
}

#[derive(Serialize)]
struct LineJson {
    /// `both`, `before` or `after`.
    side: &'static str,
    text: String,
    label: Option<String>,
    /// Of the source.
    line: Option<u16>,
}

/// Runs the command.
pub(super) fn run(patch: &Patch, options: &PatchDiff) -> Result<ExitCode, Failure> {
    let interrupt = Interrupt::catch();
    let patience = &options.patience;
    let (client, classes) = typed(&patch.target, &options.input, patience, &interrupt)?;
    let mut work = Work::on_classes(client, &classes, patience.timeout, &interrupt)?;
    if let Some(first) = base::unknown(&work.facts(), &classes, &options.input)?.into_iter().next() {
        work.agent.end();
        let cost = work.first_flush();
        return Err(base::not_to_look_only(first, cost.as_ref()));
    }
    let plan = Plan::make(&work.facts(), &classes, &options.input)?;
    work.agent.end();
    let mut changes = Vec::new();
    for planned in &plan.steps {
        let methods = methods(&work, planned).map_err(|error| {
            Failure::new(EXIT_FAILED, "not-read", "the classes cannot be compared")
                .evidence(error.to_string())
        })?;
        changes.push((&planned.diagnosis, methods));
    }
    let later: Vec<_> = plan.later.iter().map(|later| dotted(&later.name)).collect();
    let refused: Vec<_> = plan.steps.iter().flat_map(|planned| planned.diagnosis.lines()).collect();
    let count: usize = changes.iter().map(|(_, methods)| methods.len()).sum();
    if options.json {
        let is_same = plan.steps.is_empty() && later.is_empty();
        let (outcome, exit) = match (refused.is_empty(), is_same) {
            (false, _) => ("refused", EXIT_BLOCKED),
            (true, true) => ("same", 0),
            (true, false) => ("changes", 0),
        };
        let target = TargetJson::of(work.client.target());
        let classes = changes.into_iter().map(|(diagnosis, methods)| ClassJson {
            diagnosis,
            methods: methods.into_iter().map(|method| MethodJson::of(diagnosis, method)).collect(),
        });
        let (classes, helpers) = (classes.collect(), plan.added());
        let stays = &plan.stays[..];
        json::print("patch-diff", &DiffJson { target, outcome, classes, stays, helpers, later });
        return Ok(ExitCode::from(exit));
    }
    for (diagnosis, methods) in &changes {
        methods.iter().for_each(|method| show(diagnosis, method));
    }
    let stderr = human::Stream::stderr();
    for stays in &plan.stays {
        stderr.line(&human::clean(&stays.line()));
    }
    for class in plan.added() {
        stderr.line(&format!("{class} is new"));
    }
    for class in later {
        stderr.line(&format!("{class} is not loaded yet"));
    }
    if count == 0 && refused.is_empty() {
        stderr.line("no method would change");
    }
    if let Some(first) = refused.first() {
        return Err(Failure::new(EXIT_BLOCKED, "redefinition-refused", "this jvm would not take the patch")
            .evidence(first.clone())
            .remedy("change bodies of methods alone; nothing was changed")
            .detail(refused.iter().skip(1).cloned()));
    }
    output::finish(ExitCode::SUCCESS, "nothing was changed")
}

/// The methods that differ from what is in force of ours.
fn methods(work: &Work<'_>, planned: &Step) -> Result<Vec<MethodDiff>, jgraft_classfile::Error> {
    let found = work.agent.found(planned.found);
    let current = found.and_then(|found| found.current.as_deref().or(found.base.as_deref().ok()));
    let Some(current) = current else { return Ok(Vec::new()) };
    diff(&ClassFile::parse(current)?, &ClassFile::parse(&planned.becomes.class)?, Told::All)
}

impl MethodJson {
    fn of(diagnosis: &Diagnosis, method: MethodDiff) -> MethodJson {
        let side = |side| match side {
            Side::Both => "both",
            Side::Before => "before",
            Side::After => "after",
        };
        let lines = method.lines.into_iter().map(|line| LineJson {
            side: side(line.side),
            text: line.text,
            label: line.label,
            line: line.line,
        });
        MethodJson {
            foreign: diagnosis.foreign.contains(&method.method),
            method: method.method,
            attributes: method.attributes,
            lines: lines.collect(),
        }
    }
}

fn show(diagnosis: &Diagnosis, method: &MethodDiff) {
    let out = human::Stream::stdout();
    let name = human::clean(&shown_method(&method.method));
    out.line(&out.bold(&format!("{}::{name}", diagnosis.class)));
    for line in method.to_string().lines().skip(1).map(human::clean) {
        let shown = match line.as_bytes().first() {
            Some(b'-') => out.red(&line),
            Some(b'+') => out.green(&line),
            _ => line,
        };
        out.line(&shown);
    }
    if diagnosis.foreign.contains(&method.method) {
        out.line("  code of another agent is in it too, and stays");
    }
}
