//! The function table of a JVMTI environment: each function used, by its number in `jvmti.h`, with its signature.
//!
//! Numbers and signatures never change between releases, and new functions take reserved or higher numbers, so one
//! table fits every JVM; the test in `header.rs` compares it with the headers of the machine's JDKs. Up to
//! [`TABLE_LENGTH`] a slot is there in every JVM; beyond, the JVM's version has to be asked first.

#![allow(unsafe_code, reason = "calls through the JVM's function pointers")]

use std::ffi::{c_char, c_uchar};

use jni::sys::{jboolean, jclass, jfieldID, jint, jlong, jmethodID, jobject};

use crate::error::{Error, ErrorCode};
use crate::raw::{
    jthread, jvmtiCapabilities, jvmtiEnv, jvmtiError, jvmtiEvent, jvmtiEventCallbacks, jvmtiEventMode,
    jvmtiStackInfo, jvmtiThreadInfo,
};

/// Slots of a JVMTI 1.1 table, the oldest with RetransformClasses.
const TABLE_LENGTH: usize = 154;

/// A function as it is declared here: number, name, and name and type of each parameter.
#[cfg(test)]
pub(crate) type Declared = (usize, &'static str, &'static [(&'static str, &'static str)]);

macro_rules! functions {
    ($(
        $(#[$doc:meta])*
        $number:literal $Name:ident = $name:ident($($parameter:ident: $type:ty),* $(; $variadic:tt)?);
    )*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// `env` is a JVMTI environment that is not disposed; the arguments are what the JVMTI specification asks
            /// for.
            pub(crate) unsafe fn $name(env: *mut jvmtiEnv $(, $parameter: $type)*) -> Result<(), Error> {
                type Function = unsafe extern "C" fn(*mut jvmtiEnv $(, $type)* $(, $variadic)?) -> jvmtiError;
                const NAME: &str = stringify!($Name);
                const SLOT: usize = $number - 1;
                const { assert!(SLOT < TABLE_LENGTH) };
                // SAFETY: the caller's env points at an environment.
                let functions = unsafe { (*env).functions };
                // SAFETY: every table has TABLE_LENGTH slots, and this is one of them.
                let slot = unsafe { functions.add(SLOT) };
                // SAFETY: as above; the table is constant for the life of the environment.
                let Some(function) = (unsafe { slot.read() }) else {
                    return Err(Error::Missing { call: NAME });
                };
                // SAFETY: the specification gives the function in this slot this signature.
                let function: Function = unsafe { std::mem::transmute(function) };
                // SAFETY: env and arguments are the caller's promise.
                let result = unsafe { function(env $(, $parameter)*) };
                ErrorCode::check(NAME, result)
            }
        )*

        /// All of them.
        #[cfg(test)]
        pub(crate) const FUNCTIONS: &[Declared] =
            &[$(($number, stringify!($Name), &[$((stringify!($parameter), stringify!($type))),*])),*];
    };
}

