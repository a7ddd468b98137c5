//! Stacks of threads: who runs a method that was redefined meanwhile. A frame keeps the code that it began with.
//!
//! Virtual threads are not seen: JVMTI lists platform threads alone, and of one that carries a virtual thread it tells the
//! carrier's own frames.

#![allow(unsafe_code, reason = "calls on the environment, with references and method ids that the JVM gave")]

use std::collections::HashMap;
use std::ptr::{self, NonNull};

use jni::Env;
use jni::objects::JClass;
use jni::strings::JNIStr;
use jni::sys::{jint, jmethodID, jobject};

use crate::class::{Class, room_for_a_call};
use crate::env::Environment;
use crate::error::Error;
use crate::memory::{Array, Text};
use crate::raw::{jvmtiFrameInfo, jvmtiStackInfo};
use crate::table;

/// Threads whose stacks are read at once: with the frames of one a bound for the JVM's memory, and for its pause.
const AT_ONCE: usize = 64;

/// Frames of a thread that are read, from the top; a loop at the bottom of a deeper stack is not seen.
const DEEPEST: jint = 1_024;

/// References that a frame's class and its name take.
const OF_A_FRAME: usize = 16;

/// A method that a thread runs as it was before a redefinition.
#[derive(Debug)]
pub struct ObsoleteFrame {
    /// The thread's name.
    pub thread: String,
    /// The class that has been redefined.
    pub class: Class,
    /// The method's name and descriptor.
    pub method: String,
}

/// What was found on the stacks.
#[derive(Debug, Default)]
pub struct ObsoleteFrames {
    /// Each method once a thread, from the top of the stack.
    pub found: Vec<ObsoleteFrame>,
    /// How many threads were looked at.
    pub threads: usize,
    /// How many could not be, or only down to a depth of 1,024.
    pub unread: usize,
}

impl Environment {
    /// Looks through the stacks of all live platform threads, until `most` frames are found of classes whose signature is
    /// meant. Every method that is on a stack costs the JVM an id for as long as its class is loaded.
    pub fn obsolete_frames(
        &self,
        jni: &mut Env<'_>,
        most: usize,
        is_meant: &dyn Fn(&JNIStr) -> bool,
    ) -> Result<ObsoleteFrames, Error> {
        // The JVM makes a local reference for each thread.
        jni.with_local_frame(0, |jni| {
            let threads = self.all_threads()?;
            room_for_a_call(jni)?;
            let mut frames = ObsoleteFrames::default();
            let mut known = HashMap::new();
            for some in threads.chunks(AT_ONCE) {
                // And one more for each.
                jni.with_local_frame(AT_ONCE + OF_A_FRAME, |jni| {
                    let Ok(stacks) = self.stacks(some) else {
                        frames.unread += some.len();
                        return Ok(());
                    };
                    for (stack, thread) in stacks.iter().zip(some) {
                        frames.threads += 1;
                        frames.unread += usize::from(stack.frame_count >= DEEPEST);
                        self.look_at(jni, (stack, *thread), &mut known, &mut frames, (most, is_meant))?;
                    }
                    Ok::<_, Error>(())
                })?;
            }
            Ok(frames)
        })
    }

    fn look_at(
        &self,
        jni: &mut Env<'_>,
        (stack, thread): (&jvmtiStackInfo, jobject),
        known: &mut HashMap<usize, bool>,
        frames: &mut ObsoleteFrames,
        (most, is_meant): (usize, &dyn Fn(&JNIStr) -> bool),
    ) -> Result<(), Error> {
        let mut seen = Vec::new();
        for frame in frames_of(stack) {
            let method = frame.method;
            let is_old = *known.entry(method.addr()).or_insert_with(|| {
                self.is_obsolete(method).unwrap_or(false) && self.is_of(jni, method, is_meant)
            });
            if !is_old || seen.contains(&method) || frames.found.len() >= most {
                continue;
            }
            seen.push(method);
            // The frame may have ended since, and its class with it.
            let told = jni.with_local_frame(OF_A_FRAME, |jni| {
                Ok::<_, Error>(ObsoleteFrame {
                    thread: self.thread_name(thread)?,
                    class: self.declaring_class(jni, method)?,
                    method: self.method_name(method)?,
                })
            });
            frames.found.extend(told);
        }
        Ok(())
    }

    /// The stacks of these threads, the frames behind them in one piece of memory.
    fn stacks(&self, threads: &[jobject]) -> Result<Array<'_, jvmtiStackInfo>, Error> {
        let mut start = ptr::null_mut();
        // SAFETY: the environment is alive; the threads are live local references; the place outlives the call.
        unsafe {
            table::get_thread_list_stack_traces(
                self.raw(),
                threads.len() as jint,
                threads.as_ptr(),
                DEEPEST,
                &raw mut start,
            )
        }?;
        let start = NonNull::new(start).ok_or(Error::Missing { call: "GetThreadListStackTraces" })?;
        // SAFETY: the call succeeded, so this environment has handed out an array with one for each thread.
        Ok(unsafe { Array::new(self, start, threads.len()) })
    }

    fn is_obsolete(&self, method: jmethodID) -> Result<bool, Error> {
        let mut obsolete = false;
        // SAFETY: the environment is alive; the JVM has given the id, and tells one that is stale; the place outlives the call.
        unsafe { table::is_method_obsolete(self.raw(), method, (&raw mut obsolete).cast()) }?;
        Ok(obsolete)
    }

    /// Whether the class that declares it is meant; true where that cannot be told.
    fn is_of(&self, jni: &mut Env<'_>, method: jmethodID, is_meant: &dyn Fn(&JNIStr) -> bool) -> bool {
        let told = jni.with_local_frame(OF_A_FRAME, |jni| {
            Ok::<_, Error>(is_meant(&self.declaring_class(jni, method)?.signature(self)?))
        });
        told.unwrap_or(true)
    }

    fn declaring_class(&self, jni: &mut Env<'_>, method: jmethodID) -> Result<Class, Error> {
        let mut class = ptr::null_mut();
        // SAFETY: as in `is_obsolete`.
        unsafe { table::get_method_declaring_class(self.raw(), method, &raw mut class) }?;
        if class.is_null() {
            return Err(Error::Missing { call: "GetMethodDeclaringClass" });
        }
        // SAFETY: the call made a local reference in the frame on top, which is that of `jni`.
        let class = unsafe { JClass::from_raw(jni, class) };
        Class::of(jni, &class)
    }

    fn method_name(&self, method: jmethodID) -> Result<String, Error> {
        let (mut name, mut descriptor) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: as in `is_obsolete`; a null place asks for no generic signature.
        unsafe {
            table::get_method_name(self.raw(), method, &raw mut name, &raw mut descriptor, ptr::null_mut())
        }?;
        // SAFETY: the call succeeded, so this environment has handed out both.
        let (name, descriptor) = unsafe { Text::two(self, "GetMethodName", name, descriptor) }?;
        Ok(format!("{}{}", &*name, &*descriptor))
    }
}

fn frames_of(stack: &jvmtiStackInfo) -> &[jvmtiFrameInfo] {
    match usize::try_from(stack.frame_count) {
        // SAFETY: the JVM has handed out so many frames behind the stacks, which live as long as `stack` is borrowed.
        Ok(count) if count > 0 && !stack.frame_buffer.is_null() => unsafe {
            std::slice::from_raw_parts(stack.frame_buffer, count)
        },
        // A thread that has ended, or runs no Java.
        _ => &[],
    }
}
