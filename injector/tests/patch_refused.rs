//! What `jgraft patch` refuses, and that nothing has changed then.

mod common;
#[path = "patch/mod.rs"]
mod patched;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, interruptible, jgraft, text};
use jgraft_jvm_harness::{Jdk, cache, each_jdk, each_release, javac};
use patched::{Classes, Service};

/// A class file of a source, compiled with the service on the class path.
fn compiled(classes: &Classes, name: &str, class: &str, source: &str, options: &[&str]) -> Result<PathBuf> {
    let folder = cache::target_dir().join("patched-wrong").join(name);
    let file = folder.join("source").join(format!("{class}.java"));
    fs::create_dir_all(folder.join("source"))?;
    if fs::read_to_string(&file).ok().as_deref() != Some(source) {
        fs::write(&file, source)?;
    }
    let app = classes.folder.join("app").display().to_string();
    let mut all = vec!["-nowarn", "-cp", &app];
    all.extend(options);
    javac::compile(&[file], &folder.join("classes"), &all)?;
    Ok(folder.join("classes").join(format!("{class}.class")))
}

fn refused(service: &Service, path: &Path, exit: i32, code: &str) -> Result<serde_json::Value> {
    let path = path.display().to_string();
    let said = service.patch(&["apply", &path, "--json"])?.expect(exit)?.json()?;
    ensure!(said["code"] == code, "{code} expected: {said}");
    service.patch(&["apply", &path])?.expect(exit)?.explained("")?;
    Ok(said)
}

#[test]
fn what_is_no_patch() {
    each_release("patch_refused::input", 17.., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let folder = tempfile::tempdir()?;
        let file = |name: &str, bytes: &[u8]| -> Result<PathBuf> {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().context("no parent")?)?;
            fs::write(&path, bytes)?;
            Ok(path)
        };
        refused(&service, &folder.path().join("nowhere"), 3, "unreadable-patch")?;
        refused(&service, &file("Text.class", b"no class")?, 3, "broken-class")?;
        refused(&service, &file("some.jar", b"no jar")?, 3, "no-classes")?;
        refused(&service, &file("empty/readme.txt", b"nothing")?.with_file_name(""), 3, "no-classes")?;
        let shade = fs::read(classes.file("new", "Shade"))?;
        file("tree/shop/Shade.class", &shade)?;
        refused(&service, &folder.path().join("tree"), 3, "wrong-package")?;
        let mut newer = shade.clone();
        newer[7] = 99;
        refused(&service, &file("Newer.class", &newer)?, 3, "newer-class")?;
        let mut cut = shade.clone();
        cut.truncate(shade.len() - 9);
        refused(&service, &file("Cut.class", &cut)?, 3, "broken-class")?;
        let bomb = folder.path().join("bomb.jar");
        let mut zip = zip_of(&bomb)?;
        zip.start_file("Bomb.class", zip::write::SimpleFileOptions::default())?;
        let zeros = vec![0; 1 << 20];
        for _ in 0..64 {
            zip.write_all(&zeros)?;
        }
        zip.finish()?;
        refused(&service, &bomb, 3, "unreadable-patch")?;
        let status = jgraft(["status", &service.pid()])?.expect(0)?.stdout;
        ensure!(status.contains("nothing of ours is"), "{status}");
        ensure!(service.says("enum")? == "OLD");
        service.is_unharmed()
    });
}

fn zip_of(path: &Path) -> Result<zip::ZipWriter<fs::File>> {
    Ok(zip::ZipWriter::new(fs::File::create(path)?))
}

#[test]
fn what_a_jvm_does_not_take() {
    each_release("patch_refused::shape", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let release = ["--release", "8"];
        let method = "enum Shade { DARK, LIGHT; String says() { return more(); } public String more() { return \"NEW\"; } }";
        let said = refused(
            &service,
            &compiled(&classes, "method", "Shade", method, &release)?,
            3,
            "redefinition-refused",
        )?;
        ensure!(said["evidence"].as_str().is_some_and(|words| words.contains("(63)")), "{said}");
        let field = "class OnBoot { static int more; static String says() { return \"NEW\" + more; } }";
        refused(
            &service,
            &compiled(&classes, "field", "OnBoot", field, &release)?,
            3,
            "redefinition-refused",
        )?;
        let nowhere = "class Nowhere { static String says() { return \"NEW\"; } }";
        refused(&service, &compiled(&classes, "nowhere", "Nowhere", nowhere, &release)?, 3, "not-found")?;
        ensure!(service.says("enum")? == "OLD" && service.says("boot")? == "OLD");
        service.is_unharmed()
    });
}

