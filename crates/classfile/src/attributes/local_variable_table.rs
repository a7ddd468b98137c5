//! The LocalVariableTable and LocalVariableTypeTable attributes (JVMS 4.7.13, 4.7.14): of one layout; in the second
//! the index is that of a signature.

use crate::attribute_info::AttributeInfo;
use crate::error::Error;

/// Which local variable has which name where.
#[derive(Clone, Copy, Debug)]
pub struct LocalVariableTable<'a>(&'a [u8]);

/// A row of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalVariable {
    /// First pc at which it has a value.
    pub start_pc: u16,
    /// For so many bytes.
    pub length: u16,
    /// CONSTANT_Utf8: its name.
    pub name_index: u16,
    /// CONSTANT_Utf8: its descriptor; in a LocalVariableTypeTable its signature.
    pub descriptor_index: u16,
    /// Its slot, or the first of two.
    pub index: u16,
}

impl<'a> LocalVariableTable<'a> {
    /// Decodes an attribute of either name.
    pub fn parse(attribute: &AttributeInfo<'a>) -> Result<Self, Error> {
        let mut reader = attribute.reader();
        let rows = reader.u2()?;
        let rows = reader.take(10 * usize::from(rows))?;
        reader.end()?;
        Ok(Self(rows))
    }

    /// The rows, in the order of the class file.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = LocalVariable> + use<'a> {
        self.0.chunks_exact(10).map(|row| {
            let u2 = |at: usize| u16::from_be_bytes([row[at], row[at + 1]]);
            LocalVariable {
                start_pc: u2(0),
                length: u2(2),
                name_index: u2(4),
                descriptor_index: u2(6),
                index: u2(8),
            }
        })
    }
}
