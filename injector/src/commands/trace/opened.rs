//! A trace that has begun: the session, its lease, and what the agent has answered.

use std::fs::File;
use std::time::{Duration, Instant};

use jgraft_attach::{Client, EventMemory, Target};
use jgraft_protocol::events::status;
use jgraft_protocol::native::{stage, trace as keys};
use jgraft_protocol::pattern::Pattern;
use jgraft_protocol::properties;
use jgraft_protocol::session::{reply, request};
use serde::Serialize;

use super::outcome;
use super::table::Table;
use crate::bundle::Bundled;
use crate::cli::Trace;
use crate::failure::{EXIT_FAILED, Failure};
use crate::human::{self, clean};
use crate::interrupt::Interrupt;
use crate::native_agent::{self, Answer};
use crate::session::{Draft, Session};

/// The file of a plan is not read further.
const PLAN_LIMIT: u64 = 64 << 20;

pub(super) struct Opened<'i> {
    client: Client<'i>,
    session: Session,
    /// Held by this process, and by nobody when it is gone.
    _lease: File,
    /// The session's directory as the target has it.
    path: String,
    reply: Vec<(String, String)>,
}

/// What came of the request to begin.
pub(super) enum Begun<'i> {
    Yes(Opened<'i>),
    /// Nothing was changed: it has this cost, to which nobody has agreed.
    AskFirst(Target, String),
}

/// A class that would be rewritten.
#[derive(Serialize)]
pub(super) struct PlannedJson {
    pub(super) class: String,
    /// Of code and constants.
    pub(super) bytes: u64,
    /// With their descriptors.
    pub(super) methods: Vec<String>,
}

