//! The LineNumberTable attribute (JVMS 4.7.12).

use crate::attribute_info::AttributeInfo;
use crate::error::Error;

/// Which source line begins where. A method may have several of these tables.
#[derive(Clone, Copy, Debug)]
pub struct LineNumberTable<'a>(&'a [u8]);

/// A row of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineNumber {
    /// Where code of this line begins.
    pub start_pc: u16,
    /// Its line in the source file.
    pub line_number: u16,
}

impl<'a> LineNumberTable<'a> {
    /// Decodes an attribute of this name.
    pub fn parse(attribute: &AttributeInfo<'a>) -> Result<Self, Error> {
        let mut reader = attribute.reader();
        let rows = reader.u2()?;
        let rows = reader.take(4 * usize::from(rows))?;
        reader.end()?;
        Ok(Self(rows))
    }

    /// The rows, in the order of the class file.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = LineNumber> + use<'a> {
        self.0.chunks_exact(4).map(|row| LineNumber {
            start_pc: u16::from_be_bytes([row[0], row[1]]),
            line_number: u16::from_be_bytes([row[2], row[3]]),
        })
    }
}
