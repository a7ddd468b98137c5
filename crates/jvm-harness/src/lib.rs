//! For tests and chores only: finds the JDKs of a machine, compiles small Java programs, starts JVMs,
//! waits for their ready line, and kills them on drop.
//!
//! Nothing that is shipped depends on this crate. It knows no attach client: what it starts is what the
//! crates under test have to cope with on their own, [`fake_jvm`] included. Start at [`each_jdk`],
//! [`each_release`] and [`Jvm::builder`].

pub mod agents;
pub mod artifacts;
pub mod cache;
pub mod fake_jvm;
pub mod javac;
pub mod jdks;
pub mod jvm;
pub mod maven;
pub mod musl;
pub mod skips;
pub mod steps;
pub mod targets;

mod builder;
mod launch;
mod output;
mod release;
mod stamp;

pub use jdks::Jdk;
pub use jvm::{Finished, Jvm, JvmBuilder};
pub use skips::{each_jdk, each_release, skip};
