//! A patch where things break: the disk of the target is full, or the target dies in the middle. What has failed says why
//! and what to do, a living target runs the code that it ran, and nothing of ours is left on the host.

mod common;
#[path = "patch/mod.rs"]
mod patched;

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use common::{PATIENCE, Run, ended, interruptible, jgraft};
use jgraft_jvm_harness::{Jdk, each_jdk, skip};
use nix::sys::statvfs::statvfs;
use nix::unistd::geteuid;
use patched::{Classes, Service};

/// What a failure says of itself, as one object.
fn explained(run: Run, codes: &[&str]) -> Result<()> {
    let said = run.expect(1)?.json()?;
    let code = said["code"].as_str().unwrap_or_default();
    ensure!(codes.contains(&code), "{code} is none of {codes:?}: {said}");
    for key in ["cause", "evidence", "remedy"] {
        ensure!(said[key].as_str().is_some_and(|words| !words.is_empty()), "no {key}: {said}");
    }
    Ok(())
}

/// The names in the directories of ours in a `/tmp`, but for agents and their users, which stay as long as the target.
fn left_in(tmp: &Path) -> Result<Vec<String>> {
    let mut left = Vec::new();
    for home in fs::read_dir(tmp)? {
        let home = home?;
        if !home.file_name().to_string_lossy().starts_with(".jgraft-") {
            continue;
        }
        for entry in fs::read_dir(home.path())? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            // An agent's directory, or the mark of who uses it.
            let is_agent = name.len() == 32 || name.starts_with("u-") && !name.contains("-s-");
            left.extend((!is_agent).then_some(name));
        }
    }
    Ok(left)
}

/// Fills a file system but for so many pages; the file that does it.
fn fill(tmp: &Path, free_pages: u64) -> Result<PathBuf> {
    let path = tmp.join("filler");
    let mut file = File::create(&path)?;
    let pages = vec![1; 4096];
    loop {
        match file.write(&pages) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => break,
            Err(error) => bail!(error),
        }
    }
    let length = file.metadata()?.len();
    file.set_len(length.saturating_sub(free_pages * 4096))?;
    let free = statvfs(tmp)?.blocks_available();
    ensure!(free == free_pages, "{free} pages are free, not {free_pages}");
    Ok(path)
}

/// With more and more room, until there is enough: what fails, fails at another place each time. So many pages are free at
/// first, and three more each time.
fn until_there_is_room(
    service: &Service,
    tmp: &Path,
    first: u64,
    words: &[&str],
    (before, after): (&str, &str),
) -> Result<u64> {
    for pages in (first..).step_by(3) {
        ensure!(pages < 1_000, "{words:?} needs more than 1000 pages");
        let filler = fill(tmp, pages)?;
        let start = Instant::now();
        let run = service.patch(&[words, &["--json"]].concat())?;
        let said = (service.says("enum")?, service.says("default")?);
        ensure!(start.elapsed() < PATIENCE, "with {pages} pages it takes {:?}: {run:?}", start.elapsed());
        let left = left_in(tmp)?;
        fs::remove_file(filler)?;
        ensure!(left.is_empty(), "with {pages} pages, left: {left:?} of {run:?}");
        if run.code == 0 {
            ensure!(said == (after.to_owned(), after.to_owned()), "{said:?}");
            return Ok(pages);
        }
        ensure!(said == (before.to_owned(), before.to_owned()), "with {pages} pages {said:?}: {run:?}");
        explained(run, &["staging-failed", "not-read", "patch-failed"])
            .with_context(|| format!("with {pages} pages"))?;
    }
    bail!("never")
}

