//! What can be wrong with the bytes of a class file, and where.

use std::fmt;

use crate::constant_pool::Tag;

/// Bytes that are no class file, with the offset at which that showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    offset: usize,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes end inside an item; the number is how many more it needs.
    UnexpectedEnd(usize),
    /// The first four bytes are not 0xCAFEBABE.
    Magic(u32),
    /// A constant-pool entry has a tag that no release defines.
    UnknownTag(u8),
    /// An index points outside of the constant pool, at entry 0, or at the second half of a long or double.
    PoolIndex(u16),
    /// A constant-pool entry is of another kind than its user needs.
    PoolTag {
        /// The entry.
        index: u16,
        /// What it is.
        found: Tag,
        /// What it would have to be.
        wanted: Tag,
    },
    /// A byte of code[] begins no whole instruction: its opcode is undefined, or the code ends within it.
    Instruction(u8),
    /// code_length is 0 or more than 65,535 (JVMS 4.7.3).
    CodeLength(u32),
    /// A frame_type that is reserved (JVMS 4.7.4).
    FrameType(u8),
    /// A verification_type_info tag that no release defines (JVMS 4.7.4).
    VerificationTypeTag(u8),
    /// A pc that is none: outside of code[], or within an instruction.
    Pc(u32),
    /// A field or method descriptor that is malformed (JVMS 4.3); the number is its constant-pool entry.
    Descriptor(u16),
    /// A value that its item does not allow; the text names the item.
    Value(&'static str),
    /// Bytes follow the last item: of the class, or of an attribute.
    TrailingBytes(usize),
}

impl Error {
    #[cold]
    pub(crate) fn new(kind: ErrorKind, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// What is wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Offset in the class file, in bytes.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ErrorKind::UnexpectedEnd(missing) => write!(f, "the bytes end {missing} too early")?,
            ErrorKind::Magic(found) => write!(f, "begins with {found:#010x}, not 0xcafebabe")?,
            ErrorKind::UnknownTag(tag) => write!(f, "unknown constant-pool tag {tag}")?,
            ErrorKind::PoolIndex(index) => write!(f, "no constant-pool entry #{index}")?,
            ErrorKind::PoolTag { index, found, wanted } => {
                write!(f, "constant-pool entry #{index} is {found}, not {wanted}")?;
            }
            ErrorKind::Instruction(opcode) => write!(f, "no whole instruction (opcode {opcode:#04x})")?,
            ErrorKind::CodeLength(length) => write!(f, "code_length {length} is not within 1 to 65535")?,
            ErrorKind::FrameType(tag) => write!(f, "reserved frame_type {tag}")?,
            ErrorKind::VerificationTypeTag(tag) => write!(f, "unknown verification type {tag}")?,
            ErrorKind::Pc(pc) => write!(f, "no instruction begins at pc {pc}")?,
            ErrorKind::Descriptor(index) => write!(f, "constant-pool entry #{index} is no descriptor")?,
            ErrorKind::Value(item) => write!(f, "{item} has a value that is not allowed")?,
            ErrorKind::TrailingBytes(count) => write!(f, "{count} bytes after the last item")?,
        }
        write!(f, " (at offset {:#x})", self.offset)
    }
}

impl std::error::Error for Error {}
