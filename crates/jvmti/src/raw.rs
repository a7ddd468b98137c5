//! The types of `jvmti.h` under their own names, as far as they are used. Numbers and layouts are compared with the
//! headers of the machine's JDKs by the tests in `header.rs`. The functions are in `table.rs`.

#![allow(non_camel_case_types, non_snake_case, reason = "the names are those of jvmti.h")]

use std::ffi::{c_char, c_int, c_uchar};

use jni::sys::{JNIEnv, jboolean, jclass, jint, jlong, jmethodID, jobject};

/// A thread object.
pub(crate) type jthread = jobject;
/// A result of a call; 0 is success.
pub(crate) type jvmtiError = c_int;
/// [`JVMTI_ENABLE`] or [`JVMTI_DISABLE`].
pub(crate) type jvmtiEventMode = c_int;
/// An event's number.
pub(crate) type jvmtiEvent = c_int;

pub(crate) const JVMTI_ENABLE: jvmtiEventMode = 1;
pub(crate) const JVMTI_DISABLE: jvmtiEventMode = 0;

pub(crate) const JVMTI_EVENT_VM_INIT: jvmtiEvent = 50;
pub(crate) const JVMTI_EVENT_VM_DEATH: jvmtiEvent = 51;
pub(crate) const JVMTI_EVENT_CLASS_FILE_LOAD_HOOK: jvmtiEvent = 54;

/// JDK 8 and older.
pub(crate) const JVMTI_VERSION_1_2: jint = 0x3001_0200;
/// JDK 9 and newer.
pub(crate) const JVMTI_VERSION_9: jint = 0x3009_0000;

/// An environment: what a `jvmtiEnv*` points at.
#[repr(C)]
pub(crate) struct jvmtiEnv {
    pub(crate) functions: *const Slot,
}

/// A function pointer of the table; what is reserved or newer than the JVM is null.
pub(crate) type Slot = Option<unsafe extern "C" fn()>;

/// What `GetThreadInfo` says.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct jvmtiThreadInfo {
    pub(crate) name: *mut c_char,
    pub(crate) priority: jint,
    pub(crate) is_daemon: jboolean,
    pub(crate) thread_group: jobject,
    pub(crate) context_class_loader: jobject,
}

/// What `GetThreadListStackTraces` says of a thread.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct jvmtiStackInfo {
    pub(crate) thread: jthread,
    pub(crate) state: jint,
    pub(crate) frame_buffer: *mut jvmtiFrameInfo,
    pub(crate) frame_count: jint,
}

/// One frame of it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct jvmtiFrameInfo {
    pub(crate) method: jmethodID,
    pub(crate) location: jlong,
}

/// 128 bits, the first in the lowest bit of the first word: how C compilers for Linux lay out `unsigned int` bit fields
/// on little-endian machines.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct jvmtiCapabilities {
    pub(crate) words: [u32; 4],
}

/// The beginning of the structure, up to the last callback used. `SetEventCallbacks` is told its size.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct jvmtiEventCallbacks {
    pub(crate) VMInit: Option<jvmtiEventVMInit>,
    pub(crate) VMDeath: Option<jvmtiEventVMDeath>,
    pub(crate) ThreadStart: Slot,
    pub(crate) ThreadEnd: Slot,
    pub(crate) ClassFileLoadHook: Option<jvmtiEventClassFileLoadHook>,
}

pub(crate) type jvmtiEventVMInit =
    unsafe extern "C" fn(jvmti_env: *mut jvmtiEnv, jni_env: *mut JNIEnv, thread: jthread);

pub(crate) type jvmtiEventVMDeath = unsafe extern "C" fn(jvmti_env: *mut jvmtiEnv, jni_env: *mut JNIEnv);

pub(crate) type jvmtiEventClassFileLoadHook = unsafe extern "C" fn(
    jvmti_env: *mut jvmtiEnv,
    jni_env: *mut JNIEnv,
    class_being_redefined: jclass,
    loader: jobject,
    name: *const c_char,
    protection_domain: jobject,
    class_data_len: jint,
    class_data: *const c_uchar,
    new_class_data_len: *mut jint,
    new_class_data: *mut *mut c_uchar,
);
