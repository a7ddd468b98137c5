//! The native agent, `libjgraft_agent.so`: code of ours inside the target, loaded by attach or with `-agentpath`.
//!
//! It looks at one class: it turns on the class file load hook, sends the class through it by a retransformation that
//! changes nothing, writes what the hook saw into the session's directory ([`jgraft_protocol::native`] has options, codes
//! and keys), turns the hook off and lets go of its JVMTI environment.
//! Where a session's request asks for it, it reads classes as they are in force, or traces methods.
//!
//! What it does not do: print, panic, wait, start a thread, change a class, leave an exception pending, or keep a JVM
//! from starting. It knows no attach protocol and no command line.

mod attach;
mod class_name;
mod environments;
mod in_force;
mod memory;
mod observer;
mod old_frames;
mod options;
mod probe;
mod report;
mod retransform;
mod session;
mod start_up;
mod sys;
mod trace;

use std::ffi::CStr;

use jgraft_jvmti::jni::JavaVM;
use jgraft_jvmti::{Agent, Entry, Panic};
use jgraft_protocol::native::code;

struct NativeAgent;

impl Agent for NativeAgent {
    fn on_load(vm: &JavaVM, options: &CStr) -> i32 {
        start_up::watch(vm, options.to_bytes());
        // Whatever went wrong: the service starts.
        0
    }

    fn on_attach(vm: &JavaVM, options: &CStr) -> i32 {
        attach::look(vm, options.to_bytes())
    }

    fn panicked(entry: Entry, _: &Panic) -> i32 {
        match entry {
            Entry::OnAttach => code::PANICKED,
            Entry::OnLoad | Entry::OnUnload => 0,
        }
    }
}

jgraft_jvmti::export_agent!(NativeAgent);
