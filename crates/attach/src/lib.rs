//! Attach to running JVMs without harming them.
//!
//! Everything that a client of the attach API needs, and nothing of what an agent does once it is loaded:
//!
//! - [`discover`] finds the JVMs of this host, [`Target`] holds one process and the facts about it;
//! - [`examine`] says what stands against attaching to it, with evidence and remedy, sending nothing;
//! - [`Client`] shakes hands with the attach listener, waking it where needed, and sends one [`Request`];
//! - [`Reply`] streams the answer, [`LoadOutcome`] reads the one to `load`.
//!
//! Promises: a process that is not proved to be a ready JVM is never signalled; one that is stopped or frozen neither;
//! a request is sent whole to the very process that was meant, or not at all; a failure says by its variant whether
//! anything may still happen ([`AttachError`]). The calling process never changes identity or namespace.
//!
//! Linux 5.6 or newer (`openat2`, pid file descriptors), HotSpot 8 or newer; OpenJ9, whose attach API is another, by
//! the same requests and replies.

mod client;
mod connection;
pub mod discover;
mod error;
mod event_memory;
pub mod files;
mod finding;
pub mod heap_dump;
#[cfg(any(test, feature = "hostile"))]
#[doc(hidden)]
pub mod hostile;
pub mod hsperfdata;
mod janitor;
mod listener;
pub mod native_library;
mod openj9;
mod preflight;
mod privileges;
mod proc;
mod reply;
mod request;
mod retransform;
mod run_inside;
pub mod staging;
mod sys;
mod target;
mod target_dir;
mod trigger;
mod version;
mod vm_options;
mod wait;
mod warm;

pub use client::{Client, Timings};
pub use connection::Reply;
pub use error::AttachError;
pub use event_memory::EventMemory;
pub use finding::{Finding, FindingKind, kernel_too_old};
pub use listener::{Listener, listener};
pub use preflight::{Preflight, agent_loading, examine, examine_socket, instrument_module};
pub use privileges::{Privilege, privileges};
pub use proc::status::Status;
pub use proc::{Process, TargetRoot, ThreadState, threads};
pub use reply::{LoadOutcome, error_in, explain_code};
pub use request::{ARGUMENT_LIMIT, Request, modified_utf8};
pub use retransform::{LARGE_FLUSH, compiled_at_risk, first_retransform};
pub use run_inside::{Ended, Program as InsideProgram, RunError, run_inside};
pub use sys::Identity;
pub use target::{Kind, Target};
pub use target_dir::{Limits, TargetDir};
pub use version::argument_limit;
pub use vm_options::{Program, Source, VmOptions};
pub use wait::Patience;
pub use warm::Warm;
