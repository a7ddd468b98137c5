//! What the doctor of patches costs: a JVM of 8 to 22 throws its compiled code away when a class is changed for the first
//! time, and looking at a patch is not to be that time.

mod common;
#[path = "patch/mod.rs"]
mod patched;

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use common::jgraft;
use jgraft_jvm_harness::each_release;
use patched::{Classes, Service};

/// The list of compiled code can be had from 9 on.
#[test]
fn looking_throws_no_compiled_code_away() {
    each_release("patch_doctor::compiled", 11..=22, |jdk| {
        let classes = Classes::made()?;
        // One compiler, so that nothing takes the place of what is compiled; and whoever asks for code waits for it.
        let service = classes.start(jdk, &["-XX:TieredStopAtLevel=1", "-Xbatch"])?;
        let new = classes.file("new", "Shade");
        let before = compiled(&service)?;
        ensure!(before.len() > 50, "{before:?}");
        service.patch(&["apply", &new, "--dry-run"])?.expect(0)?;
        service.patch(&["diff", &new])?.expect(0)?;
        let after = compiled(&service)?;
        let lost: Vec<_> = before.difference(&after).collect();
        // The first subclass of HashMap that is loaded costs a JVM the code that counted on there being none: a handful.
        ensure!(lost.len() < before.len() / 10, "of {}: {lost:?}", before.len());
        ensure!(service.says("enum")? == "OLD");
        // That the list would show it.
        service.patch(&["apply", &new, "--yes"])?.expect(0)?;
        let left = compiled(&service)?.intersection(&before).count();
        println!(
            "JDK {}: {} compiled methods, {} after a dry run and a diff, {left} after the patch",
            jdk.version,
            before.len(),
            before.len() - lost.len()
        );
        ensure!(left < before.len() / 2, "{left} of {} are left after the patch", before.len());
        service.is_unharmed()
    });
}

/// The methods that are compiled and in use, by the number of the compilation.
fn compiled(service: &Service) -> Result<BTreeSet<String>> {
    let text = jgraft(["jcmd", &service.pid(), "Compiler.codelist"])?.expect(0)?.stdout;
    // Compilation, level, state (0 in use), method, addresses.
    let in_use = text.lines().filter_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let &[id, level, "0", method, ..] = words.as_slice() else { return None };
        // Level 0 are wrappers of native methods.
        (level != "0").then(|| format!("{id} {method}"))
    });
    Ok(in_use.collect())
}
