//! `jgraft patch`: bodies of methods change in a running JVM, and change back, while eight threads call them.

mod common;
#[path = "patch/mod.rs"]
mod patched;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use common::{bundled_agent_beside_jgraft, jgraft, text};
use jgraft_jvm_harness::{Jvm, artifacts, cache, each_jdk, each_release, javac};
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
    each_release("patch::kinds", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let mut ids = BTreeSet::new();
        for (kind, class) in KINDS {
            ensure!(service.says(kind)? == "OLD", "{kind}");
            let applied = service
                .patch(&["apply", &classes.file("new", class), "--json", "--yes"])?
                .expect(0)?
                .json()?;
            ensure!(applied["outcome"] == "applied", "{applied}");
            ensure!(
                ids.insert(applied["patch"]["id"].to_string()),
                "a name that was taken before: {applied}"
            );
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
    each_release("patch::loaders", .., |jdk| {
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
        // Of all these tests the one whose threads leave nothing of the machine to anybody.
        let service = classes.start(jdk, &["-Dpatched.busy=true"])?;
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
    each_release("patch::later", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let applied =
            service.patch(&["apply", &classes.file("new", "Later"), "--json"])?.expect(0)?.json()?;
        ensure!(applied["later"][0] == "Later", "{applied}");
        let later = || service.jvm.ask("later", |line| line.starts_with("later "));
        // Behind it may stand, in the same line, what -Xcheck:jni has to say of the JVM's own library.
        let said = later()?;
        ensure!(said.starts_with("later NEW"), "{said}");
        service.patch(&["revert"])?.expect(0)?;
        let said = later()?;
        ensure!(said.starts_with("later OLD"), "{said}");
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
        fs::write(&file, source("return Later.class == null ? null : \"NEW\";"))?;
        let path = file.display().to_string();
        service.patch(&["apply", &path])?.expect(0)?;
        ensure!(service.says("enum")? == "NEW");
        fs::write(&file, source("return nothing;"))?;
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

/// A program that is a module has none, and then javac would look where jgraft happens to run.
#[test]
fn sources_for_a_target_without_a_class_path_find_nothing_of_ours() {
    each_jdk("patch::module", 9..=25, |jdk| {
        artifacts::native_agent()?;
        bundled_agent_beside_jgraft()?;
        let folder = cache::target_dir().join("patched-module");
        let write = |path: &str, text: &str| -> Result<PathBuf> {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().context("no folder")?)?;
            if fs::read_to_string(&path).ok().as_deref() != Some(text) {
                fs::write(&path, text)?;
            }
            Ok(path)
        };
        let main = "package shop; class Main { public static void main(String[] args) throws Exception {\n\
            System.out.println(\"ready\"); System.in.read(); } }";
        let files = [write("module-info.java", "module shop { }")?, write("shop/Main.java", main)?];
        javac::compile(&files, &folder.join("classes"), &["--release", "9"])?;
        let ours = write("ours/Ours.java", "package ours; public class Ours { }")?;
        javac::compile(&[ours], &folder.join("cwd"), &["--release", "8"])?;
        let patch = main.replace("System.in", "new ours.Ours(); System.in");
        let patch = write("patch/Main.java", &patch)?;
        let module_path = folder.join("classes");
        let jvm = Jvm::builder(jdk).visible(&folder);
        let jvm = jvm.args(["--module-path", text(&module_path), "-m", "shop/shop.Main"]).start()?;
        jvm.wait_ready()?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_jgraft"));
        command.current_dir(folder.join("cwd")).args([
            "patch",
            &jvm.pid().to_string(),
            "apply",
            text(&patch),
        ]);
        let refused = common::run(&mut command)?.expect(1)?.explained("javac refuses them")?;
        ensure!(refused.stderr.contains("package ours does not exist"), "{}", refused.stderr);
        Ok(())
    });
}

/// A JVM of 8 to 22 throws its compiled code away the first time, and not again.
#[test]
fn what_the_first_change_costs_is_said_once() {
    each_release("patch::flush", 8..=22, |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let file = classes.file("new", "Shade");
        for is_first in [true, false] {
            let run = service.patch(&["apply", &file, "--yes"])?.expect(0)?;
            ensure!(run.stderr.contains("throw away all its compiled code") == is_first, "{}", run.stderr);
            let again = service.patch(&["apply", &classes.file("new", "Saying"), "--dry-run"])?.expect(0)?;
            ensure!(!again.stderr.contains("throw away"), "{}", again.stderr);
            service.patch(&["revert"])?.expect(0)?;
        }
        service.is_unharmed()
    });
}

#[test]
fn a_thread_that_stays_in_the_old_body_is_told() {
    each_release("patch::old", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        service.jvm.ask("stay", |line| line == "stays")?;
        let applied =
            service.patch(&["apply", &classes.file("new", "Stays"), "--json"])?.expect(0)?.json()?;
        ensure!(applied["old_frames"][0]["thread"] == "in-old-code", "{applied}");
        ensure!(applied["old_frames"][0]["method"] == "run()V", "{applied}");
        let reverted = service.patch(&["revert", "--json"])?.expect(0)?.json()?;
        ensure!(reverted["old_frames"][0]["thread"] == "in-old-code", "{reverted}");
        service.is_unharmed()
    });
}

/// A folder of classes from one source, named for its public class if it has one, compiled with the service on the class path.
/// Whether the class that is loaded late says so. -Xcheck:jni of 11 may complain of libinstrument behind it, on the same line.
fn later(service: &Service, word: &str) -> Result<bool> {
    Ok(service.jvm.ask("later", |line| line.starts_with("later "))?.starts_with(&format!("later {word}")))
}

fn compiled(classes: &Classes, name: &str, source: &str) -> Result<PathBuf> {
    let public = source.strip_prefix("public final class ").and_then(|rest| rest.split(' ').next());
    let folder = cache::target_dir().join("patched-more").join(name);
    let file = folder.join("source").join(format!("{}.java", public.unwrap_or("More")));
    fs::create_dir_all(folder.join("source"))?;
    if fs::read_to_string(&file).ok().as_deref() != Some(source) {
        fs::write(&file, source)?;
    }
    let app = classes.folder.join("app");
    javac::compile(&[file], &folder.join("classes"), &["--release", "8", "-cp", text(&app)])?;
    Ok(folder.join("classes"))
}

/// The first in the alphabet extends the others, and has to be defined after them.
const WITH_NEW_CLASSES: &str = "enum Shade { DARK, LIGHT; String says() { return new Added().says(); } }\n\
    class Added extends Older implements Word { }\nclass Older { public String says() { return \"NEW\"; } }\n\
    interface Word { String says(); }";

#[test]
fn new_classes_come_with_the_class_that_needs_them() {
    each_release("patch::new_classes", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let folder = compiled(&classes, "new-classes", WITH_NEW_CLASSES)?;
        let apply = ["apply", text(&folder), "--yes"];
        let run = service.patch(&apply)?.expect(0)?;
        ensure!(service.says("enum")? == "NEW");
        for class in ["Added", "Older", "Word"] {
            ensure!(run.stdout.contains(&format!("{class} is added")), "{}", run.stdout);
        }
        let listed = service.patch(&["list"])?.expect(0)?.stdout;
        ensure!(listed.contains(", 3 classes added ("), "{listed}");
        let listed = service.patch(&["list", "--json"])?.expect(0)?.json()?;
        ensure!(listed["patches"][0]["helpers"].as_array().is_some_and(|all| all.len() == 3), "{listed}");
        let same = service.patch(&["apply", text(&folder), "--json"])?.expect(0)?.json()?;
        ensure!(same["outcome"] == "same", "{same}");
        service.patch(&["revert"])?.expect(0)?;
        ensure!(service.says("enum")? == "OLD");
        // They are still there, and taken as they are.
        let again = service.patch(&["apply", text(&folder), "--json"])?.expect(0)?.json()?;
        ensure!(again["helpers"].as_array().is_some_and(Vec::is_empty), "{again}");
        ensure!(service.says("enum")? == "NEW");
        service.patch(&["revert"])?.expect(0)?;
        ensure!(service.says("enum")? == "OLD");
        service.is_unharmed()
    });
}

/// What needs it may not be loaded yet.
#[test]
fn a_new_class_waits_for_the_class_that_needs_it() {
    each_release("patch::new_class_later", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let source = "class Later { static String says() { return Help.word(); } }\n\
            class Help { static String word() { return \"NEW\"; } }";
        let folder = compiled(&classes, "later", source)?;
        let applied = service.patch(&["apply", text(&folder), "--json"])?.expect(0)?.json()?;
        ensure!(applied["later"][0] == "Later" && applied["helpers"][0] == "Help", "{applied}");
        ensure!(later(&service, "NEW")?);
        service.patch(&["revert"])?.expect(0)?;
        ensure!(later(&service, "OLD")?);
        service.is_unharmed()
    });
}

