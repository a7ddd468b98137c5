//! A session: the directory in the target through which the bundled agent is told what to do and answers.
//!
//! Made as the target's user, removed on drop whatever happens; the agent's jar beside it stays, because the JVM keeps
//! it open and one that is equal is used again.

use std::io;

use jgraft_attach::{Target, TargetDir};
use jgraft_protocol::{properties, session};
use sha2::{Digest, Sha256};

use crate::bundle;
use crate::failure::{EXIT_FAILED, Failure};

/// An open session.
pub(crate) struct Session {
    home: TargetDir,
    dir: Option<TargetDir>,
    path: String,
    agent_jar: String,
}

impl Session {
    /// Stages the bundled agent and writes the request. Nothing has been sent to the JVM yet.
    pub(crate) fn open(target: &Target, request: &[(&str, &str)]) -> Result<Session, Failure> {
        let jar = bundle::agent_jar()?;
        let cannot_write = |e: io::Error| {
            Failure::new(
                EXIT_FAILED,
                "staging-failed",
                format!("nothing can be put into the /tmp of pid {}", target.pid()),
            )
            .evidence(e.to_string())
            .remedy("make room in that /tmp, or see jgraft doctor")
        };
        let home = TargetDir::home(target).map_err(cannot_write)?;
        let jar_digest = hex(&Sha256::digest(&jar));
        let jar_path = stage(&home, &jar_digest, &jar).map_err(cannot_write)?;
        let common =
            [(session::request::AGENT_JAR, &*jar_path), (session::request::AGENT_SHA256, &*jar_digest)];
        let text = properties::write(common.into_iter().chain(request.iter().copied()));
        let digest = hex(&Sha256::digest(text.as_bytes()));
        let name = session::directory(std::process::id(), serial(), &digest);
        let dir = home.subdir(&name).map_err(cannot_write)?;
        let path = dir.path().display().to_string();
        let session = Session { home, dir: Some(dir), path, agent_jar: jar_path };
        if let Some(dir) = &session.dir {
            dir.write_new(session::REQUEST, text.as_bytes()).map_err(cannot_write)?;
        }
        Ok(session)
    }

    /// The option string for the agent.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Where the bundled agent's jar is in the target's view.
    pub(crate) fn agent_jar(&self) -> &str {
        &self.agent_jar
    }

    /// The agent's answer, if it has written one.
    pub(crate) fn reply(&self) -> Option<Vec<(String, String)>> {
        let bytes = self.dir.as_ref()?.read(session::REPLY, session::REPLY_LIMIT).ok()?;
        Some(properties::parse(&bytes))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(dir) = self.dir.take() {
            let _ = self.home.remove_subdir(dir);
        }
    }
}

/// Where the agent's jar is in the target's view: a directory named by its content, so that versions do not meet.
fn stage(home: &TargetDir, digest: &str, jar: &[u8]) -> io::Result<String> {
    let dir = home.subdir(&digest[..session::DIGEST_DIGITS])?;
    // One byte more than ours: a longer file is not equal.
    let there = dir.read(bundle::AGENT_JAR_NAME, jar.len() as u64 + 1);
    if !there.is_ok_and(|there| there == jar) {
        dir.replace(bundle::AGENT_JAR_NAME, jar)?;
    }
    Ok(dir.path().join(bundle::AGENT_JAR_NAME).display().to_string())
}

/// Tells sessions apart that one process opens.
fn serial() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    SERIAL.fetch_add(1, Ordering::Relaxed)
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
