//! The three functions by which a JVM starts and ends a native agent.

#![allow(unsafe_code, reason = "the JVM's pointers at the agent's entry points")]

use std::ffi::CStr;

use jni::JavaVM;

use crate::guard::Panic;

/// An agent library; [`export_agent!`](crate::export_agent) makes the JVM find it.
pub trait Agent {
    /// `Agent_OnLoad`: `-agentpath:LIB=OPTIONS`, before the JVM is ready. Anything but 0 keeps it from starting.
    fn on_load(vm: &JavaVM, options: &CStr) -> i32;

    /// `Agent_OnAttach`: loaded into a running JVM. The code is what the client of the attach API gets to see.
    fn on_attach(vm: &JavaVM, options: &CStr) -> i32;

    /// `Agent_OnUnload`: the JVM has ended; nothing of it may be called any more.
    fn on_unload() {}

    /// One of the others panicked: the code to return.
    fn panicked(entry: Entry, panic: &Panic) -> i32;
}

/// An entry point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// `Agent_OnLoad`
    OnLoad,
    /// `Agent_OnAttach`
    OnAttach,
    /// `Agent_OnUnload`
    OnUnload,
}

/// Exports an [`Agent`] from a `cdylib`; once in a library.
#[macro_export]
macro_rules! export_agent {
    ($agent:ty) => {
        /// Called by a JVM that was started with this library.
        ///
        /// # Safety
        /// Only a JVM calls this, as the JVMTI specification says.
        #[allow(unsafe_code, reason = "the name is the JVM's, and so are the pointers")]
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn Agent_OnLoad(
            vm: *mut $crate::jni::sys::JavaVM,
            options: *mut ::std::ffi::c_char,
            _reserved: *mut ::std::ffi::c_void,
        ) -> $crate::jni::sys::jint {
            // SAFETY: the JVM's own pointers, handed on as they are.
            unsafe { $crate::entry::on_load::<$agent>(vm, options) }
        }

        /// Called by a running JVM that loads this library.
        ///
        /// # Safety
        /// Only a JVM calls this, as the JVMTI specification says.
        #[allow(unsafe_code, reason = "the name is the JVM's, and so are the pointers")]
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn Agent_OnAttach(
            vm: *mut $crate::jni::sys::JavaVM,
            options: *mut ::std::ffi::c_char,
            _reserved: *mut ::std::ffi::c_void,
        ) -> $crate::jni::sys::jint {
            // SAFETY: the JVM's own pointers, handed on as they are.
            unsafe { $crate::entry::on_attach::<$agent>(vm, options) }
        }

        /// Called by a JVM that has ended.
        #[allow(unsafe_code, reason = "the name is the JVM's")]
        #[unsafe(no_mangle)]
        pub extern "system" fn Agent_OnUnload(_vm: *mut $crate::jni::sys::JavaVM) {
            $crate::entry::on_unload::<$agent>();
        }

        $crate::stand_in! {
            "_dl_find_object": $crate::entry::find_object,
            "stat64": $crate::entry::stat,
            "lstat64": $crate::entry::lstat,
            "fstat64": $crate::entry::fstat,
        }
    };
}

/// What the macro's functions call. Not for use by hand.
pub mod entry {
    use std::ffi::c_char;

    use jni::sys::{self, JNI_ERR, JNI_OK, jint};

    use super::{Agent, CStr, Entry, JavaVM};
    pub use crate::any_libc::{find_object, fstat, lstat, stat};
    use crate::guard::catch;

    /// # Safety
    /// The pointers are those that a JVM gave to `Agent_OnLoad`.
    pub unsafe fn on_load<A: Agent>(vm: *mut sys::JavaVM, options: *const c_char) -> jint {
        // SAFETY: the caller's promise.
        run::<A>(Entry::OnLoad, || unsafe { with(vm, options, |vm, options| A::on_load(vm, options)) })
    }

    /// # Safety
    /// The pointers are those that a JVM gave to `Agent_OnAttach`.
    pub unsafe fn on_attach<A: Agent>(vm: *mut sys::JavaVM, options: *const c_char) -> jint {
        // SAFETY: the caller's promise.
        let work = || unsafe { with(vm, options, |vm, options| A::on_attach(vm, options)) };
        let code = run::<A>(Entry::OnAttach, work);
        // There was no exception before: this thread only serves the attach listener.
        // SAFETY: the caller's promise.
        let cleared = catch(|| unsafe { with(vm, c"".as_ptr(), |vm, _| clear_exception(vm)) });
        // Without a panic it is 0.
        if cleared.is_ok() { code } else { JNI_ERR }
    }

    /// No pointer is used: the JVM is gone.
    pub fn on_unload<A: Agent>() {
        run::<A>(Entry::OnUnload, || {
            A::on_unload();
            JNI_OK
        });
    }

    fn run<A: Agent>(entry: Entry, work: impl FnOnce() -> jint) -> jint {
        let result = catch(work);
        result.or_else(|panic| catch(|| A::panicked(entry, &panic))).unwrap_or(JNI_ERR)
    }

    /// # Safety
    /// The pointers are those that a JVM gave; options may be null, else a NUL-terminated string.
    unsafe fn with(
        vm: *mut sys::JavaVM,
        options: *const c_char,
        work: impl FnOnce(&JavaVM, &CStr) -> jint,
    ) -> jint {
        if vm.is_null() {
            return JNI_ERR;
        }
        // SAFETY: the caller's promise: the JVM that is running in this process.
        let vm = unsafe { JavaVM::from_raw(vm) };
        let options = match options.is_null() {
            true => c"",
            // SAFETY: the caller's promise; the JVM keeps the string until the entry point returns.
            false => unsafe { CStr::from_ptr(options) },
        };
        work(&vm, options)
    }

    fn clear_exception(vm: &JavaVM) -> jint {
        let cleared = vm.with_top_local_frame(|jni| -> Result<(), jni::errors::Error> {
            if jni.exception_check() {
                jni.exception_clear();
            }
            Ok(())
        });
        // Not attached: then there is none.
        if cleared.is_ok() { JNI_OK } else { JNI_ERR }
    }
}