#[test]
fn a_new_class_is_defined_in_each_loader_that_needs_it() {
    each_release("patch::new_classes_of_loaders", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let source = "public final class Twice implements java.util.function.Supplier<String> {\n\
            public String get() { return Help.word(); } }\nclass Help { static String word() { return \"NEW\"; } }";
        let folder = compiled(&classes, "loaders", source)?;
        let both = || -> Result<_> { Ok((service.says("one")?, service.says("two")?)) };
        let refused = service.patch(&["apply", text(&folder), "--json"])?.expect(3)?.json()?;
        ensure!(refused["code"] == "several-loaders", "{refused}");
        let evidence = refused["evidence"].as_str().context("no evidence")?;
        let id = evidence.split([' ', ',']).find(|word| word.parse::<i64>().is_ok()).context("no id")?;
        service.patch(&["apply", text(&folder), "--loader", id, "--yes"])?.expect(0)?;
        let (one, two) = both()?;
        ensure!(one != two && [one, two].contains(&"NEW".to_owned()));
        let rest = service.patch(&["apply", text(&folder), "--all-loaders", "--json"])?.expect(0)?.json()?;
        ensure!(rest["helpers"][0] == "Help", "{rest}");
        ensure!(both()? == ("NEW".to_owned(), "NEW".to_owned()));
        service.patch(&["revert", "--all"])?.expect(0)?;
        ensure!(both()? == ("OLD".to_owned(), "OLD".to_owned()));
        let boot = "public final class OnBoot { private OnBoot() {} public static String says() { return Help.word(); } }\n\
            class Help { static String word() { return \"NEW\"; } }";
        let folder = compiled(&classes, "boot", boot)?;
        let run = service.patch(&["apply", text(&folder)])?.expect(3)?.explained("Help is new")?;
        ensure!(run.stderr.contains("boot loader"), "{}", run.stderr);
        ensure!(service.says("boot")? == "OLD");
        service.is_unharmed()
    });
}

