//! A trace: classes woven, events written, and all of it taken back when the injector wants no more or is gone.
//!
//! The injector holds a lock on a file of the session that the kernel lets go of when it dies, and keeps a word of the
//! event memory going. A thread of ours watches both. When either ends, first the gate closes, so that no event is written
//! any more, then the classes go back, and then the thread ends.
//!
//! Each trace has a JVMTI environment and a hook of its own. So several go together as different agents do: the JVM hands
//! what one has woven to the next, and who goes takes out what is its own.

mod channel;
mod edits;
mod lease;
mod names;
mod plan;
mod status;
mod subtypes;
mod threads;
mod undo;
mod weaving;

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jgraft_classfile::ClassFile;
use jgraft_jvmti::Event;
use jgraft_protocol::events::{WORD_ANSWERED, WORD_REQUEST};
use jgraft_protocol::native::{stage, trace as keys};
use jgraft_protocol::pattern::Pattern;
use jgraft_protocol::properties;
use jni::JavaVM;

use crate::environments::{Borrowed, Purpose};
use crate::memory::Gate;
use crate::report::Failure;
use crate::session::Session;

use channel::Channel;
use edits::{Edits, Wanted};
use lease::{End, Lease};
use names::NamesFile;
use plan::Plan;
use undo::Before;
use weaving::{Hook, Retransformed};

type Pairs = Vec<(String, String)>;

/// One trace.
struct Trace {
    wanted: Wanted,
    channel: &'static Channel,
    /// Whether the hook weaves.
    active: AtomicBool,
    /// Held for a moment only, never while the JVM is called.
    edits: Mutex<Edits>,
    names: Mutex<NamesFile>,
    about: status::About,
}

impl Trace {
    fn edits(&self) -> MutexGuard<'_, Edits> {
        self.edits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hook's work.
    fn weave(&self, name: &str, bytes: &[u8], is_loaded: bool) -> Option<Vec<u8>> {
        if !self.active.load(Ordering::Acquire) {
            return None;
        }
        let Wanted { patterns, subtypes, .. } = &self.wanted;
        if subtypes.any() && !is_loaded {
            ClassFile::parse(bytes).iter().for_each(|class| subtypes.learn(patterns, class));
        }
        if !self.wanted.class(name) {
            return None;
        }
        let mut edits = self.edits();
        let woven = edits.weave(&self.wanted, self.channel, name, bytes)?;
        if !is_loaded {
            edits.woven.insert(name.to_owned(), Some(Instant::now()));
        }
        let news = edits.take_news();
        drop(edits);
        self.names.lock().unwrap_or_else(PoisonError::into_inner).add(&news);
        Some(woven)
    }

    /// Nothing more is woven, no more events are written.
    fn stop(&self) {
        self.channel.memory.set_gate(Gate::Closed);
        self.active.store(false, Ordering::Release);
    }
}

/// When a trace begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// At VMInit: the classes of the program are yet to be loaded.
    AtStart,
    /// In a JVM that runs.
    Attached,
}

/// Begins a trace, or says what it would be; the pairs of the reply beside its outcome.
pub(crate) fn begin(vm: &JavaVM, session: &Session, request: &Pairs, when: When) -> Result<Pairs, Failure> {
    let wanted = Wanted::new(patterns(request)?);
    let environment = Borrowed::take(vm, Purpose::Weave)?;
    let dry_run = properties::get(request, keys::DRY_RUN) == Some("true");
    let plan = vm
        .with_top_local_frame(|jni| Plan::make(&environment, jni, &wanted, dry_run))
        .map_err(|error| Failure::call(stage::FIND, "the jvm does not tell its classes", &error))?;
    if when == When::Attached {
        plan.is_found()?;
    }
    if dry_run {
        let listed = session.put(keys::PLAN, &plan.text());
        listed
            .map_err(|error| Failure::new(stage::OPTIONS, format!("the plan cannot be written: {error}")))?;
        return Ok(plan.pairs());
    }
    if properties::get(request, keys::CONSENT) != Some("true") {
        plan.is_cheap()?;
    }
    let time_to_live = properties::get(request, keys::TIME_TO_LIVE).and_then(|ms| ms.parse().ok());
    let time_to_live = Duration::from_millis(time_to_live.unwrap_or(keys::DEFAULT_TIME_TO_LIVE_MS));
    let io = |what: &'static str| {
        move |error: io::Error| Failure::new(stage::ENVIRONMENT, format!("{what}: {error}"))
    };
    let lease = Lease::open(session, time_to_live).map_err(io("the session's lock cannot be opened"))?;
    let names = NamesFile::new(session, keys::NAMES).map_err(io("the session's names cannot be written"))?;
    let threads =
        NamesFile::new(session, keys::THREADS).map_err(io("the session's threads cannot be written"))?;
    let trace = Arc::new(Trace {
        wanted,
        channel: Channel::take(vm)?,
        active: AtomicBool::new(true),
        edits: Mutex::default(),
        names: Mutex::new(names),
        about: status::About::new(session, request),
    });
    let running = Running { vm: vm.clone(), environment, trace, session: session.clone() };
    running.begin(plan, lease, threads)
}

