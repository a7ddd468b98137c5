//! The ClassFile structure (JVMS 4.1). Parsing reads as far as the interfaces; members are walked on demand,
//! since most classes are looked at only to see that they are not the one.

use crate::attribute_info::{Attributes, skip_attributes};
use crate::constant_pool::ConstantPool;
use crate::error::{Error, ErrorKind};
use crate::field_info::Fields;
use crate::method_info::Methods;
use crate::modified_utf8::ModifiedUtf8;
use crate::reader::Reader;

pub(crate) const MAGIC: u32 = 0xcafe_babe;

/// Flags of classes and members (tables 4.1-B, 4.5-A, 4.6-A): those that are asked for.
pub mod access_flags {
    /// ACC_PUBLIC.
    pub const PUBLIC: u16 = 0x0001;
    /// ACC_PRIVATE.
    pub const PRIVATE: u16 = 0x0002;
    /// ACC_PROTECTED.
    pub const PROTECTED: u16 = 0x0004;
    /// ACC_STATIC.
    pub const STATIC: u16 = 0x0008;
    /// ACC_FINAL.
    pub const FINAL: u16 = 0x0010;
    /// ACC_SUPER, of a class.
    pub const SUPER: u16 = 0x0020;
    /// ACC_SYNCHRONIZED, of a method.
    pub const SYNCHRONIZED: u16 = 0x0020;
    /// ACC_BRIDGE, of a method.
    pub const BRIDGE: u16 = 0x0040;
    /// ACC_VOLATILE, of a field.
    pub const VOLATILE: u16 = 0x0040;
    /// ACC_TRANSIENT, of a field.
    pub const TRANSIENT: u16 = 0x0080;
    /// ACC_NATIVE.
    pub const NATIVE: u16 = 0x0100;
    /// ACC_INTERFACE.
    pub const INTERFACE: u16 = 0x0200;
    /// ACC_ABSTRACT.
    pub const ABSTRACT: u16 = 0x0400;
    /// ACC_STRICT.
    pub const STRICT: u16 = 0x0800;
    /// ACC_SYNTHETIC.
    pub const SYNTHETIC: u16 = 0x1000;
    /// ACC_ANNOTATION.
    pub const ANNOTATION: u16 = 0x2000;
    /// ACC_ENUM.
    pub const ENUM: u16 = 0x4000;
    /// ACC_MODULE.
    pub const MODULE: u16 = 0x8000;
}

/// A class file, borrowed.
#[derive(Clone, Debug)]
pub struct ClassFile<'a> {
    bytes: &'a [u8],
    minor_version: u16,
    major_version: u16,
    constant_pool: ConstantPool<'a>,
    access_flags: u16,
    this_class: u16,
    super_class: u16,
    interfaces_count: u16,
    /// Offset of this_class; of super_class two bytes on.
    this_class_at: usize,
    /// Offset of interfaces[0].
    interfaces_at: usize,
    /// Offset of fields_count.
    fields_at: usize,
}

