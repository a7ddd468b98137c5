//! A session: the directory in the target through which a bundled agent is told what to do and answers.
//!
//! Made as the target's user, removed on drop, or by the next command where we were killed; the agent's file beside it
//! stays, because the JVM keeps it open and one that is equal is used again.

use std::path::Path;
use std::time::Duration;

use jgraft_attach::staging::{self, Home, Needs, Parcel, Place};
use jgraft_attach::{
    Client, Finding, FindingKind, Kind, LoadOutcome, Request, Target, TargetDir, agent_loading, examine,
};
use jgraft_protocol::{properties, session};
use sha2::{Digest, Sha256};

use crate::bundle::Bundled;
use crate::failure::{EXIT_BLOCKED, EXIT_FAILED, Failure};
use crate::human;
use crate::hung::explain_hang;

/// The longest request that an agent reads, in bytes.
const REQUEST_LIMIT: usize = 1 << 20;
/// The answer to the request to load an agent is a line.
const ANSWER_LIMIT: u64 = 1 << 16;

/// A session to be opened: everything is known, nothing is written.
pub(crate) struct Draft {
    parcel: Parcel,
    place: Place,
    agent: String,
    text: String,
    name: String,
}

impl Draft {
    /// What a bundled agent is to be told by this request.
    pub(crate) fn new(target: &Target, agent: Bundled, request: &[(&str, &str)]) -> Result<Draft, Failure> {
        let bytes = agent.bytes()?;
        let agent_digest = hex(&Sha256::digest(&bytes));
        let mut parcel = Parcel::new();
        parcel.add_bytes(bytes, Path::new(agent.file_name())).map_err(|e| cannot(target, e.to_string()))?;
        let place = staging::place_for(target, &parcel).map_err(|finding| Failure::blocked(&finding))?;
        let path = staging::path_in(&place, &parcel).display().to_string();
        let common = match agent {
            Bundled::Java => {
                &[(session::request::AGENT_JAR, &*path), (session::request::AGENT_SHA256, &*agent_digest)][..]
            }
            Bundled::Native => &[],
        };
        let text = properties::write(common.iter().chain(request).copied());
        if text.len() > REQUEST_LIMIT {
            let code = FindingKind::RequestTooLong.code();
            return Err(Failure::new(EXIT_BLOCKED, code, "that is too much for one request")
                .evidence(format!("{} bytes as written there, at most {REQUEST_LIMIT}", text.len()))
                .remedy("name fewer classes, or put an agent's options into a file that it reads"));
        }
        let digest = hex(&Sha256::digest(text.as_bytes()));
        let name = session::directory(std::process::id(), serial(), &digest);
        Ok(Draft { parcel, place, agent: path, text, name })
    }

    /// The session's directory in the target's view.
    pub(crate) fn path(&self) -> String {
        self.place.home().join(&self.name).display().to_string()
    }

    /// Where the agent's file will be in the target's view.
    pub(crate) fn agent(&self) -> &str {
        &self.agent
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
        self.pairs(session::REPLY)
    }

    /// The pairs of a file of the agent's, if it has written it.
    pub(crate) fn pairs(&self, name: &str) -> Option<Vec<(String, String)>> {
        let bytes = self.0.dir().read_whole(name, session::REPLY_LIMIT).ok()?;
        Some(properties::parse(&bytes))
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &TargetDir {
        self.0.dir()
    }
}

/// A directory of ours in the target's view, to work in; it goes when this is dropped, or with the next command where we are
/// killed. Another of ours that stages is waited for at most so long.
pub(crate) fn workshop(
    target: &Target,
    needs: Needs<'_>,
    timeout: Duration,
) -> Result<staging::Session, Failure> {
    let place = Place::choose(target, needs).map_err(|finding| Failure::blocked(&finding))?;
    let home = Home::open(target, &place, timeout).map_err(|finding| staging_failed(&finding))?;
    let name = session::directory(std::process::id(), serial(), "workshop");
    home.session(&name).map_err(|e| cannot(target, e.to_string()))
}

/// Has the JVM load a bundled agent; what became of it. An error where it did not answer.
pub(crate) fn load_agent(client: &mut Client<'_>, asked: &Request) -> Result<LoadOutcome, Failure> {
    let answer = client.send(asked).and_then(|reply| Ok((reply.header(), reply.into_text(ANSWER_LIMIT)?.0)));
    let (header, text) = answer.map_err(|error| explain_hang(error, client.target()))?;
    Ok(LoadOutcome::parse(header, &text))
}

/// What stands against changing classes of a target by a bundled agent, before anything is sent; what the JVM will print of
/// that. OpenJ9 is refused with this evidence and remedy.
pub(crate) fn may_change_classes(
    target: &Target,
    evidence: &str,
    remedy: &str,
) -> Result<Option<Finding>, Failure> {
    if target.kind() == Kind::OpenJ9 {
        let cause = format!("pid {} is an openj9 vm", target.pid());
        return Err(Failure::new(EXIT_BLOCKED, "not-hotspot", cause).evidence(evidence).remedy(remedy));
    }
    if let Some(blocker) = examine(target).blockers.first() {
        return Err(Failure::blocked(blocker));
    }
    agent_loading(target).map_err(|blocker| Failure::blocked(&blocker))
}

/// Says what the JVM will print.
pub(crate) fn announce(warning: &Finding) {
    human::Stream::stderr().warning(&format!("{} ({})", human::clean(&warning.cause), warning.kind.code()));
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
