//! Events: what an environment tells, the callbacks that the JVM calls, and who listens to which environment.
//!
//! A callback looks up its listener, holds it, and lets no panic out. The look-up's lock is never held while the JVM or a
//! listener is called.

#![allow(unsafe_code, reason = "callbacks with the JVM's pointers")]

use std::cell::Cell;
use std::ffi::{c_char, c_uchar};
use std::sync::Arc;

use jni::strings::JNIStr;
use jni::sys::{JNIEnv, jclass, jint, jobject};
use jni::{Env, EnvUnowned};

use crate::env::Environment;
use crate::error::Error;
use crate::guard::{Panic, catch};
use crate::loader::{self, Loader};
use crate::raw::{
    JVMTI_EVENT_CLASS_FILE_LOAD_HOOK, JVMTI_EVENT_VM_DEATH, JVMTI_EVENT_VM_INIT, jthread, jvmtiEnv,
    jvmtiEvent, jvmtiEventCallbacks,
};

/// An event that can be enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The JVM is ready: from here on every call is allowed.
    VmInit,
    /// The JVM is about to end: the last moment at which calls are allowed.
    VmDeath,
    /// Class file bytes are about to become a class, or are asked for again by a redefinition or retransformation.
    ClassFileLoadHook,
}

impl Event {
    pub(crate) fn number(self) -> jvmtiEvent {
        match self {
            Event::VmInit => JVMTI_EVENT_VM_INIT,
            Event::VmDeath => JVMTI_EVENT_VM_DEATH,
            Event::ClassFileLoadHook => JVMTI_EVENT_CLASS_FILE_LOAD_HOOK,
        }
    }
}

/// Who is told of events. Any thread of the JVM may call, several at once.
pub trait Events: Send + Sync {
    /// [`Event::VmInit`], in the thread that started the JVM.
    fn vm_init(&self, _environment: &Environment, _jni: &mut Env<'_>) {}

    /// [`Event::VmDeath`].
    fn vm_death(&self, _environment: &Environment) {}

    /// [`Event::ClassFileLoadHook`]: looks at a class file, and may answer with another. None where it stays as it is: a
    /// copy of the same bytes costs the JVM memory, and the sharing of the class with other JVMs. The thread may hold locks
    /// of the application and have an exception pending, so be short and call no Java. Classes that a hook itself causes
    /// to be loaded are not shown to any.
    fn class_file_load_hook(&self, _environment: &Environment, _class: &ClassFile<'_>) -> Option<Vec<u8>> {
        None
    }

    /// One of the others panicked. The JVM went on as if it had done nothing.
    fn panicked(&self, event: Event, panic: &Panic);
}

/// What the class file load hook is called with.
#[derive(Debug)]
pub struct ClassFile<'a> {
    environment: &'a Environment,
    jni: *mut JNIEnv,
    name: Option<&'a JNIStr>,
    loader: jobject,
    redefined: bool,
    bytes: &'a [u8],
}

impl ClassFile<'_> {
    /// The internal name, as `java/util/Map$Entry`, in modified UTF-8; none where whoever defines it did not say.
    pub fn name(&self) -> Option<&JNIStr> {
        self.name
    }

    /// The bytes as this environment's place in the chain of agents sees them.
    pub fn bytes(&self) -> &[u8] {
        self.bytes
    }

    /// True for a redefinition or retransformation, false for a class that is being loaded.
    pub fn is_redefinition(&self) -> bool {
        self.redefined
    }

    /// Who loads the class. Fails while the thread has an exception pending, and before the start of the JVM.
    pub fn loader_class(&self) -> Result<Loader, Error> {
        if self.loader.is_null() {
            return Ok(Loader::Boot);
        }
        // SAFETY: the JVM gave both for the time of the callback, which `self` does not outlive.
        let mut jni = unsafe { EnvUnowned::from_raw(self.jni) };
        let outcome = jni.with_env_no_catch(|jni| -> Result<Loader, Error> {
            // SAFETY: as above: a local reference that is valid in this callback.
            unsafe { loader::of(self.environment, jni, self.loader) }
        });
        match outcome.into_outcome() {
            jni::Outcome::Ok(loader) => Ok(loader),
            jni::Outcome::Err(error) => Err(error),
            // Not with _no_catch.
            jni::Outcome::Panic(payload) => std::panic::resume_unwind(payload),
        }
    }
}

pub(crate) static CALLBACKS: jvmtiEventCallbacks = jvmtiEventCallbacks {
    VMInit: Some(vm_init),
    VMDeath: Some(vm_death),
    ThreadStart: None,
    ThreadEnd: None,
    ClassFileLoadHook: Some(class_file_load_hook),
};

