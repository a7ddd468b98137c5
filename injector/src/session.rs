//! A session: the directory in the target through which the bundled agent is told what to do and answers.
//!
//! Made as the target's user, removed on drop, or by the next command where we were killed; the agent's jar beside it
//! stays, because the JVM keeps it open and one that is equal is used again.

use std::path::Path;
use std::time::Duration;

use jgraft_attach::staging::{self, Home, Parcel};
use jgraft_attach::{Finding, FindingKind, Target};
use jgraft_protocol::{properties, session};
use sha2::{Digest, Sha256};

use crate::bundle;
use crate::failure::{EXIT_FAILED, Failure};

/// An open session.
pub(crate) struct Session {
    session: staging::Session,
    path: String,
    agent_jar: String,
}

impl Session {
    /// Stages the bundled agent and writes the request; another of ours that stages is waited for at most so long.
    /// Nothing has been sent to the JVM yet.
    pub(crate) fn open(
        target: &Target,
        request: &[(&str, &str)],
        timeout: Duration,
    ) -> Result<Session, Failure> {
        let jar = bundle::agent_jar()?.into_owned();
        let jar_digest = hex(&Sha256::digest(&jar));
        let mut parcel = Parcel::new();
        parcel
            .add_bytes(jar, Path::new(bundle::AGENT_JAR_NAME))
            .map_err(|e| cannot(target, e.to_string()))?;
        let place = staging::place_for(target, &parcel).map_err(|finding| Failure::blocked(&finding))?;
        let home = Home::open(target, &place, timeout).map_err(|finding| staging_failed(&finding))?;
        let staged = home.put(target, &parcel).map_err(|finding| staging_failed(&finding))?;
        let agent_jar = staged.path.display().to_string();
        let common =
            [(session::request::AGENT_JAR, &*agent_jar), (session::request::AGENT_SHA256, &*jar_digest)];
        let text = properties::write(common.into_iter().chain(request.iter().copied()));
        let digest = hex(&Sha256::digest(text.as_bytes()));
        let name = session::directory(std::process::id(), serial(), &digest);
        let session = home.session(&name).map_err(|e| cannot(target, e.to_string()))?;
        session
            .dir()
            .write_new(session::REQUEST, text.as_bytes())
            .map_err(|e| cannot(target, e.to_string()))?;
        let path = session.dir().path().display().to_string();
        Ok(Session { session, path, agent_jar })
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
        let bytes = self.session.dir().read(session::REPLY, session::REPLY_LIMIT).ok()?;
        Some(properties::parse(&bytes))
    }
}

/// A failure on the way into the target's file system. Nothing was sent.
pub(crate) fn staging_failed(finding: &Finding) -> Failure {
    Failure::new(EXIT_FAILED, finding.kind.code(), &finding.cause)
        .evidence(&finding.evidence)
        .remedy(&finding.remedy)
}

fn cannot(target: &Target, evidence: String) -> Failure {
    let cause = format!("nothing can be put where pid {} sees it", target.pid());
    Failure::new(EXIT_FAILED, FindingKind::StagingFailed.code(), cause)
        .evidence(evidence)
        .remedy("make room there, or see jgraft doctor --privileges")
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
