//! Loaded into a running JVM: look at the class now, in this thread, and be gone.

use std::sync::Arc;
use std::thread::{self, ThreadId};

use jgraft_jvmti::jni::JavaVM;
use jgraft_jvmti::{ClassFile, Environment, Error, Event, Events, Panic, catch};
use jgraft_protocol::native::{code, in_force, stage, trace};
use jgraft_protocol::properties;
use jgraft_protocol::session::request::VERB;

use crate::observer::{Observer, Seen};
use crate::options::Options;
use crate::report::{self, Failure};
use crate::retransform::{self, Found};
use crate::session::Session;
use crate::trace::When;

/// The whole of it; the code for whoever attached.
pub(crate) fn look(vm: &JavaVM, options: &[u8]) -> i32 {
    let Some(options) = Options::parse(options) else { return code::NO_SESSION };
    let Ok(session) = Session::open(&options.session) else { return code::BAD_SESSION };
    let (observer, result) = match options.class {
        Ok(None) => return on_request(vm, &session),
        Ok(Some(class)) => {
            let observer = Arc::new(Observer::new(class));
            let result = catch(|| look_at(vm, &observer));
            (Some(observer), result.unwrap_or_else(|panic| Err(Failure::panic(&panic))))
        }
        Err(message) => (None, Err(Failure::new(stage::OPTIONS, message))),
    };
    let written = session.reply(&report::text(observer.as_deref(), &result));
    match (written, result) {
        (Err(_), _) => code::NO_REPLY,
        (Ok(()), Err(_)) => code::FAILED,
        (Ok(()), Ok(())) => code::DONE,
    }
}

/// What the session's request says.
fn on_request(vm: &JavaVM, session: &Session) -> i32 {
    let done = catch(|| {
        let unread =
            |error| Failure::new(stage::OPTIONS, format!("the session's request cannot be read: {error}"));
        let request = properties::parse(&session.request().map_err(unread)?);
        match properties::get(&request, VERB) {
            Some(trace::VERB) => crate::trace::begin(vm, session, &request, When::Attached),
            Some(in_force::VERB) => crate::in_force::answer(vm, session, &request),
            other => Err(Failure::new(stage::OPTIONS, format!("the request asks for {other:?}"))),
        }
    });
    let result = done.unwrap_or_else(|panic| Err(Failure::panic(&panic)));
    let written = session.reply(&report::pairs(&result));
    match (written, result) {
        (Err(_), _) => code::NO_REPLY,
        (Ok(()), Err(_)) => code::FAILED,
        (Ok(()), Ok(_)) => code::DONE,
    }
}

fn look_at(vm: &JavaVM, observer: &Arc<Observer>) -> Result<(), Failure> {
    let environment = retransform::prepare(vm)?;
    let found = {
        let _hooked = Hooked::new(&environment, observer).map_err(|error| {
            Failure::call(stage::ENVIRONMENT, "the class file load hook cannot be turned on", &error)
        })?;
        vm.with_top_local_frame(|jni| -> Result<_, Error> {
            Ok(retransform::by_name(&environment, jni, &observer.class))
        })
        .map_err(|error| Failure::call(stage::FIND, "the jvm does not know this thread", &error))??
    };
    if let Some(panic) = observer.panic() {
        return Err(Failure::panic(&panic));
    }
    let (calls, name) = (observer.calls().len(), observer.class.shown());
    match found {
        Found::Nothing { loaded } => {
            let message = format!("none of the {loaded} classes that are loaded is called {name}");
            Err(Failure::new(stage::FIND, message))
        }
        Found::Classes(count) if count == calls => Ok(()),
        Found::Classes(count) => {
            let message =
                format!("{count} classes were retransformed, but the hook was called {calls} times");
            Err(Failure::new(stage::RETRANSFORM, message))
        }
    }
}

/// The hook, turned on; off again on drop, whatever happened meanwhile.
struct Hooked<'e> {
    environment: &'e Environment,
}

impl<'e> Hooked<'e> {
    fn new(environment: &'e Environment, observer: &Arc<Observer>) -> Result<Hooked<'e>, Error> {
        let watch = Watch { observer: observer.clone(), thread: thread::current().id() };
        environment.listen(Arc::new(watch))?;
        let hooked = Hooked { environment };
        environment.enable(Event::ClassFileLoadHook)?;
        Ok(hooked)
    }
}

impl Drop for Hooked<'_> {
    fn drop(&mut self) {
        // A hook that cannot be turned off ends with its environment, in a moment.
        let _ = self.environment.disable(Event::ClassFileLoadHook);
        self.environment.clone().close();
    }
}

struct Watch {
    observer: Arc<Observer>,
    thread: ThreadId,
}

impl Events for Watch {
    fn class_file_load_hook(&self, _: &Environment, class: &ClassFile<'_>) -> Option<Vec<u8>> {
        // Others may load a class of that name in another loader meanwhile, or retransform it themselves.
        let is_ours = class.is_redefinition() && thread::current().id() == self.thread;
        match is_ours && self.observer.is_about(class) {
            true => self.observer.note(Seen::of(class)),
            false => self.observer.note_other(),
        }
        None
    }

    fn panicked(&self, _: Event, panic: &Panic) {
        self.observer.note_panic(panic);
    }
}
