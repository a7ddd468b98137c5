//! `jgraft list`: every JVM on the host, without touching any.

use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, presets};
use jgraft_attach::{Target, discover, examine};
use serde::Serialize;

use crate::cli::List;
use crate::failure::{EXIT_FAILED, Failure};
use crate::target::{TargetJson, cells};
use crate::{human, json};

#[derive(Serialize)]
struct Listing {
    jvms: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    target: TargetJson,
    attachable: bool,
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
    let jvms = discover::jvms().map_err(|e| {
        Failure::new(EXIT_FAILED, "system-call-failed", "/proc cannot be read")
            .evidence(e.to_string())
            .remedy("mount /proc")
    })?;
    if options.json {
        json::print("list", &Listing { jvms: jvms.iter().map(row).collect() });
    } else {
        print_table(&jvms);
    }
    Ok(ExitCode::SUCCESS)
}

fn row(target: &Target) -> Row {
    let blocker = examine(target).blockers.into_iter().next();
    Row {
        target: TargetJson::of(target),
        attachable: blocker.is_none(),
        blocked_by: blocker.map(|b| Blocker { code: b.kind.code(), cause: b.cause }),
    }
}

fn print_table(jvms: &[Target]) {
    let out = human::Stream::stdout();
    if jvms.is_empty() {
        human::Stream::stderr().line("no jvm found");
        return;
    }
    let contained = jvms.iter().any(|jvm| jvm.container().is_some());
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let mut header = vec!["PID", "USER", "JAVA", "UP", "PROGRAM"];
    if contained {
        header.push("CONTAINER");
    }
    header.push("ATTACHABLE");
    table.set_header(header);
    for jvm in jvms {
        let preflight = examine(jvm);
        let mut cells = cells(jvm);
        if contained {
            cells.push(jvm.container().map_or(String::new(), |id| id[..12].to_owned()));
        }
        cells.push(match preflight.blockers.first() {
            None if preflight.starting => "starting".to_owned(),
            None => "yes".to_owned(),
            Some(blocker) => format!("no: {}", human::clean(&blocker.cause)),
        });
        table.add_row(cells);
    }
    for line in table.lines() {
        out.line(line.trim_end());
    }
}
