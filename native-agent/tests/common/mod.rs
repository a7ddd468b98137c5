//! What the live tests share: the service, loading the agent into it, reading its reply, judging its output.

#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod trace;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jgraft_attach::{Client, LoadOutcome, Request, Target};
use jgraft_jvm_harness::{Jdk, Jvm, JvmBuilder, artifacts, targets};
use jgraft_protocol::properties;

pub(crate) type Pairs = Vec<(String, String)>;

/// The order service, silent but for its ready line and what it is asked for.
pub(crate) fn service(jdk: &Jdk) -> Result<JvmBuilder<'_>> {
    let classes = targets::order_service_classes()?;
    let library = artifacts::native_agent()?;
    let folder = library.parent().context("no folder")?.to_owned();
    Ok(Jvm::builder(jdk).class_path(classes).main("OrderService").program_args(["--quiet"]).visible(folder))
}

/// `-agentpath` with our agent.
pub(crate) fn agent_path(options: &str) -> Result<String> {
    Ok(format!("-agentpath:{}={options}", artifacts::native_agent()?.display()))
}

pub(crate) fn options(session: &Path, class: &str) -> String {
    format!("session={},class={class}", session.display())
}

/// Loads the agent by attach.
pub(crate) fn load(jvm: &Jvm, options: &str) -> Result<LoadOutcome> {
    load_library(jvm, &artifacts::native_agent()?, options)
}

/// Loads a copy of the agent by attach.
pub(crate) fn load_library(jvm: &Jvm, library: &Path, options: &str) -> Result<LoadOutcome> {
    let request = Request::load_native_agent(&library.display().to_string(), Some(options))?;
    let target = Target::inspect(jvm.pid().cast_signed())?;
    let mut client = Client::new(target);
    let reply = client.send(&request)?;
    let header = reply.header();
    Ok(LoadOutcome::parse(header, &reply.into_text(1 << 16)?.0))
}

/// Loads the agent by attach for a class, in a session of its own; the reply.
pub(crate) fn look(jvm: &Jvm, class: &str) -> Result<(LoadOutcome, Pairs)> {
    let session = tempfile::tempdir_in(jvm.cwd())?;
    let outcome = load(jvm, &options(session.path(), class))?;
    Ok((outcome, reply(session.path())?))
}

/// The reply, which must be the only file of the session.
pub(crate) fn reply(session: &Path) -> Result<Pairs> {
    let names: Vec<_> = fs::read_dir(session)?.map(|entry| Ok(entry?.file_name())).collect::<Result<_>>()?;
    ensure!(names == ["reply"], "the session holds {names:?}");
    Ok(properties::parse(&fs::read(session.join("reply"))?))
}

/// Compares values of the reply.
pub(crate) fn expect(reply: &Pairs, expected: &[(&str, &str)]) -> Result<()> {
    for (key, value) in expected {
        ensure!(properties::get(reply, key) == Some(value), "{key} is not {value}: {reply:?}");
    }
    Ok(())
}

pub(crate) fn number(reply: &Pairs, key: &str) -> Result<usize> {
    let value = properties::get(reply, key).with_context(|| format!("no {key}: {reply:?}"))?;
    Ok(value.parse()?)
}

/// It still works, and printed nothing but its own lines and, on stderr, the JVM's warning of JEP 451.
pub(crate) fn is_unharmed(jvm: &Jvm, jdk: &Jdk, attached: Attached) -> Result<()> {
    let order = jvm.ask("order", |line| line.starts_with("order "))?;
    ensure!(order.ends_with(": 2 x lamp = 2598.00 EUR"), "{order}");
    let stdout = jvm.stdout();
    let foreign: Vec<_> =
        stdout.lines().filter(|line| !line.starts_with("ready ") && !line.starts_with("order ")).collect();
    ensure!(foreign.is_empty(), "on stdout: {foreign:?}");
    has_only_the_warning(jvm, jdk, attached)
}

/// On stderr there is nothing but the JVM's warning of JEP 451, for each load up to the first that succeeded.
pub(crate) fn has_only_the_warning(jvm: &Jvm, jdk: &Jdk, attached: Attached) -> Result<()> {
    let warning = ["WARNING: A JVM TI agent has been loaded dynamically", "WARNING: If", "WARNING: Dyn"];
    let times = match attached {
        Attached::Times(times) if jdk.feature >= 21 => times,
        Attached::Times(_) | Attached::Never => 0,
    };
    let expected: Vec<_> = warning.into_iter().cycle().take(times * warning.len()).collect();
    if !expected.is_empty() {
        // It writes a line at a time.
        let mut lines = 0;
        let all = |_: &str| {
            lines += 1;
            lines == expected.len()
        };
        jvm.wait_for_stderr(all, Duration::from_secs(30))?;
    }
    let stderr = jvm.stderr();
    let lines: Vec<_> = stderr.lines().collect();
    let is_expected = lines.len() == expected.len()
        && lines.iter().zip(&expected).all(|(line, start)| line.starts_with(start));
    ensure!(is_expected, "on stderr {times} warnings were expected: {stderr}");
    Ok(())
}

/// How often an agent was loaded into the running JVM until that succeeded once.
#[derive(Clone, Copy)]
pub(crate) enum Attached {
    Times(usize),
    Never,
}

/// The entries of a directory of /proc of the JVM.
pub(crate) fn count(jvm: &Jvm, what: &str) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{}/{what}", jvm.pid()))?.count())
}

/// Waits until the JVM has no more than so many files open: it closes a connection only after its peer has seen the end
/// of the answer, and looks into its cgroup now and then.
pub(crate) fn open_files_fall_to(jvm: &Jvm, most: usize) -> Result<()> {
    let start = Instant::now();
    loop {
        let open = count(jvm, "fd")?;
        if open <= most {
            return Ok(());
        }
        ensure!(start.elapsed() < Duration::from_secs(20), "{open} open files, expected {most}");
        std::thread::yield_now();
    }
}

/// How many times the code of our library is mapped.
pub(crate) fn mapped(jvm: &Jvm) -> Result<usize> {
    let maps = fs::read_to_string(format!("/proc/{}/maps", jvm.pid()))?;
    let is_code = |line: &&str| line.contains("libjgraft_agent") && line.contains(" r-xp ");
    Ok(maps.lines().filter(is_code).count())
}
