//! What a patch is read from, and what it says before it is one: a jar with variants for releases, `diff` as an object.

mod common;
#[path = "patch/mod.rs"]
mod patched;

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use anyhow::{Result, ensure};
use common::{Run, text};
use jgraft_jvm_harness::{each_jdk, each_release, javac, skip};
use nix::unistd::geteuid;
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

/// A patch takes nothing from those below, so whoever puts back what was there before is told what takes it out.
#[test]
fn what_was_there_before_a_patch_is_no_patch() {
    each_jdk("patch_inputs::before", 17.., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        service.patch(&["apply", &classes.file("new", "Shade"), "--id", "one", "--yes"])?.expect(0)?;
        let before = classes.file("app", "Shade");
        let said = service.patch(&["apply", &before, "--json"])?.expect(3)?.json()?;
        ensure!(said["code"] == "patches-conflict", "{said}");
        ensure!(said["remedy"].as_str().is_some_and(|words| words.contains("revert one")), "{said}");
        let diff = service.patch(&["diff", &before])?.expect(0)?;
        ensure!(diff.stderr.contains("Shade::says() stays as one has it"), "{diff:?}");
        // Beside something that is new it is a word.
        let both = ["apply", &before, &classes.file("new", "Saying"), "--json"];
        let said = service.patch(&both)?.expect(0)?.json()?;
        ensure!(said["outcome"] == "applied" && said["stays"][0]["patch"] == "one", "{said}");
        ensure!(service.says("enum")? == "NEW" && service.says("default")? == "NEW");
        service.patch(&["revert", "--all"])?.expect(0)?;
        ensure!(service.says("enum")? == "OLD" && service.says("default")? == "OLD");
        service.is_unharmed()
    });
}

/// Nothing is waited for where it would be the same.
#[test]
fn a_class_that_is_not_loaded_and_would_not_change() {
    each_jdk("patch_inputs::later", 17.., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let same = service.patch(&["apply", &classes.file("app", "Later"), "--json"])?.expect(0)?.json()?;
        ensure!(same["outcome"] == "same" && same["same"][0] == "Later", "{same}");
        let new = classes.file("new", "Later");
        let waits = service.patch(&["apply", &new, "--json", "--yes"])?.expect(0)?.json()?;
        ensure!(waits["later"][0] == "Later" && waits["patch"]["later"][0] == "Later", "{waits}");
        let again = service.patch(&["apply", &new, "--json"])?.expect(0)?.json()?;
        ensure!(again["outcome"] == "same", "{again}");
        let listed = service.patch(&["list"])?.expect(0)?.stdout;
        ensure!(listed.contains("Later when it is loaded") && listed.lines().count() == 1, "{listed}");
        service.patch(&["revert"])?.expect(0)?;
        service.is_unharmed()
    });
}

/// A link in a folder of the target's class path leads nowhere for a compiler of ours, and a FIFO holds nobody up.
#[test]
fn a_folder_of_the_class_path_may_hold_anything() {
    each_release("patch_inputs::folder", 17..=25, |jdk| {
        if !geteuid().is_root() {
            skip("patch_inputs::folder", "needs root for a target of another user");
            return Ok(());
        }
        let classes = Classes::made()?;
        let folder = tempfile::tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let (theirs, secret) = (folder.path().join("theirs"), folder.path().join("secret"));
        for (place, class, word) in [(&theirs, "Open", "NE"), (&secret, "Secret", "W")] {
            let source = folder.path().join(format!("{class}.java"));
            fs::write(&source, format!("class {class} {{ static final String WORD = \"{word}\"; }}\n"))?;
            javac::compile(&[source], place, &["--release", "8", "-nowarn"])?;
        }
        fs::set_permissions(&theirs, fs::Permissions::from_mode(0o755))?;
        fs::set_permissions(theirs.join("Open.class"), fs::Permissions::from_mode(0o644))?;
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o700))?;
        symlink(secret.join("Secret.class"), theirs.join("Secret.class"))?;
        symlink(&theirs, theirs.join("round"))?;
        nix::unistd::mkfifo(&theirs.join("Held.class"), nix::sys::stat::Mode::S_IRWXU)?;
        let service = classes.start_in(jdk, &[], |jvm| jvm.class_path(&theirs).uid_gid(45_678, 45_679))?;
        let source = folder.path().join("Shade.java");
        let patch = |word: &str| -> Result<Run> {
            let body = format!("enum Shade {{ DARK, LIGHT; String says() {{ return {word}; }} }}\n");
            fs::write(&source, body)?;
            service.patch(&["apply", text(&source), "--yes"])
        };
        for class in ["Secret", "Held"] {
            let refused = patch(&format!("\"NE\" + {class}.WORD"))?.expect(1)?;
            ensure!(refused.stderr.contains("cannot find symbol"), "{refused:?}");
        }
        patch("Open.WORD + \"W\"")?.expect(0)?;
        ensure!(service.says("enum")? == "NEW");
        service.patch(&["revert"])?.expect(0)?;
        service.is_unharmed()
    });
}