/// It verifies by all that is known outside of the JVM, where a class extends another than it did for the compiler.
#[test]
fn what_only_the_jvm_finds_wrong_is_said_in_its_words() {
    each_release("patch_refused::verifier", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let source = "class Concat { static String says(int number) { Lambdas made = number > 0 ? new Stays() : new Lambdas();\n\
                      made.hashCode(); Shown.show(made); return number + \":NEW\"; } }\n\
                      class Stays extends Lambdas { }\nclass Lambdas { }\nclass Shown { static void show(Lambdas it) { } }";
        let class = compiled(&classes, "verifier", "Concat", source, &["--release", "8"])?;
        let run = service
            .patch(&["apply", &class.display().to_string()])?
            .expect(1)?
            .explained("was not patched")?;
        ensure!(run.stderr.contains("VerifyError"), "{}", run.stderr);
        if jdk.feature >= 9 {
            ensure!(run.stderr.contains("Stays"), "{}", run.stderr);
        }
        ensure!(service.says("concat")? == "OLD");
        service.is_unharmed()
    });
}

/// However it ends, all or nothing of it is in force, and it is known which.
#[test]
fn killed_at_any_moment_it_is_whole_or_not_at_all() {
    each_jdk("patch_refused::killed", .., killed);
}

fn killed(jdk: &'static Jdk) -> Result<()> {
    let classes = Classes::made()?;
    let service = classes.start(jdk, &[])?;
    let pid = service.pid();
    let both = [classes.file("new", "Shade"), classes.file("new", "Saying")];
    for moment in (0..16).map(|n| Duration::from_millis(20 + n * 12)) {
        let mut patching = interruptible().args(["patch", &pid, "apply", &both[0], &both[1]]).spawn()?;
        thread::sleep(moment);
        patching.kill()?;
        patching.wait()?;
        let start = Instant::now();
        loop {
            // What was not committed goes back as soon as the agent sees that nobody is there.
            let said = (service.says("enum")?, service.says("default")?);
            let listed = jgraft(["patch", &pid, "list", "--json"])?.expect(0)?.json()?;
            let count = listed["patches"].as_array().map_or(0, Vec::len);
            let wanted = if count == 1 { "NEW" } else { "OLD" };
            if (said.0.as_str(), said.1.as_str()) == (wanted, wanted) {
                if count == 1 {
                    service.patch(&["revert"])?.expect(0)?;
                }
                break;
            }
            ensure!(start.elapsed() < PATIENCE, "{moment:?}: {said:?}, {listed}");
        }
    }
    service.patch(&["apply", &both[0], &both[1]])?.expect(0)?;
    ensure!(service.says("enum")? == "NEW" && service.says("default")? == "NEW");
    service.patch(&["revert"])?.expect(0)?;
    ensure!(service.says("enum")? == "OLD" && service.says("default")? == "OLD");
    service.is_unharmed()
}

/// It is asked for the class on a thread of ours: the JVM's own serves everybody who attaches.
#[test]
fn a_loader_that_never_answers_keeps_nobody_waiting() {
    each_jdk("patch_refused::blocks", .., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        service.jvm.ask("block", |line| line == "blocks")?;
        let nowhere = "class Nowhere { static String says() { return \"NEW\"; } }";
        let nowhere = compiled(&classes, "nowhere", "Nowhere", nowhere, &["--release", "8"])?;
        let run = service.patch(&["apply", text(&nowhere)])?.expect(1)?.explained("was not patched")?;
        ensure!(
            run.stderr.contains("has not answered") && run.stderr.contains("findResource"),
            "{}",
            run.stderr
        );
        jgraft(["jcmd", &service.pid(), "VM.version"])?.expect(0)?;
        // What does not need it goes on.
        service.patch(&["apply", &classes.file("new", "Shade")])?.expect(0)?;
        ensure!(service.says("enum")? == "NEW");
        service.patch(&["revert"])?.expect(0)?;
        service.is_unharmed()
    });
}

/// A jgraft that is killed between two requests cannot end what it has the JVM log; the next that resets does, and nothing
/// that the operator has the JVM log.
#[test]
fn a_log_of_ours_that_was_left_is_ended() {
    each_jdk("patch_refused::log", 9.., |jdk| {
        let classes = Classes::made()?;
        let service = classes.start(jdk, &[])?;
        let folder = tempfile::Builder::new().prefix(".jgraft-").tempdir()?;
        let (ours, theirs) = (folder.path().join("redefinition-log"), folder.path().join("operator.log"));
        let jcmd = |words: String| -> Result<String> {
            Ok(jgraft(["jcmd", &service.pid()].into_iter().chain(words.split(' ')))?.expect(0)?.stdout)
        };
        for log in [&ours, &theirs] {
            jcmd(format!("VM.log output=\"{}\" what=redefine+class*=debug", log.display()))?;
        }
        let has = |list: &str, log: &Path| list.contains(text(log));
        let list = jcmd("VM.log list".to_owned())?;
        ensure!(has(&list, &ours) && has(&list, &theirs), "{list}");
        jgraft(["reset", &service.pid()])?.expect(0)?;
        let list = jcmd("VM.log list".to_owned())?;
        ensure!(!has(&list, &ours) && has(&list, &theirs), "{list}");
        Ok(())
    });
}
