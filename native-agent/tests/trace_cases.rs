//! What is hard to trace: exceptions of all kinds, threads that hop, classes that are being initialised, no memory, no stack,
//! the end of the JVM. The program is `TraceCases.java`.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use common::expect;
use common::trace::{PATIENCE, Trace};
use jgraft_jvm_harness::{Jdk, Jvm, JvmBuilder, artifacts, cache, each_jdk, each_release, javac};
use jgraft_protocol::events::{EXCEPTIONS, Event, Reader, THREADS, WORD_REQUEST};

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

fn program(jdk: &Jdk) -> Result<JvmBuilder<'_>> {
    let classes = cache::target_dir().join("trace-cases");
    javac::compile(&[Path::new(TESTS).join("TraceCases.java")], &classes, &["--release", "8", "-nowarn"])?;
    let library: PathBuf = artifacts::native_agent()?;
    let folder = library.parent().context("no folder")?.to_owned();
    Ok(Jvm::builder(jdk).class_path(classes).main("TraceCases").visible(folder))
}

fn started(jdk: &Jdk, options: &[&str]) -> Result<Jvm> {
    let jvm = program(jdk)?.args(options).start()?;
    jvm.wait_ready()?;
    Ok(jvm)
}

fn run(jvm: &Jvm, case: &str) -> Result<String> {
    let done = format!("done {case} ");
    Ok(jvm.ask(case, |line| line.starts_with(&done))?.trim_start_matches(&done).to_owned())
}

/// The events of a method, when there are so many.
fn events(trace: &Trace, reader: &mut Reader<'_>, method: &str, wanted: usize) -> Result<Vec<Event>> {
    let (mut events, start) = (Vec::new(), Instant::now());
    while events.len() < wanted {
        reader.beat();
        let mut all = Vec::new();
        reader.drain(Instant::now(), |event| all.push(event));
        let names = trace.names()?;
        events.extend(all.into_iter().filter(|event| {
            names.get(&event.probe).is_some_and(|name| name.contains(&format!("::{method}(")))
        }));
        ensure!(start.elapsed() < PATIENCE, "{} events of {method}", events.len());
    }
    Ok(events)
}

#[test]
fn own_exceptions_are_told_from_those_that_pass_through() {
    each_release("trace_cases::own", .., |jdk| {
        let jvm = started(jdk, &[])?;
        let trace = Trace::begin(&jvm, &["Cases::*"], PATIENCE)?;
        let mut reader = trace.reader()?;
        for (case, exception) in [
            ("own_new", "java.lang.IllegalStateException"),
            ("own_synchronized", "java.lang.IllegalStateException"),
            ("own_finally", "java.lang.IllegalStateException"),
            ("own_made_elsewhere", "java.lang.IllegalStateException"),
            ("own_again", "java.lang.IllegalStateException"),
            ("pass_plain", "java.lang.IllegalStateException"),
            ("pass_finally", "java.lang.IllegalStateException"),
            ("pass_synchronized", "java.lang.IllegalStateException"),
            ("pass_after_own", "java.lang.IllegalStateException"),
            ("pass_null", "java.lang.NullPointerException"),
            ("jvm_null", "java.lang.NullPointerException"),
            ("jvm_index", "java.lang.ArrayIndexOutOfBoundsException"),
            ("jvm_divide", "java.lang.ArithmeticException"),
            ("jvm_cast", "java.lang.ClassCastException"),
        ] {
            let thrown = run(&jvm, case)?;
            ensure!(thrown == exception, "{case}: {thrown}");
            let events = events(&trace, &mut reader, case, 100)?;
            ensure!(events.len() == 100, "{case}: {} events", events.len());
            // How deep the stack was where an exception was made is not known on JDK 8.
            let own = case.starts_with("own") || case.starts_with("jvm") && jdk.feature > 8;
            for event in events {
                let thrown = event.exception.with_context(|| format!("{case}: no exception"))?;
                ensure!(thrown.own == own, "{case}: {event:?}");
                let name = reader.exception_name(thrown.class);
                ensure!(name.as_deref() == Some(exception), "{case}: {name:?}");
            }
        }
        ensure!(reader.lost() == 0, "{} lost", reader.lost());
        trace.end();
        expect(&trace.ended()?, &[("outcome", "ok"), ("proved", "1")])?;
        ensure!(run(&jvm, "own_new")? == "java.lang.IllegalStateException");
        Ok(())
    });
}