functions! {
    /// Turns an event on or off, for all threads where `event_thread` is null.
    2 SetEventNotificationMode = set_event_notification_mode(
        mode: jvmtiEventMode, event_type: jvmtiEvent, event_thread: jthread; ...
    );
    /// Every live platform thread: an array in memory of the environment, of new local references.
    4 GetAllThreads = get_all_threads(threads_count_ptr: *mut jint, threads_ptr: *mut *mut jthread);
    /// A thread's name, in memory of the environment, its group and its context class loader, as new local references.
    9 GetThreadInfo = get_thread_info(thread: jthread, info_ptr: *mut jvmtiThreadInfo);
    /// Whether a class can be retransformed.
    45 IsModifiableClass = is_modifiable_class(klass: jclass, is_modifiable_class_ptr: *mut jboolean);
    /// Memory of the environment.
    46 Allocate = allocate(size: jlong, mem_ptr: *mut *mut c_uchar);
    /// Gives memory of the environment back.
    47 Deallocate = deallocate(mem: *mut c_uchar);
    /// The signature and the generic signature of a class, in memory of the environment.
    48 GetClassSignature = get_class_signature(
        klass: jclass, signature_ptr: *mut *mut c_char, generic_ptr: *mut *mut c_char
    );
    /// The flags of a class, as its InnerClasses has them.
    51 GetClassModifiers = get_class_modifiers(klass: jclass, modifiers_ptr: *mut jint);
    /// The methods that a class declares: an array in memory of the environment.
    52 GetClassMethods = get_class_methods(
        klass: jclass, method_count_ptr: *mut jint, methods_ptr: *mut *mut jmethodID
    );
    /// The fields that a class declares: an array in memory of the environment.
    53 GetClassFields = get_class_fields(
        klass: jclass, field_count_ptr: *mut jint, fields_ptr: *mut *mut jfieldID
    );
    /// The direct superinterfaces of a class: an array in memory of the environment, of new local references.
    54 GetImplementedInterfaces = get_implemented_interfaces(
        klass: jclass, interface_count_ptr: *mut jint, interfaces_ptr: *mut *mut jclass
    );
    /// The loader of a class, as a new local reference; null for the boot loader.
    57 GetClassLoader = get_class_loader(klass: jclass, classloader_ptr: *mut jobject);
    /// The identity hash code of an object.
    58 GetObjectHashCode = get_object_hash_code(object: jobject, hash_code_ptr: *mut jint);
    /// Name, descriptor and generic signature of a field, in memory of the environment.
    60 GetFieldName = get_field_name(
        klass: jclass, field: jfieldID, name_ptr: *mut *mut c_char, signature_ptr: *mut *mut c_char,
        generic_ptr: *mut *mut c_char
    );
    /// The access flags of a field.
    62 GetFieldModifiers = get_field_modifiers(klass: jclass, field: jfieldID, modifiers_ptr: *mut jint);
    /// Name, descriptor and generic signature of a method, in memory of the environment.
    64 GetMethodName = get_method_name(
        method: jmethodID, name_ptr: *mut *mut c_char, signature_ptr: *mut *mut c_char,
        generic_ptr: *mut *mut c_char
    );
    /// The class that declares a method, as a new local reference.
    65 GetMethodDeclaringClass = get_method_declaring_class(method: jmethodID, declaring_class_ptr: *mut jclass);
    /// The access flags of a method.
    66 GetMethodModifiers = get_method_modifiers(method: jmethodID, modifiers_ptr: *mut jint);
    /// How many slots the locals of a method take.
    68 GetMaxLocals = get_max_locals(method: jmethodID, max_ptr: *mut jint);
    /// The code of a method as it is in force, in memory of the environment.
    75 GetBytecodes = get_bytecodes(
        method: jmethodID, bytecode_count_ptr: *mut jint, bytecodes_ptr: *mut *mut c_uchar
    );
    /// Every loaded class: an array in memory of the environment, of new local references.
    78 GetLoadedClasses = get_loaded_classes(class_count_ptr: *mut jint, classes_ptr: *mut *mut jclass);
    /// Whether a method is of a version of its class that has been redefined, and does something else now.
    91 IsMethodObsolete = is_method_obsolete(method: jmethodID, is_obsolete_ptr: *mut jboolean);
    /// The stacks of threads from the top, in memory of the environment, with a new local reference for each thread.
    101 GetThreadListStackTraces = get_thread_list_stack_traces(
        thread_count: jint, thread_list: *const jthread, max_frame_count: jint,
        stack_info_ptr: *mut *mut jvmtiStackInfo
    );
    /// Replaces all callbacks by a copy of these.
    122 SetEventCallbacks = set_event_callbacks(
        callbacks: *const jvmtiEventCallbacks, size_of_callbacks: jint
    );
    /// Ends the environment.
    127 DisposeEnvironment = dispose_environment();
    /// Adds capabilities, all or none.
    142 AddCapabilities = add_capabilities(capabilities_ptr: *const jvmtiCapabilities);
    /// The version of a class's class file.
    145 GetClassVersionNumbers = get_class_version_numbers(
        klass: jclass, minor_version_ptr: *mut jint, major_version_ptr: *mut jint
    );
    /// The constant pool of a class as it is in force, in memory of the environment.
    146 GetConstantPool = get_constant_pool(
        klass: jclass, constant_pool_count_ptr: *mut jint, constant_pool_byte_count_ptr: *mut jint,
        constant_pool_bytes_ptr: *mut *mut c_uchar
    );
    /// Sends the original bytes of classes through the class file load hooks again.
    152 RetransformClasses = retransform_classes(class_count: jint, classes: *const jclass);
}
