//! A JVMTI environment: got from the JVM, shared by whoever works with it, disposed when the last one lets go.

#![allow(unsafe_code, reason = "GetEnv and calls on the environment that it gave")]

use std::ffi::{c_uchar, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use jni::JavaVM;
use jni::sys::{JNI_EVERSION, JNI_OK, jint, jlong};

use crate::capabilities::Capabilities;
use crate::error::Error;
use crate::event::{CALLBACKS, Event, Events, listeners};
use crate::raw::{
    JVMTI_DISABLE, JVMTI_ENABLE, JVMTI_VERSION_1_2, JVMTI_VERSION_9, jvmtiCapabilities, jvmtiEnv,
    jvmtiEventCallbacks,
};
use crate::table;

/// A JVMTI environment, to be used from any thread; a clone is the same environment.
///
/// It is disposed when the last clone is dropped. While it listens to events ([`Environment::listen`]) one is held for
/// that, and each callback under way holds one: so no call is ever made on an environment that is gone.
#[derive(Clone, Debug)]
pub struct Environment {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    raw: NonNull<jvmtiEnv>,
}

// SAFETY: the specification allows every function used here from any thread attached to the JVM, at the same time.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Environment {
    /// A new environment of JVMTI 9, or of 1.2 in a JVM of JDK 8.
    pub fn get(vm: &JavaVM) -> Result<Environment, Error> {
        let raw = match get_env(vm, JVMTI_VERSION_9) {
            Err(JNI_EVERSION) => get_env(vm, JVMTI_VERSION_1_2),
            other => other,
        };
        let raw = raw.map_err(Error::NoEnvironment)?;
        Ok(Environment { inner: Arc::new(Inner { raw }) })
    }

    /// Adds capabilities: all of them, or none and an error.
    pub fn add_capabilities(&self, capabilities: Capabilities) -> Result<(), Error> {
        let raw: jvmtiCapabilities = capabilities.into();
        // SAFETY: the environment is alive while `self` is; raw outlives the call.
        unsafe { table::add_capabilities(self.raw(), &raw) }
    }

    /// Hands events to `events` from now on, once each is [enabled](Environment::enable); once for an environment.
    pub fn listen(&self, events: Arc<dyn Events>) -> Result<(), Error> {
        listeners::add(self, events)?;
        // SAFETY: the environment is alive while `self` is; the JVM copies the callbacks.
        let set = unsafe {
            table::set_event_callbacks(
                self.raw(),
                &raw const CALLBACKS,
                size_of::<jvmtiEventCallbacks>() as jint,
            )
        };
        if set.is_err() {
            listeners::remove(self);
        }
        set
    }

    /// Hands no more events to anyone, and lets go of whoever listened. Events should be
    /// [disabled](Environment::disable) first: until the environment is gone the JVM goes on sending them in vain.
    pub fn close(self) {
        listeners::remove(&self);
    }

    /// Turns an event on, for all threads.
    pub fn enable(&self, event: Event) -> Result<(), Error> {
        // SAFETY: the environment is alive while `self` is; null stands for all threads.
        unsafe {
            table::set_event_notification_mode(self.raw(), JVMTI_ENABLE, event.number(), ptr::null_mut())
        }
    }

    /// Turns an event off, for all threads. Callbacks under way in other threads are not waited for.
    pub fn disable(&self, event: Event) -> Result<(), Error> {
        // SAFETY: the environment is alive while `self` is; null stands for all threads.
        unsafe {
            table::set_event_notification_mode(self.raw(), JVMTI_DISABLE, event.number(), ptr::null_mut())
        }
    }

    /// A copy in memory of the environment, for the JVM to free.
    pub(crate) fn allocate(&self, bytes: &[u8]) -> Result<*mut c_uchar, Error> {
        let mut start = ptr::null_mut();
        // SAFETY: the environment is alive while `self` is; `start` outlives the call; no slice is larger than a jlong.
        unsafe { table::allocate(self.raw(), bytes.len() as jlong, &raw mut start) }?;
        // A JVM that says "no error" and gives no memory breaks the specification.
        let start = NonNull::new(start).ok_or(Error::Missing { call: "Allocate" })?;
        // SAFETY: it has handed out so many bytes, to nobody else.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), start.as_ptr(), bytes.len()) };
        Ok(start.as_ptr())
    }

    pub(crate) fn raw(&self) -> *mut jvmtiEnv {
        self.inner.raw.as_ptr()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: the environment was not disposed before, and nobody can use it afterwards: this was its last owner.
        let disposed = unsafe { table::dispose_environment(self.raw.as_ptr()) };
        // There is nothing left to do for an environment that will not go.
        let _ = disposed;
    }
}

fn get_env(vm: &JavaVM, version: jint) -> Result<NonNull<jvmtiEnv>, jint> {
    let raw_vm = vm.get_raw();
    let mut found: *mut c_void = ptr::null_mut();
    // SAFETY: a JavaVM's pointer is that of a running JVM, which points at its function table.
    let functions = unsafe { *raw_vm };
    // SAFETY: the table is constant for the life of the JVM; every JVM since JDK 1.2 has the part that is used.
    let functions = unsafe { &*functions };
    // SAFETY: as above: this part is what the union holds.
    let get_env = unsafe { functions.v1_2.GetEnv };
    // SAFETY: the JVM writes a pointer to `found`, or leaves it.
    let result = unsafe { get_env(raw_vm, &raw mut found, version) };
    match NonNull::new(found.cast()) {
        Some(raw) if result == JNI_OK => Ok(raw),
        _ => Err(result),
    }
}
