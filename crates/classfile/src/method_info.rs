//! Methods (JVMS 4.6): flags, name, descriptor. Their attributes, Code among them, are passed over.

use crate::attribute_info::skip_attributes;
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
}

impl<'a> MethodInfo<'a> {
    pub(crate) fn parse(reader: &mut Reader<'a>, pool: &ConstantPool<'a>) -> Result<Self, Error> {
        let access_flags = reader.u2()?;
        let at = reader.offset();
        let name = pool.utf8_for(reader.u2()?, at)?;
        let descriptor = pool.utf8_for(reader.u2()?, at + 2)?;
        skip_attributes(reader)?;
        Ok(Self { access_flags, name, descriptor })
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
