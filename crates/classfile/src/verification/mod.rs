//! Types of values (JVMS 4.10.1): what is known of locals and stack at each instruction. [`verify`] is the gate for every
//! class that goes back to a JVM: the format, then the code.
//!
//! The weaver asks it where a constructor's `this` becomes an object, and what a frame has to say at a place of which
//! the class file says nothing. Relations between classes are not known here and taken as allowed.

mod context;
mod flow;
mod frame;
mod inference;
mod instructions;
mod layout;
mod operands;
mod subroutines;
mod type_checker;
mod types;
mod verifier;

pub(crate) use context::MethodContext;
pub use flow::Violation;
pub(crate) use flow::{Budget, Flow};
pub(crate) use frame::{Frame, write_frames};
pub(crate) use types::Type;
pub use verifier::{VerifyError, verify, verify_retransformed};
