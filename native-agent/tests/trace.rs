//! Methods of a running service are traced: what the probes tell is what the service counts itself, and afterwards it is as it
//! was. The test plays the injector.

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use common::trace::{PATIENCE, Trace};
use common::{Attached, expect, is_unharmed, number, service};
use jgraft_jvm_harness::{Jdk, Jvm, each_jdk, each_release};
use jgraft_protocol::events::{Event, Reader};
use jgraft_protocol::properties;

/// Lets go of the service's gate, waits for so many events, and closes it again.
fn run(jvm: &Jvm, reader: &mut Reader<'_>, wanted: usize) -> Result<Vec<Event>> {
    let (mut events, start) = (Vec::new(), Instant::now());
    jvm.ask("resume", |line| line == "resumed")?;
    while events.len() < wanted {
        reader.beat();
        reader.drain(Instant::now(), |event| events.push(event));
        ensure!(start.elapsed() < PATIENCE, "{} events of {wanted}", events.len());
    }
    jvm.ask("pause", |line| line == "paused")?;
    while reader.drain(Instant::now(), |event| events.push(event)) > 0 {}
    Ok(events)
}

/// What the service has counted: name and number.
fn counted(jvm: &Jvm) -> Result<BTreeMap<String, u64>> {
    let line = jvm.ask("count", |line| line.contains("place"))?;
    let mut counts = BTreeMap::new();
    for pair in line.split_whitespace() {
        if let Some((name, count)) = pair.split_once('=') {
            counts.insert(name.trim_matches(',').to_owned(), count.trim_matches(',').parse()?);
        }
    }
    ensure!(counts.contains_key("take"), "{line}");
    Ok(counts)
}

#[test]
fn every_call_and_every_exception_is_told() {
    each_jdk("trace::every_call", .., |jdk| {
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        jvm.ask("pause", |line| line == "paused")?;
        let before = counted(&jvm)?;
        let patterns = ["OrderService::place", "OrderService::price", "Pricing::*", "Stock::*"];
        let trace = Trace::begin(&jvm, &patterns, PATIENCE)?;
        let mut reader = trace.reader()?;
        let events = run(&jvm, &mut reader, 2_000)?;
        let after = counted(&jvm)?;
        let names = trace.names()?;
        let mut told: BTreeMap<&str, u64> = BTreeMap::new();
        let mut thrown = 0;
        for event in &events {
            let name = names.get(&event.probe).context("an unknown probe")?;
            let method =
                name.split("::").nth(1).and_then(|rest| rest.split('(').next()).context("no method")?;
            *told.entry(method).or_default() += 1;
            ensure!(event.end >= event.start && event.thread > 0, "{event:?}");
            if let Some(exception) = event.exception {
                let class = reader.exception_name(exception.class);
                ensure!(class.as_deref() == Some("Refused"), "{event:?}: {class:?}");
                thrown += u64::from(method == "place");
            }
        }
        for (name, count) in &after {
            let (counted, told) = (count - before[name], told.get(name.as_str()).copied());
            match name.as_str() {
                "refused" => {
                    ensure!(counted == thrown, "{thrown} exceptions told, {counted} seen by the service")
                }
                _ => ensure!(told == Some(counted), "{name}: {told:?} told, {counted} counted"),
            }
        }
        ensure!(thrown > 0 && reader.lost() == 0, "{thrown} thrown, {} lost", reader.lost());

        trace.end();
        let classes = properties::get(&trace.reply, "classes").context("no classes")?;
        let proved = [("outcome", "ok"), ("restored", classes), ("proved", classes), ("changed", "0")];
        expect(&trace.ended()?, &proved)?;
        jvm.ask("resume", |line| line == "resumed")?;
        ends_without_a_trace(&jvm, jdk, &mut reader)
    });
}

