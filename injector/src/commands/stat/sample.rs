//! What the counters of one moment say. Pure: counters in, numbers out. Names and units are HotSpot's, 8 to 26; a counter
//! that a release or a collector does not keep counts as 0.

use std::time::Duration;

use jgraft_attach::hsperfdata::PerfData;
use serde::Serialize;

/// One moment.
#[derive(Debug, Serialize)]
pub(super) struct Sample {
    pub(super) pid: i32,
    pub(super) uptime_seconds: f64,
    /// All generations together.
    pub(super) heap: Area,
    pub(super) generations: Vec<Area>,
    pub(super) metaspace: Area,
    pub(super) collectors: Vec<Collector>,
    pub(super) last_gc_cause: Option<String>,
    pub(super) classes: Classes,
    pub(super) threads: Threads,
    pub(super) compilation: Compilation,
    pub(super) safepoints: Safepoints,
}

/// A part of memory. What is used is as of the last collection or of the last time the VM looked.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Area {
    pub(super) name: String,
    pub(super) used_bytes: u64,
    pub(super) committed_bytes: u64,
    pub(super) max_bytes: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Collector {
    pub(super) name: String,
    pub(super) collections: u64,
    pub(super) time_ms: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Classes {
    /// Now; from the shared archive as well.
    pub(super) loaded: u64,
    pub(super) unloaded: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Threads {
    pub(super) live: u64,
    pub(super) daemon: u64,
    pub(super) peak: u64,
    pub(super) started: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Compilation {
    /// Compiled since it started, again ones included.
    pub(super) methods: u64,
    pub(super) bailouts: u64,
    pub(super) invalidations: u64,
    pub(super) time_ms: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Safepoints {
    pub(super) count: u64,
    pub(super) time_ms: f64,
}

/// Over the columns of [`Sample::row`]; memory in MiB.
pub(super) const HEADER: &str = "        UP      USED  COMMITTED       MAX  METASPACE     GCS     GC-MS   CLASSES  THREADS  COMPILED  SAFEPOINTS";

impl Sample {
    pub(super) fn of(pid: i32, uptime: Duration, perf: &PerfData) -> Sample {
        let number = |name: &str| perf.long(name).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        let text = |name: &str| perf.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let frequency = number("sun.os.hrt.frequency").max(1) as f64;
        let time_ms = |name: &str| number(name) as f64 / frequency * 1000.0;
        let collectors: Vec<Collector> = (0..4)
            .filter_map(|at| {
                let of = |what: &str| format!("sun.gc.collector.{at}.{what}");
                Some(Collector {
                    name: text(&of("name"))?,
                    collections: number(&of("invocations")),
                    time_ms: time_ms(&of("time")),
                })
            })
            .collect();
        let generations: Vec<Area> = (0..4).filter_map(|at| generation(perf, at)).collect();
        let loaded = number("java.cls.loadedClasses") + number("java.cls.sharedLoadedClasses");
        let unloaded = number("java.cls.unloadedClasses") + number("java.cls.sharedUnloadedClasses");
        Sample {
            pid,
            uptime_seconds: uptime.as_secs_f64(),
            heap: whole(&generations, &collectors),
            generations,
            metaspace: Area {
                name: "metaspace".to_owned(),
                used_bytes: number("sun.gc.metaspace.used"),
                committed_bytes: number("sun.gc.metaspace.capacity"),
                max_bytes: number("sun.gc.metaspace.maxCapacity"),
            },
            collectors,
            last_gc_cause: text("sun.gc.lastCause"),
            classes: Classes { loaded: loaded.saturating_sub(unloaded), unloaded },
            threads: Threads {
                live: number("java.threads.live"),
                daemon: number("java.threads.daemon"),
                peak: number("java.threads.livePeak"),
                started: number("java.threads.started"),
            },
            compilation: Compilation {
                methods: number("sun.ci.totalCompiles"),
                bailouts: number("sun.ci.totalBailouts"),
                invalidations: number("sun.ci.totalInvalidates"),
                time_ms: time_ms("java.ci.totalTime"),
            },
            safepoints: Safepoints {
                count: number("sun.rt.safepoints"),
                time_ms: time_ms("sun.rt.safepointTime"),
            },
        }
    }

    /// One line under [`HEADER`].
    pub(super) fn row(&self) -> String {
        let (heap, collectors) = (&self.heap, self.collectors.iter());
        let gcs: u64 = collectors.clone().map(|collector| collector.collections).sum();
        let gc_ms: f64 = collectors.map(|collector| collector.time_ms).sum();
        format!(
            "{:>10} {:>9} {:>10} {:>9} {:>10} {:>7} {gc_ms:>9.1} {:>9} {:>8} {:>9} {:>11}",
            format!("{:.1}s", self.uptime_seconds),
            mib(heap.used_bytes),
            mib(heap.committed_bytes),
            mib(heap.max_bytes),
            mib(self.metaspace.used_bytes),
            gcs,
            self.classes.loaded,
            self.threads.live,
            self.compilation.methods,
            self.safepoints.count,
        )
    }
}

/// One decimal.
pub(super) fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

fn generation(perf: &PerfData, at: usize) -> Option<Area> {
    let number = |name: String| perf.long(&name).and_then(|n| u64::try_from(n).ok());
    let of = |what: &str| format!("sun.gc.generation.{at}.{what}");
    let spaces = number(of("spaces")).filter(|spaces| *spaces > 0)?.min(8);
    let used = (0..spaces).filter_map(|space| number(of(&format!("space.{space}.used"))));
    Some(Area {
        name: perf.text(&of("name"))?.to_lowercase(),
        used_bytes: used.sum(),
        committed_bytes: number(of("capacity"))?,
        max_bytes: number(of("maxCapacity"))?,
    })
}

/// Collectors without fixed generations let each of them grow to the whole heap.
fn whole(generations: &[Area], collectors: &[Collector]) -> Area {
    let shared = |collector: &Collector| {
        ["G1", "ZGC", "Shenandoah"].iter().any(|name| collector.name.starts_with(name))
    };
    let sum = |bytes: fn(&Area) -> u64| generations.iter().map(bytes).fold(0, u64::saturating_add);
    let max_bytes = match collectors.iter().any(shared) {
        true => generations.iter().map(|area| area.max_bytes).max().unwrap_or(0),
        false => sum(|area| area.max_bytes),
    };
    Area {
        name: "heap".to_owned(),
        used_bytes: sum(|area| area.used_bytes),
        committed_bytes: sum(|area| area.committed_bytes),
        max_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(max_bytes: u64) -> Area {
        Area { used_bytes: 1, committed_bytes: 2, max_bytes, ..Area::default() }
    }

    fn maximum(collector: &str) -> u64 {
        let collector = Collector { name: collector.to_owned(), collections: 0, time_ms: 0.0 };
        whole(&[area(60), area(60)], &[collector]).max_bytes
    }

    #[test]
    fn the_heap_is_counted_once() {
        assert_eq!(maximum("G1 young collection pauses"), 60);
        assert_eq!(maximum("ZGC minor collection pauses"), 60);
        assert_eq!(maximum("PSScavenge"), 120);
        let heap = whole(&[area(1), area(2)], &[]);
        assert_eq!((heap.used_bytes, heap.committed_bytes, heap.max_bytes), (2, 4, 3));
    }

    #[test]
    fn header_and_rows_have_one_width() {
        let mut file = vec![0xca, 0xfe, 0xc0, 0xc0, 1, 2, 0, 1];
        file.extend([0; 16]);
        file.extend(32i32.to_le_bytes());
        file.extend(0i32.to_le_bytes());
        let none = PerfData::parse(file).unwrap();
        let sample = Sample::of(1, Duration::from_millis(1500), &none);
        assert_eq!(sample.row().len(), HEADER.len(), "\n{HEADER}\n{}", sample.row());
    }
}