unsafe extern "C" fn vm_init(environment: *mut jvmtiEnv, jni: *mut JNIEnv, _thread: jthread) {
    deliver(environment, Event::VmInit, |listener| {
        // SAFETY: the JVM gave this thread's JNI environment for the time of the callback.
        let mut jni = unsafe { EnvUnowned::from_raw(jni) };
        let told = jni.with_env_no_catch(|jni| -> Result<(), jni::errors::Error> {
            listener.events.vm_init(&listener.environment, jni);
            Ok(())
        });
        let _ = told.into_outcome();
    });
}

unsafe extern "C" fn vm_death(environment: *mut jvmtiEnv, _jni: *mut JNIEnv) {
    deliver(environment, Event::VmDeath, |listener| listener.events.vm_death(&listener.environment));
}

unsafe extern "C" fn class_file_load_hook(
    environment: *mut jvmtiEnv,
    jni: *mut JNIEnv,
    class_being_redefined: jclass,
    loader: jobject,
    name: *const c_char,
    _protection_domain: jobject,
    class_data_len: jint,
    class_data: *const c_uchar,
    new_class_data_len: *mut jint,
    new_class_data: *mut *mut c_uchar,
) {
    let Some(_turn) = Turn::take() else { return };
    deliver(environment, Event::ClassFileLoadHook, |listener| {
        let name = match name.is_null() {
            true => None,
            // SAFETY: the JVM gave a NUL-terminated name in modified UTF-8 for the time of the callback.
            false => Some(unsafe { JNIStr::from_ptr(name) }),
        };
        let bytes = match usize::try_from(class_data_len) {
            Ok(length) if !class_data.is_null() => {
                // SAFETY: the JVM gave so many bytes for the time of the callback, and nobody changes them.
                unsafe { std::slice::from_raw_parts(class_data, length) }
            }
            _ => &[],
        };
        let redefined = !class_being_redefined.is_null();
        let environment = &listener.environment;
        let class = ClassFile { environment, jni, name, loader, redefined, bytes };
        let answer = listener.events.class_file_load_hook(environment, &class);
        let Some(answer) = answer.filter(|answer| answer != bytes) else { return };
        // Where the JVM has no memory for it, the class stays as it is.
        let (Ok(length), Ok(copy)) = (jint::try_from(answer.len()), environment.allocate(&answer)) else {
            return;
        };
        // SAFETY: the JVM gave a place for it, for the time of the callback.
        unsafe { new_class_data_len.write(length) };
        // SAFETY: as above; it takes memory of its own allocator and frees it.
        unsafe { new_class_data.write(copy) };
    });
}

fn deliver(environment: *mut jvmtiEnv, event: Event, tell: impl FnOnce(&listeners::Listener)) {
    let ended = catch(|| {
        // None: an event that was under way when its listener went.
        let Some(listener) = listeners::find(environment) else { return };
        if let Err(panic) = catch(|| tell(&listener)) {
            listener.events.panicked(event, &panic);
        }
    });
    // Who panics while told of a panic has had its say.
    let _ = ended;
}

/// A thread's turn in a hook: while it has one, it gets no other.
struct Turn;

thread_local! {
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

impl Turn {
    fn take() -> Option<Turn> {
        (!IN_HOOK.replace(true)).then_some(Turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        IN_HOOK.set(false);
    }
}

/// Who listens to which environment. The JVM's callbacks carry no pointer of ours, and one may still come while its
/// listener is leaving: so they find it here, or find nothing.
pub(crate) mod listeners {
    use std::sync::{PoisonError, RwLock};

    use super::{Arc, Environment, Error, Events, jvmtiEnv};

    pub(crate) struct Listener {
        pub(crate) environment: Environment,
        pub(crate) events: Arc<dyn Events>,
    }

    static ALL: RwLock<Vec<Arc<Listener>>> = RwLock::new(Vec::new());

    pub(crate) fn add(environment: &Environment, events: Arc<dyn Events>) -> Result<(), Error> {
        let listener = Arc::new(Listener { environment: environment.clone(), events });
        let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
        if all.iter().any(|other| other.environment.raw() == environment.raw()) {
            return Err(Error::AlreadyListening);
        }
        all.push(listener);
        Ok(())
    }

    pub(crate) fn remove(environment: &Environment) {
        let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|listener| listener.environment.raw() == environment.raw());
        let removed = at.map(|at| all.swap_remove(at));
        drop(all);
        // Perhaps the last owner of things whose end calls the JVM: not under the lock.
        drop(removed);
    }

    pub(crate) fn find(environment: *mut jvmtiEnv) -> Option<Arc<Listener>> {
        let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|listener| listener.environment.raw() == environment).cloned()
    }
}