fn patterns(request: &Pairs) -> Result<Vec<Pattern>, Failure> {
    let options = |message: String| Failure::new(stage::OPTIONS, message);
    let typed = request.iter().filter(|(key, _)| key.starts_with(keys::PATTERN));
    let patterns: Vec<_> = typed
        .map(|(_, typed)| Pattern::parse(typed).map_err(|error| options(format!("{typed}: {error}"))))
        .collect::<Result<_, _>>()?;
    if patterns.is_empty() {
        return Err(options("no pattern says what to trace".into()));
    }
    Ok(patterns)
}

/// How often it is tried to take a trace back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    Once,
    /// Until it is done, or the JVM ends.
    Endless,
}

/// A class that is not loaded by then was refused.
const LATEST: Duration = Duration::from_secs(120);

const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A trace with what it takes to end it.
struct Running {
    vm: JavaVM,
    environment: Borrowed,
    trace: Arc<Trace>,
    session: Session,
}

impl Running {
    fn begin(self, plan: Plan, lease: Lease, mut threads: NamesFile) -> Result<Pairs, Failure> {
        let memory = &self.trace.channel.memory;
        memory.forget();
        memory.word(WORD_REQUEST).store(0, Ordering::Release);
        memory.word(WORD_ANSWERED).store(0, Ordering::Release);
        status::put(&self.trace, "beginning", &[]);
        memory.set_gate(Gate::Open);
        // Nobody watches yet: whatever goes wrong here, it is taken back here.
        let begun = jgraft_jvmti::catch(|| {
            let (before, woven) = self.weave(plan)?;
            Ok((before, self.pairs(&woven)))
        });
        let (before, pairs) = match begun.unwrap_or_else(|panic| Err(Failure::panic(&panic))) {
            Ok(begun) => begun,
            Err(failure) => {
                self.take_back(&Before::default(), End::Wanted, Patience::Once);
                return Err(failure);
            }
        };
        status::put(&self.trace, "tracing", &[]);
        // Shared, so that whatever comes of the thread the classes go back.
        let running = Arc::new((self, before));
        let watched = running.clone();
        let watcher = thread::Builder::new().name("jgraft-trace".into()).spawn(move || {
            let (running, before) = &*watched;
            let memory = &running.trace.channel.memory;
            let mut known = threads::Known::default();
            let ended = jgraft_jvmti::catch(|| {
                let asked = || known.tell(&running.vm, &running.environment, &mut threads);
                lease.wait(memory, asked, || running.weave_late())
            });
            let _ = jgraft_jvmti::catch(|| {
                running.take_back(before, ended.unwrap_or(End::Lost), Patience::Endless)
            });
        });
        if let Err(error) = watcher {
            let message = format!("the thread that would take the probes back cannot be started: {error}");
            // Then it is done here. Where that fails too, the gate is closed, and nothing is written.
            running.0.take_back(&running.1, End::Lost, Patience::Once);
            return Err(Failure::new(stage::ENVIRONMENT, message));
        }
        Ok(pairs)
    }

