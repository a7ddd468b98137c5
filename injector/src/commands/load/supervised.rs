//! `load --supervised`: the bundled agent loads the user's agent inside the target, and reports what plain attach keeps
//! to itself: how far it came, and the whole stack trace.

use std::time::Duration;

use jgraft_attach::{Request, Target};
use jgraft_protocol::properties;
use jgraft_protocol::session::{reply, request};

use super::agent::Agent;
use crate::bundle::{AGENT_JAR_NAME, Bundled};
use crate::commands::doctor::FindingJson;
use crate::failure::{EXIT_FAILED, Failure};
use crate::session::{Draft, Session};

/// A session that will ask for one agent. `jar` is the agent's own, in the target's view.
pub(crate) fn draft(agent: &Agent, jar: &str, target: &Target) -> Result<Draft, Failure> {
    let mut wanted = vec![(request::VERB, request::VERB_LOAD), (request::JAR, jar)];
    if let Some(options) = &agent.options {
        wanted.push((request::OPTIONS, options));
    }
    Draft::new(target, Bundled::Java, &wanted)
}

/// The bundled agent's own load.
pub(crate) fn request(draft: &Draft) -> Result<Request, Failure> {
    Request::load_java_agent(draft.agent(), Some(&draft.path())).map_err(|finding| Failure::blocked(&finding))
}

/// An open session that asks for one agent.
pub(crate) struct Supervision(Session);

impl Supervision {
    pub(crate) fn open(draft: &Draft, target: &Target, timeout: Duration) -> Result<Supervision, Failure> {
        draft.open(target, timeout).map(Supervision)
    }

    /// What the agent noticed while it loaded the other: an entry of its Boot-Class-Path that is not there, a class that
    /// came from another jar.
    pub(crate) fn warnings(&self) -> Vec<FindingJson> {
        let said = self.0.reply().unwrap_or_default();
        let texts = (1..).map_while(|at| properties::get(&said, &format!("{}{at}", reply::WARNING)));
        let finding = |text: &str| FindingJson {
            code: "agent-warning",
            cause: text.to_owned(),
            evidence: format!("{AGENT_JAR_NAME} saw it in the jvm"),
            remedy: "mend the agent's jar if that is not what it wants".to_owned(),
        };
        texts.map(finding).collect()
    }

    /// `None` where the agent says that all is well.
    pub(crate) fn failure(&self, agent: &Agent, who: &str) -> Option<Failure> {
        let Some(said) = self.0.reply() else {
            return Some(
                Failure::new(
                    EXIT_FAILED,
                    "no-report",
                    format!("whether {} started in {who} is not known", agent.path()),
                )
                .evidence(format!("{AGENT_JAR_NAME} ran and left no report in its session"))
                .remedy("look at the service; load without --supervised"),
            );
        };
        let get = |key| properties::get(&said, key);
        if get(reply::OUTCOME) == Some(reply::OK) {
            return None;
        }
        let stage = get(reply::STAGE).unwrap_or("?");
        let message = get(reply::MESSAGE).unwrap_or_default();
        let evidence = match get(reply::EXCEPTION) {
            Some(exception) if !message.contains(exception) => format!("{exception}: {message}"),
            _ => message.to_owned(),
        };
        let code =
            get(reply::CODE).map_or(String::new(), |code| format!(" (return code {code} by plain attach)"));
        let failure =
            Failure::new(EXIT_FAILED, "agent-failed", format!("{} did not start in {who}", agent.path()))
                .evidence(format!("stage {stage}: {evidence}{code}"))
                .remedy("mend the agent or its options; the service itself was not harmed");
        let stack = get(reply::STACK).unwrap_or_default();
        Some(match stack {
            "" => failure,
            stack => failure.detail(stack.lines().map(str::to_owned)),
        })
    }
}
