//! The agent loaded into a running JVM, on every JDK found: what it reports, what it refuses, and what it leaves.

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use common::{
    Attached, count, expect, has_only_the_warning, is_unharmed, load, look, mapped, number,
    open_files_fall_to, options, reply, service,
};
use jgraft_attach::LoadOutcome;
use jgraft_jvm_harness::{Jdk, Jvm, JvmBuilder, artifacts, cache, each_jdk, javac, skip, targets};
use jgraft_protocol::native::code;
use jgraft_protocol::properties;
use nix::unistd::geteuid;

/// The JVM warns once.
const ONCE: Attached = Attached::Times(1);

#[test]
fn a_loaded_class_goes_through_the_hook() {
    each_jdk("a_loaded_class_goes_through_the_hook", .., |jdk| {
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        let (outcome, reply) = look(&jvm, "OrderService")?;
        ensure!(outcome == LoadOutcome::Loaded, "{outcome:?}");
        let loader = match jdk.feature {
            8 => "sun.misc.Launcher$AppClassLoader",
            _ => "jdk.internal.loader.ClassLoaders$AppClassLoader",
        };
        expect(
            &reply,
            &[
                ("outcome", "ok"),
                ("stage", "seen"),
                ("class", "OrderService"),
                ("major", "52"),
                ("loader", loader),
                ("redefined", "true"),
                ("hook.thread", "Attach Listener"),
                ("hook.calls", "1"),
            ],
        )?;
        // The JVM writes the class file anew from what it kept; 8 to 26 leave nothing out of this one.
        let file = targets::order_service_classes()?.join("OrderService.class");
        expect(&reply, &[("bytes", &fs::metadata(file)?.len().to_string())])?;
        is_unharmed(&jvm, jdk, ONCE)
    });
}

#[test]
fn boot_classes_and_nested_ones_too() {
    each_jdk("boot_classes_and_nested_ones_too", .., |jdk| {
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        for class in ["java.util.HashMap$Node", "java/lang/String"] {
            let (outcome, reply) = look(&jvm, class)?;
            ensure!(outcome == LoadOutcome::Loaded, "{outcome:?}: {reply:?}");
            expect(&reply, &[("class", &class.replace('/', ".")), ("loader", "boot"), ("hook.calls", "1")])?;
        }
        is_unharmed(&jvm, jdk, ONCE)
    });
}

#[test]
fn each_loader_of_the_class_is_reported() {
    let classes = cache::target_dir().join("harness/two-loaders");
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/TwoLoaders.java");
    each_jdk("each_loader_of_the_class_is_reported", .., |jdk| {
        javac::compile(std::slice::from_ref(&source), &classes, &[])?;
        let jvm = program(jdk, "TwoLoaders", &classes)?.start()?;
        ensure!(jvm.wait_ready()? == "ready true");
        let (outcome, reply) = look(&jvm, "Shared")?;
        ensure!(outcome == LoadOutcome::Loaded, "{outcome:?}: {reply:?}");
        let loader = "java.net.URLClassLoader";
        expect(&reply, &[("hook.calls", "2"), ("loader", loader), ("loader.2", loader), ("major.2", "52")])?;
        ensure!(number(&reply, "bytes")? == number(&reply, "bytes.2")?, "{reply:?}");
        ensure!(properties::get(&reply, "loader.3").is_none(), "{reply:?}");
        Ok(())
    });
}

#[test]
fn a_class_that_is_not_loaded_is_a_failure_with_its_reason() {
    each_jdk("a_class_that_is_not_loaded_is_a_failure_with_its_reason", .., |jdk| {
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        let (outcome, reply) = look(&jvm, "shop.Absent")?;
        ensure!(outcome == LoadOutcome::AgentFailed(code::FAILED), "{outcome:?}");
        expect(&reply, &[("outcome", "failed"), ("stage", "find"), ("hook.calls", "0")])?;
        let message = properties::get(&reply, "message").unwrap_or_default();
        ensure!(
            message.starts_with("none of the ") && message.ends_with(" is called shop.Absent"),
            "{message}"
        );
        let (outcome, reply) = look(&jvm, "[I")?;
        ensure!(outcome == LoadOutcome::AgentFailed(code::FAILED), "{outcome:?}");
        expect(&reply, &[("stage", "options"), ("message", "\"[I\" is no name of a class")])?;
        is_unharmed(&jvm, jdk, Attached::Times(2))
    });
}

/// HotSpot from 21 on closes a library whose start failed, whoever may be in one of its callbacks at that moment.
#[test]
fn a_failed_load_does_not_take_the_library_away() {
    each_jdk("a_failed_load_does_not_take_the_library_away", .., |jdk| {
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        for options in ["", "class=OrderService"] {
            let outcome = load(&jvm, options)?;
            ensure!(outcome == LoadOutcome::AgentFailed(code::NO_SESSION), "{options}: {outcome:?}");
            ensure!(mapped(&jvm)? == 1, "mapped {} times", mapped(&jvm)?);
        }
        is_unharmed(&jvm, jdk, Attached::Times(2))
    });
}

