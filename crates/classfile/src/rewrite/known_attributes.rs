//! A class without the attributes that the specification does not define: compilers of other languages leave notes of theirs
//! there (`ScalaSig`), with indices of the constant pool where nobody knows. A JVM passes over them in silence (JVMS 4.7.1).

use std::borrow::Cow;

use crate::attribute_info::{AttributeInfo, Attributes, skip_attributes};
use crate::attributes::Code;
use crate::class_file::ClassFile;
use crate::constant_pool::ConstantPool;
use crate::error::Error;
use crate::reader::Reader;
use crate::references::{Stopped, walk, walk_attribute};

/// The class with those attributes alone that are known, on the same constant pool; itself where it has no other.
pub(crate) fn known_attributes<'a>(class: &ClassFile<'a>) -> Result<Cow<'a, [u8]>, Error> {
    match walk(class, &mut |_| {}) {
        Ok(()) => return Ok(Cow::Borrowed(class.bytes())),
        Err(Stopped::Malformed(error)) => return Err(error),
        Err(Stopped::UnknownAttribute(_)) => {}
    }
    let start = class.constant_pool_end();
    let mut reader = Reader::at(class.bytes(), start);
    let mut copy = Copy { pool: class.constant_pool(), out: Vec::with_capacity(class.bytes().len()) };
    copy.out.extend_from_slice(class.bytes().get(..start).unwrap_or_default());
    copy.bytes(&mut reader, 6)?;
    let interfaces = copy.count(&mut reader)?;
    copy.bytes(&mut reader, 2 * usize::from(interfaces))?;
    // fields[], methods[]
    for _ in 0..2 {
        for _ in 0..copy.count(&mut reader)? {
            copy.bytes(&mut reader, 6)?;
            copy.attributes(&mut reader)?;
        }
    }
    copy.attributes(&mut reader)?;
    reader.end()?;
    Ok(Cow::Owned(copy.out))
}

struct Copy<'p, 'a> {
    pool: &'p ConstantPool<'a>,
    out: Vec<u8>,
}

impl<'a> Copy<'_, 'a> {
    fn bytes(&mut self, reader: &mut Reader<'a>, count: usize) -> Result<(), Error> {
        self.out.extend_from_slice(reader.take(count)?);
        Ok(())
    }

    fn count(&mut self, reader: &mut Reader<'a>) -> Result<u16, Error> {
        let count = reader.u2()?;
        self.out.extend(count.to_be_bytes());
        Ok(count)
    }

    fn attributes(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        let at = self.out.len();
        self.out.extend([0; 2]);
        let mut kept: u16 = 0;
        for attribute in Attributes::new(*reader, self.pool) {
            kept += u16::from(self.attribute(&attribute?)?);
        }
        self.put(at, &kept.to_be_bytes());
        skip_attributes(reader)
    }

    /// Whether it is one that is known.
    fn attribute(&mut self, attribute: &AttributeInfo<'a>) -> Result<bool, Error> {
        let mut info = attribute.reader();
        let at = self.out.len();
        self.out.extend(attribute.name_index().to_be_bytes());
        self.out.extend([0; 4]);
        match attribute.name().as_bytes() {
            b"Code" => {
                let code = Code::parse(attribute)?;
                self.bytes(&mut info, code.offset() - attribute.offset() + code.code().len())?;
                let handlers = self.count(&mut info)?;
                self.bytes(&mut info, 8 * usize::from(handlers))?;
                self.attributes(&mut info)?;
            }
            b"Record" => {
                for _ in 0..self.count(&mut info)? {
                    self.bytes(&mut info, 4)?;
                    self.attributes(&mut info)?;
                }
            }
            _ => match walk_attribute(attribute, self.pool, &mut |_| {}) {
                Ok(()) => self.out.extend_from_slice(attribute.info()),
                Err(Stopped::Malformed(error)) => return Err(error),
                Err(Stopped::UnknownAttribute(_)) => {
                    self.out.truncate(at);
                    return Ok(false);
                }
            },
        }
        let length = (self.out.len() - at - 6) as u32;
        self.put(at + 2, &length.to_be_bytes());
        Ok(true)
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.out.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}
