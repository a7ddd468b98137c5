//! Annotations of types (JVMS 4.7.20): where in a class, member or code the type stands that is annotated.

use crate::attributes::Annotation;
use crate::error::{Error, ErrorKind};
use crate::reader::Reader;

/// Type annotations in a row.
#[derive(Clone, Copy, Debug)]
pub struct TypeAnnotations<'a> {
    reader: Reader<'a>,
    count: u16,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct TypeAnnotation<'a> {
    /// target_type (tables 4.7.20-A and -B).
    pub target_type: u8,
    /// target_info.
    pub target: Target<'a>,
    /// type_path: type_path_kind and type_argument_index of each step.
    pub path: &'a [u8],
    /// What it says.
    pub annotation: Annotation<'a>,
}

/// target_info, by its layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum Target<'a> {
    TypeParameter {
        type_parameter_index: u8,
    },
    Supertype {
        supertype_index: u16,
    },
    TypeParameterBound {
        type_parameter_index: u8,
        bound_index: u8,
    },
    Empty,
    FormalParameter {
        formal_parameter_index: u8,
    },
    Throws {
        throws_type_index: u16,
    },
    /// Rows of start_pc, length and index, six bytes each.
    LocalVar {
        table: &'a [u8],
    },
    Catch {
        exception_table_index: u16,
    },
    Offset {
        offset: u16,
    },
    TypeArgument {
        offset: u16,
        type_argument_index: u8,
    },
}

impl<'a> Target<'a> {
    /// Decodes the target_info of a target_type.
    pub(crate) fn read(target_type: u8, reader: &mut Reader<'a>) -> Result<Self, Error> {
        let at = reader.offset();
        Ok(match target_type {
            0x00 | 0x01 => Self::TypeParameter { type_parameter_index: reader.u1()? },
            0x10 => Self::Supertype { supertype_index: reader.u2()? },
            0x11 | 0x12 => {
                Self::TypeParameterBound { type_parameter_index: reader.u1()?, bound_index: reader.u1()? }
            }
            0x13..=0x15 => Self::Empty,
            0x16 => Self::FormalParameter { formal_parameter_index: reader.u1()? },
            0x17 => Self::Throws { throws_type_index: reader.u2()? },
            0x40 | 0x41 => {
                let rows = reader.u2()?;
                Self::LocalVar { table: reader.take(6 * usize::from(rows))? }
            }
            0x42 => Self::Catch { exception_table_index: reader.u2()? },
            0x43..=0x46 => Self::Offset { offset: reader.u2()? },
            0x47..=0x4b => Self::TypeArgument { offset: reader.u2()?, type_argument_index: reader.u1()? },
            _ => return Err(Error::new(ErrorKind::Value("target_type"), at)),
        })
    }
}

impl<'a> TypeAnnotation<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let target_type = reader.u1()?;
        let target = Target::read(target_type, reader)?;
        let steps = reader.u1()?;
        let path = reader.take(2 * usize::from(steps))?;
        Ok(Self { target_type, target, path, annotation: Annotation::read(reader, 0)? })
    }
}

impl<'a> TypeAnnotations<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let count = reader.u2()?;
        let start = *reader;
        for _ in 0..count {
            TypeAnnotation::read(reader)?;
        }
        Ok(Self { reader: start, count })
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = TypeAnnotation<'a>> + use<'a> {
        let mut reader = self.reader;
        (0..self.count).map_while(move |_| TypeAnnotation::read(&mut reader).ok())
    }
}