#[test]
fn a_dry_run_says_what_would_be_and_changes_nothing() {
    each_jdk("patch::dry_run", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let folder = compiled(&classes, "new-classes", WITH_NEW_CLASSES)?;
        let dry = ["apply", text(&folder), &classes.file("new", "Later"), "--dry-run"];
        let run = service.patch(&dry)?.expect(0)?;
        for line in ["Shade (", "  changes says()", "Added is added", "Later is changed when it is loaded"] {
            ensure!(run.stdout.contains(line), "{line} is not said: {}", run.stdout);
        }
        ensure!(run.stderr.contains("nothing was changed"), "{}", run.stderr);
        let said = service.patch(&[&dry[..], &["--json"]].concat())?.expect(0)?.json()?;
        ensure!(said["outcome"] == "dry-run" && said["patch"].is_null(), "{said}");
        ensure!(said["classes"][0]["verdict"] == "accepted" && said["later"][0] == "Later", "{said}");
        ensure!(said["helpers"].as_array().is_some_and(|all| all.len() == 3), "{said}");
        let shape = "enum Shade { DARK, LIGHT; String says() { return more(); } public String more() { return \"NEW\"; } }";
        let shape = compiled(&classes, "shape", shape)?;
        let refused = service.patch(&["apply", text(&shape), "--dry-run", "--json"])?.expect(3)?.json()?;
        ensure!(refused["outcome"] == "refused", "{refused}");
        ensure!(service.says("enum")? == "OLD");
        ensure!(later(&service, "OLD")?);
        let listed = service.patch(&["list", "--json"])?.expect(0)?.json()?;
        ensure!(listed["patches"].as_array().is_some_and(Vec::is_empty), "{listed}");
        // Had they been defined, they would not be added now.
        let applied = service.patch(&["apply", text(&folder), "--json", "--yes"])?.expect(0)?.json()?;
        ensure!(applied["helpers"].as_array().is_some_and(|all| all.len() == 3), "{applied}");
        service.is_unharmed()
    });
}

