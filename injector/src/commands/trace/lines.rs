//! A line for each call.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use jgraft_attach::EventMemory;
use jgraft_protocol::events::{Event, Reader, THREADS, WORD_ANSWERED, WORD_REQUEST};
use jgraft_protocol::native::trace as keys;
use jgraft_protocol::pattern::shown_method;
use nix::time::{ClockId, clock_gettime};
use serde::Serialize;

use super::opened::Opened;
use super::table::Table;
use crate::{human, json, output};

/// What `--json` says of a call.
#[derive(Serialize)]
struct CallJson<'a> {
    /// When it ended, in UTC, as RFC 3339 has it.
    ended: &'a str,
    /// The same in milliseconds since 1970.
    ended_ms: u64,
    thread: u64,
    /// None for a virtual thread, and for one that ended soon.
    thread_name: Option<&'a str>,
    method: &'a str,
    cost_ns: i64,
    exception: Option<&'a str>,
    /// Whether the method has thrown it itself; else it has passed through.
    own_exception: Option<bool>,
}

/// What no class is called: the name of an exception for which there was no room.
const UNKNOWN: &str = "(unknown)";
/// How long is waited for the names of threads that are new, and how seldom.
const PATIENCE: Duration = Duration::from_millis(500);
const SELDOM: Duration = Duration::from_millis(250);

pub(super) struct Lines {
    json: bool,
    methods: Table,
    threads: Table,
    asked: Option<Instant>,
    exceptions: HashMap<u16, String>,
    /// Exceptions whose class has no name here.
    pub(super) unnamed: u64,
    out: human::Stream,
    /// From `System.nanoTime`, which HotSpot takes from CLOCK_MONOTONIC, to the time since 1970.
    clock: i128,
}

impl Lines {
    pub(super) fn new(json: bool) -> Lines {
        let monotonic = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let clock = since.as_nanos() as i128 - monotonic.as_nanos() as i128;
        Lines {
            json,
            methods: Table::new(keys::NAMES),
            threads: Table::new(keys::THREADS),
            asked: None,
            exceptions: HashMap::new(),
            unnamed: 0,
            out: human::Stream::stdout(),
            clock,
        }
    }

    pub(super) fn print(
        &mut self,
        events: &[Event],
        opened: &Opened<'_>,
        memory: &EventMemory,
        reader: &Reader<'_>,
    ) {
        if events.iter().any(|event| !self.methods.has(event.probe.into())) {
            opened.read_on(&mut self.methods);
        }
        self.learn_threads(events, opened, memory);
        for event in events {
            if output::is_closed() {
                return;
            }
            self.line(event, reader);
        }
    }

    /// Asks for names of threads that are new. Those that stay without one are not waited for again.
    fn learn_threads(&mut self, events: &[Event], opened: &Opened<'_>, memory: &EventMemory) {
        let is_known = |threads: &Table| events.iter().all(|event| threads.has(event.thread));
        let recently = self.asked.is_some_and(|asked| asked.elapsed() < SELDOM);
        if is_known(&self.threads) || recently {
            return;
        }
        let word = |at: usize| memory.get(at).map_or(0, |word| word.load(Ordering::Acquire));
        memory.add_and_wake(WORD_REQUEST, THREADS);
        let (start, request) = (Instant::now(), word(WORD_REQUEST));
        self.asked = Some(start);
        while word(WORD_ANSWERED) < request && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_micros(500));
        }
        opened.read_on(&mut self.threads);
        for event in events {
            self.threads.give_up(event.thread);
        }
    }

    fn line(&mut self, event: &Event, reader: &Reader<'_>) {
        let unknown = format!("probe {}", event.probe);
        let method = self.methods.get(event.probe.into()).unwrap_or(&unknown);
        let thread_name = self.threads.get(event.thread);
        let exception = event.exception.map(|thrown| {
            let name = || reader.exception_name(thrown.class).unwrap_or_else(|| UNKNOWN.to_owned());
            &**self.exceptions.entry(thrown.class).or_insert_with(name)
        });
        self.unnamed += u64::from(exception == Some(UNKNOWN));
        let own_exception = event.exception.map(|thrown| thrown.own);
        let cost_ns = event.end.wrapping_sub(event.start);
        let ended = Duration::from_nanos(u64::try_from(i128::from(event.end) + self.clock).unwrap_or(0));
        if self.json {
            let ended_ms = u64::try_from(ended.as_millis()).unwrap_or(0);
            let thread = event.thread;
            let ended = &*human::rfc_3339(ended);
            let call =
                CallJson { ended, ended_ms, thread, thread_name, method, cost_ns, exception, own_exception };
            json::print("call", &call);
            return;
        }
        let end = match (exception, own_exception) {
            (Some(exception), Some(true)) => format!("  {} thrown", self.out.red(exception)),
            (Some(exception), _) => format!("  {} passed through", self.out.red(exception)),
            (None, _) => String::new(),
        };
        self.out.line(&format!(
            "{} {:<16} {:>8} {}{end}",
            time(ended),
            format!("#{} {}", event.thread, thread_name.unwrap_or_default()),
            shown(cost_ns),
            shown_method(method)
        ));
    }
}

/// `09:41:07.123Z`.
fn time(since_1970: Duration) -> String {
    let whole = human::rfc_3339(since_1970);
    whole.split_once('T').map_or_else(String::new, |(_, time)| time.to_owned())
}

/// Three digits and a unit.
fn shown(nanoseconds: i64) -> String {
    let n = nanoseconds as f64;
    match n.abs() {
        size if size < 1e3 => format!("{nanoseconds} ns"),
        size if size < 1e6 => format!("{:.1} us", n / 1e3),
        size if size < 1e9 => format!("{:.1} ms", n / 1e6),
        _ => format!("{:.2} s", n / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_costs() {
        assert_eq!(time(Duration::from_millis(86_400_000 + 3_723_004)), "01:02:03.004Z");
        for (cost, text) in [(5, "5 ns"), (1_500, "1.5 us"), (2_000_000, "2.0 ms"), (1_234_000_000, "1.23 s")]
        {
            assert_eq!(shown(cost), text);
        }
    }
}
