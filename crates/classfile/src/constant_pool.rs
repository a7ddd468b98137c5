//! The constant pool (JVMS 4.4): one pass records where each entry begins; an entry is decoded when it is
//! asked for.

use std::fmt;

use crate::constant::MemberRef;
use crate::error::{Error, ErrorKind};
use crate::modified_utf8::ModifiedUtf8;
use crate::reader::Reader;

/// Kinds of entries, by their tag (JVMS table 4.4-B).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the specification's, CONSTANT_ left off")]
pub enum Tag {
    Utf8 = 1,
    Integer = 3,
    Float = 4,
    Long = 5,
    Double = 6,
    Class = 7,
    String = 8,
    Fieldref = 9,
    Methodref = 10,
    InterfaceMethodref = 11,
    NameAndType = 12,
    MethodHandle = 15,
    MethodType = 16,
    Dynamic = 17,
    InvokeDynamic = 18,
    Module = 19,
    Package = 20,
}

impl Tag {
    fn from_u1(tag: u8) -> Option<Self> {
        Some(match tag {
            1 => Self::Utf8,
            3 => Self::Integer,
            4 => Self::Float,
            5 => Self::Long,
            6 => Self::Double,
            7 => Self::Class,
            8 => Self::String,
            9 => Self::Fieldref,
            10 => Self::Methodref,
            11 => Self::InterfaceMethodref,
            12 => Self::NameAndType,
            15 => Self::MethodHandle,
            16 => Self::MethodType,
            17 => Self::Dynamic,
            18 => Self::InvokeDynamic,
            19 => Self::Module,
            20 => Self::Package,
            _ => return None,
        })
    }
}

/// In [`BODY_LENGTHS`]: told by a u2 of its own.
const VARIABLE: u8 = u8::MAX;

/// Length of an entry's body by its tag, without the tag; 0 where no entry has it.
static BODY_LENGTHS: [u8; 256] = {
    let known = [0, VARIABLE, 0, 4, 4, 8, 8, 2, 2, 4, 4, 4, 4, 0, 0, 3, 2, 4, 4, 2, 2];
    let mut table = [0; 256];
    let mut tag = 0;
    while tag < known.len() {
        table[tag] = known[tag];
        tag += 1;
    }
    table
};

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// The constant pool of one class file.
#[derive(Clone, Debug)]
pub struct ConstantPool<'a> {
    /// The whole class file, so that offsets are those of the file.
    bytes: &'a [u8],
    /// Offset of each entry's tag, by index; 0 where none begins: index 0, and behind long and double.
    offsets: Vec<u32>,
}

impl<'a> ConstantPool<'a> {
    /// Of bytes that are constant_pool_count and constant_pool[], and nothing else.
    pub fn of(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::at(bytes, 0);
        let pool = Self::parse(bytes, &mut reader)?;
        reader.end()?;
        Ok(pool)
    }

    /// Reads constant_pool_count and constant_pool[], leaving `reader` behind them.
    pub(crate) fn parse(bytes: &'a [u8], reader: &mut Reader<'a>) -> Result<Self, Error> {
        let at = reader.offset();
        let count = usize::from(reader.u2()?);
        if count == 0 {
            // Index 0 is counted, and stands for none.
            return Err(Error::new(ErrorKind::PoolIndex(0), at));
        }
        let mut offsets = vec![0; count];
        let mut index = 1;
        while let Some(offset) = offsets.get_mut(index) {
            let at = reader.offset();
            // A class file of 4 GiB or more can't be: its pool ends within 65,535 × 65,538 bytes.
            *offset = at as u32;
            let tag = bytes.get(at).copied().unwrap_or(0);
            let length = BODY_LENGTHS[usize::from(tag)];
            let length = match length {
                VARIABLE => match bytes.get(at + 1..at + 3) {
                    Some(length) => 2 + usize::from(u16::from_be_bytes([length[0], length[1]])),
                    None => 2,
                },
                0 => return Err(Self::no_entry(reader)),
                length => usize::from(length),
            };
            reader.skip(1 + length)?;
            index += if tag == Tag::Long as u8 || tag == Tag::Double as u8 { 2 } else { 1 };
        }
        if index > count {
            // A long or double takes two indices, and the last one has only one.
            return Err(Error::new(ErrorKind::PoolIndex(count as u16), at));
        }
        Ok(Self { bytes, offsets })
    }

