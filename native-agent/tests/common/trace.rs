//! A trace whose injector the test plays.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jgraft_attach::{EventMemory, LoadOutcome, Target};
use jgraft_jvm_harness::{Jvm, artifacts};
use jgraft_protocol::events::{END, Reader, WORD_REQUEST, status};
use jgraft_protocol::properties;
use nix::fcntl::{FcntlArg, fcntl};
use tempfile::TempDir;

use super::{Pairs, expect, load_library, number};

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A trace as the injector has it: the session, whose lease is held as long as this lives, and the events so far.
pub(crate) struct Trace {
    pub(crate) session: TempDir,
    pub(crate) lease: Option<File>,
    pub(crate) reply: Pairs,
    pub(crate) memory: EventMemory,
}

impl Trace {
    pub(crate) fn begin(jvm: &Jvm, patterns: &[&str], time_to_live: Duration) -> Result<Trace> {
        Trace::begin_with(jvm, patterns, time_to_live, "false")
    }

    pub(crate) fn begin_with(
        jvm: &Jvm,
        patterns: &[&str],
        time_to_live: Duration,
        consent: &str,
    ) -> Result<Trace> {
        Trace::begin_by(jvm, &artifacts::native_agent()?, patterns, time_to_live, consent)
    }

    /// With this copy of the library.
    pub(crate) fn begin_by(
        jvm: &Jvm,
        library: &Path,
        patterns: &[&str],
        time_to_live: Duration,
        consent: &str,
    ) -> Result<Trace> {
        let (session, lease) = Trace::prepare(jvm.cwd(), patterns, time_to_live, consent)?;
        let outcome = load_library(jvm, library, &format!("session={}", session.path().display()))?;
        ensure!(outcome == LoadOutcome::Loaded, "{outcome:?}: {:?}", reply(session.path())?);
        Trace::opened(jvm, session, lease)
    }

    /// A session with the request, and the lease.
    pub(crate) fn prepare(
        folder: &Path,
        patterns: &[&str],
        time_to_live: Duration,
        consent: &str,
    ) -> Result<(TempDir, File)> {
        let session = tempfile::tempdir_in(folder)?;
        let lease = File::create_new(session.path().join("lease"))?;
        let lock =
            nix::libc::flock { l_type: nix::libc::F_WRLCK as _, l_whence: 0, l_start: 0, l_len: 0, l_pid: 0 };
        fcntl(&lease, FcntlArg::F_OFD_SETLK(&lock))?;
        let time_to_live = time_to_live.as_millis().to_string();
        let mut request = vec![("verb".to_owned(), "trace"), ("ttl.ms".to_owned(), &time_to_live)];
        request.extend([("consent".to_owned(), consent), ("by".to_owned(), "a test")]);
        request.extend((1..).zip(patterns).map(|(n, pattern)| (format!("pattern.{n}"), *pattern)));
        let request = properties::write(request.iter().map(|(key, value)| (key.as_str(), *value)));
        fs::write(session.path().join("request"), request)?;
        Ok((session, lease))
    }

    /// A trace that has begun.
    pub(crate) fn opened(jvm: &Jvm, session: TempDir, lease: File) -> Result<Trace> {
        let reply = reply(session.path())?;
        expect(&reply, &[("outcome", "ok")])?;
        let target = Target::inspect(jvm.pid().cast_signed())?;
        let memory = EventMemory::open(&target, number(&reply, "memory.fd")? as i32)?;
        Ok(Trace { session, lease: Some(lease), reply, memory })
    }

    pub(crate) fn reader(&self) -> Result<Reader<'_>> {
        Ok(Reader::new(&self.memory)?)
    }

    /// Methods by the ids of their probes: `Stock::take(…)…`.
    pub(crate) fn names(&self) -> Result<BTreeMap<u32, String>> {
        let text = fs::read_to_string(self.session.path().join("names"))?;
        let line = |line: &str| {
            let (id, name) = line.split_once('\t')?;
            Some((id.parse().ok()?, name.to_owned()))
        };
        text.lines().map(|text| line(text).with_context(|| format!("{text:?}"))).collect()
    }

    /// Asks for the end.
    pub(crate) fn end(&self) {
        self.memory.or_and_wake(WORD_REQUEST, END);
    }

    /// What the status in the event memory says.
    pub(crate) fn status(&self) -> Result<Pairs> {
        Ok(properties::parse(&status(&self.memory).context("no status")?))
    }

    /// Waits until the status says that it has ended; all of it.
    pub(crate) fn status_at_the_end(&self) -> Result<Pairs> {
        let start = Instant::now();
        loop {
            let status = self.status()?;
            if properties::get(&status, "state") == Some("ended") {
                return Ok(status);
            }
            ensure!(start.elapsed() < PATIENCE, "{status:?}");
            std::thread::yield_now();
        }
    }

    /// The pairs of the end.
    pub(crate) fn ended(&self) -> Result<Pairs> {
        let (file, start) = (self.session.path().join("ended"), Instant::now());
        while !file.exists() {
            ensure!(start.elapsed() < PATIENCE, "the trace does not end");
            std::thread::yield_now();
        }
        Ok(properties::parse(&fs::read(file)?))
    }
}

fn reply(session: &Path) -> Result<Pairs> {
    Ok(properties::parse(&fs::read(session.join("reply"))?))
}
