//! Class files (JVMS chapter 4), read in place: views that borrow the bytes and decode what is asked for.
//!
//! One file a structure of the specification, under the specification's name. Nothing here opens a file, and
//! no input makes it panic: broken bytes give an [`Error`] that names its offset. It is not a verifier: what
//! it reads may still be refused by a JVM.
//!
//! ```no_run
//! # fn main() -> Result<(), jgraft_classfile::Error> {
//! # let bytes = Vec::new();
//! let class = jgraft_classfile::ClassFile::parse(&bytes)?;
//! println!("{} needs class-file major {}", class.this_class_name()?, class.major_version());
//! for method in class.methods() {
//!     let method = method?;
//!     println!("  {}{}", method.name(), method.descriptor());
//! }
//! # Ok(()) }
//! ```

mod attribute_info;
pub mod attributes;
mod class_file;
pub mod compare;
pub mod compose;
mod constant;
mod constant_pool;
mod constant_values;
mod descriptor;
pub mod diff;
mod error;
mod field_info;
pub mod format;
mod instruction;
mod left_alone;
mod listing;
mod method_info;
mod modified_utf8;
pub mod opcode;
mod parts;
mod reader;
pub mod rebase;
mod references;
mod rewrite;
pub mod signature;
pub mod verification;
pub mod weave;

pub use attribute_info::{AttributeInfo, Attributes};
pub use class_file::{ClassFile, Interfaces, access_flags};
pub use constant::{Constant, MemberRef, NameAndType};
pub use constant_pool::{ConstantPool, MethodRefs, Tag};
pub use descriptor::{Element, FieldType, MethodDescriptor};
pub use error::{Error, ErrorKind};
pub use field_info::{FieldInfo, Fields};
pub use instruction::{Instruction, Instructions, Operands, Switch};
pub use left_alone::{HUGE_METHOD_LIMIT, LeftAlone};
pub use listing::list_method;
pub use method_info::{MethodInfo, Methods};
pub use modified_utf8::{ModifiedUtf8, encode, encoded_len};
pub use parts::{ClassParts, CodeParts, MemberParts};
pub use rewrite::copy_through_rewriter;
