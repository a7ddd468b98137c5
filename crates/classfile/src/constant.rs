//! Entries of the constant pool, decoded (JVMS 4.4.1 to 4.4.12).

use crate::constant_pool::{ConstantPool, Tag};
use crate::descriptor::FieldType;
use crate::error::{Error, ErrorKind};
use crate::modified_utf8::ModifiedUtf8;

/// One entry, with what it points to.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are the specification's, CONSTANT_ left off")]
pub enum Constant<'a> {
    Utf8(ModifiedUtf8<'a>),
    Integer(i32),
    Float(f32),
    Long(i64),
    Double(f64),
    /// A class in internal form, or an array as a descriptor.
    Class(ModifiedUtf8<'a>),
    String(ModifiedUtf8<'a>),
    Fieldref(MemberRef<'a>),
    Methodref(MemberRef<'a>),
    InterfaceMethodref(MemberRef<'a>),
    NameAndType(NameAndType<'a>),
    /// reference_kind (table 5.4.3.5-A) and reference_index.
    MethodHandle(u8, u16),
    MethodType(ModifiedUtf8<'a>),
    /// bootstrap_method_attr_index, and what is computed.
    Dynamic(u16, NameAndType<'a>),
    InvokeDynamic(u16, NameAndType<'a>),
    Module(ModifiedUtf8<'a>),
    Package(ModifiedUtf8<'a>),
}

/// CONSTANT_NameAndType (4.4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAndType<'a> {
    /// The name of a field or method.
    pub name: ModifiedUtf8<'a>,
    /// Its descriptor.
    pub descriptor: ModifiedUtf8<'a>,
    /// descriptor_index.
    pub descriptor_index: u16,
}

/// A field or method that a class uses (4.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberRef<'a> {
    /// The class it is looked up in, as its CONSTANT_Class names it.
    pub class: ModifiedUtf8<'a>,
    /// Its name.
    pub name: ModifiedUtf8<'a>,
    /// Its descriptor.
    pub descriptor: ModifiedUtf8<'a>,
    /// The descriptor's CONSTANT_Utf8.
    pub descriptor_index: u16,
}

impl<'a> ConstantPool<'a> {
    /// Decodes an entry.
    pub fn constant(&self, index: u16) -> Result<Constant<'a>, Error> {
        let (tag, mut body) = self.entry(index, 0)?;
        let at = body.offset();
        Ok(match tag {
            Tag::Utf8 => Constant::Utf8(self.utf8(index)?),
            Tag::Integer => Constant::Integer(body.u4()? as i32),
            Tag::Float => Constant::Float(f32::from_bits(body.u4()?)),
            Tag::Long => Constant::Long(body.u8()? as i64),
            Tag::Double => Constant::Double(f64::from_bits(body.u8()?)),
            Tag::Class => Constant::Class(self.utf8_for(body.u2()?, at)?),
            Tag::String => Constant::String(self.utf8_for(body.u2()?, at)?),
            Tag::Fieldref => Constant::Fieldref(self.member_ref(index)?),
            Tag::Methodref => Constant::Methodref(self.member_ref(index)?),
            Tag::InterfaceMethodref => Constant::InterfaceMethodref(self.member_ref(index)?),
            Tag::NameAndType => Constant::NameAndType(self.name_and_type_for(index, 0)?),
            Tag::MethodHandle => Constant::MethodHandle(body.u1()?, body.u2()?),
            Tag::MethodType => Constant::MethodType(self.utf8_for(body.u2()?, at)?),
            Tag::Dynamic => Constant::Dynamic(body.u2()?, self.name_and_type_for(body.u2()?, at + 2)?),
            Tag::InvokeDynamic => {
                Constant::InvokeDynamic(body.u2()?, self.name_and_type_for(body.u2()?, at + 2)?)
            }
            Tag::Module => Constant::Module(self.utf8_for(body.u2()?, at)?),
            Tag::Package => Constant::Package(self.utf8_for(body.u2()?, at)?),
        })
    }

    /// The type that a CONSTANT_Class names.
    pub fn class_type(&self, index: u16) -> Result<FieldType<'a>, Error> {
        let name = self.class_name(index)?;
        FieldType::of_class(name).ok_or(Error::new(ErrorKind::Descriptor(index), 0))
    }

    /// A CONSTANT_Fieldref, CONSTANT_Methodref or CONSTANT_InterfaceMethodref (4.4.2).
    pub fn member_ref(&self, index: u16) -> Result<MemberRef<'a>, Error> {
        let (found, mut body) = self.entry(index, 0)?;
        if !matches!(found, Tag::Fieldref | Tag::Methodref | Tag::InterfaceMethodref) {
            return Err(Error::new(ErrorKind::PoolTag { index, found, wanted: Tag::Methodref }, 0));
        }
        let at = body.offset();
        let class = self.class_name_for(body.u2()?, at)?;
        let NameAndType { name, descriptor, descriptor_index } =
            self.name_and_type_for(body.u2()?, at + 2)?;
        Ok(MemberRef { class, name, descriptor, descriptor_index })
    }

    pub(crate) fn name_and_type_for(&self, index: u16, user: usize) -> Result<NameAndType<'a>, Error> {
        let mut body = self.body(index, Tag::NameAndType, user)?;
        let at = body.offset();
        let name = self.utf8_for(body.u2()?, at)?;
        let descriptor_index = body.u2()?;
        Ok(NameAndType { name, descriptor: self.utf8_for(descriptor_index, at + 2)?, descriptor_index })
    }
}
