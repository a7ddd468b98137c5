//! The InnerClasses attribute (JVMS 4.7.6).

use crate::error::Error;
use crate::reader::Reader;

/// Classes that are members or local, as far as a class names them.
#[derive(Clone, Copy, Debug)]
pub struct InnerClasses<'a>(&'a [u8]);

/// A row of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InnerClass {
    /// CONSTANT_Class.
    pub inner_class_info_index: u16,
    /// CONSTANT_Class of what it is a member of; 0 if of none.
    pub outer_class_info_index: u16,
    /// CONSTANT_Utf8: its simple name; 0 if it has none.
    pub inner_name_index: u16,
    /// Its flags as in the source (table 4.7.6-A).
    pub inner_class_access_flags: u16,
}

impl<'a> InnerClasses<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let count = reader.u2()?;
        reader.take(8 * usize::from(count)).map(Self)
    }

    /// In order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = InnerClass> + use<'a> {
        self.0.chunks_exact(8).map(|row| {
            let u2 = |at: usize| u16::from_be_bytes([row[at], row[at + 1]]);
            InnerClass {
                inner_class_info_index: u2(0),
                outer_class_info_index: u2(2),
                inner_name_index: u2(4),
                inner_class_access_flags: u2(6),
            }
        })
    }
}
