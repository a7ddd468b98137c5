//! Threads that run the old version of a method are told, with the method, until they have left it.

mod common;

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use common::{Pairs, expect, load, number};
use jgraft_attach::LoadOutcome;
use jgraft_jvm_harness::{Jvm, artifacts, cache, each_jdk, javac};
use jgraft_protocol::properties;

/// What is said of threads: of the classes, or of all.
fn ask(jvm: &Jvm, classes: &[&str]) -> Result<Pairs> {
    let session = tempfile::tempdir_in(jvm.cwd())?;
    let mut request = vec![("verb".to_owned(), "in-force"), ("threads".to_owned(), "true")];
    request.extend((1..).zip(classes).map(|(n, class)| (format!("class.{n}"), *class)));
    let request = properties::write(request.iter().map(|(key, value)| (key.as_str(), *value)));
    fs::write(session.path().join("request"), request)?;
    let outcome = load(jvm, &format!("session={}", session.path().display()))?;
    let reply = properties::parse(&fs::read(session.path().join("reply"))?);
    ensure!(outcome == LoadOutcome::Loaded, "{outcome:?}: {reply:?}");
    expect(&reply, &[("outcome", "ok"), ("threads.unread", "0")])?;
    ensure!(number(&reply, "threads.seen")? > 3, "{reply:?}");
    Ok(reply)
}

fn none_is_old(reply: &Pairs) -> Result<()> {
    ensure!(!reply.iter().any(|(key, _)| key.starts_with("old.")), "{reply:?}");
    Ok(())
}

#[test]
fn threads_in_old_code_are_told_until_they_leave_it() {
    each_jdk("threads_in_old_code_are_told_until_they_leave_it", .., |jdk| {
        let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/old_frames");
        let folder = cache::target_dir().join("harness");
        let (classes, changed) = (folder.join("old-frames"), folder.join("old-frames-changed"));
        javac::compile(&["OldFrames.java", "Looping.java"].map(|name| sources.join(name)), &classes, &[])?;
        javac::compile(
            &[sources.join("changed/Looping.java")],
            &changed,
            &["-cp", &classes.display().to_string()],
        )?;
        let agent = folder.join("old-frames.jar");
        javac::jar("Premain-Class: OldFrames\nCan-Redefine-Classes: true", &classes, &agent)?;
        let jvm = Jvm::builder(jdk)
            .args([format!("-javaagent:{}", agent.display()), "-Dfile.encoding=UTF-8".to_owned()])
            .args(["-Xcheck:jni"])
            .class_path(&classes)
            .visible(&agent)
            .visible(&changed)
            .visible(artifacts::native_agent()?)
            .main("OldFrames")
            .program_args([&changed])
            .start()?;
        jvm.wait_ready()?;
        // What the launcher of JDK 8 does before is not ours.
        let mark = jvm.stdout_mark();
        let told = |line: &str| line.starts_with("done ");
        ensure!(jvm.ask("begin", told)? == "done first");
        none_is_old(&ask(&jvm, &[])?)?;
        ensure!(jvm.ask("change", told)? == "done second");

        // The method that does the same is not old, however often the other is on the stack; a virtual thread is not seen.
        let expected = [
            ("old.thread.1", "order-löop-1"),
            ("old.class.1", "Looping"),
            ("old.method.1", "loop(LGate;I)Ljava/lang/String;"),
        ];
        for classes in [&[][..], &["Looping"], &["OldFrames", "Looping"]] {
            let reply = ask(&jvm, classes)?;
            expect(&reply, &expected)?;
            ensure!(number(&reply, "old.loader.id.1")? != 0, "{reply:?}");
            ensure!(properties::get(&reply, "old.thread.2").is_none(), "{reply:?}");
            ensure!(properties::get(&reply, "class.1").is_some() != classes.is_empty(), "{reply:?}");
        }
        none_is_old(&ask(&jvm, &["Gate"])?)?;

        ensure!(jvm.ask("end", told)? == "done second");
        none_is_old(&ask(&jvm, &[])?)?;
        // Whoever begins now runs the new code.
        ensure!(jvm.ask("begin", told)? == "done second");
        none_is_old(&ask(&jvm, &["Looping"])?)?;
        ensure!(jvm.ask("end", told)? == "done second");
        let stdout = jvm.stdout();
        // Started in the background, 8 complains of the signals that are ignored then.
        let of_signals = |line: &str| {
            ["Warning: SIG", "SIG", "Signal Handlers", "Running in non-interactive shell"]
                .iter()
                .any(|start| line.starts_with(start))
        };
        ensure!(
            stdout.lines().skip(mark).all(|line| line.starts_with("done ") || of_signals(line)),
            "{stdout}"
        );
        Ok(())
    });
}
