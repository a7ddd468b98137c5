//! Loaded when the JVM starts. Without options it makes sure that the JVM is ready for a later trace: one that knows from its
//! start that classes may be retransformed keeps its compiled code when they are, which 8 to 22 do not do else. With a
//! session whose request is a trace, that begins when the JVM is ready (VMInit).
//!
//! With a class: nothing is loaded yet, so wait for it, report it once, and be gone.
//!
//! The hook is on from the first moment that the JVM allows. A class that the JVM has loaded before that is found when
//! the JVM is ready (VMInit), and is retransformed then. Nothing is reported earlier than that either: before it, too
//! little of the JVM works. If the JVM ends first (VMDeath), that is the report.

use std::sync::{Arc, Mutex, PoisonError};

use jgraft_jvmti::jni::{Env, JavaVM};
use jgraft_jvmti::{ClassFile, Environment, Event, Events, Panic};
use jgraft_protocol::native::{OPTION_CLASS, stage, trace};
use jgraft_protocol::properties;
use jgraft_protocol::session::request::VERB;

use crate::observer::{Observer, Seen};
use crate::options::Options;
use crate::report::{self, Failure};
use crate::retransform;
use crate::session::Session;
use crate::trace::When;

const EVENTS: [Event; 3] = [Event::ClassFileLoadHook, Event::VmInit, Event::VmDeath];

/// Begins to watch. Where that fails, the reply says so if there can be one, and the JVM starts all the same.
pub(crate) fn watch(vm: &JavaVM, options: &[u8]) {
    if options.is_empty() {
        return be_ready(vm);
    }
    let Some(options) = Options::parse(options) else { return };
    let Ok(session) = Session::open(&options.session) else { return };
    let observer = match options.class {
        Ok(Some(class)) => Observer::new(class),
        Ok(None) => {
            let request = session.request().map(|request| properties::parse(&request)).unwrap_or_default();
            if properties::get(&request, VERB) == Some(trace::VERB) {
                return trace_later(vm, session, request);
            }
            let message = format!("no {OPTION_CLASS}=NAME among the options, and no request of a trace");
            return reply(&session, None, Err(Failure::new(stage::OPTIONS, message)));
        }
        Err(message) => return reply(&session, None, Err(Failure::new(stage::OPTIONS, message))),
    };
    let environment = match retransform::prepare(vm) {
        Ok(environment) => environment,
        Err(failure) => return reply(&session, Some(&observer), Err(failure)),
    };
    let watch =
        Arc::new(Watch { observer, waiting: Mutex::new(Waiting { session: Some(session), live: false }) });
    let begun = environment
        .listen(watch.clone())
        .and_then(|()| EVENTS.into_iter().try_for_each(|event| environment.enable(event)));
    if let Err(error) = begun {
        let message = "the events of the jvm cannot be turned on";
        watch.finish(&environment, Err(Failure::call(stage::ENVIRONMENT, message, &error)));
    }
}

/// Keeps an environment that may retransform, for the life of the JVM.
fn be_ready(vm: &JavaVM) {
    if let Ok(environment) = retransform::prepare(vm) {
        std::mem::forget(environment);
    }
}

fn trace_later(vm: &JavaVM, session: Session, request: Vec<(String, String)>) {
    let begun = retransform::prepare(vm).and_then(|environment| {
        let start = Arc::new(TraceAtStart { session: session.clone(), request });
        environment
            .listen(start)
            .and_then(|()| environment.enable(Event::VmInit))
            .map_err(|error| Failure::call(stage::ENVIRONMENT, "VMInit cannot be turned on", &error))
    });
    if let Err(failure) = begun {
        reply(&session, None, Err(failure));
    }
}

struct TraceAtStart {
    session: Session,
    request: Vec<(String, String)>,
}

impl Events for TraceAtStart {
    fn vm_init(&self, environment: &Environment, jni: &mut Env<'_>) {
        let begun = jni
            .get_java_vm()
            .map_err(|error| Failure::call(stage::ENVIRONMENT, "the jvm is not known", &error.into()))
            .and_then(|vm| crate::trace::begin(&vm, &self.session, &self.request, When::AtStart));
        // Where the reply cannot be written there is nobody to tell.
        let _ = self.session.reply(&report::pairs(&begun));
        let _ = environment.disable(Event::VmInit);
        environment.clone().close();
    }

    fn panicked(&self, _: Event, panic: &Panic) {
        reply(&self.session, None, Err(Failure::panic(panic)));
    }
}

struct Watch {
    observer: Observer,
    waiting: Mutex<Waiting>,
}

struct Waiting {
    /// Taken by whoever finishes first.
    session: Option<Session>,
    /// VMInit is over.
    live: bool,
}

impl Events for Watch {
    fn class_file_load_hook(&self, environment: &Environment, class: &ClassFile<'_>) -> Option<Vec<u8>> {
        if !self.observer.is_about(class) {
            self.observer.note_other();
            return None;
        }
        self.observer.note(Seen::of(class));
        if self.with_waiting(|waiting| waiting.live) {
            self.finish(environment, Ok(()));
        }
        None
    }

    fn vm_init(&self, environment: &Environment, jni: &mut Env<'_>) {
        if self.observer.calls().is_empty()
            && let Err(failure) = retransform::by_name(environment, jni, &self.observer.class)
        {
            return self.finish(environment, Err(failure));
        }
        // From here on the hook finishes; what it noted up to here is finished here.
        self.with_waiting(|waiting| waiting.live = true);
        if !self.observer.calls().is_empty() {
            self.finish(environment, Ok(()));
        }
    }

    fn vm_death(&self, environment: &Environment) {
        let message = format!("the jvm ended before it loaded {}", self.observer.class.shown());
        self.finish(environment, Err(Failure::new(stage::FIND, message)));
    }

    fn panicked(&self, _: Event, panic: &Panic) {
        self.observer.note_panic(panic);
    }
}

impl Watch {
    /// Once, by whoever comes first: no more events, then the reply.
    fn finish(&self, environment: &Environment, result: Result<(), Failure>) {
        let Some(session) = self.with_waiting(|waiting| waiting.session.take()) else { return };
        for event in EVENTS {
            // An event that cannot be turned off ends with its environment, in a moment.
            let _ = environment.disable(event);
        }
        environment.clone().close();
        let result = self.observer.panic().map_or(result, |panic| Err(Failure::panic(&panic)));
        reply(&session, Some(&self.observer), result);
    }

    /// For a moment: nothing of the JVM is called meanwhile.
    fn with_waiting<T>(&self, look: impl FnOnce(&mut Waiting) -> T) -> T {
        look(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where the reply cannot be written there is nobody to tell: a JVM that starts has no client.
fn reply(session: &Session, observer: Option<&Observer>, result: Result<(), Failure>) {
    let _ = session.reply(&report::text(observer, &result));
}
