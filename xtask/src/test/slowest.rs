//! Which test binaries take long: `cargo test` runs one after the other and names each before it does.

use std::fs;
use std::io::{BufRead, BufReader, PipeReader};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use jgraft_jvm_harness::cache;

/// How many are printed.
const SHOWN: usize = 10;

/// A test binary, as cargo names it, and how long it ran.
pub(super) type Times = Vec<(String, Duration)>;

/// Runs `cargo test` and shows what it prints. How long each binary took is known also where tests fail.
pub(super) fn run(command: Command) -> (Result<()>, Times) {
    let mut times = Times::new();
    let done = run_timed(command, &mut times);
    (done, times)
}

/// The slowest, and what all of them took together.
pub(super) fn print(mut times: Times) {
    let all: Duration = times.iter().map(|(_, time)| *time).sum();
    times.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    println!("\n{} test binaries ran for {:.0} s, the slowest:", times.len(), all.as_secs_f64());
    for (name, time) in times.iter().take(SHOWN) {
        println!("{:>7.1} s  {name}", time.as_secs_f64());
    }
}

fn run_timed(mut command: Command, times: &mut Times) -> Result<()> {
    eprintln!("$ {}", crate::cargo::shown(&command));
    // One pipe for both streams: cargo names a binary on the one and the binary prints to the other, and the order counts.
    let (reader, writer) = std::io::pipe()?;
    let mut child = command.stdout(writer.try_clone()?).stderr(writer).spawn().context("can't run cargo")?;
    // It has the other end of the pipe, too.
    drop(command);
    follow(reader, times)?;
    let status = child.wait()?;
    if !status.success() {
        bail!("cargo test: {status}");
    }
    Ok(())
}

/// Prints all lines; a binary's time is from the line that names it to the next such line.
fn follow(output: PipeReader, times: &mut Times) -> Result<()> {
    let mut running: Option<(String, Instant)> = None;
    let mut end = |running: Option<(String, Instant)>| {
        times.extend(running.map(|(name, start)| (name, start.elapsed())));
    };
    let (mut output, mut line) = (BufReader::new(output), Vec::new());
    while output.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        if let Some(name) = named(&text) {
            end(running.replace((name, Instant::now())));
        }
        print!("{text}");
        line.clear();
    }
    end(running);
    Ok(())
}

/// `     Running tests/load.rs (target/debug/deps/load-0123)` or `   Doc-tests jgraft_attach`: which tests run now.
fn named(line: &str) -> Option<String> {
    if let Some(name) = line.strip_prefix("   Doc-tests ") {
        return Some(format!("doc-tests of {}", name.trim_end()));
    }
    let (what, binary) =
        line.strip_prefix("     Running ")?.trim_end().strip_suffix(')')?.rsplit_once(" (")?;
    Some(source(Path::new(binary)).unwrap_or_else(|| what.to_owned()))
}

/// The main source file of a binary, from the workspace on: several packages have a `tests/hostile.rs`. The compiler notes it
/// first of what the binary is made of.
fn source(binary: &Path) -> Option<String> {
    let notes = fs::read_to_string(cache::workspace().join(binary).with_extension("d")).ok()?;
    let sources = notes.lines().next()?.split_once(": ")?.1;
    sources.split_whitespace().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn binaries_are_named_by_cargo() {
        let named = |line| named(line).unwrap_or_default();
        assert_eq!(named("     Running tests/no.rs (target/debug/deps/no-01)\n"), "tests/no.rs");
        let unit = "     Running unittests src/lib.rs (target/debug/deps/no-01)\n";
        assert_eq!(named(unit), "unittests src/lib.rs");
        assert_eq!(named("   Doc-tests jgraft_attach\n"), "doc-tests of jgraft_attach");
        for other in ["running 3 tests\n", "   Compiling jgraft v0.1.0 (/x)\n", "test result: ok. 3 passed\n"]
        {
            assert_eq!(named(other), "", "{other}");
        }
    }

    #[test]
    fn a_binary_ends_where_the_next_begins() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let lines = "   Compiling x\n     Running tests/a.rs (a-1)\n\nrunning 1 test\n     Running tests/b.rs (b-1)\nno line end";
        writer.write_all(lines.as_bytes()).unwrap();
        drop(writer);
        let mut times = Times::new();
        follow(reader, &mut times).unwrap();
        let names: Vec<_> = times.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["tests/a.rs", "tests/b.rs"]);
    }
}