/// No event any more, and the service works.
fn ends_without_a_trace(jvm: &Jvm, jdk: &Jdk, reader: &mut Reader<'_>) -> Result<()> {
    for _ in 0..10 {
        jvm.ask("order", |line| line.starts_with("order "))?;
    }
    ensure!(reader.drain(Instant::now(), |_| ()) == 0, "events after the end");
    let stdout: Vec<_> = jvm.stdout().lines().map(str::to_owned).collect();
    let known = ["ready ", "order ", "refused", "paused", "resumed"];
    let foreign: Vec<_> = stdout
        .iter()
        .filter(|line| !known.iter().any(|start| line.starts_with(start)) && !line.contains("place"))
        .collect();
    ensure!(foreign.is_empty(), "on stdout: {foreign:?}");
    common::has_only_the_warning(jvm, jdk, Attached::Times(1))
}

#[test]
fn it_ends_with_the_injector() {
    each_jdk("trace::lease", .., |jdk| {
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        for silent in [false, true] {
            let time_to_live = if silent { Duration::from_millis(500) } else { PATIENCE };
            let mut trace = Trace::begin(&jvm, &["Stock::*"], time_to_live)?;
            if !silent {
                trace.lease = None;
            }
            let why = if silent { "silent" } else { "lost" };
            expect(&trace.ended()?, &[("outcome", "ok"), ("proved", "1"), ("why", why)])?;
            let mut reader = trace.reader()?;
            while reader.drain(Instant::now(), |_| ()) > 0 {}
            jvm.ask("order", |line| line.starts_with("order "))?;
            ensure!(reader.drain(Instant::now(), |_| ()) == 0, "events after the end");
        }
        Ok(())
    });
}

#[test]
fn what_is_asked_wrongly_is_said() {
    each_jdk("trace::wrong", 17..=17, |jdk| {
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        let Err(error) = Trace::begin(&jvm, &["Stock"], PATIENCE) else {
            bail!("a pattern without a method")
        };
        ensure!(error.to_string().contains("a pattern is Class::method"), "{error}");
        for (pattern, words) in [
            ("Stok::*", "no loaded class that can be changed is called Stok; there is Stock"),
            ("Stock::tak", "Stock declares no method tak; it has take(String,int)"),
            ("Stock::take(int)", "Stock declares no method take(int); it has take(String,int)"),
        ] {
            let error = Trace::begin(&jvm, &[pattern], PATIENCE).err().map(|error| error.to_string());
            ensure!(error.as_ref().is_some_and(|error| error.contains(words)), "{pattern}: {error:?}");
        }
        is_unharmed(&jvm, jdk, Attached::Times(4))
    });
}

/// HotSpot has not verified them, and gives them back without their frames.
#[test]
fn classes_of_the_boot_loader_are_woven_too() {
    each_release("trace::boot", .., |jdk| {
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        let patterns = ["java.util.concurrent.locks.ReentrantReadWriteLock*::*", "java.util.HashMap::*"];
        let refused = Trace::begin(&jvm, &patterns, PATIENCE).err().map(|error| error.to_string());
        ensure!(refused.as_ref().is_some_and(|why| why.contains("one of the jdk's own")), "{refused:?}");
        let trace = Trace::begin_with(&jvm, &patterns, PATIENCE, "true")?;
        let left: Vec<_> = trace.reply.iter().filter(|(key, _)| key.starts_with("left.")).collect();
        ensure!(left.is_empty() && number(&trace.reply, "methods")? > 50, "{:?}", trace.reply);
        let mut reader = trace.reader()?;
        let (mut told, start) = (0, Instant::now());
        while told < 1000 {
            reader.beat();
            told += reader.drain(Instant::now(), |_| ());
            ensure!(start.elapsed() < PATIENCE, "{told} events");
        }
        trace.end();
        let ended = trace.ended()?;
        expect(&ended, &[("outcome", "ok")])?;
        // More of them may have been loaded meanwhile, and were woven when they were.
        ensure!(
            number(&ended, "restored")? >= number(&trace.reply, "classes")?,
            "{ended:?} {:?}",
            trace.reply
        );
        is_unharmed_but_busy(&jvm)
    });
}

fn is_unharmed_but_busy(jvm: &Jvm) -> Result<()> {
    let order = jvm.ask("order", |line| line.starts_with("order "))?;
    ensure!(order.ends_with(": 2 x lamp = 2598.00 EUR"), "{order}");
    Ok(())
}