impl<'i> Opened<'i> {
    pub(super) fn open(
        target: Target,
        patterns: &[Pattern],
        options: &'i Trace,
        consent: bool,
        interrupt: &'i Interrupt,
    ) -> Result<Begun<'i>, Failure> {
        let numbered: Vec<_> = (1..)
            .zip(patterns)
            .map(|(n, pattern)| (format!("{}{n}", keys::PATTERN), pattern.to_string()))
            .collect();
        let by = human::by();
        let mut wanted = vec![(request::VERB, keys::VERB), (keys::BY, &*by)];
        wanted.extend(consent.then_some((keys::CONSENT, "true")));
        wanted.extend(options.dry_run.then_some((keys::DRY_RUN, "true")));
        wanted.extend(numbered.iter().map(|(key, pattern)| (key.as_str(), pattern.as_str())));
        let draft = Draft::new(&target, Bundled::Native, &wanted)?;
        let session = draft.open(&target, options.patience.timeout)?;
        let lease = session.dir().lock_new(keys::LEASE).map_err(|error| {
            Failure::new(
                EXIT_FAILED,
                "staging-failed",
                format!("nothing can be put where pid {} sees it", target.pid()),
            )
            .evidence(error.to_string())
            .remedy("make room there")
        })?;
        let pid = target.pid();
        let mut client = options.patience.client(target, interrupt);
        let cause = format!("pid {pid} cannot be traced");
        let reply = match native_agent::load(&mut client, &draft, &session, "trace-failed", &cause)? {
            Answer::Done(reply) => reply,
            Answer::Refused(reply) => {
                return match native_agent::said(&reply) {
                    (stage::CONSENT, cost) => Ok(Begun::AskFirst(client.into_target(), cost)),
                    _ => Err(refused(pid, &reply)),
                };
            }
        };
        Ok(Begun::Yes(Opened { client, session, _lease: lease, path: draft.path(), reply }))
    }

    /// What a dry run has found.
    pub(super) fn plan(&self) -> Vec<PlannedJson> {
        let text = self.session.dir().read(keys::PLAN, PLAN_LIMIT).unwrap_or_default();
        let line = |line: &str| {
            let [class, bytes, methods] = line.splitn(3, '\t').collect::<Vec<_>>().try_into().ok()?;
            let methods = methods.split(' ').filter(|name| !name.is_empty()).map(clean).collect();
            Some(PlannedJson { class: clean(class), bytes: bytes.parse().ok()?, methods })
        };
        String::from_utf8_lossy(&text).lines().filter_map(line).collect()
    }

    pub(super) fn memory(&self) -> Result<EventMemory, Failure> {
        let descriptor = i32::try_from(self.number(keys::MEMORY)).unwrap_or(-1);
        EventMemory::open(self.client.target(), descriptor).map_err(|error| {
            let cause = format!("what pid {} traces cannot be read", self.client.target().pid());
            Failure::new(EXIT_FAILED, "no-event-memory", cause)
                .evidence(error.to_string())
                .remedy("run jgraft as root or as the jvm's user; the classes are put back")
        })
    }

    pub(super) fn number(&self, key: &str) -> u64 {
        properties::get(&self.reply, key).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    pub(super) fn left_alone(&self) -> impl Iterator<Item = &str> {
        self.reply.iter().filter(|(key, _)| key.starts_with(keys::LEFT_ALONE)).map(|(_, why)| why.as_str())
    }

    /// What the agent has answered.
    pub(super) fn reply(&self) -> &[(String, String)] {
        &self.reply
    }

    /// Reads what is new of it.
    pub(super) fn read_on(&self, table: &mut Table) {
        table.read_on(&self.session);
    }

    /// What the agent says of the end, if it has come: in the session's directory, or, where that cannot be written to, in
    /// the event memory, as long as no other trace has that.
    pub(super) fn end(&self, memory: &EventMemory) -> Option<Vec<(String, String)>> {
        if let Some(pairs) = self.session.pairs(keys::ENDED) {
            return Some(pairs);
        }
        let pairs = properties::parse(&status(memory)?);
        let is_ours = properties::get(&pairs, keys::SESSION) == Some(&*self.path);
        (!is_ours || properties::get(&pairs, keys::STATE) == Some("ended")).then_some(pairs)
    }

    /// Whether it has ended by itself, or the target has.
    pub(super) fn ended(&self, memory: &EventMemory) -> bool {
        self.client.target().process().has_ended() || self.end(memory).is_some()
    }

    /// Waits until the classes are as they were; what the agent says of that.
    pub(super) fn wait_for_end(
        &self,
        memory: &EventMemory,
        patience: Duration,
    ) -> Result<Vec<(String, String)>, Failure> {
        let (start, pid) = (Instant::now(), self.client.target().pid());
        loop {
            if let Some(pairs) = self.end(memory) {
                let failed = |why| {
                    Failure::new(EXIT_FAILED, "not-restored", format!("probes may be left in pid {pid}"))
                        .evidence(why)
                        .remedy("no event is written any more; a later trace of the same methods puts them back when it ends")
                };
                outcome(&pairs).map_err(failed)?;
                return Ok(pairs);
            }
            if self.client.target().process().has_ended() {
                return Err(Failure::new(EXIT_FAILED, "target-ended", format!("pid {pid} has ended"))
                    .evidence("while it was traced")
                    .remedy("jgraft list shows the jvms of this host"));
            }
            if start.elapsed() > patience {
                return Err(Failure::new(EXIT_FAILED, "not-restored", format!("probes may be left in pid {pid}"))
                    .evidence(format!("the agent has not said within {} s that they are gone", patience.as_secs()))
                    .remedy("they write nothing any more, and the agent goes on; jgraft doctor --probe says how the jvm is"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Why the agent did not begin.
pub(super) fn refused(pid: i32, reply: &[(String, String)]) -> Failure {
    let said = properties::get(reply, reply::STAGE);
    let why = outcome(reply).err().unwrap_or_default();
    let message = properties::get(reply, reply::MESSAGE).map(clean).unwrap_or_default();
    match said {
        Some(stage::FIND) => Failure::new(EXIT_FAILED, "not-found", format!("pid {pid} was not traced"))
            .evidence(message)
            .remedy(
                "jgraft histogram lists classes; a class is named with its package, as shop.Orders::place",
            ),
        Some(stage::FIND_METHOD) => Failure::new(EXIT_FAILED, "not-found", format!("pid {pid} was not traced"))
            .evidence(message)
            .remedy(format!(
                "jgraft trace {pid} 'CLASS::*' --dry-run lists the methods of a class; one that it inherits is traced where it is declared"
            )),
        _ => Failure::new(EXIT_FAILED, "trace-failed", format!("pid {pid} cannot be traced"))
            .evidence(why)
            .remedy("nothing was changed; jgraft doctor says how the jvm is"),
    }
}
