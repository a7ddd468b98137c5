//! What the probes of a [`Config`](crate::plan::Config) have to tell, made from what the oracle saw.
//!
//! The probes' clock goes on by one a reading, so when it is read can be counted too: the start of every method and call,
//! and the end where an event is told or its guard asks for the cost.

use anyhow::{Context, Result, bail, ensure};

use crate::event::{Event, Log, What, oracle_log};
use crate::plan::{WovenPrograms, asks_cost, holds};

/// Compares a log with the truth.
pub(crate) fn check(truth: &str, log: &Log, woven: &WovenPrograms) -> Result<()> {
    let truth = oracle_log(truth)?;
    ensure!(truth.len() == log.len(), "{} programs, {} in the log", truth.len(), log.len());
    for ((name, truth), (logged, found)) in truth.iter().zip(log) {
        ensure!(name == logged, "{name} is {logged} in the log");
        let expected = expected(truth, woven).with_context(|| name.clone())?;
        compare(&expected, found).with_context(|| name.clone())?;
        if woven.config.arguments {
            arguments_of_calls(found, woven).with_context(|| name.clone())?;
        }
    }
    Ok(())
}

fn compare(expected: &[Event], found: &[Event]) -> Result<()> {
    for at in 0..expected.len().max(found.len()) {
        let (Some(one), Some(two)) = (expected.get(at), found.get(at)) else {
            bail!("event {at}: {:?} expected, {:?} found", shown(expected, at), shown(found, at));
        };
        // What calls are given is looked at elsewhere.
        let mut two = two.clone();
        if two.pc.is_some() {
            two.with.clear();
        }
        ensure!(*one == two, "event {at}: expected\n  {one}\nfound\n  {two}");
    }
    Ok(())
}

fn shown(events: &[Event], at: usize) -> String {
    events.get(at).map_or("the end".to_owned(), ToString::to_string)
}

/// What a static method is called on.
const NO_THIS: &str = "this null";

/// A method that is running.
struct Frame {
    start: i64,
    call_start: i64,
    with: Vec<String>,
    /// Whether it is a constructor whose `this` is no object yet: what leaves it then, nobody sees.
    before_super: bool,
    /// The entry of such a constructor, where it is told behind super().
    waiting: Option<Event>,
}

fn expected(truth: &[Event], woven: &WovenPrograms) -> Result<Vec<Event>> {
    let config = woven.config;
    let (mut now, mut frames, mut told) = (0, Vec::<Frame>::new(), Vec::new());
    for event in truth {
        if woven.left_alone.contains(&event.method) {
            continue;
        }
        let mut event = event.clone();
        if event.what == What::Enter {
            now += 1;
            event.times.0 = now;
            let before_super = event.method.contains(".<init>(");
            let with = event.with.clone();
            if !config.entry_this {
                event.with.retain(|line| config.arguments && !line.starts_with("this "));
            } else if !event.with.first().is_some_and(|line| line.starts_with("this ")) {
                event.with.insert(0, NO_THIS.into());
            }
            let waits = before_super && config.entry_this;
            let (waiting, now_told) = if waits { (Some(event), None) } else { (None, Some(event)) };
            frames.push(Frame { start: now, call_start: 0, with, before_super, waiting });
            told.extend(now_told.filter(|_| !config.off()));
            continue;
        }
        let frame = frames.last_mut().context("nothing was entered")?;
        let on_this = frame.before_super && event.pc.is_some() && may_be_super_call(&event, woven);
        let mut waiting = None;
        if on_this && event.what == What::Back {
            frame.before_super = false;
            waiting = frame.waiting.take().filter(|_| !config.off());
        }
        if event.pc.is_some() && !config.calls {
            told.extend(waiting);
            continue;
        }
        match event.what {
            What::Enter => {}
            What::Call => {
                now += 1;
                frame.call_start = now;
                told.extend((!config.off()).then_some(event));
            }
            What::Back | What::Fail => {
                if event.what == What::Fail && on_this {
                    continue;
                }
                event.times.0 = frame.call_start;
                tell(event, frame, &mut now, &mut told, woven)?;
            }
            What::Leave | What::Throw => {
                let frame = frames.pop().context("nothing was entered")?;
                if event.what == What::Throw && frame.before_super {
                    continue;
                }
                event.times.0 = frame.start;
                if config.arguments {
                    event.with.clone_from(&frame.with);
                    match event.what {
                        What::Throw => event.with.retain(|line| !line.starts_with("this ")),
                        // A static method is called on nothing.
                        _ if !event.with.first().is_some_and(|line| line.starts_with("this ")) => {
                            event.with.insert(0, NO_THIS.into());
                        }
                        _ => {}
                    }
                }
                tell(event, &frame, &mut now, &mut told, woven)?;
            }
        }
        told.extend(waiting);
    }
    ensure!(frames.is_empty(), "{} methods run on", frames.len());
    Ok(told)
}

