//! A session: the directory in the target through which the bundled agent is told what to do and answers.
//!
//! Made as the target's user, removed on drop, or by the next command where we were killed; the agent's jar beside it
//! stays, because the JVM keeps it open and one that is equal is used again.

use std::path::Path;
use std::time::Duration;

use jgraft_attach::staging::{self, Home, Parcel, Place};
use jgraft_attach::{Finding, FindingKind, Target};
use jgraft_protocol::{properties, session};
use sha2::{Digest, Sha256};

use crate::bundle;
use crate::failure::{EXIT_BLOCKED, EXIT_FAILED, Failure};

/// The longest request that the bundled agent reads, in bytes.
const REQUEST_LIMIT: usize = 1 << 20;

/// A session to be opened: everything is known, nothing is written.
pub(crate) struct Draft {
    parcel: Parcel,
    place: Place,
    agent_jar: String,
    text: String,
    name: String,
}

impl Draft {
    /// What the bundled agent is to be told by this request.
    pub(crate) fn new(target: &Target, request: &[(&str, &str)]) -> Result<Draft, Failure> {
        let jar = bundle::agent_jar()?.into_owned();
        let jar_digest = hex(&Sha256::digest(&jar));
        let mut parcel = Parcel::new();
        parcel
            .add_bytes(jar, Path::new(bundle::AGENT_JAR_NAME))
            .map_err(|e| cannot(target, e.to_string()))?;
        let place = staging::place_for(target, &parcel).map_err(|finding| Failure::blocked(&finding))?;
        let agent_jar = staging::path_in(&place, &parcel).display().to_string();
        let common =
            [(session::request::AGENT_JAR, &*agent_jar), (session::request::AGENT_SHA256, &*jar_digest)];
        let text = properties::write(common.into_iter().chain(request.iter().copied()));
        if text.len() > REQUEST_LIMIT {
            let code = FindingKind::RequestTooLong.code();
            return Err(Failure::new(EXIT_BLOCKED, code, "the options are too long for a session's request")
                .evidence(format!("{} bytes as written there, at most {REQUEST_LIMIT}", text.len()))
                .remedy("put them into a file that the agent reads"));
        }
        let digest = hex(&Sha256::digest(text.as_bytes()));
        let name = session::directory(std::process::id(), serial(), &digest);
        Ok(Draft { parcel, place, agent_jar, text, name })
    }

    /// The option string for the agent: the session's directory in the target's view.
    pub(crate) fn path(&self) -> String {
        self.place.home().join(&self.name).display().to_string()
    }

    /// Where the bundled agent's jar will be in the target's view.
    pub(crate) fn agent_jar(&self) -> &str {
        &self.agent_jar
    }

    /// Stages the bundled agent and writes the request; another of ours that stages is waited for at most so long.
    /// Nothing has been sent to the JVM yet.
    pub(crate) fn open(&self, target: &Target, timeout: Duration) -> Result<Session, Failure> {
        let home = Home::open(target, &self.place, timeout).map_err(|finding| staging_failed(&finding))?;
        home.put(target, &self.parcel).map_err(|finding| staging_failed(&finding))?;
        let session = home.session(&self.name).map_err(|e| cannot(target, e.to_string()))?;
        let written = session.dir().write_new(session::REQUEST, self.text.as_bytes());
        written.map_err(|e| cannot(target, e.to_string()))?;
        Ok(Session(session))
    }
}

/// An open session.
pub(crate) struct Session(staging::Session);

impl Session {
    /// The agent's answer, if it has written one.
    pub(crate) fn reply(&self) -> Option<Vec<(String, String)>> {
        let bytes = self.0.dir().read(session::REPLY, session::REPLY_LIMIT).ok()?;
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
