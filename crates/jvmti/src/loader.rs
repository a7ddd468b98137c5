//! Class loaders: of which class they are, and which is which.

#![allow(unsafe_code, reason = "calls on the environment, with references that the JVM gave")]

use std::ptr;

use jni::Env;
use jni::objects::JObject;
use jni::sys::{jint, jobject};

use crate::class::{Class, signature};
use crate::env::Environment;
use crate::error::Error;
use crate::table;

/// Whose class it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loader {
    /// The boot loader, which is no object.
    Boot,
    /// A loader of the class with this signature.
    Class(String),
}

impl Class {
    /// Its loader, and the loader's identity hash code, which tells two of one class apart; 0 for the boot loader.
    pub fn loader(&self, environment: &Environment, jni: &Env<'_>) -> Result<(Loader, i32), Error> {
        // Two references: the loader's and its class's.
        jni.with_local_frame(2, |jni| {
            let mut loader = ptr::null_mut();
            // SAFETY: the environment is alive; the class is while `self` is; the place outlives the call.
            unsafe { table::get_class_loader(environment.raw(), self.object().as_raw(), &raw mut loader) }?;
            if loader.is_null() {
                return Ok((Loader::Boot, 0));
            }
            let mut identity: jint = 0;
            // SAFETY: the environment is alive; the call before made this local reference; the place outlives the call.
            unsafe { table::get_object_hash_code(environment.raw(), loader, &raw mut identity) }?;
            // SAFETY: GetClassLoader made a local reference in the frame on top, which is that of `jni`.
            Ok((unsafe { of(environment, jni, loader) }?, identity))
        })
    }
}

/// What a loader is, by a reference to it or null.
///
/// # Safety
/// `loader` is null, or a local reference that is valid in the frame of `jni`.
pub(crate) unsafe fn of(
    environment: &Environment,
    jni: &mut Env<'_>,
    loader: jobject,
) -> Result<Loader, Error> {
    if loader.is_null() {
        return Ok(Loader::Boot);
    }
    // SAFETY: the caller's promise.
    let loader = unsafe { JObject::from_raw(jni, loader) };
    let class = jni.get_object_class(&loader)?;
    let signature = signature(environment, class.as_raw()).map(|text| text.to_string());
    jni.delete_local_ref(class);
    Ok(Loader::Class(signature?))
}