/// A JVM throws exceptions of more classes in its life than there is room for names; each trace has all of the room.
#[test]
fn names_of_exceptions_do_not_run_out() {
    each_release("trace_cases::many", .., |jdk| {
        let jvm = started(jdk, &[])?;
        let most = EXCEPTIONS - 1;
        // The classes of one trace are the last of that before it, and new ones: a name left over would be a wrong one.
        for (first, last) in [(0, most), (most / 2, most / 2 + most), (3000, 3000 + 2 * most)] {
            let trace = Trace::begin(&jvm, &["Cases::many"], PATIENCE)?;
            let mut reader = trace.reader()?;
            for time in 0..2 {
                run(&jvm, &format!("many {first} {last}"))?;
                let events = events(&trace, &mut reader, "many", last - first)?;
                ensure!(events.len() == last - first && reader.lost() == 0, "{} events", events.len());
                let mut named = 0;
                for (number, event) in (first..).zip(events) {
                    let thrown = event.exception.with_context(|| format!("{number}: no exception"))?;
                    ensure!(thrown.own, "{number}: {event:?}");
                    if let Some(name) = reader.exception_name(thrown.class) {
                        ensure!(name == format!("Broken{number:04}"), "{number} is called {name}");
                        named += 1;
                    }
                }
                ensure!(named == most, "{named} of {first} to {last} have a name, the time {time}");
            }
            trace.end();
            trace.ended()?;
        }
        Ok(())
    });
}

/// The JVM makes three local references a thread for that.
#[test]
fn a_crowd_of_threads_is_told_by_name() {
    each_jdk("trace_cases::crowd", .., |jdk| {
        let jvm = started(jdk, &["-Xcheck:jni"])?;
        ensure!(run(&jvm, "crowd")? == "3000");
        let trace = Trace::begin(&jvm, &["Cases::parked"], PATIENCE)?;
        let (reader, mark) = (trace.reader()?, jvm.stdout_mark());
        trace.memory.add_and_wake(WORD_REQUEST, THREADS);
        let (file, start) = (trace.session.path().join("threads"), Instant::now());
        loop {
            let names = fs::read_to_string(&file)?;
            if names.lines().filter(|line| line.contains("\tcrowd-")).count() == 3000 {
                break;
            }
            reader.beat();
            ensure!(start.elapsed() < PATIENCE, "{} names", names.lines().count());
        }
        trace.end();
        trace.ended()?;
        let output: Vec<_> = jvm.stdout().lines().skip(mark).map(str::to_owned).collect();
        ensure!(output.is_empty(), "{output:?}");
        Ok(())
    });
}

#[test]
fn calls_of_threads_that_hop_are_told() {
    each_release("trace_cases::threads", .., |jdk| {
        let jvm = started(jdk, &[])?;
        let trace = Trace::begin(&jvm, &["Cases::parked"], PATIENCE)?;
        let mut reader = trace.reader()?;
        ensure!(run(&jvm, "threads")? == "1000");
        let events = events(&trace, &mut reader, "parked", 1000)?;
        let mut threads: Vec<_> = events.iter().map(|event| event.thread).collect();
        threads.sort_unstable();
        threads.dedup();
        ensure!(events.len() == 1000 && threads.len() == 50, "{} of {}", events.len(), threads.len());
        // It sleeps for a millisecond, whichever thread carries it.
        ensure!(events.iter().all(|event| event.end - event.start >= 1_000_000));
        Ok(())
    });
}

#[test]
fn a_class_that_is_loaded_later_is_woven_before_it_is_initialised() {
    each_release("trace_cases::lazy", .., |jdk| {
        let jvm = started(jdk, &["-Xcheck:jni"])?;
        let trace = Trace::begin(&jvm, &["Laz*::*"], PATIENCE)?;
        let mut reader = trace.reader()?;
        ensure!(run(&jvm, "lazy")? == "42");
        ensure!(events(&trace, &mut reader, "<clinit>", 1)?.len() == 1);
        trace.end();
        expect(&trace.ended()?, &[("outcome", "ok"), ("restored", "1"), ("proved", "0"), ("clean", "1")])?;
        let warnings = jvm.stdout() + &jvm.stderr();
        ensure!(!warnings.contains("WARNING in native"), "{warnings}");
        Ok(())
    });
}

