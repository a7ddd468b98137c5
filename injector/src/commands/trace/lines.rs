//! A line for each call.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use jgraft_protocol::events::{Event, Reader};
use nix::time::{ClockId, clock_gettime};
use serde::Serialize;

use super::opened::Opened;
use crate::{human, json, output};

/// What `--json` says of a call.
#[derive(Serialize)]
struct CallJson<'a> {
    /// When it ended, in milliseconds since 1970.
    ended_ms: u64,
    thread: u64,
    method: &'a str,
    cost_ns: i64,
    exception: Option<&'a str>,
}

pub(super) struct Lines {
    json: bool,
    methods: HashMap<u32, String>,
    exceptions: HashMap<u16, String>,
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
            methods: HashMap::new(),
            exceptions: HashMap::new(),
            out: human::Stream::stdout(),
            clock,
        }
    }

    pub(super) fn print(&mut self, events: &[Event], opened: &Opened<'_>, reader: &Reader<'_>) {
        if events.iter().any(|event| !self.methods.contains_key(&event.probe)) {
            self.methods = opened.names();
        }
        for event in events {
            if output::is_closed() {
                return;
            }
            self.line(event, reader);
        }
    }

    fn line(&mut self, event: &Event, reader: &Reader<'_>) {
        let unknown = format!("probe {}", event.probe);
        let method = self.methods.get(&event.probe).unwrap_or(&unknown);
        let exception = event.exception.map(|number| {
            let name = || reader.exception_name(number).unwrap_or_else(|| "an exception".to_owned());
            &**self.exceptions.entry(number).or_insert_with(name)
        });
        let cost = event.end.wrapping_sub(event.start);
        let ended = Duration::from_nanos(u64::try_from(i128::from(event.end) + self.clock).unwrap_or(0));
        if self.json {
            let ended_ms = u64::try_from(ended.as_millis()).unwrap_or(0);
            json::print(
                "call",
                &CallJson { ended_ms, thread: event.thread, method, cost_ns: cost, exception },
            );
            return;
        }
        let end = match exception {
            Some(exception) => format!("  {}", self.out.red(exception)),
            None => String::new(),
        };
        self.out.line(&format!(
            "{} {:>5} {:>10} {method}{end}",
            time(ended),
            format!("#{}", event.thread),
            shown(cost)
        ));
    }
}

/// `09:41:07.123`, in UTC.
fn time(since_1970: Duration) -> String {
    let (seconds, millis) = (since_1970.as_secs(), since_1970.subsec_millis());
    format!("{:02}:{:02}:{:02}.{millis:03}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
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
        assert_eq!(time(Duration::from_millis(86_400_000 + 3_723_004)), "01:02:03.004");
        for (cost, text) in [(5, "5 ns"), (1_500, "1.5 us"), (2_000_000, "2.0 ms"), (1_234_000_000, "1.23 s")]
        {
            assert_eq!(shown(cost), text);
        }
    }
}
