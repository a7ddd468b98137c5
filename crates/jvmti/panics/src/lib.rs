//! An agent that panics wherever the JVM calls it. The test `panics.rs` loads it: no JVM may come to harm, or print a word.
//!
//! `entry` panics in `Agent_OnAttach`, `thread` in a thread of its own; any other option lets the hook panic, once for the class java.lang.String.

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

use jgraft_jvmti::jni::{Env, JavaVM};
use jgraft_jvmti::{Agent, Capabilities, ClassFile, Entry, Environment, Error, Event, Events, Panic, catch};

/// What `Agent_OnAttach` returns after a panic of its own.
const ENTRY_PANICKED: i32 = 150;
/// It returns this and the number of panics of the hook.
const HOOK_PANICKED: i32 = 160;
/// It returns this when a thread of its own has caught one.
const THREAD_PANICKED: i32 = 170;

static PANICS: AtomicI32 = AtomicI32::new(0);

struct Panics;

impl Events for Panics {
    fn vm_init(&self, _: &Environment, _: &mut Env<'_>) {
        panic!("at VMInit");
    }

    fn vm_death(&self, _: &Environment) {
        panic!("at VMDeath");
    }

    fn class_file_load_hook(&self, _: &Environment, class: &ClassFile<'_>) -> Option<Vec<u8>> {
        if class.name().is_some_and(|name| name.to_bytes() == b"java/lang/String") {
            let nothing: [u8; 0] = [];
            // An index out of bounds, as a defect would have it.
            let _ = nothing[class.bytes().len()];
        }
        None
    }

    fn panicked(&self, _: Event, _: &Panic) {
        PANICS.fetch_add(1, Ordering::Relaxed);
    }
}

fn hooked(vm: &JavaVM) -> Result<Environment, Error> {
    let environment = Environment::get(vm)?;
    environment.add_capabilities(Capabilities::default().can_retransform_classes())?;
    environment.listen(Arc::new(Panics))?;
    environment.enable(Event::ClassFileLoadHook)?;
    Ok(environment)
}

fn retransform_string(vm: &JavaVM) -> Result<(), Error> {
    let environment = hooked(vm)?;
    vm.with_top_local_frame(|jni| {
        let found =
            environment.loaded_classes(jni, |signature| signature.to_bytes() == b"Ljava/lang/String;")?;
        environment.retransform_classes(&found.wanted)
    })?;
    environment.disable(Event::ClassFileLoadHook)?;
    environment.close();
    Ok(())
}

struct PanickingAgent;

impl Agent for PanickingAgent {
    fn on_load(vm: &JavaVM, _: &CStr) -> i32 {
        let watch = hooked(vm).and_then(|environment| {
            environment.enable(Event::VmInit)?;
            environment.enable(Event::VmDeath)
        });
        i32::from(watch.is_err())
    }

    fn on_attach(vm: &JavaVM, options: &CStr) -> i32 {
        assert_ne!(options, c"entry", "at Agent_OnAttach");
        if options == c"thread" {
            let thread = thread::Builder::new().spawn(|| catch(|| panic!("in a thread")).is_err());
            let caught = thread.is_ok_and(|thread| thread.join().unwrap_or(false));
            return if caught { THREAD_PANICKED } else { 1 };
        }
        match retransform_string(vm) {
            Ok(()) => HOOK_PANICKED + PANICS.swap(0, Ordering::Relaxed),
            Err(_) => 1,
        }
    }

    fn on_unload() {
        panic!("at Agent_OnUnload");
    }

    fn panicked(_: Entry, _: &Panic) -> i32 {
        ENTRY_PANICKED
    }
}

jgraft_jvmti::export_agent!(PanickingAgent);
