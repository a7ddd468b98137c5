//! Methods of a running service are traced: what the probes tell is what the service counts itself, and afterwards it is as it
//! was. The test plays the injector.

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use common::{Attached, Pairs, expect, is_unharmed, load, number, service};
use jgraft_attach::{EventMemory, LoadOutcome, Target};
use jgraft_jvm_harness::{Jdk, Jvm, each_jdk};
use jgraft_protocol::events::{Event, Reader, WORD_END};
use jgraft_protocol::properties;
use nix::fcntl::{FcntlArg, fcntl};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// A trace as the injector has it: the session, whose lease is held as long as this lives, and the events so far.
struct Trace {
    session: TempDir,
    lease: Option<File>,
    reply: Pairs,
    memory: EventMemory,
}

impl Trace {
    fn begin(jvm: &Jvm, patterns: &[&str], time_to_live: Duration) -> Result<Trace> {
        Trace::begin_with(jvm, patterns, time_to_live, "false")
    }

    fn begin_with(jvm: &Jvm, patterns: &[&str], time_to_live: Duration, consent: &str) -> Result<Trace> {
        let session = tempfile::tempdir_in(jvm.cwd())?;
        let lease = File::create_new(session.path().join("lease"))?;
        let lock =
            nix::libc::flock { l_type: nix::libc::F_WRLCK as _, l_whence: 0, l_start: 0, l_len: 0, l_pid: 0 };
        fcntl(&lease, FcntlArg::F_OFD_SETLK(&lock))?;
        let time_to_live = time_to_live.as_millis().to_string();
        let mut request = vec![("verb".to_owned(), "trace"), ("ttl.ms".to_owned(), &time_to_live)];
        request.push(("consent".to_owned(), consent));
        request.extend((1..).zip(patterns).map(|(n, pattern)| (format!("pattern.{n}"), *pattern)));
        let request = properties::write(request.iter().map(|(key, value)| (key.as_str(), *value)));
        fs::write(session.path().join("request"), request)?;
        let outcome = load(jvm, &format!("session={}", session.path().display()))?;
        let reply = properties::parse(&fs::read(session.path().join("reply"))?);
        ensure!(outcome == LoadOutcome::Loaded, "{outcome:?}: {reply:?}");
        expect(&reply, &[("outcome", "ok")])?;
        let target = Target::inspect(jvm.pid().cast_signed())?;
        let memory = EventMemory::open(&target, number(&reply, "memory.fd")? as i32)?;
        Ok(Trace { session, lease: Some(lease), reply, memory })
    }

    fn reader(&self) -> Result<Reader<'_>> {
        Ok(Reader::new(&self.memory)?)
    }

    /// Methods by the ids of their probes: `Stock::take(…)…`.
    fn names(&self) -> Result<BTreeMap<u32, String>> {
        let text = fs::read_to_string(self.session.path().join("names"))?;
        let line = |line: &str| {
            let (id, name) = line.split_once('\t')?;
            Some((id.parse().ok()?, name.to_owned()))
        };
        text.lines().map(|text| line(text).with_context(|| format!("{text:?}"))).collect()
    }

    /// The pairs of the end.
    fn ended(&self) -> Result<Pairs> {
        let (file, start) = (self.session.path().join("ended"), Instant::now());
        while !file.exists() {
            ensure!(start.elapsed() < PATIENCE, "the trace does not end");
            std::thread::yield_now();
        }
        Ok(properties::parse(&fs::read(file)?))
    }
}

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
                let class = reader.exception_name(exception);
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

        trace.memory[WORD_END].store(1, Ordering::Release);
        let classes = properties::get(&trace.reply, "classes").context("no classes")?;
        expect(&trace.ended()?, &[("outcome", "ok"), ("restored", classes)])?;
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
            expect(&trace.ended()?, &[("outcome", "ok"), ("restored", "1")])?;
            let mut reader = trace.reader()?;
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
        let trace = Trace::begin(&jvm, &["Stock::*"], PATIENCE)?;
        let Err(error) = Trace::begin(&jvm, &["Pricing::*"], PATIENCE) else { bail!("two at once") };
        ensure!(error.to_string().contains("another trace is running"), "{error}");
        drop(trace);
        is_unharmed(&jvm, jdk, Attached::Times(2))
    });
}

/// HotSpot has not verified them, and gives them back without their frames.
#[test]
fn classes_of_the_boot_loader_are_woven_too() {
    each_jdk("trace::boot", .., |jdk| {
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
        trace.memory.set_and_wake(WORD_END, 1);
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