#[test]
fn a_session_that_is_not_the_jvms_own_gets_nothing() {
    each_jdk("a_session_that_is_not_the_jvms_own_gets_nothing", .., |jdk| {
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        let scratch = tempfile::tempdir_in(jvm.cwd())?;
        let at = |name: &str| scratch.path().join(name);
        fs::create_dir(at("real"))?;
        symlink(at("real"), at("link"))?;
        fs::create_dir(at("open"))?;
        fs::set_permissions(at("open"), Permissions::from_mode(0o777))?;
        fs::write(at("file"), "")?;
        for name in ["absent", "link", "open", "file"] {
            let outcome = load(&jvm, &options(&at(name), "OrderService"))?;
            ensure!(outcome == LoadOutcome::AgentFailed(code::BAD_SESSION), "{name}: {outcome:?}");
        }
        ensure!(!at("absent").exists() && fs::read_to_string(at("file"))?.is_empty());
        for name in ["real", "open"] {
            ensure!(fs::read_dir(at(name))?.next().is_none(), "something was written to {name}");
        }
        is_unharmed(&jvm, jdk, Attached::Times(4))
    });
}

#[test]
fn the_jvms_user_owns_the_session_and_the_reply() {
    const USER: u32 = 54321;
    let name = "the_jvms_user_owns_the_session_and_the_reply";
    if !geteuid().is_root() {
        return skip(name, "needs root to start a JVM as another user");
    }
    each_jdk(name, .., |jdk| {
        let jvm = service(jdk)?.uid_gid(USER, USER).start()?;
        jvm.wait_ready()?;
        let session = tempfile::tempdir_in(jvm.cwd())?;
        let options = options(session.path(), "OrderService");
        let outcome = load(&jvm, &options)?;
        ensure!(outcome == LoadOutcome::AgentFailed(code::BAD_SESSION), "root's directory: {outcome:?}");
        chown(session.path(), Some(USER), Some(USER))?;
        let outcome = load(&jvm, &options)?;
        ensure!(outcome == LoadOutcome::Loaded, "{outcome:?}");
        expect(&reply(session.path())?, &[("outcome", "ok")])?;
        let facts = fs::metadata(session.path().join("reply"))?;
        ensure!((facts.uid(), facts.mode() & 0o777) == (USER, 0o600), "{facts:?}");
        is_unharmed(&jvm, jdk, Attached::Times(2))
    });
}

#[test]
fn loaded_often_it_leaves_nothing_more_than_once() {
    each_jdk("loaded_often_it_leaves_nothing_more_than_once", .., |jdk| {
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        look(&jvm, "OrderService")?;
        let (files, threads) = (count(&jvm, "fd")?, count(&jvm, "task")?);
        for _ in 0..20 {
            for class in ["OrderService", "Stock"] {
                let (outcome, reply) = look(&jvm, class)?;
                ensure!(outcome == LoadOutcome::Loaded, "{outcome:?}");
                // A hook of an earlier time that were still on would be no call of this one.
                expect(&reply, &[("class", class), ("hook.calls", "1")])?;
            }
        }
        ensure!(mapped(&jvm)? == 1, "mapped {} times", mapped(&jvm)?);
        open_files_fall_to(&jvm, files)?;
        // The JVM's own compiler threads come and go.
        let now = count(&jvm, "task")?;
        ensure!(now <= threads + 4, "{threads} threads, now {now}");
        is_unharmed(&jvm, jdk, ONCE)
    });
}

#[test]
fn the_checks_of_jni_have_nothing_to_say() {
    each_jdk("the_checks_of_jni_have_nothing_to_say", .., |jdk| {
        let jvm = service(jdk)?.args(["-Xcheck:jni", "-Xverify:all"]).start()?;
        jvm.wait_ready()?;
        let mark = jvm.stdout_mark();
        for (class, expected) in [
            ("OrderService", LoadOutcome::Loaded),
            ("java.lang.String", LoadOutcome::Loaded),
            ("shop.Absent", LoadOutcome::AgentFailed(code::FAILED)),
        ] {
            let (outcome, reply) = look(&jvm, class)?;
            ensure!(outcome == expected, "{class}: {outcome:?}: {reply:?}");
        }
        jvm.ask("order", |line| line.starts_with("order "))?;
        // What the launcher of JDK 8 does before is not ours.
        let output: Vec<_> = jvm.stdout().lines().skip(mark).map(str::to_owned).collect();
        ensure!(output.len() == 1, "{output:?}");
        has_only_the_warning(&jvm, jdk, ONCE)?;
        Ok(())
    });
}

/// Hooks are called in two threads while the agent comes and goes, in success and in failure.
#[test]
fn coming_and_going_while_classes_are_loaded() {
    let classes = cache::target_dir().join("harness/class-churn");
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/ClassChurn.java");
    each_jdk("coming_and_going_while_classes_are_loaded", .., |jdk| {
        javac::compile(std::slice::from_ref(&source), &classes, &[])?;
        let jvm = program(jdk, "ClassChurn", &classes)?.start()?;
        jvm.wait_ready()?;
        let mut others = 0;
        for _ in 0..25 {
            let (outcome, reply) = look(&jvm, "java.util.HashMap")?;
            ensure!(outcome == LoadOutcome::Loaded, "{outcome:?}: {reply:?}");
            expect(&reply, &[("hook.calls", "1"), ("loader", "boot")])?;
            others += number(&reply, "hook.other")?;
            let (outcome, _) = look(&jvm, "shop.Absent")?;
            ensure!(outcome == LoadOutcome::AgentFailed(code::FAILED), "{outcome:?}");
        }
        ensure!(others > 0, "no class was loaded while the hook was on: this test tests nothing");
        jvm.ask("", |line| line.starts_with("loaded "))?;
        has_only_the_warning(&jvm, jdk, ONCE)
    });
}

/// One of this folder's Java programs, which is told where its classes are.
fn program<'a>(jdk: &'a Jdk, main: &str, classes: &Path) -> Result<JvmBuilder<'a>> {
    let library = artifacts::native_agent()?;
    let builder = Jvm::builder(jdk).class_path(classes).main(main).program_args([classes]);
    Ok(builder.visible(library))
}