/// Adds the end of a method or call, if its guard lets it pass.
fn tell(
    mut event: Event,
    frame: &Frame,
    now: &mut i64,
    told: &mut Vec<Event>,
    woven: &WovenPrograms,
) -> Result<()> {
    let config = woven.config;
    if config.off() {
        return Ok(());
    }
    let descriptor = &event.method[event.method.find('(').context("a descriptor")?..];
    let conditional = config.conditions && event.pc.is_none();
    let reads_clock = config.min_cost.is_some() || conditional && asks_cost(descriptor);
    *now += i64::from(reads_clock);
    let cost = *now - event.times.0;
    let first = frame.with.iter().find(|line| line.starts_with("argument 0 ")).map(String::as_str);
    let passes = config.min_cost.is_none_or(|least| cost >= least)
        && (!conditional || holds(descriptor, first, cost)?);
    if passes {
        *now += i64::from(!reads_clock);
        event.times.1 = *now;
        told.push(event);
    }
    Ok(())
}

/// Whether a call in a constructor is super() or this(). `new` of the same class looks the same; programs in which it
/// comes first call the constructor that they are in, and never so by this().
fn may_be_super_call(event: &Event, woven: &WovenPrograms) -> bool {
    let Some((class, descriptor)) = event.method.split_once(".<init>") else { return false };
    let Ok([called, name, of]) = called(event, woven) else { return false };
    name == "<init>" && (called == class && of != descriptor || Some(called) == woven.supers.get(class))
}

/// What a call is given is what the method that it enters gets, if that is one of ours; and the same at the call's end. What
/// it returns is what that method has returned.
fn arguments_of_calls(found: &[Event], woven: &WovenPrograms) -> Result<()> {
    let mut open: Vec<&Event> = Vec::new();
    for (at, event) in found.iter().enumerate() {
        match event.what {
            What::Enter => {
                let Some(call) = at.checked_sub(1).and_then(|before| found.get(before)) else { continue };
                if call.what != What::Call {
                    continue;
                }
                let [_, name, descriptor] = called(call, woven)?;
                // A static initialiser may come between; the method called may be one that overrides it.
                if event.method.ends_with(&format!(".{name}{descriptor}")) {
                    let arguments = |event: &Event| {
                        let lines = event.with.iter().filter(|line| line.starts_with("argument "));
                        lines.cloned().collect::<Vec<_>>()
                    };
                    ensure!(arguments(call) == arguments(event), "{call}\nenters\n{event}");
                }
            }
            What::Call => open.push(event),
            What::Back | What::Fail => {
                let call = loop {
                    let call = open.pop().context("no call is open")?;
                    if (&call.method, call.pc) == (&event.method, event.pc) {
                        break call;
                    }
                };
                let mut given = event.with.clone();
                let results: Vec<_> = given.extract_if(.., |line| line.starts_with("result ")).collect();
                ensure!(call.with == given, "{call}\nends as\n{event}");
                if event.what == What::Back {
                    ensure!(results.len() == 1, "{event}");
                    let before = at.checked_sub(1).and_then(|before| found.get(before));
                    let [_, name, descriptor] = called(event, woven)?;
                    let left = before.filter(|before| {
                        before.what == What::Leave && before.method.ends_with(&format!(".{name}{descriptor}"))
                    });
                    if let Some(left) = left {
                        ensure!(
                            results[0] == format!("result {}", left.value),
                            "{left}\nreturns to\n{event}"
                        );
                    }
                }
            }
            What::Leave | What::Throw => {}
        }
    }
    Ok(())
}

/// What is called where an event around a call stands.
fn called<'w>(event: &Event, woven: &'w WovenPrograms) -> Result<&'w [String; 3]> {
    let place = format!("{}@{}", event.method, event.pc.unwrap_or_default());
    woven.called.get(&place).with_context(|| format!("{place} is an unknown call"))
}
