//! Fields of a loaded class: what they are called and which flags they have. What is in them is not asked.

#![allow(unsafe_code, reason = "calls on the environment, with field ids that the JVM gave")]

use std::ptr::{self, NonNull};

use jni::sys::jfieldID;

use crate::class::Class;
use crate::env::Environment;
use crate::error::Error;
use crate::memory::{Array, Text};
use crate::table;

/// A field, of a class that stays loaded while this lives.
#[derive(Clone, Copy, Debug)]
pub struct Field<'c> {
    class: &'c Class,
    id: jfieldID,
}

impl Class {
    /// The fields that it declares; an error where it is not linked yet.
    pub fn fields(&self, environment: &Environment) -> Result<Vec<Field<'_>>, Error> {
        let (mut count, mut start) = (0, ptr::null_mut());
        // SAFETY: the environment is alive; the class is while `self` is; both places outlive the call.
        unsafe {
            table::get_class_fields(environment.raw(), self.object().as_raw(), &raw mut count, &raw mut start)
        }?;
        // A class without fields may come without an array.
        let Some(start) = NonNull::new(start) else { return Ok(Vec::new()) };
        // SAFETY: the call succeeded, so this environment has handed out an array of that length.
        let ids = unsafe { Array::new(environment, start, usize::try_from(count).unwrap_or(0)) };
        Ok(ids.iter().map(|id| Field { class: self, id: *id }).collect())
    }
}

impl Field<'_> {
    /// Its name and descriptor.
    pub fn name<'e>(&self, environment: &'e Environment) -> Result<(Text<'e>, Text<'e>), Error> {
        let (mut name, mut descriptor) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment is alive; the id is one of a class that is loaded; both places outlive the call; a null
        // place asks for no generic signature.
        unsafe {
            table::get_field_name(
                environment.raw(),
                self.class.object().as_raw(),
                self.id,
                &raw mut name,
                &raw mut descriptor,
                ptr::null_mut(),
            )
        }?;
        // SAFETY: the call succeeded, so this environment has handed out both.
        unsafe { Text::two(environment, "GetFieldName", name, descriptor) }
    }

    /// Its access flags (JVMS 4.5).
    pub fn modifiers(&self, environment: &Environment) -> Result<u16, Error> {
        let mut modifiers = 0;
        // SAFETY: the environment is alive; the id is one of a class that is loaded; the place outlives the call.
        unsafe {
            table::get_field_modifiers(
                environment.raw(),
                self.class.object().as_raw(),
                self.id,
                &raw mut modifiers,
            )
        }?;
        Ok(modifiers as u16)
    }
}
