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
    /// Bytes follow the last attribute of the class.
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
            ErrorKind::TrailingBytes(count) => write!(f, "{count} bytes after the last attribute")?,
        }
        write!(f, " (at offset {:#x})", self.offset)
    }
}

impl std::error::Error for Error {}
