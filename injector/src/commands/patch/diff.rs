//! `patch diff`: the methods that a patch would change, before and after. Nothing is changed for it.

use std::process::ExitCode;

use jgraft_classfile::ClassFile;
use jgraft_classfile::diff::{MethodDiff, Side, Told, diff};
use jgraft_protocol::pattern::shown_method;
use serde::Serialize;

use super::base;
use super::doctor::Diagnosis;
use super::plan::Plan;
use super::work::Work;
use crate::cli::{Patch, PatchDiff};
use crate::failure::{EXIT_BLOCKED, EXIT_FAILED, Failure};
use crate::interrupt::Interrupt;
use crate::{human, json, output};

#[derive(Serialize)]
struct MethodJson<'a> {
    class: &'a str,
    loader: &'a str,
    loader_id: i64,
    method: &'a str,
    /// Code of another agent is in it as well, and stays: it is not shown.
    foreign: bool,
    /// Names of attributes that differ.
    attributes: &'a [String],
    lines: Vec<LineJson<'a>>,
}

#[derive(Serialize)]
struct LineJson<'a> {
    /// `both`, `before` or `after`.
    side: &'static str,
    text: &'a str,
    label: Option<&'a str>,
    /// Of the source.
    line: Option<u16>,
}

/// Runs the command.
pub(super) fn run(patch: &Patch, options: &PatchDiff) -> Result<ExitCode, Failure> {
    let interrupt = Interrupt::catch();
    let (mut work, classes) = Work::on_classes(&patch.target, &options.input, &options.patience, &interrupt)?;
    if let Some(first) = base::unknown(&work.facts(), &classes, &options.input)?.into_iter().next() {
        work.agent.end();
        let cost = work.first_flush();
        return Err(base::not_to_look_only(first, cost.as_ref()));
    }
    let plan = Plan::make(&work.facts(), &classes, &options.input)?;
    work.agent.end();
    let broken = |error: jgraft_classfile::Error| {
        Failure::new(EXIT_FAILED, "not-read", "the classes cannot be compared").evidence(error.to_string())
    };
    let mut refused = Vec::new();
    let mut count = 0;
    for planned in &plan.steps {
        let Some(found) = work.agent.found(planned.found) else { continue };
        let Some(current) = found.current.as_deref().or(found.base.as_deref().ok()) else { continue };
        let (old, new) = (
            ClassFile::parse(current).map_err(broken)?,
            ClassFile::parse(&planned.becomes.class).map_err(broken)?,
        );
        for method in diff(&old, &new, Told::All).map_err(broken)? {
            count += 1;
            show(&planned.diagnosis, &method, options.json);
        }
        refused.extend(planned.diagnosis.lines());
    }
    let stderr = human::Stream::stderr();
    for class in plan.added() {
        stderr.line(&format!("{class} is new"));
    }
    for later in &plan.later {
        stderr.line(&format!("{} is not loaded yet", super::inputs::dotted(&later.name)));
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

fn show(diagnosis: &Diagnosis, method: &MethodDiff, as_json: bool) {
    let foreign = diagnosis.foreign.contains(&method.method);
    if as_json {
        let line = |line: &'_ jgraft_classfile::diff::Line| match line.side {
            Side::Both => "both",
            Side::Before => "before",
            Side::After => "after",
        };
        let lines = method.lines.iter().map(|each| LineJson {
            side: line(each),
            text: &each.text,
            label: each.label.as_deref(),
            line: each.line,
        });
        json::print(
            "patch-diff",
            &MethodJson {
                class: &diagnosis.class,
                loader: &diagnosis.loader,
                loader_id: diagnosis.loader_id,
                method: &method.method,
                foreign,
                attributes: &method.attributes,
                lines: lines.collect(),
            },
        );
        return;
    }
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
    if foreign {
        out.line("  code of another agent is in it too, and stays");
    }
}
