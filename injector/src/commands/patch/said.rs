//! What the agent answers to a step: that it was done, or why it was not.

use jgraft_attach::FindingKind;
use jgraft_protocol::patch::{stage, step};
use jgraft_protocol::properties;
use jgraft_protocol::session::reply;

use crate::failure::{EXIT_FAILED, EXIT_INTERRUPTED, Failure};
use crate::human::clean;

/// The stage of what keeps us from asking it, or it from answering.
const SESSION: &str = "session";

/// What the agent says of a step that it did not do.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) stage: String,
    pub(super) message: String,
    stack: Vec<String>,
    exit: u8,
    code: &'static str,
    remedy: &'static str,
}

/// The code of what was not answered.
const LOST: &str = "patch-failed";

impl Said {
    /// What keeps us from asking it, or it from answering.
    pub(super) fn lost(message: String) -> Said {
        Said {
            stage: SESSION.to_owned(),
            message,
            stack: Vec::new(),
            exit: EXIT_FAILED,
            code: LOST,
            remedy: "jgraft patch TARGET list shows whether it is in force; if not, it goes back once jgraft has ended",
        }
    }

    /// A file that could not be written into the session, by us or by the agent.
    pub(super) fn no_room(message: String) -> Said {
        let remedy = "make room there; nothing was changed";
        Said { code: FindingKind::StagingFailed.code(), remedy, ..Said::lost(message) }
    }

    /// The user has asked to stop.
    pub(super) fn interrupted(message: String) -> Said {
        let remedy = "nothing stays changed";
        Said { exit: EXIT_INTERRUPTED, code: "interrupted", remedy, ..Said::lost(message) }
    }

    /// Whether nobody knows if it was done.
    pub(super) fn is_lost(&self) -> bool {
        self.is_of_session() && self.code == LOST
    }

    pub(super) fn is_of_session(&self) -> bool {
        self.stage == SESSION
    }

    /// With more lines behind what it says.
    pub(super) fn with(mut self, lines: Vec<String>) -> Said {
        self.stack.splice(0..0, lines);
        self
    }

    pub(super) fn failure(self, cause: &str) -> Failure {
        Failure::new(self.exit, self.code, cause)
            .evidence(format!("stage {}: {}", self.stage, self.message))
            .remedy(self.remedy)
            .detail(self.stack)
    }
}

/// How long the redefinition of a step took, in microseconds.
pub(super) fn took_us(reply: &[(String, String)]) -> u64 {
    properties::get(reply, step::MICROSECONDS).and_then(|us| us.parse().ok()).unwrap_or(0)
}

pub(super) fn outcome(reply: &[(String, String)]) -> Result<(), Said> {
    let get = |key| properties::get(reply, key).unwrap_or_default();
    match get(reply::OUTCOME) {
        reply::OK => Ok(()),
        _ => {
            let (stage, message) = (clean(get(reply::STAGE)), clean(get(reply::MESSAGE)));
            let remedy = match stage.as_str() {
                stage::BUSY => {
                    "nothing was changed; try again when it has ended; the jvm gives one up that is stopped for 60 s"
                }
                stage::GENERATION => "nothing was changed; try again when the other jgraft has ended",
                stage::LOOK => {
                    "nothing was changed; the loader is the application's: its threads may hang there too"
                }
                _ => "nothing was changed",
            };
            let said = match stage.as_str() {
                stage::FILES | stage::JOURNAL => Said::no_room(message),
                _ => Said { remedy, ..Said::lost(message) },
            };
            let stack = get(reply::STACK).lines().take(30).map(str::to_owned).collect();
            Err(Said { stage, stack, ..said })
        }
    }
}
