//! Sends the loaded classes of one name through the class file load hooks again. Nobody changes their bytes here, so they
//! stay as they are.

use jgraft_jvmti::jni::{Env, JavaVM};
use jgraft_jvmti::{Capabilities, Environment};
use jgraft_protocol::native::stage;

use crate::class_name::ClassName;
use crate::report::Failure;

/// How many classes have the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// None of so many.
    Nothing { loaded: usize },
    /// So many, one for each loader; they were retransformed.
    Classes(usize),
}

/// An environment that may retransform.
pub(crate) fn prepare(vm: &JavaVM) -> Result<Environment, Failure> {
    let environment = Environment::get(vm)
        .map_err(|error| Failure::call(stage::ENVIRONMENT, "the jvm gives no environment", &error))?;
    environment.add_capabilities(Capabilities::default().can_retransform_classes()).map_err(|error| {
        Failure::call(stage::ENVIRONMENT, "the jvm does not let its classes be retransformed", &error)
    })?;
    Ok(environment)
}

/// All classes of that name at once: each retransformation stops the application for a moment.
pub(crate) fn by_name(environment: &Environment, jni: &Env<'_>, class: &ClassName) -> Result<Found, Failure> {
    let found = environment
        .loaded_classes(jni, |signature| class.has_signature(signature))
        .map_err(|error| Failure::call(stage::FIND, "the jvm does not tell its classes", &error))?;
    if found.wanted.is_empty() {
        return Ok(Found::Nothing { loaded: found.loaded });
    }
    environment.retransform_classes(&found.wanted).map_err(|error| {
        let message = format!("{} cannot be retransformed", class.shown());
        Failure::call(stage::RETRANSFORM, &message, &error)
    })?;
    Ok(Found::Classes(found.wanted.len()))
}
