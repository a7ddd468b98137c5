//! Test: an environment whose function table is ours, so that what a JVM does only in a bad moment happens here: errors,
//! a slot that is empty, events that come late, listeners that panic.

#![allow(unsafe_code, reason = "plays the JVM's part")]

use std::ffi::{CStr, CString, c_char, c_int, c_uchar, c_void};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jni::JavaVM;
use jni::sys::{self, JNI_EVERSION, JNI_OK, jclass, jint};

use crate::class::signature;
use crate::raw::{jthread, jvmtiEnv, jvmtiEvent, jvmtiEventCallbacks, jvmtiEventMode};
use crate::{Capabilities, ClassFile, Environment, Error, Event, Events, Loader, Panic};

/// What the fake was asked, in order.
static ASKED: Mutex<Vec<String>> = Mutex::new(Vec::new());
static CALLBACKS: Mutex<Option<jvmtiEventCallbacks>> = Mutex::new(None);
/// The fake's state is one for the process, as a JVM's is.
static TURN: Mutex<()> = Mutex::new(());

fn asked(what: impl Into<String>) {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
}

fn take_asked() -> Vec<String> {
    std::mem::take(&mut *ASKED.lock().unwrap_or_else(PoisonError::into_inner))
}

unsafe extern "C" fn set_event_notification_mode(
    _: *mut jvmtiEnv,
    mode: jvmtiEventMode,
    event: jvmtiEvent,
    _: jthread,
) -> c_int {
    asked(format!("SetEventNotificationMode {mode} {event}"));
    0
}

unsafe extern "C" fn deallocate(_: *mut jvmtiEnv, mem: *mut c_uchar) -> c_int {
    asked("Deallocate");
    // SAFETY: all that this fake hands out is a CString's.
    drop(unsafe { CString::from_raw(mem.cast()) });
    0
}

/// A class of its own for each number: 1 is `LA;`, any other is stale.
unsafe extern "C" fn get_class_signature(
    _: *mut jvmtiEnv,
    class: jclass,
    signature: *mut *mut c_char,
    _: *mut *mut c_char,
) -> c_int {
    if class.addr() != 1 {
        return 21;
    }
    // SAFETY: the caller's place.
    unsafe { signature.write(c"LA;".to_owned().into_raw()) };
    0
}

unsafe extern "C" fn set_event_callbacks(
    _: *mut jvmtiEnv,
    callbacks: *const jvmtiEventCallbacks,
    size: jint,
) -> c_int {
    assert_eq!(size as usize, size_of::<jvmtiEventCallbacks>());
    // SAFETY: the caller's structure, of that size.
    let copy = unsafe { *callbacks };
    *CALLBACKS.lock().unwrap_or_else(PoisonError::into_inner) = Some(copy);
    0
}

unsafe extern "C" fn dispose_environment(_: *mut jvmtiEnv) -> c_int {
    asked("DisposeEnvironment");
    0
}

unsafe extern "C" fn add_capabilities(_: *mut jvmtiEnv, _: *const c_void) -> c_int {
    112
}

/// A table with these functions by their numbers; the other slots are empty.
fn table() -> *const *const c_void {
    let mut slots = Box::new([ptr::null(); 154]);
    for (number, function) in [
        (2, set_event_notification_mode as *const c_void),
        (47, deallocate as *const c_void),
        (48, get_class_signature as *const c_void),
        (122, set_event_callbacks as *const c_void),
        (127, dispose_environment as *const c_void),
        (142, add_capabilities as *const c_void),
    ] {
        slots[number - 1] = function;
    }
    Box::leak(slots).as_ptr()
}

/// A JVM of JDK 8: no JVMTI 9, but 1.2. Environments are never freed: late events come with their addresses.
unsafe extern "C" fn get_env(_: *mut sys::JavaVM, out: *mut *mut c_void, version: jint) -> jint {
    asked(format!("GetEnv {version:x}"));
    if version != crate::raw::JVMTI_VERSION_1_2 {
        return JNI_EVERSION;
    }
    let environment = Box::leak(Box::new(jvmtiEnv { functions: table().cast() }));
    // SAFETY: the caller's place.
    unsafe { out.write(ptr::from_mut(environment).cast()) };
    JNI_OK
}

/// The jni crate knows one JVM for each process: the first it is given.
fn vm() -> JavaVM {
    let mut functions = Box::new([ptr::null::<c_void>(); 8]);
    functions[6] = get_env as *const c_void;
    let functions: *const sys::JNIInvokeInterface_ = Box::leak(functions).as_ptr().cast();
    // SAFETY: it lives for ever and has GetEnv, which is all that is called.
    unsafe { JavaVM::from_raw(Box::leak(Box::new(functions))) }
}

/// Runs a test with the fake for itself; gives what it was asked.
fn play(test: impl FnOnce()) -> Vec<String> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    take_asked();
    test();
    take_asked()
}

/// Calls the hook as the JVM does. Without a loader nothing needs a JNI environment.
fn hook(environment: *mut jvmtiEnv, name: Option<&CStr>, redefined: jclass, bytes: &[u8]) {
    let callbacks = CALLBACKS.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = callbacks.and_then(|callbacks| callbacks.ClassFileLoadHook).unwrap();
    drop(callbacks);
    let name = name.map_or(ptr::null(), CStr::as_ptr);
    let (null, length) = (ptr::null_mut::<c_void>(), bytes.len() as jint);
    // SAFETY: arguments as the specification wants them.
    unsafe {
        hook(
            environment,
            null.cast(),
            redefined,
            null.cast(),
            name,
            null.cast(),
            length,
            bytes.as_ptr(),
            null.cast(),
            null.cast(),
        );
    }
}