#[test]
fn a_disk_that_is_full_at_any_point() {
    each_jdk("patch_faults::full", .., |jdk| {
        if !geteuid().is_root() {
            skip("patch_faults::full", "needs root to make namespaces");
            return Ok(());
        }
        let classes = Classes::made()?;
        let service = classes.start_in(jdk, &[], |jvm| jvm.own_tmp("size=256m"))?;
        let tmp = PathBuf::from(format!("/proc/{}/root/tmp", service.pid()));
        let both = [classes.file("new", "Shade"), classes.file("new", "Saying")];
        // The agents are there then, and where they are the next session is.
        service.patch(&["apply", &both[0], "--dry-run"])?.expect(0)?;
        let first = u64::from(jdk.feature % 3);
        let words = ["apply", &both[0], &both[1]];
        let apply = until_there_is_room(&service, &tmp, first, &words, ("OLD", "NEW"))?;
        let revert = until_there_is_room(&service, &tmp, first, &["revert"], ("NEW", "OLD"))?;
        println!("JDK {}: {apply} pages for apply, {revert} for revert", jdk.version);
        ensure!(apply > 10 && revert > 10, "it was never full");
        let status = jgraft(["status", &service.pid()])?.expect(0)?.stdout;
        ensure!(status.contains("nothing of ours is"), "{status}");
        service.is_unharmed()
    });
}

/// The target is killed so far into a command, which is as long as it was once; nobody is left waiting, and what is said
/// is true.
fn dies(jdk: &Jdk, prepare: fn(&Service, &Classes) -> Result<()>, words: &[&str], share: u32) -> Result<()> {
    let classes = Classes::made()?;
    let length = {
        let service = classes.start(jdk, &[])?;
        prepare(&service, &classes)?;
        let start = Instant::now();
        service.patch(words)?.expect(0)?;
        start.elapsed()
    };
    let service = classes.start(jdk, &[])?;
    prepare(&service, &classes)?;
    let pid = service.pid();
    let mut command = interruptible();
    command.args(["patch", &pid]).args(words).arg("--json");
    let patching = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let of_jgraft = format!("s-{}-", patching.id());
    let start = Instant::now();
    let moment = length * share / 100;
    thread::sleep(moment);
    service.jvm.kill()?;
    let run = ended(patching)?;
    println!("JDK {}: {words:?} of {length:?}, killed after {moment:?}: exit {}", jdk.version, run.code);
    ensure!(start.elapsed() < PATIENCE, "it took {:?}: {run:?}", start.elapsed());
    match run.code {
        // It was through.
        0 => ensure!(run.json()?["took_us"].is_u64(), "{run:?}"),
        // It had not begun.
        2 | 3 => ensure!(share < 30, "{run:?}"),
        _ => explained(run, &["target-ended"])?,
    }
    ensure!(!Path::new("/tmp").join(format!(".attach_pid{pid}")).exists(), "the trigger file was left");
    let left = left_in(Path::new("/tmp"))?;
    let of_ours: Vec<_> = left.iter().filter(|name| name.contains(&of_jgraft)).collect();
    ensure!(of_ours.is_empty(), "{of_ours:?}");
    Ok(())
}

/// Moments in hundredths of the whole, so that each JDK has others and all together are close to one another.
fn moments(jdk: &Jdk, count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(move |n| (n * 100 + jdk.feature * 13 % 100) / count)
}

#[test]
fn a_target_that_dies_while_it_is_patched() {
    each_jdk("patch_faults::dies", .., |jdk| {
        let classes = Classes::made()?;
        let both = [classes.file("new", "Shade"), classes.file("new", "Saying")];
        for share in moments(jdk, 3) {
            dies(jdk, |_, _| Ok(()), &["apply", &both[0], &both[1]], share)?;
        }
        Ok(())
    });
}

#[test]
fn a_target_that_dies_while_a_patch_is_taken_out() {
    each_jdk("patch_faults::dies_at_revert", .., |jdk| {
        let patched = |service: &Service, classes: &Classes| -> Result<()> {
            service.patch(&["apply", &classes.file("new", "Shade")])?.expect(0).map(drop)
        };
        for share in moments(jdk, 2) {
            dies(jdk, patched, &["revert"], share)?;
        }
        Ok(())
    });
}
