//! What may be left behind by a run that failed, after the next one: nothing that was not there before.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::common::PATIENCE;
use crate::strike::MARK;

/// No process of these runs is left. A janitor ends by itself once the JVM has answered or ended.
pub(crate) fn no_process_left(mark: &str) -> Result<()> {
    let start = Instant::now();
    let variable = format!("{MARK}={mark}");
    loop {
        let left = marked(&variable);
        if left.is_empty() {
            return Ok(());
        }
        ensure!(start.elapsed() < PATIENCE, "processes are left: {left:?}");
        std::thread::yield_now();
    }
}

fn marked(variable: &str) -> Vec<String> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().into_string().ok());
    let bears = |pid: &String| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|&b| b == 0).any(|entry| entry == variable.as_bytes())
    };
    pids.filter(|pid| pid.bytes().all(|b| b.is_ascii_digit())).filter(bears).collect()
}

/// Every name in a folder, and every path below the homes of what is staged. What else lies there belongs to others.
pub(crate) fn tree(folder: &Path) -> Result<BTreeSet<String>> {
    let mut paths = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let ours = path.components().any(|part| part.as_os_str().to_string_lossy().starts_with(".jgraft-"));
        if ours && entry.file_type()?.is_dir() {
            paths.extend(tree(&path)?);
        }
        paths.insert(path.display().to_string());
    }
    Ok(paths)
}

/// The same paths as before. What a janitor has yet to remove it removes soon.
pub(crate) fn same_tree(before: &BTreeSet<String>, folder: &Path) -> Result<()> {
    let start = Instant::now();
    loop {
        let now = tree(folder)?;
        if now == *before {
            return Ok(());
        }
        let more: Vec<_> = now.difference(before).collect();
        let less: Vec<_> = before.difference(&now).collect();
        ensure!(start.elapsed() < PATIENCE, "{}: more: {more:?}, less: {less:?}", folder.display());
        std::thread::yield_now();
    }
}
