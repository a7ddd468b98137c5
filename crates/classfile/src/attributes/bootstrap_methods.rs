//! The BootstrapMethods attribute (JVMS 4.7.23). Its entries are named by their number: they are never moved.

use crate::attributes::Indices;
use crate::error::Error;
use crate::reader::Reader;

/// The bootstrap methods of a class.
#[derive(Clone, Copy, Debug)]
pub struct BootstrapMethods<'a> {
    reader: Reader<'a>,
    count: u16,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct BootstrapMethod<'a> {
    /// CONSTANT_MethodHandle.
    pub bootstrap_method_ref: u16,
    /// Loadable constants: its static arguments.
    pub bootstrap_arguments: Indices<'a>,
}

impl<'a> BootstrapMethods<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let count = reader.u2()?;
        let start = *reader;
        for _ in 0..count {
            BootstrapMethod::read(reader)?;
        }
        Ok(Self { reader: start, count })
    }

    /// How many there are.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// In order: their numbers are those of CONSTANT_Dynamic and CONSTANT_InvokeDynamic.
    pub fn iter(&self) -> impl Iterator<Item = BootstrapMethod<'a>> + use<'a> {
        let mut reader = self.reader;
        (0..self.count).map_while(move |_| BootstrapMethod::read(&mut reader).ok())
    }
}

impl<'a> BootstrapMethod<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { bootstrap_method_ref: reader.u2()?, bootstrap_arguments: Indices::read(reader)? })
    }
}