    /// Turns the hook on and sends the loaded classes that are wanted through it.
    fn weave(&self, plan: Plan) -> Result<(Before, Retransformed), Failure> {
        let environment = &self.environment;
        self.environment
            .listen(Arc::new(Hook(self.trace.clone())))
            .and_then(|()| environment.enable(Event::ClassFileLoadHook))
            .map_err(|error| {
                Failure::call(stage::ENVIRONMENT, "the class file load hook cannot be turned on", &error)
            })?;
        let before = Before::of(environment, &plan.classes);
        let woven = weaving::retransform(environment, &plan.classes).map_err(|error| {
            Failure::call(stage::RETRANSFORM, "the loaded classes cannot be woven", &error)
        })?;
        Ok((before, woven))
    }

    /// Weaves what turned out to be wanted only after it had come through the hook.
    fn weave_late(&self) {
        let late = self.trace.wanted.subtypes.take_late();
        if late.is_empty() {
            return;
        }
        // What is refused is left as it is; a JVM that is ending has no use for it.
        let _ = threads::attached(&self.vm, |jni| {
            let classes = weaving::loaded(&self.environment, jni, |name| late.contains(name))?;
            weaving::retransform(&self.environment, &classes)
        });
    }

    fn pairs(&self, woven: &Retransformed) -> Pairs {
        let mut edits = self.trace.edits();
        for (class, why) in &woven.refused {
            edits.left_alone.insert(class.clone(), why.clone());
        }
        let mut pairs = vec![
            (keys::MEMORY.to_owned(), self.trace.channel.memory.descriptor().to_string()),
            (keys::CLASSES.to_owned(), edits.woven.len().to_string()),
            (keys::METHODS.to_owned(), edits.methods.len().to_string()),
            (keys::LONGEST.to_owned(), woven.longest.as_micros().to_string()),
            (keys::UNMATCHED.to_owned(), self.trace.wanted.unmatched()),
        ];
        let left = edits.left_alone.iter().zip(1..);
        pairs.extend(
            left.map(|((what, why), n)| (format!("{}{n}", keys::LEFT_ALONE), format!("{what}: {why}"))),
        );
        pairs
    }

    /// No more events; the classes as they were.
    fn take_back(&self, before: &Before, end: End, patience: Patience) {
        self.trace.stop();
        status::put(&self.trace, "ending", &[(keys::WHY, end.text())]);
        let mut pause = Duration::from_millis(100);
        let undone = loop {
            let undone = jgraft_jvmti::catch(|| {
                threads::attached(&self.vm, |jni| {
                    let undone = undo::undo(&self.trace, &self.environment, jni, before);
                    self.environment.hush()?;
                    undone
                })
            });
            match undone {
                // A JVM without memory lets no thread in: it is tried again until there is some.
                Ok(Err(error)) if patience == Patience::Endless && !error.is_wrong_phase() => {
                    thread::sleep(pause);
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
                Ok(undone) => break undone.map_err(|error| error.to_string()),
                Err(panic) => break Err(panic.to_string()),
            }
        };
        let seen = undone.as_ref().map(|undone| undone.seen.clone()).unwrap_or_default();
        let pairs = undo::pairs(undone, end);
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        status::put(&self.trace, "ended", &pairs);
        // Nobody may be there to read it.
        let _ = self.session.put(keys::ENDED, &properties::write(pairs));
        if patience == Patience::Endless {
            self.wait_for_late(&seen);
        }
        // No probe of ours is left that would write into another trace's memory.
        self.trace.channel.give_back();
    }

    /// A class may have come through the hook and be loaded only after the end, since what it extends is slow to come.
    fn wait_for_late(&self, seen: &BTreeSet<String>) {
        let woven = self.trace.edits().woven.clone();
        let late = woven.into_iter().filter(|(name, since)| since.is_some() && !seen.contains(name));
        let mut late: BTreeSet<String> = late.map(|(name, _)| name).collect();
        let (start, mut pause) = (Instant::now(), Duration::from_millis(100));
        while !late.is_empty() && start.elapsed() < LATEST {
            let done = threads::attached(&self.vm, |jni| {
                undo::undo_late(&self.trace, &self.environment, jni, &mut late)
            });
            match done {
                Ok(0) => return,
                Err(error) if error.is_wrong_phase() => return,
                _ => {}
            }
            thread::sleep(pause);
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }
}
