//! docs/json.md lists every code that the source knows, and none that it does not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::cache::workspace;

#[test]
fn the_documented_codes_are_those_of_the_source() -> Result<()> {
    let mut known = BTreeSet::new();
    let attach = text("crates/attach/src/finding.rs")?;
    let kinds = attach.split_once("kinds! {").context("no list of kinds")?.1;
    known.extend(literals(kinds));
    known.extend(kebabs(&text("crates/agentjar/src/check.rs")?));
    for file in rust_files(&workspace().join("crates/agentjar/src/check"))? {
        known.extend(kebabs(&file));
    }
    for file in rust_files(&workspace().join("injector/src"))? {
        known.extend(codes_of_failures(&file));
    }
    let document = text("docs/json.md")?;
    let documented: BTreeSet<String> = document
        .split_once("\n## Codes\n")
        .context("no section Codes")?
        .1
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split(" |").next())
        .flat_map(|cell| cell.split('`'))
        .filter(|part| part.starts_with(|c: char| c.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect();
    ensure!(known.len() > 90, "the source is read wrongly: {known:?}");
    let missing: Vec<_> = known.difference(&documented).collect();
    let stale: Vec<_> = documented.difference(&known).collect();
    ensure!(
        missing.is_empty() && stale.is_empty(),
        "docs/json.md lacks {missing:?} and has no use for {stale:?}"
    );
    Ok(())
}

fn text(path: &str) -> Result<String> {
    fs::read_to_string(workspace().join(path)).context(path.to_owned())
}

fn rust_files(folder: &Path) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            texts.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push(fs::read_to_string(path)?);
        }
    }
    Ok(texts)
}

/// What stands between quotes, on lines that are no comments.
fn literals(source: &str) -> Vec<String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split('"').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// Literals of the form `one-or-more-words`: in agentjar's checks these are codes.
fn kebabs(source: &str) -> Vec<String> {
    let is_code = |text: &String| {
        text.contains('-')
            && text.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
    };
    literals(source).into_iter().filter(is_code).collect()
}

/// The second argument of `Failure::new`, and the field `code`, where they are literals.
fn codes_of_failures(source: &str) -> Vec<String> {
    let calls = source.split("Failure::new(").skip(1).filter_map(|rest| {
        let (exit, rest) = rest.split_once(',')?;
        let code = rest.trim_start().strip_prefix('"')?.split('"').next()?;
        exit.trim().starts_with("EXIT_").then(|| code.to_owned())
    });
    let fields = source.split("code: \"").skip(1).filter_map(|rest| Some(rest.split('"').next()?.to_owned()));
    calls.chain(fields).collect()
}
