//! What a patch is read from, and what it says before it is one: a jar with variants for releases, `diff` as an object.

mod common;
#[path = "patch/mod.rs"]
mod patched;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::{Result, ensure};
use common::text;
use jgraft_jvm_harness::each_jdk;
use patched::Classes;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn jar(path: &Path, manifest: &str, entries: &[(&str, &str)]) -> Result<()> {
    let mut zip = ZipWriter::new(File::create(path)?);
    zip.start_file("META-INF/MANIFEST.MF", SimpleFileOptions::default())?;
    zip.write_all(manifest.as_bytes())?;
    for (name, from) in entries {
        zip.start_file(*name, SimpleFileOptions::default())?;
        zip.write_all(&fs::read(from)?)?;
    }
    zip.finish()?;
    Ok(())
}

#[test]
fn of_variants_the_one_that_the_jvm_would_load() {
    each_jdk("patch_inputs::variants", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let folder = tempfile::tempdir()?;
        let entries = [
            ("Shade.class", &*classes.file("next", "Shade")),
            ("META-INF/versions/9/Shade.class", &*classes.file("new", "Shade")),
            ("META-INF/versions/99/Shade.class", &*classes.file("app", "Shade")),
        ];
        let (one, many) = (folder.path().join("one.jar"), folder.path().join("many.jar"));
        jar(&one, "Manifest-Version: 1.0\n", &entries)?;
        jar(&many, "Manifest-Version: 1.0\nMulti-Release: true\n", &entries)?;
        let newest = if jdk.feature >= 9 { "NEW" } else { "NEXT" };
        for (path, says) in [(&one, "NEXT"), (&many, newest)] {
            service.patch(&["apply", text(path), "--yes"])?.expect(0)?;
            ensure!(service.says("enum")? == says, "{}: {}", path.display(), service.says("enum")?);
            service.patch(&["revert"])?.expect(0)?;
        }
        ensure!(service.says("enum")? == "OLD");
        service.is_unharmed()
    });
}

#[test]
fn a_diff_is_one_object() {
    each_jdk("patch_inputs::diff", 17.., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let diff = |paths: &[&str], exit: i32| -> Result<serde_json::Value> {
            let words = ["diff", "--json"].into_iter().chain(paths.iter().copied()).collect::<Vec<_>>();
            service.patch(&words)?.expect(exit)?.json()
        };
        let two = diff(&[&classes.file("new", "Shade"), &classes.file("new", "Saying")], 0)?;
        ensure!(two["outcome"] == "changes" && two["schema"] == "jgraft.patch-diff/1", "{two}");
        ensure!(two["classes"].as_array().is_some_and(|all| all.len() == 2), "{two}");
        for class in two["classes"].as_array().into_iter().flatten() {
            ensure!(class["verdict"] == "accepted", "{two}");
            let method = &class["methods"][0];
            ensure!(method["method"].as_str().is_some_and(|name| name.starts_with("says(")), "{two}");
            let of = |side: &str, word: &str| {
                let lines = method["lines"].as_array().into_iter().flatten();
                lines.filter(|line| line["side"] == side).any(|line| line["text"].to_string().contains(word))
            };
            ensure!(of("before", "OLD") && of("after", "NEW") && !of("after", "OLD"), "{two}");
        }
        let same = diff(&[&classes.file("app", "Shade")], 0)?;
        ensure!(same["outcome"] == "same" && same["classes"].as_array().is_some_and(Vec::is_empty), "{same}");
        ensure!(service.says("enum")? == "OLD");
        service.is_unharmed()
    });
}
