//! `jgraft patch`: bodies of methods change in a running JVM, and change back, while eight threads call them.

mod common;
#[path = "patch/mod.rs"]
mod patched;

use anyhow::{Context, Result, ensure};
use common::jgraft;
use jgraft_jvm_harness::each_jdk;
use patched::{Classes, Service};

/// What says what the classes say.
const KINDS: [(&str, &str); 6] = [
    ("lambda", "Lambdas"),
    ("inner", "Outer$Inner"),
    ("enum", "Shade"),
    ("default", "Saying"),
    ("boot", "OnBoot"),
    ("concat", "Concat"),
];

#[test]
fn every_kind_of_class_is_patched_and_reverted() {
    each_jdk("patch::kinds", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        for (kind, class) in KINDS {
            ensure!(service.says(kind)? == "OLD", "{kind}");
            let applied = service
                .patch(&["apply", &classes.file("new", class), "--json", "--yes"])?
                .expect(0)?
                .json()?;
            ensure!(applied["outcome"] == "applied" && applied["patch"]["id"] == "p1", "{applied}");
            ensure!(service.says(kind)? == "NEW", "{kind}: {applied}");
            let again =
                service.patch(&["apply", &classes.file("new", class), "--json"])?.expect(0)?.json()?;
            ensure!(again["outcome"] == "same", "{again}");
            let listed = service.patch(&["list", "--json"])?.expect(0)?.json()?;
            ensure!(listed["patches"].as_array().is_some_and(|all| all.len() == 1), "{listed}");
            service.patch(&["revert"])?.expect(0)?;
            ensure!(service.says(kind)? == "OLD", "{kind} after that");
        }
        let text = service.patch(&["list"])?.expect(0)?.stdout;
        ensure!(text.contains("has no patch"), "{text}");
        service.is_unharmed()
    });
}

#[test]
fn of_several_loaders_one_is_named_or_all() {
    each_jdk("patch::loaders", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let both = |service: &Service| -> Result<_> { Ok((service.says("one")?, service.says("two")?)) };
        let refused =
            service.patch(&["apply", &classes.file("new", "Twice"), "--json"])?.expect(3)?.json()?;
        ensure!(refused["code"] == "several-loaders", "{refused}");
        let evidence = refused["evidence"].as_str().context("no evidence")?;
        let id = evidence.split([' ', ',']).find(|word| word.parse::<i64>().is_ok()).context("no id")?;
        service.patch(&["apply", &classes.file("new", "Twice"), "--loader", id])?.expect(0)?;
        let (one, two) = both(&service)?;
        ensure!(one != two && [one, two].contains(&"NEW".to_owned()));
        service.patch(&["apply", &classes.file("next", "Twice"), "--all-loaders"])?.expect(0)?;
        ensure!(both(&service)? == ("NEXT".to_owned(), "NEXT".to_owned()));
        // The second has changed what the first did.
        let refused = service.patch(&["revert", "p1", "--json"])?.expect(3)?.json()?;
        ensure!(refused["code"] == "patches-conflict", "{refused}");
        service.patch(&["revert", "p2"])?.expect(0)?;
        let (one, two) = both(&service)?;
        ensure!(one != two && [one, two].contains(&"OLD".to_owned()));
        service.patch(&["revert", "--all"])?.expect(0)?;
        ensure!(both(&service)? == ("OLD".to_owned(), "OLD".to_owned()));
        service.is_unharmed()
    });
}

#[test]
fn status_and_reset_know_patches() {
    each_jdk("patch::status", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let pid = service.pid();
        service.patch(&["apply", &classes.file("new", "Shade"), "--note", "ticket 7"])?.expect(0)?;
        service.patch(&["apply", &classes.file("new", "Saying"), "--id", "fix"])?.expect(0)?;
        let status = jgraft(["status", &pid])?.expect(0)?.stdout;
        ensure!(status.contains("patch p1: ") && status.contains("; ticket 7\n"), "{status}");
        let status = jgraft(["status", &pid, "--json"])?.expect(0)?.json()?;
        ensure!(status["patches"][1]["id"] == "fix", "{status}");
        ensure!(status["patches"][1]["methods"][0] == "Saying::says()Ljava/lang/String;", "{status}");
        let reset = jgraft(["reset", &pid])?.expect(0)?.stdout;
        ensure!(reset.contains("p1 is taken out") && reset.contains("fix is taken out"), "{reset}");
        ensure!(service.says("enum")? == "OLD" && service.says("default")? == "OLD");
        service.is_unharmed()
    });
}

#[test]
fn a_class_is_patched_when_it_is_loaded() {
    each_jdk("patch::later", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let applied =
            service.patch(&["apply", &classes.file("new", "Later"), "--json"])?.expect(0)?.json()?;
        ensure!(applied["later"][0] == "Later", "{applied}");
        ensure!(service.jvm.ask("later", |line| line.starts_with("later "))? == "later NEW");
        service.patch(&["revert"])?.expect(0)?;
        ensure!(service.jvm.ask("later", |line| line.starts_with("later "))? == "later OLD");
        service.is_unharmed()
    });
}

#[test]
fn sources_are_compiled_against_the_class_path_of_the_target() {
    // Of the newest there is no javac on every machine.
    each_jdk("patch::sources", ..=25, |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("Shade.java");
        let source = |body: &str| format!("enum Shade {{ DARK, LIGHT; String says() {{ {body} }} }}\n");
        std::fs::write(&file, source("return Later.class == null ? null : \"NEW\";"))?;
        let path = file.display().to_string();
        service.patch(&["apply", &path])?.expect(0)?;
        ensure!(service.says("enum")? == "NEW");
        std::fs::write(&file, source("return nothing;"))?;
        let run = service.patch(&["apply", &path])?.expect(1)?.explained("javac refuses them")?;
        ensure!(
            run.stderr.contains("cannot find symbol") && run.stderr.contains("nothing"),
            "{}",
            run.stderr
        );
        ensure!(service.says("enum")? == "NEW");
        service.patch(&["revert"])?.expect(0)?;
        ensure!(service.says("enum")? == "OLD");
        service.is_unharmed()
    });
}

#[test]
fn a_thread_that_stays_in_the_old_body_is_told() {
    each_jdk("patch::old", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        service.jvm.ask("stay", |line| line == "stays")?;
        let applied =
            service.patch(&["apply", &classes.file("new", "Stays"), "--json"])?.expect(0)?.json()?;
        ensure!(applied["old_frames"][0]["thread"] == "in-old-code", "{applied}");
        ensure!(applied["old_frames"][0]["method"] == "run()V", "{applied}");
        service.patch(&["revert"])?.expect(0)?;
        service.is_unharmed()
    });
}
