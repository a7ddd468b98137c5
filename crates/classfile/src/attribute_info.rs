//! The attribute_info structure (JVMS 4.7): a name and bytes. What the bytes mean is in `attributes/`, one file an
//! attribute; one that nobody knows is passed on as it is.

use crate::constant_pool::ConstantPool;
use crate::error::Error;
use crate::modified_utf8::ModifiedUtf8;
use crate::reader::Reader;

/// One attribute, not decoded.
#[derive(Clone, Copy, Debug)]
pub struct AttributeInfo<'a> {
    name_index: u16,
    name: ModifiedUtf8<'a>,
    /// At info[0] of the class file.
    info: Reader<'a>,
    length: usize,
}

impl<'a> AttributeInfo<'a> {
    fn parse(reader: &mut Reader<'a>, pool: &ConstantPool<'a>) -> Result<Self, Error> {
        let at = reader.offset();
        let name_index = reader.u2()?;
        let name = pool.utf8_for(name_index, at)?;
        let length = attribute_length(reader)?;
        let info = reader.within(length)?;
        Ok(Self { name_index, name, info, length })
    }

    /// Its name.
    pub fn name(&self) -> ModifiedUtf8<'a> {
        self.name
    }

    /// attribute_name_index.
    pub fn name_index(&self) -> u16 {
        self.name_index
    }

    /// info[].
    pub fn info(&self) -> &'a [u8] {
        let mut reader = self.info;
        reader.take(self.length).unwrap_or_default()
    }

    /// Offset of info[0] in the class file.
    pub fn offset(&self) -> usize {
        self.info.offset()
    }

    /// Reads info[], no further than its end, with offsets of the class file.
    pub(crate) fn reader(&self) -> Reader<'a> {
        self.info
    }

    /// attribute_name_index, attribute_length and info[], as they stand.
    pub(crate) fn whole(&self) -> &'a [u8] {
        self.info.preceded_by(6, self.length)
    }
}

/// Walks attributes[]; ends after its first error.
#[derive(Clone, Debug)]
pub struct Attributes<'p, 'a> {
    pool: &'p ConstantPool<'a>,
    /// At the next attribute, and how many are left; none once something was wrong.
    rest: Result<(Reader<'a>, u16), Option<Error>>,
}

impl<'p, 'a> Attributes<'p, 'a> {
    /// `reader` stands at attributes_count.
    pub(crate) fn new(mut reader: Reader<'a>, pool: &'p ConstantPool<'a>) -> Self {
        let rest = reader.u2().map(|count| (reader, count)).map_err(Some);
        Self { pool, rest }
    }

    /// How many attributes are left.
    pub fn count(&self) -> u16 {
        self.rest.as_ref().map_or(0, |(_, left)| *left)
    }

    /// Nothing may stand behind the last attribute; to be asked when all have been walked.
    pub(crate) fn end(&self) -> Result<(), Error> {
        self.rest.as_ref().map_or(Ok(()), |(reader, _)| reader.end())
    }

    /// The first attribute of this name, if any.
    pub fn find(mut self, name: &str) -> Result<Option<AttributeInfo<'a>>, Error> {
        self.find_map(|attribute| match attribute {
            Ok(attribute) if attribute.name().as_bytes() != name.as_bytes() => None,
            found => Some(found),
        })
        .transpose()
    }
}

impl<'a> Iterator for Attributes<'_, 'a> {
    type Item = Result<AttributeInfo<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.rest {
            Ok((_, 0)) => None,
            Ok((reader, left)) => {
                *left -= 1;
                let attribute = AttributeInfo::parse(reader, self.pool);
                if attribute.is_err() {
                    self.rest = Err(None);
                }
                Some(attribute)
            }
            Err(error) => error.take().map(Err),
        }
    }
}

/// Passes attributes_count and attributes[].
pub(crate) fn skip_attributes(reader: &mut Reader<'_>) -> Result<(), Error> {
    for _ in 0..reader.u2()? {
        let _attribute_name_index = reader.u2()?;
        let length = attribute_length(reader)?;
        reader.skip(length)?;
    }
    Ok(())
}

/// A length that does not fit is longer than any slice, so whoever takes it is refused.
fn attribute_length(reader: &mut Reader<'_>) -> Result<usize, Error> {
    reader.u4().map(|length| usize::try_from(length).unwrap_or(usize::MAX))
}
