//! Fields (JVMS 4.5): flags, name, descriptor; the attributes are walked when they are asked for.

use crate::attribute_info::{Attributes, skip_attributes};
use crate::constant_pool::ConstantPool;
use crate::error::Error;
use crate::modified_utf8::ModifiedUtf8;
use crate::reader::Reader;

/// One field of a class.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo<'a> {
    access_flags: u16,
    name: ModifiedUtf8<'a>,
    descriptor: ModifiedUtf8<'a>,
    /// At attributes_count.
    attributes: Reader<'a>,
    /// Offset of its last byte's successor.
    end: usize,
}

impl<'a> FieldInfo<'a> {
    fn parse(reader: &mut Reader<'a>, pool: &ConstantPool<'a>) -> Result<Self, Error> {
        let access_flags = reader.u2()?;
        let at = reader.offset();
        let name = pool.utf8_for(reader.u2()?, at)?;
        let descriptor = pool.utf8_for(reader.u2()?, at + 2)?;
        let attributes = *reader;
        skip_attributes(reader)?;
        Ok(Self { access_flags, name, descriptor, attributes, end: reader.offset() })
    }

    /// access_flags (table 4.5-A).
    pub fn access_flags(&self) -> u16 {
        self.access_flags
    }

    /// Its name.
    pub fn name(&self) -> ModifiedUtf8<'a> {
        self.name
    }

    /// Its descriptor (4.3.2).
    pub fn descriptor(&self) -> ModifiedUtf8<'a> {
        self.descriptor
    }

    /// Its attributes. `pool` is that of the field's class.
    pub fn attributes<'p>(&self, pool: &'p ConstantPool<'a>) -> Attributes<'p, 'a> {
        Attributes::new(self.attributes, pool)
    }

    /// The offsets in the class file between which the field_info stands.
    pub(crate) fn span(&self) -> std::ops::Range<usize> {
        // access_flags, name_index, descriptor_index
        self.attributes.offset() - 6..self.end
    }
}

/// See [`ClassFile::fields`](crate::ClassFile::fields). Ends after its first error.
#[derive(Clone, Debug)]
pub struct Fields<'c, 'a> {
    pub(crate) pool: &'c ConstantPool<'a>,
    /// Where the next field begins and how many are left; none once something was wrong.
    pub(crate) rest: Result<(Reader<'a>, u16), Option<Error>>,
}

impl<'a> Iterator for Fields<'_, 'a> {
    type Item = Result<FieldInfo<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.rest {
            Ok((_, 0)) => None,
            Ok((reader, left)) => {
                *left -= 1;
                let field = FieldInfo::parse(reader, self.pool);
                if field.is_err() {
                    self.rest = Err(None);
                }
                Some(field)
            }
            Err(error) => error.take().map(Err),
        }
    }
}
