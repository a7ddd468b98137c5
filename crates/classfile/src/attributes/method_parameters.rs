//! The MethodParameters attribute (JVMS 4.7.24).

use crate::error::Error;
use crate::reader::Reader;

/// Names of a method's parameters.
#[derive(Clone, Copy, Debug)]
pub struct MethodParameters<'a>(&'a [u8]);

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodParameter {
    /// CONSTANT_Utf8; 0 if it has no name.
    pub name_index: u16,
    /// ACC_FINAL, ACC_SYNTHETIC, ACC_MANDATED.
    pub access_flags: u16,
}

impl<'a> MethodParameters<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let count = reader.u1()?;
        reader.take(4 * usize::from(count)).map(Self)
    }

    /// In order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = MethodParameter> + use<'a> {
        self.0.chunks_exact(4).map(|row| MethodParameter {
            name_index: u16::from_be_bytes([row[0], row[1]]),
            access_flags: u16::from_be_bytes([row[2], row[3]]),
        })
    }
}
