//! Methods of a loaded class: what they are called, and their code as it is in force.

#![allow(unsafe_code, reason = "calls on the environment, with method ids that the JVM gave")]

use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use jni::sys::jmethodID;

use crate::class::Class;
use crate::env::Environment;
use crate::error::Error;
use crate::memory::{Array, Text};
use crate::table;

/// A method, of a class that stays loaded while this lives.
#[derive(Clone, Copy, Debug)]
pub struct Method<'c> {
    id: jmethodID,
    class: PhantomData<&'c Class>,
}

impl<'c> Method<'c> {
    pub(crate) fn new(_: &'c Class, id: jmethodID) -> Method<'c> {
        Method { id, class: PhantomData }
    }

    /// Its name and descriptor.
    pub fn name<'e>(&self, environment: &'e Environment) -> Result<(Text<'e>, Text<'e>), Error> {
        let (mut name, mut descriptor) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment is alive; the id is one of a class that is loaded; both places outlive the call; a null
        // place asks for no generic signature.
        unsafe {
            table::get_method_name(
                environment.raw(),
                self.id,
                &raw mut name,
                &raw mut descriptor,
                ptr::null_mut(),
            )
        }?;
        // SAFETY: the call succeeded, so this environment has handed out both.
        unsafe { Text::two(environment, "GetMethodName", name, descriptor) }
    }

    /// Its access flags (JVMS 4.6).
    pub fn modifiers(&self, environment: &Environment) -> Result<u16, Error> {
        let mut modifiers = 0;
        // SAFETY: the environment is alive; the id is one of a class that is loaded; the place outlives the call.
        unsafe { table::get_method_modifiers(environment.raw(), self.id, &raw mut modifiers) }?;
        Ok(modifiers as u16)
    }

    /// How many slots its parameters and other locals take; an error where it has no code.
    pub fn max_locals(&self, environment: &Environment) -> Result<u16, Error> {
        let mut slots = 0;
        // SAFETY: the environment is alive; the id is one of a class that is loaded; the place outlives the call.
        unsafe { table::get_max_locals(environment.raw(), self.id, &raw mut slots) }?;
        Ok(slots as u16)
    }

    /// Its code as it is in force, with indices into [`Class::constant_pool`]; an error where it has none. Takes
    /// `can_get_bytecodes`.
    pub fn bytecodes<'e>(&self, environment: &'e Environment) -> Result<Array<'e, u8>, Error> {
        let (mut length, mut start) = (0, ptr::null_mut());
        // SAFETY: the environment is alive; the id is one of a class that is loaded; both places outlive the call.
        unsafe { table::get_bytecodes(environment.raw(), self.id, &raw mut length, &raw mut start) }?;
        let start = NonNull::new(start).ok_or(Error::Missing { call: "GetBytecodes" })?;
        // SAFETY: the call succeeded, so this environment has handed out an array of that length.
        Ok(unsafe { Array::new(environment, start, usize::try_from(length).unwrap_or(0)) })
    }
}
