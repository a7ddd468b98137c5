//! The hook that weaves, and the retransformation of classes that are loaded: in batches, since each stops the application
//! for a moment, and halved where one class fails all others of its batch.

use std::sync::Arc;

use jgraft_jvmti::{Class, ClassFile, Environment, Error, Event, Events, Panic};
use jgraft_protocol::native::stage;
use jgraft_protocol::native::trace::FEW_CLASSES;
use jni::{Env, JavaVM};

use super::with_state;
use crate::report::Failure;
use crate::retransform;

/// So many classes were retransformed with pauses of 18 to 34 ms; 5,000 at once take one of 190 ms.
const BATCH: usize = 50;

struct Hook;

impl Events for Hook {
    fn class_file_load_hook(&self, _: &Environment, class: &ClassFile<'_>) -> Option<Vec<u8>> {
        let name = match class.name() {
            Some(name) => name.to_string(),
            None => {
                jgraft_classfile::ClassFile::parse(class.bytes()).ok()?.this_class_name().ok()?.to_string()
            }
        };
        with_state(|state| {
            if !state.edits.wants_class(&name) {
                return None;
            }
            let woven = state.edits.weave(&name, class.bytes());
            state.tell();
            woven
        })
    }

    fn panicked(&self, _: Event, _: &Panic) {}
}

/// Turns the hook on and sends the loaded classes that are wanted through it.
pub(super) fn begin(vm: &JavaVM, consent: bool) -> Result<Environment, Failure> {
    let environment = retransform::prepare(vm)?;
    let hooked = environment
        .listen(Arc::new(Hook))
        .and_then(|()| environment.enable(Event::ClassFileLoadHook))
        .map_err(|error| {
            Failure::call(stage::ENVIRONMENT, "the class file load hook cannot be turned on", &error)
        });
    let asked = hooked.and_then(|()| if consent { Ok(()) } else { is_cheap(&environment, vm) });
    let woven = asked.and_then(|()| {
        vm.with_top_local_frame(|jni| {
            retransform_wanted(&environment, jni, |name| with_state(|state| state.edits.wants_class(name)))
        })
        .map_err(|error| Failure::call(stage::RETRANSFORM, "the loaded classes cannot be woven", &error))
    });
    match woven {
        Ok(_) => Ok(environment),
        Err(failure) => {
            close(&environment);
            Err(failure)
        }
    }
}

/// Fails where so many classes are wanted, or such, that it has to be agreed to.
fn is_cheap(environment: &Environment, vm: &JavaVM) -> Result<(), Failure> {
    let (mut count, mut of_jdk) = (0, None);
    let found = vm.with_top_local_frame(|jni| {
        environment.loaded_classes(jni, |signature| {
            let signature = signature.to_string();
            let name = signature.strip_prefix('L').and_then(|rest| rest.strip_suffix(';'));
            if let Some(name) = name.filter(|name| with_state(|state| state.edits.wants_class(name))) {
                count += 1;
                if name.starts_with("java/") {
                    of_jdk.get_or_insert(name.replace('/', "."));
                }
            }
            false
        })
    });
    found.map_err(|error| Failure::call(stage::FIND, "the jvm does not tell its classes", &error))?;
    match of_jdk {
        Some(class) => Err(Failure::new(stage::CONSENT, format!("{class} is one of the jdk's own classes"))),
        None if count > FEW_CLASSES => {
            Err(Failure::new(stage::CONSENT, format!("{count} loaded classes match")))
        }
        None => Ok(()),
    }
}

/// Sends the classes that were woven through the hook, which answers nothing now; how many.
pub(super) fn take_back(environment: &Environment, jni: &Env<'_>) -> Result<usize, Error> {
    let woven = with_state(|state| state.edits.woven.clone());
    let restored = retransform_wanted(environment, jni, |name| woven.contains(name));
    close(environment);
    restored
}

fn close(environment: &Environment) {
    // An event that cannot be turned off ends with its environment, in a moment.
    let _ = environment.disable(Event::ClassFileLoadHook);
    environment.clone().close();
}

fn retransform_wanted(
    environment: &Environment,
    jni: &Env<'_>,
    wanted: impl Fn(&str) -> bool,
) -> Result<usize, Error> {
    let found = environment.loaded_classes(jni, |signature| {
        let signature = signature.to_string();
        let name = signature.strip_prefix('L').and_then(|rest| rest.strip_suffix(';'));
        name.is_some_and(&wanted)
    })?;
    let mut classes = found.wanted;
    classes.retain(|class| class.is_modifiable(environment).unwrap_or(false));
    let mut done = 0;
    for batch in classes.chunks(BATCH) {
        done += halved(environment, batch)?;
    }
    Ok(done)
}

/// All of them, but for those that the JVM refuses by themselves.
fn halved(environment: &Environment, classes: &[Class]) -> Result<usize, Error> {
    match environment.retransform_classes(classes) {
        Ok(()) => Ok(classes.len()),
        Err(error) if error.is_wrong_phase() => Err(error),
        Err(error) => match classes {
            [] => Ok(0),
            [one] => {
                let name = one.signature(environment).map(|name| name.to_string()).unwrap_or_default();
                with_state(|state| state.edits.left_alone.insert(name, error.to_string()));
                Ok(0)
            }
            _ => {
                let (first, second) = classes.split_at(classes.len() / 2);
                Ok(halved(environment, first)? + halved(environment, second)?)
            }
        },
    }
}
