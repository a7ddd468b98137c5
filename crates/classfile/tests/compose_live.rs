//! Composed classes in real JVMs: redefined one after the other, each as it would be while patches come and go, and run.

#[path = "compose/made.rs"]
mod made;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use jgraft_classfile::ClassFile;
use jgraft_classfile::compose::{Patch, Share, compose};
use jgraft_classfile::verification::verify;
use jgraft_jvm_harness::cache::target_dir;
use jgraft_jvm_harness::{Jvm, each_release, javac};
use made::Made;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compose/Compose.java");

/// Patches that are in force together, the lowest first; and what the class says then of 7.
const STEPS: [(&[&str], &str); 9] = [
    (&["price"], "fixed price 21000000000!, name 7, seven"),
    (&["price", "name"], "fixed price 21000000000!, a fixed name 7 of 14, seven"),
    (&["price", "name", "again"], "another price 7 at 7, a fixed name 7 of 14, seven"),
    // Out of the middle.
    (&["price", "again"], "another price 7 at 7, name 7, seven"),
    (&["price"], "fixed price 21000000000!, name 7, seven"),
    // It was compiled with the fix that is there.
    (&["price", "price and pick"], "fixed price 21000000000!, name 7, a fixed seven"),
    (&["price and pick"], "price 7, name 7, a fixed seven"),
    (&["price and pick", "around the lambda"], "price 7, name 8, a fixed seven"),
    (&[], "price 7, name 7, seven"),
];

#[test]
fn patches_come_and_go_in_any_order() {
    let (Some(old), Some(new)) = (Made::of("8"), Made::of("17")) else { return };
    let harness = target_dir().join("compose/harness");
    javac::compile(&[SOURCE.into()], &harness, &["--release", "8"]).unwrap();
    let agent = target_dir().join("compose/compose.jar");
    javac::jar("Premain-Class: Compose\nCan-Redefine-Classes: true\n", &harness, &agent).unwrap();
    each_release("compose::live", 8.., |jdk| {
        for (made, since) in [(&old, 8), (&new, 17)] {
            if jdk.feature < since {
                continue;
            }
            let scratch = tempfile::tempdir()?;
            let files = write_steps(made, scratch.path())?;
            let jvm = Jvm::builder(jdk)
                .args([format!("-javaagent:{}", agent.display()), "-Xverify:all".to_owned()])
                .class_path(&harness)
                .visible(&agent)
                .visible(made.dir("base"))
                .visible(scratch.path())
                .main("Compose")
                .program_args([made.dir("base")].iter().chain(&files))
                .ready_when("done")
                .start()?;
            jvm.wait_ready().with_context(|| jvm.stderr())?;
            let said = jvm.stdout();
            let rows: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("said\t")).collect();
            ensure!(rows.len() == STEPS.len(), "{said}");
            for ((patches, expected), said) in STEPS.iter().zip(rows) {
                let expected = format!("{expected}, int 7i longl text 7");
                ensure!(said == expected, "{patches:?}: {said:?} instead of {expected:?}");
            }
        }
        Ok(())
    });
}

/// The class of each step, as it follows on the one before.
fn write_steps(made: &Made, dir: &Path) -> Result<Vec<std::path::PathBuf>> {
    let base = made.class("base");
    let base = ClassFile::parse(&base)?;
    let mut in_force = base.bytes().to_vec();
    let mut applied: Vec<(&str, Share)> = Vec::new();
    let mut files = Vec::new();
    for (n, (patches, _)) in STEPS.iter().enumerate() {
        applied.retain(|(name, _)| patches.contains(name));
        let classes: Vec<_> = patches.iter().map(|name| made.class(name)).collect();
        let classes = classes.iter().map(|bytes| ClassFile::parse(bytes)).collect::<Result<Vec<_>, _>>()?;
        let share = |name: &str| applied.iter().find(|(other, _)| *other == name).map(|(_, share)| share);
        let with_shares: Vec<_> =
            classes.iter().zip(*patches).map(|(class, name)| Patch { class, share: share(name) }).collect();
        let done = compose(&base, &ClassFile::parse(&in_force)?, &with_shares)?;
        verify(&ClassFile::parse(&done.class)?).map_err(|error| anyhow::anyhow!("{patches:?}: {error}"))?;
        applied = patches.iter().copied().zip(done.shares).collect();
        in_force = done.class;
        let file = dir.join(n.to_string());
        fs::write(&file, &in_force)?;
        files.push(file);
    }
    Ok(files)
}
