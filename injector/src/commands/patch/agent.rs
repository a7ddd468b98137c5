//! The bundled Java agent in a session of many steps: it tells what it has, redefines what it is told to, and puts
//! everything back unless it hears that this was right. Not here: what is to be redefined.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use jgraft_attach::{Client, LoadOutcome, Process, Request};
use jgraft_protocol::patch::{self, stage, step, told};
use jgraft_protocol::properties;
use jgraft_protocol::session::request;

use super::found::{Base, FILE_LIMIT, Found, Tells, Unloaded, Wanted};
use super::inputs::dotted;
use super::said::{Said, outcome};
use super::store::{self, Note};
use crate::bundle::Bundled;
use crate::failure::{EXIT_FAILED, Failure};
use crate::human::clean;
use crate::interrupt::Interrupt;
use crate::session::{Draft, Session, load_agent};

/// A JVM that is busy takes long to redefine a class; one that has stopped would be waited for forever.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(1);
/// Whoever wants to stop waits so long for what has to be done first.
const IMPATIENCE: Duration = Duration::from_secs(5);
/// How often it is tried whether another jgraft has ended.
const TURN: Duration = Duration::from_millis(100);

type Pairs = Vec<(String, String)>;

/// An open session with the agent. When it is dropped before the agent was told that all is right, or this process dies, the
/// agent puts everything back.
pub(super) struct Agent<'i> {
    session: Session,
    interrupt: &'i Interrupt,
    path: String,
    /// Held by this process, and by nobody when it is gone; none where we have let go of it.
    lease: Option<File>,
    process: Process,
    step: usize,
    /// Grows with every patch; the agent refuses what was planned on an older one.
    pub(super) generation: u64,
    /// Whether it has redefined a class in this JVM before.
    pub(super) has_redefined: bool,
    /// What went wrong in the target when nobody was there to be told.
    pub(super) errors: Vec<String>,
    pub(super) found: Vec<Found>,
    /// Names of classes that are not loaded, with what loaders have of them.
    pub(super) unloaded: Vec<Unloaded>,
    /// Classes that are patched as soon as they are loaded.
    pub(super) wanted: Vec<Wanted>,
    /// What is kept there for the patches.
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
}

