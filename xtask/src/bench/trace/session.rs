//! `jgraft trace` without its printing: this process plays the injector, so that only what the target does is measured.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use jgraft_attach::{Client, EventMemory, LoadOutcome, Request, Target};
use jgraft_jvm_harness::Jvm;
use jgraft_protocol::native::trace as keys;
use jgraft_protocol::properties;
use jgraft_protocol::session::request;
use nix::fcntl::{FcntlArg, fcntl};
use tempfile::TempDir;

/// A trace, which ends when this is dropped: the target finds the lease free.
pub(super) struct Session {
    _directory: TempDir,
    _lease: File,
}

/// Begins to trace; the event memory. It has to hear a heartbeat.
pub(super) fn begin(jvm: &Jvm, library: &Path, pattern: &str) -> Result<(Session, EventMemory)> {
    let directory = tempfile::tempdir_in(jvm.cwd())?;
    let lease = File::create_new(directory.path().join(keys::LEASE))?;
    let lock =
        nix::libc::flock { l_type: nix::libc::F_WRLCK as _, l_whence: 0, l_start: 0, l_len: 0, l_pid: 0 };
    fcntl(&lease, FcntlArg::F_OFD_SETLK(&lock))?;
    let first = format!("{}1", keys::PATTERN);
    let wanted = [(request::VERB, keys::VERB), (keys::BY, "cargo xtask bench"), (&*first, pattern)];
    fs::write(directory.path().join("request"), properties::write(wanted))?;
    let options = format!("session={}", directory.path().display());
    let asked = Request::load_native_agent(&library.display().to_string(), Some(&options))?;
    let target = Target::inspect(jvm.pid().cast_signed())?;
    let mut client = Client::new(target);
    let answer = client.send(&asked)?;
    let header = answer.header();
    let outcome = LoadOutcome::parse(header, &answer.into_text(1 << 16)?.0);
    let reply = properties::parse(&fs::read(directory.path().join("reply")).unwrap_or_default());
    ensure!(outcome == LoadOutcome::Loaded, "{outcome:?}: {reply:?}");
    ensure!(properties::get(&reply, keys::METHODS) == Some("1"), "one method was to be woven: {reply:?}");
    let descriptor = properties::get(&reply, keys::MEMORY).and_then(|number| number.parse().ok());
    let memory = EventMemory::open(client.target(), descriptor.context("no event memory")?)?;
    Ok((Session { _directory: directory, _lease: lease }, memory))
}
