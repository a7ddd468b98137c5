//! `jgraft histogram`: objects and bytes of each class.

use std::process::ExitCode;

use jgraft_attach::Request;
use serde::Serialize;

use crate::ask::{Asking, Task};
use crate::cli::Histogram;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{human, json, output};

const TASK: Task<'_> = Task { what: "count its objects", remedy: "jgraft doctor --probe says how it is" };

#[derive(Serialize)]
struct Answer<'a> {
    pid: i32,
    live: bool,
    instances: u64,
    bytes: u64,
    classes: Vec<Class<'a>>,
}

/// One row.
#[derive(Debug, PartialEq, Serialize)]
struct Class<'a> {
    name: &'a str,
    instances: u64,
    bytes: u64,
    /// Since 9, for classes of a named module.
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<&'a str>,
}

/// Runs the command.
pub(crate) fn run(options: &Histogram) -> Result<ExitCode, Failure> {
    let interrupt = Interrupt::catch();
    let mut asking = Asking::of(&options.asked, &interrupt)?;
    let which = if options.live { "-live" } else { "-all" };
    let request = Request::new("inspectheap", &[which.as_bytes()]).map_err(|f| Failure::blocked(&f))?;
    if options.live {
        asking.must_exist()?;
        announce_full_gc(asking.pid());
    }
    if options.asked.json {
        let text = asking.text(&request, &TASK)?;
        let classes: Vec<Class<'_>> = text.lines().filter_map(row).collect();
        let instances = classes.iter().map(|class| class.instances).fold(0, u64::saturating_add);
        let bytes = classes.iter().map(|class| class.bytes).fold(0, u64::saturating_add);
        let (pid, live) = (asking.pid(), options.live);
        json::print("histogram", &Answer { pid, live, instances, bytes, classes });
    } else {
        asking.print(&request, &TASK)?;
    }
    output::finish(ExitCode::SUCCESS, &format!("pid {} has counted its objects", asking.pid()))
}

/// What `--live` costs, here and in `heap-dump`.
pub(crate) fn announce_full_gc(pid: i32) {
    let say = human::Stream::stderr();
    let warning = say.yellow("warning:");
    say.line(&format!(
        "{warning} --live makes pid {pid} do a full GC, which stops it for as long as that takes"
    ));
}

/// `   1:         10462         523416  [B (java.base@17.0.15)`.
fn row(line: &str) -> Option<Class<'_>> {
    let (rank, rest) = line.split_once(':')?;
    rank.trim().parse::<u64>().ok()?;
    let (instances, rest) = rest.trim_start().split_once(' ')?;
    let (bytes, name) = rest.trim_start().split_once(' ')?;
    let name = name.trim();
    let (name, module) = match name.strip_suffix(')').and_then(|name| name.rsplit_once(" (")) {
        Some((name, module)) => (name, Some(module)),
        None => (name, None),
    };
    Some(Class { name, instances: instances.parse().ok()?, bytes: bytes.parse().ok()?, module })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_old_and_new_releases() {
        let class = |name, module| Some(Class { name, instances: 12, bytes: 345, module });
        assert_eq!(
            row("   1:            12            345  [B (java.base@17.0.15)"),
            class("[B", Some("java.base@17.0.15"))
        );
        assert_eq!(row("   1:            12            345  [B"), class("[B", None));
        for line in
            [" num     #instances         #bytes  class name", "Total           12            345", "", "---"]
        {
            assert_eq!(row(line), None, "{line}");
        }
    }
}
