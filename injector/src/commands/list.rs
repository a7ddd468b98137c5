//! `jgraft list`: every JVM on the host, without touching any.

use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, presets};
use jgraft_attach::discover;
use jgraft_attach::{Target, examine, kernel_too_old};
use serde::Serialize;

use crate::cli::List;
use crate::failure::{EXIT_FAILED, Failure};
use crate::target::{TargetJson, cells};
use crate::{human, json};

#[derive(Serialize)]
struct Listing {
    jvms: Vec<Row>,
    /// Absent if every process could be looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missed: Vec<MissedJson>,
}

#[derive(Serialize)]
struct MissedJson {
    pid: i32,
    error: String,
}

#[derive(Serialize)]
struct Row {
    /// The first columns of the table.
    #[serde(skip)]
    cells: Vec<String>,
    #[serde(skip)]
    container: Option<String>,
    #[serde(flatten)]
    target: TargetJson,
    attachable: bool,
    /// Not ready yet: attaching waits for it.
    starting: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_by: Option<Blocker>,
}

#[derive(Serialize)]
struct Blocker {
    code: &'static str,
    cause: String,
}

/// Runs the command.
pub(crate) fn run(options: &List) -> Result<ExitCode, Failure> {
    let mut rows = Vec::new();
    let missed = discover::each_jvm(|jvm| rows.push(row(&jvm))).map_err(|e| match kernel_too_old(&e) {
        Some(finding) => Failure::blocked(&finding),
        None => Failure::new(EXIT_FAILED, "system-call-failed", "/proc cannot be read")
            .evidence(e.to_string())
            .remedy("mount /proc"),
    })?;
    if options.json {
        let missed = missed.iter().map(|m| MissedJson { pid: m.pid, error: m.error.to_string() }).collect();
        json::print("list", &Listing { jvms: rows, missed });
        return Ok(ExitCode::SUCCESS);
    }
    print_table(rows);
    if let Some(discover::Missed { pid, error }) = missed.first() {
        let err = human::Stream::stderr();
        let (warning, count) = (err.yellow("warning:"), missed.len());
        err.line(&format!("{warning} {count} processes could not be looked at, pid {pid} first: {error}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(jvm: &Target) -> Row {
    let preflight = examine(jvm);
    let blocker = preflight.blockers.into_iter().next();
    Row {
        cells: cells(jvm),
        container: jvm.container(),
        target: TargetJson::of(jvm),
        attachable: blocker.is_none(),
        starting: preflight.starting,
        blocked_by: blocker.map(|b| Blocker { code: b.kind.code(), cause: b.cause }),
    }
}

fn print_table(rows: Vec<Row>) {
    let out = human::Stream::stdout();
    if rows.is_empty() {
        human::Stream::stderr().line("no jvm found");
        return;
    }
    let contained = rows.iter().any(|row| row.container.is_some());
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let mut header = vec!["PID", "USER", "JAVA", "UP", "PROGRAM"];
    if contained {
        header.push("CONTAINER");
    }
    header.push("ATTACHABLE");
    table.set_header(header);
    for Row { mut cells, container, starting, blocked_by, .. } in rows {
        if contained {
            cells.push(container.map_or(String::new(), |id| id[..12].to_owned()));
        }
        cells.push(match blocked_by {
            None if starting => "starting".to_owned(),
            None => "yes".to_owned(),
            Some(blocker) => format!("no: {}", human::clean(&blocker.cause)),
        });
        table.add_row(cells);
    }
    for line in table.lines() {
        out.line(line.trim_end());
    }
}
