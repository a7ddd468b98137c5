//! Memory that the JVM allocated for us, given back by Deallocate on drop.

#![allow(unsafe_code, reason = "memory of the JVM")]

use std::ffi::c_char;
use std::ops::Deref;
use std::ptr::NonNull;

use jni::strings::JNIStr;

use crate::env::Environment;
use crate::error::Error;
use crate::table;

/// Text in modified UTF-8 and in memory of an environment.
#[derive(Debug)]
pub struct Text<'e> {
    memory: Memory<'e, c_char>,
}

impl<'e> Text<'e> {
    /// # Safety
    /// `start` was handed out by this environment, to nobody else, and is NUL-terminated modified UTF-8.
    pub(crate) unsafe fn new(environment: &'e Environment, start: NonNull<c_char>) -> Text<'e> {
        Text { memory: Memory { environment, start } }
    }

    /// Two at once, so that both are given back where one is missing.
    ///
    /// # Safety
    /// As [`Text::new`], save that either may be null.
    pub(crate) unsafe fn two(
        environment: &'e Environment,
        call: &'static str,
        one: *mut c_char,
        other: *mut c_char,
    ) -> Result<(Text<'e>, Text<'e>), Error> {
        // SAFETY: the caller's promise.
        let text = |start| NonNull::new(start).map(|start| unsafe { Text::new(environment, start) });
        let (one, other) = (text(one), text(other));
        one.zip(other).ok_or(Error::Missing { call })
    }
}

impl Deref for Text<'_> {
    type Target = JNIStr;

    fn deref(&self) -> &JNIStr {
        // SAFETY: Text::new's caller promised it, and the memory is ours until drop.
        unsafe { JNIStr::from_ptr(self.memory.start.as_ptr()) }
    }
}

/// An array in memory of an environment.
#[derive(Debug)]
pub struct Array<'e, T> {
    memory: Memory<'e, T>,
    length: usize,
}

impl<'e, T> Array<'e, T> {
    /// # Safety
    /// `start` was handed out by this environment, to nobody else, with `length` elements.
    pub(crate) unsafe fn new(environment: &'e Environment, start: NonNull<T>, length: usize) -> Array<'e, T> {
        Array { memory: Memory { environment, start }, length }
    }
}

impl<T> Deref for Array<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: Array::new's caller promised it, and the memory is ours until drop.
        unsafe { std::slice::from_raw_parts(self.memory.start.as_ptr(), self.length) }
    }
}

#[derive(Debug)]
struct Memory<'e, T> {
    environment: &'e Environment,
    start: NonNull<T>,
}

impl<T> Drop for Memory<'_, T> {
    fn drop(&mut self) {
        // SAFETY: the environment handed it out and is alive; nobody uses it after this.
        let freed = unsafe { table::deallocate(self.environment.raw(), self.start.as_ptr().cast()) };
        // It stays allocated then: a leak is all that can come of it.
        let _ = freed;
    }
}
