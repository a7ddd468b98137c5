//! What a loaded class extends and implements, by signatures: no class is held for it.

#![allow(unsafe_code, reason = "calls on the environment, with references that the JVM gave")]

use std::ptr::{self, NonNull};

use jni::Env;
use jni::sys::jclass;

use crate::class::{Class, signature};
use crate::env::Environment;
use crate::error::Error;
use crate::memory::{Array, Text};
use crate::table;

impl Class {
    /// The signature of its superclass; none for `java.lang.Object`, interfaces and primitive types.
    pub fn super_class<'e>(
        &self,
        environment: &'e Environment,
        jni: &Env<'_>,
    ) -> Result<Option<Text<'e>>, Error> {
        // One reference: that of the superclass.
        jni.with_local_frame(1, |jni| match jni.get_superclass(self.object())? {
            Some(class) => signature(environment, class.as_raw()).map(Some),
            None => Ok(None),
        })
    }

    /// The signatures of its direct superinterfaces, in the order of its class file.
    pub fn interfaces<'e>(
        &self,
        environment: &'e Environment,
        jni: &Env<'_>,
    ) -> Result<Vec<Text<'e>>, Error> {
        // The JVM makes a local reference for each. They go before anything of JNI is called, so their number is nothing
        // that -Xcheck:jni could complain of.
        jni.with_local_frame(0, |_| {
            let (mut count, mut start) = (0, ptr::null_mut());
            // SAFETY: the environment is alive; the class is while `self` is; both places outlive the call.
            unsafe {
                table::get_implemented_interfaces(
                    environment.raw(),
                    self.object().as_raw(),
                    &raw mut count,
                    &raw mut start,
                )
            }?;
            // A class without interfaces may come without an array.
            let Some(start) = NonNull::<jclass>::new(start) else { return Ok(Vec::new()) };
            // SAFETY: the call succeeded, so this environment has handed out an array of that length.
            let classes = unsafe { Array::new(environment, start, usize::try_from(count).unwrap_or(0)) };
            classes.iter().map(|class| signature(environment, *class)).collect()
        })
    }
}