impl<'a> ClassFile<'a> {
    /// Reads the structure up to its interfaces; [`check_structure`](Self::check_structure) reads the rest.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::at(bytes, 0);
        let magic = reader.u4()?;
        if magic != MAGIC {
            return Err(Error::new(ErrorKind::Magic(magic), 0));
        }
        let minor_version = reader.u2()?;
        let major_version = reader.u2()?;
        let constant_pool = ConstantPool::parse(bytes, &mut reader)?;
        let access_flags = reader.u2()?;
        let this_class_at = reader.offset();
        let this_class = reader.u2()?;
        let super_class = reader.u2()?;
        let interfaces_count = reader.u2()?;
        let interfaces_at = reader.offset();
        reader.skip(2 * usize::from(interfaces_count))?;
        let fields_at = reader.offset();
        Ok(Self {
            bytes,
            minor_version,
            major_version,
            constant_pool,
            access_flags,
            this_class,
            super_class,
            interfaces_count,
            this_class_at,
            interfaces_at,
            fields_at,
        })
    }

    /// minor_version; 65,535 marks preview features from major 56 on.
    pub fn minor_version(&self) -> u16 {
        self.minor_version
    }

    /// major_version; 52 is Java 8.
    pub fn major_version(&self) -> u16 {
        self.major_version
    }

    /// The whole class file.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Offset of access_flags, behind the constant pool.
    pub(crate) fn constant_pool_end(&self) -> usize {
        self.this_class_at - 2
    }

    /// Offset of fields_count, behind the interfaces.
    pub(crate) fn fields_at(&self) -> usize {
        self.fields_at
    }

    /// The constant pool.
    pub fn constant_pool(&self) -> &ConstantPool<'a> {
        &self.constant_pool
    }

    /// access_flags (table 4.1-B).
    pub fn access_flags(&self) -> u16 {
        self.access_flags
    }

    /// The class's own name, in internal form.
    pub fn this_class_name(&self) -> Result<ModifiedUtf8<'a>, Error> {
        self.constant_pool.class_name_for(self.this_class, self.this_class_at)
    }

    /// The superclass, in internal form; none for `java/lang/Object` and `module-info`.
    pub fn super_class_name(&self) -> Result<Option<ModifiedUtf8<'a>>, Error> {
        match self.super_class {
            0 => Ok(None),
            index => self.constant_pool.class_name_for(index, self.this_class_at + 2).map(Some),
        }
    }

    /// The direct superinterfaces, in internal form.
    pub fn interfaces(&self) -> Interfaces<'_, 'a> {
        Interfaces { class: self, next: 0 }
    }

    /// The fields in the order of the class file.
    pub fn fields(&self) -> Fields<'_, 'a> {
        let mut reader = Reader::at(self.bytes, self.fields_at);
        let rest = reader.u2().map(|count| (reader, count)).map_err(Some);
        Fields { pool: &self.constant_pool, rest }
    }

    /// The attributes of the class itself.
    pub fn attributes(&self) -> Result<Attributes<'_, 'a>, Error> {
        let reader = Reader::at(self.bytes, self.attributes_at()?);
        Ok(Attributes::new(reader, &self.constant_pool))
    }

    /// Offset of the class's own attributes_count.
    pub(crate) fn attributes_at(&self) -> Result<usize, Error> {
        let (mut reader, methods) = self.methods_start()?;
        for _ in 0..methods {
            skip_member(&mut reader)?;
        }
        Ok(reader.offset())
    }

    /// The methods in the order of the class file.
    pub fn methods(&self) -> Methods<'_, 'a> {
        let rest = self.methods_start().map_err(Some);
        Methods { pool: &self.constant_pool, rest }
    }

    /// Walks every member and attribute by its length, as a JVM does before anything else: a class that was
    /// cut, or has bytes after its end, is an error.
    pub fn check_structure(&self) -> Result<(), Error> {
        let (mut reader, methods) = self.methods_start()?;
        for _ in 0..methods {
            skip_member(&mut reader)?;
        }
        skip_attributes(&mut reader)?;
        match reader.remaining() {
            0 => Ok(()),
            count => Err(Error::new(ErrorKind::TrailingBytes(count), reader.offset())),
        }
    }

    /// A reader at methods[0], and methods_count.
    fn methods_start(&self) -> Result<(Reader<'a>, u16), Error> {
        let mut reader = Reader::at(self.bytes, self.fields_at);
        for _ in 0..reader.u2()? {
            skip_member(&mut reader)?;
        }
        let count = reader.u2()?;
        Ok((reader, count))
    }
}

/// Passes a field_info or a method_info, which are laid out alike.
fn skip_member(reader: &mut Reader<'_>) -> Result<(), Error> {
    // access_flags, name_index, descriptor_index
    reader.skip(6)?;
    skip_attributes(reader)
}

/// See [`ClassFile::interfaces`].
#[derive(Clone, Debug)]
pub struct Interfaces<'c, 'a> {
    class: &'c ClassFile<'a>,
    next: u16,
}

impl<'a> Iterator for Interfaces<'_, 'a> {
    type Item = Result<ModifiedUtf8<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.class.interfaces_count {
            return None;
        }
        let at = self.class.interfaces_at + 2 * usize::from(self.next);
        self.next += 1;
        let index = Reader::at(self.class.bytes, at).u2();
        Some(index.and_then(|index| self.class.constant_pool.class_name_for(index, at)))
    }
}
