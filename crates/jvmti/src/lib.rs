//! Write an agent that runs inside a JVM in safe Rust: the calls of the JVM Tool Interface, its events, its memory.
//!
//! - [`export_agent!`] exports `Agent_OnLoad`, `Agent_OnAttach` and `Agent_OnUnload` for a type that is an [`Agent`];
//! - [`Environment`] is a JVMTI environment: capabilities, events, the classes of the JVM, retransformation;
//! - [`Class`], [`Method`] and [`Field`] say what a loaded class is, as it is in force;
//! - [`Events`] is what an environment tells; a [`ClassFile`] is what the class file load hook saw.
//!
//! Every entry from the JVM catches panics, and nothing is printed for them. JNI is the `jni` crate's business: where a
//! call needs it, it takes that crate's `Env`. There is just what the agent of this project uses; a new function is a
//! line in `table.rs` and a safe method in the file of its subject.
//!
//! Link the agent by `crates/agent-link`, as `native-agent/build.rs` does: it stays mapped then, and loads on any libc.
//!
//! It is not a complete binding, and it starts no thread, opens no file and keeps no log.
//!
//! ```
//! use std::ffi::CStr;
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicUsize, Ordering};
//!
//! use jgraft_jvmti::jni::JavaVM;
//! use jgraft_jvmti::{Agent, ClassFile, Entry, Environment, Error, Event, Events, Panic};
//!
//! /// Counts the classes that are loaded.
//! struct Counter(AtomicUsize);
//!
//! impl Events for Counter {
//!     fn class_file_load_hook(&self, _: &Environment, _: &ClassFile<'_>) -> Option<Vec<u8>> {
//!         self.0.fetch_add(1, Ordering::Relaxed);
//!         None
//!     }
//!
//!     fn panicked(&self, _: Event, _: &Panic) {}
//! }
//!
//! fn count(vm: &JavaVM) -> Result<(), Error> {
//!     let environment = Environment::get(vm)?;
//!     environment.listen(Arc::new(Counter(AtomicUsize::new(0))))?;
//!     environment.enable(Event::ClassFileLoadHook)
//! }
//!
//! struct CountingAgent;
//!
//! impl Agent for CountingAgent {
//!     fn on_load(vm: &JavaVM, _options: &CStr) -> i32 {
//!         i32::from(count(vm).is_err())
//!     }
//!
//!     fn on_attach(vm: &JavaVM, _options: &CStr) -> i32 {
//!         i32::from(count(vm).is_err())
//!     }
//!
//!     fn panicked(_: Entry, _: &Panic) -> i32 {
//!         2
//!     }
//! }
//!
//! jgraft_jvmti::export_agent!(CountingAgent);
//! # fn main() {}
//! ```

mod any_libc;
mod capabilities;
mod class;
mod constant_pool;
mod env;
mod error;
mod event;
mod export;
mod field;
mod guard;
mod loader;
mod memory;
mod method;
mod raw;
mod stack;
mod supertypes;
mod table;
mod thread;

#[cfg(test)]
mod fake_vm;
#[cfg(test)]
mod header;

pub use capabilities::Capabilities;
pub use class::{Class, LoadedClasses, define_in_boot_loader};
pub use env::Environment;
pub use error::{Error, ErrorCode};
pub use event::{ClassFile, Event, Events};
pub use export::{Agent, Entry};
pub use field::Field;
pub use guard::{Panic, catch};
pub use loader::Loader;
pub use memory::{Array, Text};
pub use method::Method;
pub use stack::{ObsoleteFrame, ObsoleteFrames};

/// The JNI side of the border.
pub use jni;

#[doc(hidden)]
pub use export::entry;
