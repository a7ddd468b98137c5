//! `jgraft stat`: the counters of a JVM, from the file that it keeps them in. Nothing is sent, nobody is woken.

mod sample;

use std::process::ExitCode;
use std::time::Duration;

use jgraft_attach::{Kind, Target, examine};

use crate::cli::Stat;
use crate::failure::{EXIT_BLOCKED, EXIT_FAILED, Failure};
use crate::interrupt::Interrupt;
use crate::target::label;
use crate::{human, json, output, target};
use sample::{Sample, mib};

/// Between two lines, where only their number was given.
const EVERY: Duration = Duration::from_secs(1);
/// The header comes again after so many lines.
const SCREEN: u64 = 20;

/// Runs the command.
pub(crate) fn run(options: &Stat) -> Result<ExitCode, Failure> {
    let interrupt = Interrupt::catch();
    let target = target::find(&options.target)?;
    let repeat = match (options.every, options.count) {
        (None, None) => None,
        (every, count) => Some((every.unwrap_or(EVERY), count.unwrap_or(u64::MAX))),
    };
    let first = sample(&target)?.ok_or_else(|| no_counters(&target))?;
    let Some((every, count)) = repeat else {
        show_one(options, &target, &first);
        return Ok(ExitCode::SUCCESS);
    };
    let mut current = first;
    for line in 0..count {
        show_line(options, &current, line);
        if line + 1 == count || output::is_closed() || interrupt.wait(every) {
            break;
        }
        // Gone with its JVM.
        current = sample(&target)?.filter(|_| !target.process().has_ended()).ok_or_else(|| ended(&target))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn sample(target: &Target) -> Result<Option<Sample>, Failure> {
    let counters = target.current_perfdata().map_err(|e| {
        Failure::new(EXIT_FAILED, "system-call-failed", format!("{} cannot be looked at", label(target)))
            .evidence(e.to_string())
            .remedy("raise the limit on open files (ulimit -n)")
    })?;
    Ok(counters.map(|counters| Sample::of(target.pid(), target.uptime(), &counters)))
}

fn no_counters(target: &Target) -> Failure {
    // The words of doctor for what is no JVM, or is none that we may look into.
    if matches!(target.kind(), Kind::NotAJvm | Kind::Unreadable)
        && let Some(blocker) = examine(target).blockers.first()
    {
        return Failure::blocked(blocker);
    }
    let evidence = match target.kind() {
        Kind::OpenJ9 => "an openj9 vm keeps none",
        Kind::NotAJvm => "it is no jvm",
        Kind::Unreadable => "it may not be looked into",
        Kind::Launcher => "it has not made them yet",
        Kind::HotSpot => {
            "its hsperfdata file is off (-XX:-UsePerfData, -XX:+PerfDisableSharedMem) or not readable"
        }
    };
    Failure::new(EXIT_BLOCKED, "no-counters", format!("{} has no counters to be read", label(target)))
        .evidence(evidence)
        .remedy("jgraft histogram and jgraft threads ask the jvm itself")
}

fn ended(target: &Target) -> Failure {
    Failure::new(EXIT_FAILED, "target-ended", format!("pid {} has ended", target.pid()))
        .evidence("its pidfd says so, or its counters are gone")
        .remedy("jgraft list shows the jvms of this host")
}

fn show_line(options: &Stat, sample: &Sample, line: u64) {
    if options.json {
        return json::print("stat", sample);
    }
    let out = human::Stream::stdout();
    if line.is_multiple_of(SCREEN) {
        out.line(&out.bold(sample::HEADER));
    }
    out.line(&sample.row());
}

fn show_one(options: &Stat, target: &Target, sample: &Sample) {
    if options.json {
        return json::print("stat", sample);
    }
    let out = human::Stream::stdout();
    let version = human::clean(target.version().unwrap_or("?"));
    out.line(&format!("{}, java {version}, up {}", out.bold(&label(target)), human::age(target.uptime())));
    let line = |name: &str, text: String| out.line(&format!("  {name:<13}{}", human::clean(&text)));
    let areas = sample.generations.iter().map(|area| (format!("  {}", area.name), area));
    for (name, area) in [("heap".to_owned(), &sample.heap)].into_iter().chain(areas) {
        line(
            &name,
            format!(
                "{} MiB used, {} committed, {} at most",
                mib(area.used_bytes),
                mib(area.committed_bytes),
                mib(area.max_bytes)
            ),
        );
    }
    line(
        "metaspace",
        format!(
            "{} MiB used, {} committed",
            mib(sample.metaspace.used_bytes),
            mib(sample.metaspace.committed_bytes)
        ),
    );
    for collector in &sample.collectors {
        line("gc", format!("{} × {}, {:.1} ms", collector.collections, collector.name, collector.time_ms));
    }
    if let Some(cause) = &sample.last_gc_cause {
        line("  last cause", cause.clone());
    }
    line("classes", format!("{} loaded, {} unloaded", sample.classes.loaded, sample.classes.unloaded));
    let threads = &sample.threads;
    line(
        "threads",
        format!(
            "{} live, {} of them daemons, {} at most, {} started",
            threads.live, threads.daemon, threads.peak, threads.started
        ),
    );
    let compilation = &sample.compilation;
    line(
        "compilation",
        format!(
            "{} methods, {} given up, {:.1} ms",
            compilation.methods, compilation.bailouts, compilation.time_ms
        ),
    );
    line("safepoints", format!("{}, {:.1} ms", sample.safepoints.count, sample.safepoints.time_ms));
}
