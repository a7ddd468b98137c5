//! Annotations (JVMS 4.7.16 to 4.7.19, 4.7.22): those of classes and members, of parameters, and defaults of annotation
//! interfaces. Read once as a whole, so that walking them can't fail.

use crate::error::{Error, ErrorKind};
use crate::reader::Reader;

/// Annotations within annotations: javac allows few, and a stack has an end.
const DEEPEST: usize = 64;

/// Annotations in a row.
#[derive(Clone, Copy, Debug)]
pub struct Annotations<'a> {
    reader: Reader<'a>,
    count: u16,
}

/// One annotation.
#[derive(Clone, Copy, Debug)]
pub struct Annotation<'a> {
    /// CONSTANT_Utf8: the field descriptor of its interface.
    pub type_index: u16,
    /// At element_value_pairs[0].
    pairs: Reader<'a>,
    num_element_value_pairs: u16,
}

/// element_value.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum ElementValue<'a> {
    /// A constant by the letter of its type (B C D F I J S Z, s for a string).
    Const {
        tag: u8,
        const_value_index: u16,
    },
    Enum {
        type_name_index: u16,
        const_name_index: u16,
    },
    Class {
        class_info_index: u16,
    },
    Annotation(Annotation<'a>),
    Array(ElementValues<'a>),
}

/// Values in a row.
#[derive(Clone, Copy, Debug)]
pub struct ElementValues<'a> {
    reader: Reader<'a>,
    count: u16,
}

/// Annotations of each parameter.
#[derive(Clone, Debug)]
pub struct ParameterAnnotations<'a> {
    /// By parameter, in order.
    pub parameters: Vec<Annotations<'a>>,
}

impl<'a> Annotations<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let count = reader.u2()?;
        let start = *reader;
        for _ in 0..count {
            Annotation::read(reader, 0)?;
        }
        Ok(Self { reader: start, count })
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = Annotation<'a>> + use<'a> {
        let mut reader = self.reader;
        (0..self.count).map_while(move |_| Annotation::read(&mut reader, 0).ok())
    }
}

impl<'a> Annotation<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>, depth: usize) -> Result<Self, Error> {
        let type_index = reader.u2()?;
        let num_element_value_pairs = reader.u2()?;
        let pairs = *reader;
        for _ in 0..num_element_value_pairs {
            reader.skip(2)?;
            ElementValue::read(reader, depth)?;
        }
        Ok(Self { type_index, pairs, num_element_value_pairs })
    }

    /// element_name_index (CONSTANT_Utf8) and value of each element that is given.
    pub fn pairs(&self) -> impl Iterator<Item = (u16, ElementValue<'a>)> + use<'a> {
        let mut reader = self.pairs;
        (0..self.num_element_value_pairs)
            .map_while(move |_| Some((reader.u2().ok()?, ElementValue::read(&mut reader, 0).ok()?)))
    }
}

impl<'a> ElementValue<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>, depth: usize) -> Result<Self, Error> {
        let at = reader.offset();
        let wrong = || Error::new(ErrorKind::Value("element_value"), at);
        if depth > DEEPEST {
            return Err(wrong());
        }
        Ok(match reader.u1()? {
            tag @ (b'B' | b'C' | b'D' | b'F' | b'I' | b'J' | b'S' | b'Z' | b's') => {
                Self::Const { tag, const_value_index: reader.u2()? }
            }
            b'e' => Self::Enum { type_name_index: reader.u2()?, const_name_index: reader.u2()? },
            b'c' => Self::Class { class_info_index: reader.u2()? },
            b'@' => Self::Annotation(Annotation::read(reader, depth + 1)?),
            b'[' => {
                let count = reader.u2()?;
                let start = *reader;
                for _ in 0..count {
                    Self::read(reader, depth + 1)?;
                }
                Self::Array(ElementValues { reader: start, count })
            }
            _ => return Err(wrong()),
        })
    }
}

impl<'a> ElementValues<'a> {
    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = ElementValue<'a>> + use<'a> {
        let mut reader = self.reader;
        (0..self.count).map_while(move |_| ElementValue::read(&mut reader, 0).ok())
    }
}

impl<'a> ParameterAnnotations<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let count = reader.u1()?;
        let parameters = (0..count).map(|_| Annotations::read(reader)).collect::<Result<_, _>>()?;
        Ok(Self { parameters })
    }
}