/// Its accessors, and what it has of Object, are of the JVM's making.
#[test]
fn a_record_is_patched_and_reverted() {
    each_release("patch::record", 16.., |jdk| {
        artifacts::native_agent()?;
        bundled_agent_beside_jgraft()?;
        let source =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/patch/Priced.java"))?;
        let made = |word: &str| -> Result<PathBuf> {
            let folder = cache::target_dir().join("patched-record").join(word);
            fs::create_dir_all(&folder)?;
            let (file, text) =
                (folder.join("Priced.java"), source.replace("\"OLD\"", &format!("\"{word}\"")));
            if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
                fs::write(&file, text)?;
            }
            javac::compile(&[file], &folder.join("classes"), &["--release", "16"])?;
            Ok(folder.join("classes"))
        };
        let (old, new) = (made("OLD")?, made("NEW")?);
        let jvm = Jvm::builder(jdk).class_path(&old).main("Priced").start()?;
        jvm.wait_ready()?;
        let service = Service { jvm };
        let says = |word: &str| -> Result<()> {
            let line = service.jvm.ask("say", |line| line.starts_with("says "))?;
            ensure!(line == format!("says record={word} Priced[name=lamp, cents=1299] true"), "{line}");
            Ok(())
        };
        says("OLD")?;
        for _ in 0..2 {
            service.patch(&["apply", text(&new), "--yes"])?.expect(0)?;
            says("NEW")?;
            service.patch(&["revert"])?.expect(0)?;
            says("OLD")?;
        }
        Ok(())
    });
}

/// javac starts plug-ins of its class path by itself, which is that of the target: never as us.
#[test]
fn nothing_of_the_target_runs_in_the_compiler() {
    each_jdk("patch::plugin", 17..=25, |jdk| {
        let classes = Classes::made()?;
        let folder = tempfile::tempdir()?;
        let (source, theirs) = (folder.path().join("Theirs.java"), folder.path().join("theirs"));
        let ran = folder.path().join("ran");
        fs::write(
            &source,
            format!(
                "public class Theirs implements com.sun.source.util.Plugin {{\n\
                 static {{ try {{ new java.io.File(\"{}\").createNewFile(); }} catch (Exception e) {{ }} }}\n\
                 public String getName() {{ return \"theirs\"; }}\n\
                 public boolean autoStart() {{ return true; }}\n\
                 public void init(com.sun.source.util.JavacTask task, String... arguments) {{ }} }}\n",
                ran.display()
            ),
        )?;
        javac::compile(&[source], &theirs, &["--release", "11", "-proc:none"])?;
        let services = theirs.join("META-INF/services");
        fs::create_dir_all(&services)?;
        fs::write(services.join("com.sun.source.util.Plugin"), "Theirs\n")?;
        let service = classes.start_seeing(jdk, &[], &[&theirs])?;
        let shade = folder.path().join("Shade.java");
        fs::write(&shade, "enum Shade { DARK, LIGHT; String says() { return \"NEW\"; } }\n")?;
        let diff = ["diff", text(&shade), "--class-path", text(&theirs)];
        service.patch(&diff)?.expect(0)?;
        ensure!(!ran.exists(), "a plug-in of the class path ran");
        // Where it is asked for, those that were named run.
        service.patch(&[&diff[..], &["--processors"]].concat())?.expect(0)?;
        ensure!(ran.exists(), "the plug-in that was named did not run");
        service.is_unharmed()
    });
}

#[test]
fn a_class_that_a_patch_has_brought_can_be_patched() {
    each_release("patch::brought", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let with = |word: &str| {
            format!(
                "enum Shade {{ DARK, LIGHT; String says() {{ return Brought.says(); }} }}\n\
                 class Brought {{ static String says() {{ return \"{word}\"; }} }}\n"
            )
        };
        let first = compiled(&classes, "brought-first", &with("NEW"))?;
        service.patch(&["apply", text(&first), "--id", "one"])?.expect(0)?;
        ensure!(service.says("enum")? == "NEW");
        let second = compiled(&classes, "brought-second", &with("NEXT"))?;
        service.patch(&["apply", text(&second.join("Brought.class")), "--id", "two"])?.expect(0)?;
        ensure!(service.says("enum")? == "NEXT");
        // Once more is nothing new, whatever it is called.
        let again = service.patch(&["apply", text(&second), "--id", "two"])?.expect(0)?;
        ensure!(again.stdout.contains("the same is in force"), "{again:?}");
        service.patch(&["revert", "two"])?.expect(0)?;
        ensure!(service.says("enum")? == "NEW");
        service.patch(&["revert", "--all"])?.expect(0)?;
        ensure!(service.says("enum")? == "OLD");
        service.is_unharmed()
    });
}

#[test]
fn a_loader_that_has_no_such_class_is_said() {
    each_release("patch::loader", 17.., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        for class in ["Shade", "Later"] {
            let file = classes.file("new", class);
            service
                .patch(&["apply", &file, "--loader", "Nonsense"])?
                .expect(2)?
                .explained("no loader Nonsense")?;
        }
        service.is_unharmed()
    });
}
