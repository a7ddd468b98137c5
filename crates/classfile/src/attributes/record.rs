//! The Record attribute (JVMS 4.7.30).

use crate::attribute_info::{Attributes, skip_attributes};
use crate::constant_pool::ConstantPool;
use crate::error::Error;
use crate::modified_utf8::ModifiedUtf8;
use crate::reader::Reader;

/// The components of a record class.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    components: Vec<RecordComponent<'a>>,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct RecordComponent<'a> {
    name: ModifiedUtf8<'a>,
    descriptor: ModifiedUtf8<'a>,
    /// At attributes_count.
    attributes: Reader<'a>,
}

impl<'a> Record<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>, pool: &ConstantPool<'a>) -> Result<Self, Error> {
        let mut components = Vec::new();
        for _ in 0..reader.u2()? {
            let at = reader.offset();
            let name = pool.utf8_for(reader.u2()?, at)?;
            let descriptor = pool.utf8_for(reader.u2()?, at + 2)?;
            components.push(RecordComponent { name, descriptor, attributes: *reader });
            skip_attributes(reader)?;
        }
        Ok(Self { components })
    }

    /// In order.
    pub fn components(&self) -> &[RecordComponent<'a>] {
        &self.components
    }
}

impl<'a> RecordComponent<'a> {
    /// Its name.
    pub fn name(&self) -> ModifiedUtf8<'a> {
        self.name
    }

    /// Its field descriptor.
    pub fn descriptor(&self) -> ModifiedUtf8<'a> {
        self.descriptor
    }

    /// Its attributes. `pool` is that of its class.
    pub fn attributes<'p>(&self, pool: &'p ConstantPool<'a>) -> Attributes<'p, 'a> {
        Attributes::new(self.attributes, pool)
    }
}