#[test]
fn subtypes_are_woven_whenever_they_are_loaded() {
    each_release("trace_cases::subtypes", .., |jdk| {
        let jvm = started(jdk, &["-Xcheck:jni"])?;
        let trace = Trace::begin(&jvm, &["Shape+::sides"], PATIENCE)?;
        let (mut reader, start) = (trace.reader()?, Instant::now());
        let mut called = BTreeSet::new();
        // The last is woven a moment after it was loaded.
        while called.len() < 3 {
            ensure!(run(&jvm, "subtypes")? == "4 4" && start.elapsed() < PATIENCE, "only {called:?}");
            reader.beat();
            let mut probes = Vec::new();
            reader.drain(Instant::now(), |event| probes.push(event.probe));
            let names = trace.names()?;
            called.extend(probes.iter().filter_map(|probe| names.get(probe).cloned()));
        }
        let expected = ["Oblong", "Rectangle", "Square"].map(|class| format!("{class}::sides()I"));
        ensure!(called.iter().eq(&expected), "{called:?}");
        trace.end();
        expect(&trace.ended()?, &[("outcome", "ok"), ("restored", "3"), ("proved", "1"), ("clean", "2")])?;
        let warnings = jvm.stdout() + &jvm.stderr();
        ensure!(!warnings.contains("WARNING in native"), "{warnings}");
        Ok(())
    });
}

/// It was woven when it came through the hook, and is there only after the trace has ended.
#[test]
fn a_class_that_is_loaded_after_the_end_is_taken_back_too() {
    each_jdk("trace_cases::slow", .., |jdk| {
        let jvm = started(jdk, &["-Xcheck:jni"])?;
        let trace = Trace::begin(&jvm, &["SlowPlug*::*", "Cases::parked"], PATIENCE)?;
        ensure!(run(&jvm, "slow")? == "asked");
        trace.end();
        trace.ended()?;
        // Its memory goes to a later trace once the class is clean, and not before.
        let descriptor = |trace: &Trace| trace.reply.iter().find(|(key, _)| key == "memory.fd").cloned();
        let meanwhile = Trace::begin(&jvm, &["Cases::parked"], PATIENCE)?;
        ensure!(descriptor(&meanwhile) != descriptor(&trace), "the class would write into it");
        ensure!(run(&jvm, "slow-on")? == "SlowPlugIn");
        let start = Instant::now();
        loop {
            let later = Trace::begin(&jvm, &["Cases::parked"], PATIENCE)?;
            let same = descriptor(&later) == descriptor(&trace);
            later.end();
            later.ended()?;
            if same {
                break;
            }
            ensure!(start.elapsed() < PATIENCE, "the channel is not given back");
        }
        Ok(())
    });
}

#[test]
fn without_memory_or_stack_the_program_gets_its_own_errors() {
    each_release("trace_cases::errors", .., |jdk| {
        let jvm = started(jdk, &["-Xmx32m", "-Xss512k"])?;
        let trace = Trace::begin(&jvm, &["Cases::*"], PATIENCE)?;
        let mut reader = trace.reader()?;
        let deep = run(&jvm, "deep")?;
        ensure!(deep == "java.lang.StackOverflowError", "{deep}");
        reader.drain(Instant::now(), |_| ());
        let memory = run(&jvm, "memory")?;
        ensure!(memory == "java.lang.OutOfMemoryError", "{memory}");
        ensure!(run(&jvm, "own_new")? == "java.lang.IllegalStateException");
        ensure!(events(&trace, &mut reader, "own_new", 100)?.len() == 100);
        trace.end();
        expect(&trace.ended()?, &[("outcome", "ok"), ("proved", "1")])
    });
}

#[test]
fn a_jvm_that_ends_while_it_is_traced_ends_as_it_would() {
    each_jdk("trace_cases::exit", .., |jdk| {
        for at_the_same_time in [false, true] {
            let jvm = started(jdk, &[])?;
            let mut trace = Trace::begin(&jvm, &["Cases::*", "TraceCases::*"], PATIENCE)?;
            jvm.send_line("exit")?;
            if at_the_same_time {
                trace.lease = None;
            }
            let finished = jvm.finish()?;
            ensure!(finished.status.code() == Some(7), "{:?}", finished.status);
            ensure!(!finished.stderr.contains("Exception"), "{}", finished.stderr);
        }
        Ok(())
    });
}