#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<String>>,
    panics: Mutex<Vec<String>>,
    nested: AtomicUsize,
}

impl Events for Notes {
    fn class_file_load_hook(&self, environment: &Environment, class: &ClassFile<'_>) -> Option<Vec<u8>> {
        let name = class.name().map_or("-".to_owned(), |name| name.to_string());
        assert_eq!(class.loader_class().unwrap(), Loader::Boot);
        match name.as_str() {
            "Panics" => panic!("at {name}"),
            "PanicsTwice" => panic!("twice"),
            "Nests" => {
                self.nested.fetch_add(1, Ordering::Relaxed);
                hook(environment.raw(), Some(c"Inner"), ptr::null_mut(), &[]);
            }
            "Closes" => {
                environment.clone().close();
                asked("closed");
            }
            _ => {}
        }
        let seen = format!("{name} {} {}", class.is_redefinition(), class.bytes().len());
        self.seen.lock().unwrap().push(seen);
        None
    }

    fn panicked(&self, event: Event, panic: &Panic) {
        self.panics.lock().unwrap().push(format!("{event:?} {panic}"));
        assert!(!panic.to_string().starts_with("twice"), "once more");
    }
}

#[test]
fn falls_back_to_1_2_and_is_disposed_with_its_last_clone() {
    let asked = play(|| {
        let environment = Environment::get(&vm()).unwrap();
        let clone = environment.clone();
        drop(environment);
        asked("dropped one");
        drop(clone);
    });
    assert_eq!(asked, ["GetEnv 30090000", "GetEnv 30010200", "dropped one", "DisposeEnvironment"]);
}

#[test]
fn errors_name_the_call() {
    play(|| {
        let environment = Environment::get(&vm()).unwrap();
        let error =
            environment.add_capabilities(Capabilities::default().can_retransform_classes()).unwrap_err();
        assert!(error.is_wrong_phase(), "{error}");
        assert_eq!(error.to_string(), "AddCapabilities returned JVMTI_ERROR_WRONG_PHASE (112)");
        let error = environment.retransform_classes(&[]).unwrap_err();
        assert!(matches!(error, Error::Missing { call: "RetransformClasses" }), "{error}");
    });
}

#[test]
fn the_jvms_memory_goes_back() {
    let asked = play(|| {
        let environment = Environment::get(&vm()).unwrap();
        let text = signature(&environment, ptr::without_provenance_mut(1)).unwrap();
        assert_eq!(text.to_str(), "LA;");
        asked("read");
        drop(text);
        let error = signature(&environment, ptr::without_provenance_mut(2)).unwrap_err();
        assert_eq!(error.to_string(), "GetClassSignature returned JVMTI_ERROR_INVALID_CLASS (21)");
    });
    assert_eq!(asked[2..], ["read", "Deallocate", "DisposeEnvironment"]);
}

#[test]
fn a_hook_sees_class_files_until_it_is_closed() {
    let asked = play(|| {
        let environment = Environment::get(&vm()).unwrap();
        let raw = environment.raw();
        let notes = Arc::new(Notes::default());
        environment.listen(notes.clone()).unwrap();
        assert!(matches!(environment.listen(notes.clone()), Err(Error::AlreadyListening)));
        environment.enable(Event::ClassFileLoadHook).unwrap();
        hook(raw, Some(c"a/B"), ptr::null_mut(), &[1, 2, 3]);
        hook(raw, None, ptr::without_provenance_mut(1), &[]);
        environment.disable(Event::ClassFileLoadHook).unwrap();
        environment.close();
        hook(raw, Some(c"Late"), ptr::null_mut(), &[]);
        assert_eq!(*notes.seen.lock().unwrap(), ["a/B false 3", "- true 0"]);
    });
    let expected = ["SetEventNotificationMode 1 54", "SetEventNotificationMode 0 54", "DisposeEnvironment"];
    assert_eq!(asked[2..], expected);
}

#[test]
fn no_panic_gets_out_and_no_hook_into_itself() {
    play(|| {
        let environment = Environment::get(&vm()).unwrap();
        let raw = environment.raw();
        let notes = Arc::new(Notes::default());
        environment.listen(notes.clone()).unwrap();
        for name in [c"Panics", c"PanicsTwice", c"Nests", c"After"] {
            hook(raw, Some(name), ptr::null_mut(), &[]);
        }
        environment.close();
        assert_eq!(*notes.seen.lock().unwrap(), ["Nests false 0", "After false 0"]);
        let panics = notes.panics.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(panics[0].starts_with("ClassFileLoadHook at Panics at "), "{panics:?}");
        assert_eq!((panics.len(), notes.nested.load(Ordering::Relaxed)), (2, 1));
    });
}

#[test]
fn a_callback_under_way_keeps_its_environment() {
    let asked = play(|| {
        let environment = Environment::get(&vm()).unwrap();
        let raw = environment.raw();
        environment.listen(Arc::new(Notes::default())).unwrap();
        drop(environment);
        hook(raw, Some(c"Closes"), ptr::null_mut(), &[]);
    });
    assert_eq!(asked[2..], ["closed", "DisposeEnvironment"]);
}