    /// Why no entry begins where `reader` is.
    #[cold]
    fn no_entry(reader: &mut Reader<'_>) -> Error {
        let at = reader.offset();
        match reader.u1() {
            Ok(tag) => Error::new(ErrorKind::UnknownTag(tag), at),
            Err(end) => end,
        }
    }

    /// constant_pool_count: one more than the highest index.
    pub fn count(&self) -> u16 {
        u16::try_from(self.offsets.len()).unwrap_or(u16::MAX)
    }

    /// The kind of an entry.
    pub fn tag(&self, index: u16) -> Result<Tag, Error> {
        self.entry(index, 0).map(|(tag, _)| tag)
    }

    /// CONSTANT_Utf8 (4.4.7).
    pub fn utf8(&self, index: u16) -> Result<ModifiedUtf8<'a>, Error> {
        self.utf8_for(index, 0)
    }

    /// The name of a CONSTANT_Class (4.4.1), in internal form: `java/lang/Object`.
    pub fn class_name(&self, index: u16) -> Result<ModifiedUtf8<'a>, Error> {
        self.class_name_for(index, 0)
    }

    /// Every CONSTANT_Methodref and CONSTANT_InterfaceMethodref (4.4.2), in the order of the pool: what this
    /// class may call.
    pub fn method_refs(&self) -> MethodRefs<'_, 'a> {
        MethodRefs { pool: self, index: 0 }
    }

    /// As [`utf8`](Self::utf8), blaming `user`, the offset of the index, if it points nowhere.
    pub(crate) fn utf8_for(&self, index: u16, user: usize) -> Result<ModifiedUtf8<'a>, Error> {
        let mut body = self.body(index, Tag::Utf8, user)?;
        let length = body.u2()?;
        body.take(usize::from(length)).map(ModifiedUtf8::new)
    }

    pub(crate) fn class_name_for(&self, index: u16, user: usize) -> Result<ModifiedUtf8<'a>, Error> {
        let mut body = self.body(index, Tag::Class, user)?;
        let at = body.offset();
        self.utf8_for(body.u2()?, at)
    }

    pub(crate) fn body(&self, index: u16, wanted: Tag, user: usize) -> Result<Reader<'a>, Error> {
        let (found, body) = self.entry(index, user)?;
        if found != wanted {
            return Err(Error::new(ErrorKind::PoolTag { index, found, wanted }, user));
        }
        Ok(body)
    }

    pub(crate) fn entry(&self, index: u16, user: usize) -> Result<(Tag, Reader<'a>), Error> {
        let offset = self.offsets.get(usize::from(index)).copied().unwrap_or(0);
        let mut reader = Reader::at(self.bytes, offset as usize);
        match offset {
            0 => None,
            _ => Tag::from_u1(reader.u1()?),
        }
        .map(|tag| (tag, reader))
        .ok_or(Error::new(ErrorKind::PoolIndex(index), user))
    }
}

/// See [`ConstantPool::method_refs`].
#[derive(Clone, Debug)]
pub struct MethodRefs<'p, 'a> {
    pool: &'p ConstantPool<'a>,
    index: u16,
}

impl<'a> Iterator for MethodRefs<'_, 'a> {
    type Item = Result<MemberRef<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.index < self.pool.count() {
            let index = self.index;
            self.index += 1;
            if let Ok(Tag::Methodref | Tag::InterfaceMethodref) = self.pool.tag(index) {
                return Some(self.pool.member_ref(index));
            }
        }
        None
    }
}
