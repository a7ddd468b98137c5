//! Methods (JVMS 4.6): flags, name, descriptor; the attributes are walked when they are asked for.

use crate::attribute_info::{Attributes, skip_attributes};
use crate::attributes::Code;
use crate::class_file::access_flags;
use crate::constant_pool::ConstantPool;
use crate::error::Error;
use crate::modified_utf8::ModifiedUtf8;
use crate::reader::Reader;

/// One method of a class.
#[derive(Clone, Copy, Debug)]
pub struct MethodInfo<'a> {
    access_flags: u16,
    name: ModifiedUtf8<'a>,
    descriptor: ModifiedUtf8<'a>,
    descriptor_index: u16,
    /// At attributes_count.
    attributes: Reader<'a>,
    /// Offset of its last byte's successor.
    end: usize,
}

impl<'a> MethodInfo<'a> {
    pub(crate) fn parse(reader: &mut Reader<'a>, pool: &ConstantPool<'a>) -> Result<Self, Error> {
        let access_flags = reader.u2()?;
        let at = reader.offset();
        let name = pool.utf8_for(reader.u2()?, at)?;
        let descriptor_index = reader.u2()?;
        let descriptor = pool.utf8_for(descriptor_index, at + 2)?;
        let attributes = *reader;
        skip_attributes(reader)?;
        Ok(Self { access_flags, name, descriptor, descriptor_index, attributes, end: reader.offset() })
    }

    /// access_flags (table 4.6-A).
    pub fn access_flags(&self) -> u16 {
        self.access_flags
    }

    /// ACC_PUBLIC.
    pub fn is_public(&self) -> bool {
        self.access_flags & access_flags::PUBLIC != 0
    }

    /// ACC_STATIC.
    pub fn is_static(&self) -> bool {
        self.access_flags & access_flags::STATIC != 0
    }

    /// The method's simple name.
    pub fn name(&self) -> ModifiedUtf8<'a> {
        self.name
    }

    /// Its descriptor (4.3.3), such as `(Ljava/lang/String;)V`.
    pub fn descriptor(&self) -> ModifiedUtf8<'a> {
        self.descriptor
    }

    /// descriptor_index.
    pub fn descriptor_index(&self) -> u16 {
        self.descriptor_index
    }

    /// Its attributes. `pool` is that of the method's class.
    pub fn attributes<'p>(&self, pool: &'p ConstantPool<'a>) -> Attributes<'p, 'a> {
        Attributes::new(self.attributes, pool)
    }

    /// Its Code attribute (4.7.3); none for native and abstract methods. `pool` is that of the method's class.
    pub fn code(&self, pool: &ConstantPool<'a>) -> Result<Option<Code<'a>>, Error> {
        self.attributes(pool).find("Code")?.map(|attribute| Code::parse(&attribute)).transpose()
    }

    /// The offsets in the class file between which the method_info stands.
    pub fn span(&self) -> std::ops::Range<usize> {
        // access_flags, name_index, descriptor_index
        self.attributes.offset() - 6..self.end
    }
}

/// See [`ClassFile::methods`](crate::ClassFile::methods). Ends after its first error.
#[derive(Clone, Debug)]
pub struct Methods<'c, 'a> {
    pub(crate) pool: &'c ConstantPool<'a>,
    /// Where the next method begins and how many are left; none once something was wrong.
    pub(crate) rest: Result<(Reader<'a>, u16), Option<Error>>,
}

impl<'a> Iterator for Methods<'_, 'a> {
    type Item = Result<MethodInfo<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.rest {
            Ok((_, 0)) => None,
            Ok((reader, left)) => {
                *left -= 1;
                let method = MethodInfo::parse(reader, self.pool);
                if method.is_err() {
                    self.rest = Err(None);
                }
                Some(method)
            }
            Err(error) => error.take().map(Err),
        }
    }
}