impl<'i> Agent<'i> {
    /// Has the JVM load the agent, which looks for classes of these names. Another jgraft that patches this JVM is waited for.
    pub(super) fn open(
        client: &mut Client<'_>,
        names: &[&str],
        timeout: Duration,
        interrupt: &'i Interrupt,
        cause: &str,
    ) -> Result<Agent<'i>, Failure> {
        let start = Instant::now();
        loop {
            match Agent::begin(client, names, timeout, interrupt, cause)? {
                Ok(agent) => return Ok(agent),
                Err(said) if said.stage == stage::BUSY && start.elapsed() < timeout => {
                    if interrupt.wait(TURN) {
                        return Err(Said::interrupted(said.message).failure(cause));
                    }
                }
                Err(said) => return Err(said.failure(cause)),
            }
        }
    }

    fn begin(
        client: &mut Client<'_>,
        names: &[&str],
        timeout: Duration,
        interrupt: &'i Interrupt,
        cause: &str,
    ) -> Result<Result<Agent<'i>, Said>, Failure> {
        let numbered: Vec<_> =
            (1..).zip(names).map(|(n, name)| (format!("{}{n}", patch::CLASS), dotted(name))).collect();
        let mut wanted = vec![(request::VERB, patch::VERB), (patch::STEPS, "true")];
        wanted.extend(numbered.iter().map(|(key, name)| (key.as_str(), name.as_str())));
        let draft = Draft::new(client.target(), Bundled::Java, &wanted)?;
        let session = draft.open(client.target(), timeout)?;
        let failed = |evidence: String| {
            Failure::new(EXIT_FAILED, "patch-failed", cause).evidence(evidence).remedy("nothing was changed")
        };
        let process = client.target().process().try_clone().map_err(|error| failed(error.to_string()))?;
        let lease = session.dir().lock_new(patch::LEASE).map_err(|error| failed(error.to_string()))?;
        let asked = Request::load_java_agent(draft.agent(), Some(&draft.path()))
            .map_err(|finding| Failure::blocked(&finding))?;
        match load_agent(client, &asked)? {
            LoadOutcome::Loaded => {}
            LoadOutcome::AgentFailed(code) => return Err(failed(format!("the agent did not start: {code}"))),
            LoadOutcome::NotLoaded(words) => return Err(failed(format!("the jvm says: {words}"))),
        }
        let reply = session.reply().ok_or_else(|| {
            let evidence = format!("the agent has left no reply in {}", draft.path());
            failed(evidence).remedy("make room there, if its disk is full; nothing was changed")
        })?;
        if let Err(said) = outcome(&reply) {
            return Ok(Err(said));
        }
        let generation = properties::get(&reply, patch::GENERATION).and_then(|text| text.parse().ok());
        let generation = generation.ok_or_else(|| failed("its reply has no generation".to_owned()))?;
        let Tells { found, unloaded, wanted, blobs } = Tells::read(&reply, session.dir()).map_err(failed)?;
        Ok(Ok(Agent {
            session,
            interrupt,
            path: draft.path(),
            lease: Some(lease),
            process,
            step: 1,
            generation,
            has_redefined: properties::get(&reply, patch::REDEFINED) == Some("true"),
            errors: [told::KEEPER_ERROR, told::ROLLBACK_ERROR]
                .iter()
                .filter_map(|key| properties::get(&reply, key).map(clean))
                .collect(),
            found,
            unloaded,
            wanted,
            blobs,
        }))
    }

    /// A class by its number in this session; there is one for each number that was told.
    pub(super) fn found(&self, n: usize) -> Option<&Found> {
        self.found.iter().find(|found| found.n == n)
    }

    /// What the JVM has handed out of a class is its base.
    pub(super) fn take_handed(&mut self, n: usize, base: Result<Vec<u8>, String>) {
        if let Some(found) = self.found.iter_mut().find(|found| found.n == n) {
            (found.kind, found.base) = (Base::Handed, base);
        }
    }

    /// The session's directory, in the target's view.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// A file of the session, as far as it can be read.
    pub(super) fn read(&self, name: &str, limit: u64) -> Vec<u8> {
        self.session.dir().read(name, limit).unwrap_or_default()
    }

    /// A class file of the session, or why it cannot be read.
    pub(super) fn read_whole(&self, name: &str) -> Result<Vec<u8>, String> {
        self.session.dir().read_whole(name, FILE_LIMIT).map_err(|error| error.to_string())
    }

    /// Puts a file into the session, for a step.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.session.dir().write_new(name, bytes).map_err(|error| {
            Failure::new(EXIT_FAILED, "staging-failed", "the patch cannot be put where the target sees it")
                .evidence(error.to_string())
                .remedy("make room there; nothing was changed")
        })
    }

    /// Has the agent do a step; its reply. What it cannot do it has not done at all.
    pub(super) fn step(&mut self, name: &str, pairs: &[(String, String)]) -> Result<Pairs, Said> {
        self.step += 1;
        let all = [(step::STEP, name)].into_iter().chain(pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        // The last pair, so that a request that is not there to its end is not taken for one.
        let text = properties::write(all.chain([("end", "true")]));
        let dir = self.session.dir();
        dir.write_new(&patch::request(self.step), text.as_bytes())
            .map_err(|error| Said::no_room(format!("the step {name} cannot be written: {error}")))?;
        let (start, answer) = (Instant::now(), patch::reply(self.step));
        let mut patience = PATIENCE;
        loop {
            // In this order: its answer comes before its end.
            let ended = self.has_given_up();
            if let Some(reply) = self.session.pairs(&answer) {
                outcome(&reply)?;
                return Ok(reply);
            }
            if ended {
                return Err(Said::no_room(format!(
                    "the agent has ended without an answer to {name}: it can write none into {}, or has heard nothing for {} s",
                    self.path,
                    patch::DEFAULT_TIME_TO_LIVE_MS / 1000
                )));
            }
            if self.process.has_ended() {
                return Err(Said::lost("the target has ended".to_owned()));
            }
            if self.is_impatient() && patience == PATIENCE {
                if [step::HAND, step::APPLY].contains(&name) {
                    return Err(self.interrupted(name));
                }
                patience = start.elapsed() + IMPATIENCE;
            }
            if start.elapsed() > patience {
                return Err(Said::lost(format!(
                    "the agent has not answered to {name} within {} s",
                    start.elapsed().as_secs()
                )));
            }
        }
    }

    /// After a short while; whether the user has asked to stop.
    fn is_impatient(&self) -> bool {
        let has_asked = self.interrupt.wait(LOOK);
        if has_asked {
            // From now on nothing holds us up there.
            std::thread::sleep(LOOK);
        }
        has_asked
    }

    /// The user does not want to wait for this step: the agent takes back what it does.
    fn interrupted(&mut self, name: &str) -> Said {
        match self.let_go(IMPATIENCE) {
            true => Said::interrupted(format!("a signal came during the step {name}, which was taken back")),
            false => Said::interrupted(format!(
                "a signal came during the step {name}, with which the jvm is not done; the agent takes it back then"
            )),
        }
    }

    /// What was seen after a step that is pending, if nothing is wrong with it; else the step is taken back.
    pub(super) fn unless_wrong<T>(
        &mut self,
        looked: Result<(Vec<String>, T), Failure>,
        cause: &str,
        remedy: &str,
    ) -> Result<T, Failure> {
        let failure = match looked {
            Ok((wrong, seen)) if wrong.is_empty() => return Ok(seen),
            Ok((wrong, _)) => {
                Failure::new(EXIT_FAILED, "others-lost", cause).evidence(wrong.join("; ")).remedy(remedy)
            }
            Err(failure) => failure.behind(cause, "it was taken back at once"),
        };
        Err(self.taken_back(failure, cause))
    }

    /// A failure while a step is pending, after the step was taken back.
    pub(super) fn taken_back(&mut self, failure: Failure, cause: &str) -> Failure {
        match self.take_back() {
            Ok(()) => failure,
            // Then the target is not as it was.
            Err(said) => Failure::new(EXIT_FAILED, "not-restored", cause)
                .evidence(format!("and it could not be taken back: {}", said.message))
                .remedy("the classes that are named run the new code; jgraft patch revert, or a restart, ends that"),
        }
    }

    /// By a step; where it cannot be asked for one, it takes back what is pending as soon as nobody holds the lease.
    fn take_back(&mut self) -> Result<(), Said> {
        match self.step(step::ROLLBACK, &[]) {
            Err(said) if said.is_of_session() => {}
            other => return other.map(drop),
        }
        match self.let_go(PATIENCE) {
            true => Ok(()),
            false => Err(Said::lost("the agent has not ended, which takes back what it has done".to_owned())),
        }
    }

    /// The agent takes back what is pending, and ends; whether it has, within that time, less where the user asks to stop.
    fn let_go(&mut self, time: Duration) -> bool {
        self.lease = None;
        let (start, mut time) = (Instant::now(), time);
        while !self.has_given_up() && !self.process.has_ended() {
            if start.elapsed() > time {
                return false;
            }
            if self.is_impatient() {
                time = time.min(IMPATIENCE);
            }
        }
        true
    }

    /// Whether the agent has ended its session: it has removed the lease then.
    pub(super) fn has_given_up(&self) -> bool {
        let lease = self.session.dir().read(patch::LEASE, 0);
        lease.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// What was applied is to stay: with these patches in all, these files kept beside those that are there, and those of
    /// `dropped` not any more. Where that fails, it was taken back.
    pub(super) fn keep(
        &mut self,
        notes: &[Note],
        kept: &[(String, Vec<u8>)],
        dropped: &[String],
        cause: &str,
    ) -> Result<(), Failure> {
        let Err(said) = self.commit(notes, kept, dropped) else {
            self.end();
            return Ok(());
        };
        if !said.is_lost() {
            return Err(self.taken_back(said.failure(cause), cause));
        }
        // It may be done, or be done yet.
        self.let_go(IMPATIENCE);
        Err(Failure::new(
            EXIT_FAILED,
            "patch-unanswered",
            "it is not known whether the patches are as they were",
        )
        .evidence(said.message)
        .remedy("jgraft patch TARGET list shows what is in force"))
    }

    fn commit(&mut self, notes: &[Note], kept: &[(String, Vec<u8>)], dropped: &[String]) -> Result<(), Said> {
        let lost = |error: io::Error| Said::no_room(error.to_string());
        let (mut pairs, note_pairs) = (Vec::new(), Note::pairs(notes));
        let text = properties_text(&note_pairs);
        let kept = kept.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let notes_blob = (!notes.is_empty()).then_some((store::NOTES, text.as_bytes()));
        for (n, (name, bytes)) in (1..).zip(kept.chain(notes_blob)) {
            let file = format!("keep-blob-{n}");
            self.session.dir().write_new(&file, bytes).map_err(lost)?;
            pairs.push((format!("{}{n}", step::PUT), name.to_owned()));
            pairs.push((format!("{}{n}{}", step::PUT, step::FILE), file));
        }
        let no_notes = notes.is_empty().then(|| store::NOTES.to_owned());
        for (n, name) in (1..).zip(dropped.iter().chain(&no_notes)) {
            pairs.push((format!("{}{n}", step::DROP), name.clone()));
        }
        if !notes.is_empty() {
            let mut journal = vec![(patch::GENERATION.to_owned(), (self.generation + 1).to_string())];
            journal.extend(note_pairs);
            journal.push(("end".to_owned(), "true".to_owned()));
            let file = "new-journal";
            let text = properties_text(&journal);
            self.session.dir().write_new(file, text.as_bytes()).map_err(lost)?;
            pairs.push((step::JOURNAL_FILE.to_owned(), file.to_owned()));
        }
        self.step(step::COMMIT, &pairs).map(|_| ())
    }

    /// The session is over; what was not committed goes back.
    pub(super) fn end(&mut self) {
        // An agent that does not answer sees the lock go.
        let _ = self.step(step::END, &[]);
    }
}

fn properties_text(pairs: &[(String, String)]) -> String {
    properties::write(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}
