//! Rewriting (JVMS 4): a class file copied byte for byte, save what an edit changes. The constant pool is only ever
//! appended to: a pool that is laid out anew costs a JVM tens of megabytes when the class is redefined.
//!
//! An edit of code is a value, [`CodeEdit`]; [`code`] carries it out, `emit` lays the instructions out, `tables`
//! and `stack_map` move what points into them.

mod assembler;
mod class;
mod code;
mod constant_pool;
mod edit;
mod emit;
mod known_attributes;
mod scan;
mod stack_map;
mod tables;

pub(crate) use assembler::{Assembler, Label};
pub use class::copy_through_rewriter;
pub(crate) use class::{ClassCopy, MethodCopy};
pub(crate) use code::{CodeRewriter, Scratch, method_handler, not_type_safe};
pub(crate) use constant_pool::PoolAppender;
pub(crate) use edit::{CodeEdit, Cover, Handler, Insertion, Place, Snippet};
pub(crate) use known_attributes::known_attributes;
pub(crate) use scan::{Scan, Wanted};
