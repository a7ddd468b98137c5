//! The bundled native agent, loaded on a session: what the JVM and the agent made of the request.

use jgraft_attach::{Client, LoadOutcome, Request};
use jgraft_protocol::native::{code, stage};
use jgraft_protocol::properties;
use jgraft_protocol::session::reply;

use crate::failure::{EXIT_FAILED, Failure};
use crate::human::clean;
use crate::session::{Draft, Session, load_agent};

type Pairs = Vec<(String, String)>;

/// What the agent answered.
pub(crate) enum Answer {
    Done(Pairs),
    /// It has changed nothing; its reply says why.
    Refused(Pairs),
}

const NOTHING_DONE: &str = "nothing was changed; jgraft doctor says how the jvm is";

/// Has the JVM load the agent, which does what the session asks for. An error where it did not come to that; `code` and
/// `cause` are what failed then.
pub(crate) fn load(
    client: &mut Client<'_>,
    draft: &Draft,
    session: &Session,
    code: &'static str,
    cause: &str,
) -> Result<Answer, Failure> {
    let asked = Request::load_native_agent(draft.agent(), Some(&format!("session={}", draft.path())))
        .map_err(|finding| Failure::blocked(&finding))?;
    let outcome = load_agent(client, &asked)?;
    let reply = session.reply().unwrap_or_default();
    let failed = |evidence: String| Failure::new(EXIT_FAILED, code, cause).evidence(evidence);
    match outcome {
        LoadOutcome::Loaded => Ok(Answer::Done(reply)),
        LoadOutcome::AgentFailed(code) if reply.is_empty() => {
            let meaning = code::explain(code).unwrap_or("unknown");
            let remedy = match code {
                code::NO_REPLY => format!("make room for files such as {}", draft.path()),
                _ => NOTHING_DONE.to_owned(),
            };
            Err(failed(format!("the agent returned {code}: {meaning}")).remedy(remedy))
        }
        LoadOutcome::AgentFailed(_) => Ok(Answer::Refused(reply)),
        LoadOutcome::NotLoaded(words) => Err(failed(format!("the jvm says: {words}")).remedy(NOTHING_DONE)),
    }
}

/// The agent's stage and its sentence.
pub(crate) fn said(reply: &[(String, String)]) -> (&str, String) {
    let stage = properties::get(reply, reply::STAGE).unwrap_or(stage::OPTIONS);
    (stage, properties::get(reply, reply::MESSAGE).map(clean).unwrap_or_default())
}
