//! JVMTI environments that are used again. One that was disposed goes on costing the JVM a few hundred bytes, and traces come
//! and go by the thousand. Not here: the look at a single class (`retransform.rs`), which is for once.

use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use jgraft_jvmti::jni::JavaVM;
use jgraft_jvmti::{Capabilities, Environment, Error, Event};
use jgraft_protocol::native::stage;

use crate::report::Failure;

/// Those that nobody has, for each purpose.
static IDLE: [Mutex<Vec<Environment>>; 2] = [const { Mutex::new(Vec::new()) }; 2];

/// What an environment is for: it can do that and no more.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// Code and constants.
    Read,
    /// These, and retransformation: a JVM compiles differently once somebody can do that.
    Weave,
}

/// An environment that nobody else has, until this is dropped.
#[derive(Debug)]
pub(crate) struct Borrowed {
    environment: Environment,
    purpose: Purpose,
}

impl Borrowed {
    pub(crate) fn take(vm: &JavaVM, purpose: Purpose) -> Result<Borrowed, Failure> {
        let idle = IDLE[purpose as usize].lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(environment) = idle {
            return Ok(Borrowed { environment, purpose });
        }
        let environment = Environment::get(vm)
            .map_err(|error| Failure::call(stage::ENVIRONMENT, "the jvm gives no environment", &error))?;
        let reading = Capabilities::default().can_get_bytecodes().can_get_constant_pool();
        let (wanted, refused) = match purpose {
            Purpose::Read => (reading, "the jvm does not let its classes be read"),
            Purpose::Weave => {
                (reading.can_retransform_classes(), "the jvm does not let its classes be retransformed")
            }
        };
        environment
            .add_capabilities(wanted)
            .map_err(|error| Failure::call(stage::ENVIRONMENT, refused, &error))?;
        Ok(Borrowed { environment, purpose })
    }
}

impl Deref for Borrowed {
    type Target = Environment;

    fn deref(&self) -> &Environment {
        &self.environment
    }
}

impl Borrowed {
    /// No class comes through any more; whoever has it next listens anew. The thread has to be one that the JVM knows, as
    /// for every call of JVMTI.
    pub(crate) fn hush(&self) -> Result<(), Error> {
        self.environment.clone().close();
        self.environment.disable(Event::ClassFileLoadHook)
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        // An event that nobody listens to costs the JVM little, and the next one that has it turns it on in any case.
        IDLE[self.purpose as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self.environment.clone());
    }
}
