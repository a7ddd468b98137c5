//! Logs that a person can read, for a few small programs: `expected/NAME.log`, written anew with JGRAFT_BLESS set.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::event::{Event, Log, What, first_difference};
use crate::plan::WovenPrograms;

/// Compares what the probes saw of each program that has such a file.
pub(crate) fn check<'n>(
    names: impl Iterator<Item = &'n str>,
    log: &Log,
    woven: &WovenPrograms,
) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour/expected");
    let mut compared = 0;
    for name in names {
        let file = folder.join(format!("{name}.log"));
        let Ok(expected) = fs::read_to_string(&file) else { continue };
        let (_, events) = log.iter().find(|(program, _)| program == name).context("not in the log")?;
        let found = text(events, woven);
        if std::env::var_os("JGRAFT_BLESS").is_some() {
            fs::write(&file, found)?;
            continue;
        }
        let difference = first_difference(Some(&expected), Some(&found));
        ensure!(difference.is_none(), "{}: {}", file.display(), difference.unwrap_or_default());
        compared += 1;
    }
    ensure!(compared > 0 || std::env::var_os("JGRAFT_BLESS").is_some(), "no {}", folder.display());
    Ok(())
}

/// Indented by depth; calls by what is called, without pcs and times.
fn text(events: &[Event], woven: &WovenPrograms) -> String {
    let (mut text, mut running) = (String::new(), Vec::<&str>::new());
    for event in events {
        if event.what != What::Enter {
            // A constructor that failed before super() ends without a word.
            while running.last().is_some_and(|method| *method != event.method) {
                running.pop();
            }
        }
        if matches!(event.what, What::Leave | What::Throw) {
            running.pop();
        }
        let what = format!("{:?}", event.what).to_lowercase();
        let called = event.pc.and_then(|pc| woven.called.get(&format!("{}@{pc}", event.method)));
        let method = called.map(|[class, name, descriptor]| format!("{class}.{name}{descriptor}"));
        let method = method.as_deref().unwrap_or(&event.method).trim_start_matches("golden/");
        let _ = write!(text, "{:indent$}{what} {method} {}", "", event.value, indent = 2 * running.len());
        text.truncate(text.trim_end().len());
        for with in event.with.iter().filter(|with| *with != "this null") {
            let _ = write!(text, " | {with}");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        if event.what == What::Enter {
            running.push(&event.method);
        }
    }
    text
}
