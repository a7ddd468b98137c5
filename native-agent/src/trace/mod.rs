//! A trace: classes woven, events written, and all of it taken back when the injector wants no more or is gone.
//!
//! The injector holds a lock on a file of the session that the kernel lets go of when it dies, and keeps a word of the
//! event memory going. A thread of ours watches both. When either ends, first the gate closes, so that no event is written
//! any more, then the classes go back, and then the thread ends.

mod edits;
mod lease;
mod weaving;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use jgraft_jvmti::Environment;
use jgraft_protocol::events::{Layout, WORD_END};
use jgraft_protocol::native::{stage, trace as keys};
use jgraft_protocol::pattern::Pattern;
use jgraft_protocol::properties;
use jgraft_protocol::session::reply;
use jni::{JavaVM, jni_str, vm::AttachConfig};

use crate::memory::{EventMemory, Gate};
use crate::probe;
use crate::report::Failure;
use crate::session::Session;

pub(crate) use edits::Edits;
use lease::Lease;

/// Records a shard: a megabyte each. A reader that looks every ten milliseconds sees all of three million events a second.
const RECORDS: usize = 1 << 15;
/// At most so many threads may be between the check for room and the reservation.
const SLACK: usize = 1 << 10;

/// What is woven, and who is told of it. Held for a moment only, never while the JVM is called.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) edits: Edits,
    running: bool,
    names: Option<File>,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

pub(crate) fn with_state<T>(look: impl FnOnce(&mut State) -> T) -> T {
    let mut state: MutexGuard<'_, Option<State>> = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    look(state.get_or_insert_default())
}

impl State {
    /// Writes what is new into the file of names. Where that is not possible, numbers have to do.
    pub(crate) fn tell(&mut self) {
        let news = self.edits.take_news();
        if let Some(names) = self.names.as_mut().filter(|_| !news.is_empty()) {
            let _ = names.write_all(news.as_bytes());
        }
    }
}

/// Begins a trace; the pairs of the reply beside its outcome.
pub(crate) fn begin(
    vm: &JavaVM,
    session: &Session,
    request: &[(String, String)],
) -> Result<Vec<(String, String)>, Failure> {
    let options = |message: String| Failure::new(stage::OPTIONS, message);
    let patterns = request.iter().filter(|(key, _)| key.starts_with(keys::PATTERN));
    let patterns: Vec<_> = patterns
        .map(|(_, typed)| Pattern::parse(typed).map_err(|error| options(format!("{typed}: {error}"))))
        .collect::<Result<_, _>>()?;
    if patterns.is_empty() {
        return Err(options("no pattern says what to trace".into()));
    }
    let time_to_live = properties::get(request, keys::TIME_TO_LIVE).and_then(|ms| ms.parse().ok());
    let time_to_live = Duration::from_millis(time_to_live.unwrap_or(keys::DEFAULT_TIME_TO_LIVE_MS));
    let io = |what: &'static str| {
        move |error: std::io::Error| Failure::new(stage::ENVIRONMENT, format!("{what}: {error}"))
    };
    let lease = Lease::open(session, time_to_live).map_err(io("the session's lock cannot be opened"))?;
    let names =
        OpenOptions::new().append(true).create_new(true).mode(0o600).open(session.path().join(keys::NAMES));
    let names = names.map_err(io("the session's names cannot be written"))?;

    let cpus = thread::available_parallelism().map_or(4, usize::from).next_power_of_two().min(16);
    let layout = Layout::new(cpus, RECORDS, SLACK).ok_or_else(|| options("no layout".into()))?;
    let memory = EventMemory::get(layout).map_err(io("the event memory cannot be made"))?;
    vm.with_top_local_frame(|jni| probe::define(jni, memory))
        .map_err(|error| Failure::call(stage::ENVIRONMENT, "the probe cannot be defined", &error))?;

    let begun = with_state(|state| {
        if state.running {
            return false;
        }
        state.edits.set(patterns);
        (state.running, state.names) = (true, Some(names));
        true
    });
    if !begun {
        return Err(Failure::new(stage::ENVIRONMENT, "another trace is running in this jvm"));
    }
    memory.word(WORD_END).store(0, std::sync::atomic::Ordering::Release);
    memory.set_gate(Gate::Open);
    let environment = match weaving::begin(vm, properties::get(request, keys::CONSENT) == Some("true")) {
        Ok(environment) => environment,
        Err(failure) => {
            end(memory);
            return Err(failure);
        }
    };
    let pairs = with_state(|state| {
        state.tell();
        let mut pairs = vec![
            (keys::MEMORY.to_owned(), memory.descriptor().to_string()),
            (keys::CLASSES.to_owned(), state.edits.woven.len().to_string()),
            (keys::METHODS.to_owned(), state.edits.methods.len().to_string()),
        ];
        let left = state.edits.left_alone.iter().zip(1..);
        pairs.extend(
            left.map(|((what, why), n)| (format!("{}{n}", keys::LEFT_ALONE), format!("{what}: {why}"))),
        );
        pairs
    });
    let (woven, attached) = (environment.clone(), vm);
    let (vm, done) = (vm.clone(), session.clone());
    let watcher = thread::Builder::new().name("jgraft-trace".into()).spawn(move || {
        // Whatever goes wrong here, the classes go back.
        let _ = jgraft_jvmti::catch(|| lease.wait(memory));
        let _ = jgraft_jvmti::catch(|| take_back(&vm, &environment, memory, &done));
    });
    if let Err(error) = watcher {
        let message = format!("the thread that would take the probes back cannot be started: {error}");
        end(memory);
        // Then it is done here. Where that fails too, the gate is closed, and nothing is written.
        let _ = attached.with_top_local_frame(|jni| weaving::take_back(&woven, jni));
        return Err(Failure::new(stage::ENVIRONMENT, message));
    }
    Ok(pairs)
}

/// No more events, and nothing more is woven.
fn end(memory: &EventMemory) {
    memory.set_gate(Gate::Closed);
    with_state(|state| {
        state.edits.clear();
        (state.running, state.names) = (false, None);
    });
}

fn take_back(vm: &JavaVM, environment: &Environment, memory: &EventMemory, session: &Session) {
    memory.set_gate(Gate::Closed);
    with_state(|state| state.edits.clear());
    let attach = || AttachConfig::new().thread_name(jni_str!("jgraft-trace")).scoped(true);
    let restored =
        vm.attach_current_thread_with_config(attach, None, |jni| weaving::take_back(environment, jni));
    let (outcome, count) = match &restored {
        Ok(count) => (reply::OK, count.to_string()),
        Err(error) => (reply::FAILED, error.to_string()),
    };
    let text = properties::write([(reply::OUTCOME, outcome), (keys::RESTORED, &count)]);
    // Nobody may be there to read it.
    let _ = session.put(keys::ENDED, &text);
    with_state(|state| (state.running, state.names) = (false, None));
}
