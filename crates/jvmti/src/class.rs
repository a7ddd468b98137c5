//! Classes of the JVM: which are loaded, what they are called, sending them through the hooks again.

#![allow(unsafe_code, reason = "calls on the environment, with references that the JVM gave")]

use std::ptr::{self, NonNull};

use jni::Env;
use jni::objects::JClass;
use jni::sys::{jclass, jint};

use crate::env::Environment;
use crate::error::Error;
use crate::memory::{Array, Text};
use crate::table;

/// Local references that JNI calls may need beside the classes.
const SPARE_REFERENCES: usize = 16;

/// A class, by a local reference of a frame.
#[derive(Debug)]
pub struct Class<'frame> {
    object: JClass<'frame>,
}

impl<'frame> Class<'frame> {
    /// The signature, as `Ljava/util/Map$Entry;`, `[I` or `I`; a hidden class has a dot in its own.
    pub fn signature<'e>(&self, environment: &'e Environment) -> Result<Text<'e>, Error> {
        signature(environment, self.object.as_raw())
    }

    /// The class as the `jni` crate knows it.
    pub fn object(&self) -> &JClass<'frame> {
        &self.object
    }
}

impl Environment {
    /// Hands every loaded class to `work`, arrays included. The references end with it.
    pub fn with_loaded_classes<T>(
        &self,
        jni: &Env<'_>,
        work: impl for<'frame> FnOnce(&mut Env<'frame>, &[Class<'frame>]) -> T,
    ) -> Result<T, Error> {
        jni.with_local_frame(SPARE_REFERENCES, |jni| {
            let classes = self.loaded_classes(jni)?;
            // There may be many thousands; -Xcheck:jni complains of calls made with so many and no room asked for.
            jni.ensure_local_capacity(SPARE_REFERENCES)?;
            Ok(work(jni, &classes))
        })
    }

    /// Sends the classes through the class file load hooks again, from the bytes as they were loaded or last redefined,
    /// in this thread and before it returns. Either all are retransformed or none.
    pub fn retransform_classes(&self, classes: &[&Class<'_>]) -> Result<(), Error> {
        let raw: Vec<jclass> = classes.iter().map(|class| class.object.as_raw()).collect();
        // SAFETY: the environment is alive; the references live in a frame that is not popped while `classes` is
        // borrowed; count and array belong together, as there are no 2^31 classes.
        unsafe { table::retransform_classes(self.raw(), raw.len() as jint, raw.as_ptr()) }
    }

    fn loaded_classes<'frame>(&self, jni: &Env<'frame>) -> Result<Vec<Class<'frame>>, Error> {
        let (mut count, mut start) = (0, ptr::null_mut());
        // SAFETY: the environment is alive; both places outlive the call.
        unsafe { table::get_loaded_classes(self.raw(), &raw mut count, &raw mut start) }?;
        let (Some(start), Ok(count)) = (NonNull::new(start), usize::try_from(count)) else {
            return Ok(Vec::new());
        };
        // SAFETY: the call succeeded, so this environment has handed out an array of that length.
        let raw: Array<'_, jclass> = unsafe { Array::new(self, start, count) };
        let class = |raw: &jclass| {
            // SAFETY: the call made a local reference in the frame on top, which is that of `jni`.
            let object = unsafe { JClass::from_raw(jni, *raw) };
            Class { object }
        };
        Ok(raw.iter().map(class).collect())
    }
}

/// The signature of a class by a reference that is valid during the call.
pub(crate) fn signature(environment: &Environment, class: jclass) -> Result<Text<'_>, Error> {
    let mut start = ptr::null_mut();
    // SAFETY: the environment is alive; `start` outlives the call; a null place asks for no generic signature.
    unsafe { table::get_class_signature(environment.raw(), class, &raw mut start, ptr::null_mut()) }?;
    // A JVM that says "no error" and gives no text breaks the specification.
    let start = NonNull::new(start).ok_or(Error::Missing { call: "GetClassSignature" })?;
    // SAFETY: the call succeeded, so this environment has handed out a signature.
    Ok(unsafe { Text::new(environment, start) })
}
