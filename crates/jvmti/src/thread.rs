//! Threads of the JVM and their names.

#![allow(unsafe_code, reason = "calls on the environment, with references that the JVM gave")]

use std::ptr::{self, NonNull};

use jni::Env;
use jni::objects::JObject;
use jni::sys::jobject;

use crate::class::room_for_a_call;
use crate::env::Environment;
use crate::error::Error;
use crate::memory::{Array, Text};
use crate::raw::jvmtiThreadInfo;
use crate::table;

/// Its group, its context class loader, and room for whoever looks at it.
const OF_A_THREAD: usize = 16;

impl Environment {
    /// Each live platform thread: its object, which is good for the time of the call, and its name.
    pub fn each_thread(
        &self,
        jni: &mut Env<'_>,
        mut each: impl FnMut(&mut Env<'_>, &JObject<'_>, &str),
    ) -> Result<(), Error> {
        // The JVM makes a local reference for each thread.
        jni.with_local_frame(0, |jni| {
            let threads = self.all_threads()?;
            room_for_a_call(jni)?;
            for thread in threads.iter() {
                // And two for what is told of it, which thousands of threads would have no room for.
                jni.with_local_frame(OF_A_THREAD, |jni| {
                    // A thread may have ended since.
                    let Ok(name) = self.thread_name(*thread) else { return Ok(()) };
                    // SAFETY: GetAllThreads made a local reference in the frame below that of `jni`, which lasts longer.
                    let thread = unsafe { JObject::from_raw(jni, *thread) };
                    each(jni, &thread, &name);
                    Ok::<_, Error>(())
                })?;
            }
            Ok(())
        })
    }

    pub(crate) fn all_threads(&self) -> Result<Array<'_, jobject>, Error> {
        let (mut count, mut start) = (0, ptr::null_mut());
        // SAFETY: the environment is alive; both places outlive the call.
        unsafe { table::get_all_threads(self.raw(), &raw mut count, &raw mut start) }?;
        let start = NonNull::new(start).ok_or(Error::Missing { call: "GetAllThreads" })?;
        // SAFETY: the call succeeded, so this environment has handed out an array of that length.
        Ok(unsafe { Array::new(self, start, usize::try_from(count).unwrap_or(0)) })
    }

    pub(crate) fn thread_name(&self, thread: jobject) -> Result<String, Error> {
        let mut info = jvmtiThreadInfo {
            name: ptr::null_mut(),
            priority: 0,
            is_daemon: false,
            thread_group: ptr::null_mut(),
            context_class_loader: ptr::null_mut(),
        };
        // SAFETY: the environment is alive; the thread is a live local reference; the place outlives the call.
        unsafe { table::get_thread_info(self.raw(), thread, &raw mut info) }?;
        let start = NonNull::new(info.name).ok_or(Error::Missing { call: "GetThreadInfo" })?;
        // SAFETY: the call succeeded, so this environment has handed out a name.
        Ok(unsafe { Text::new(self, start) }.to_string())
    }
}
