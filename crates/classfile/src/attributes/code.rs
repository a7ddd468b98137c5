//! The Code attribute (JVMS 4.7.3): stack and locals, code[], the exception table, and attributes of its own.

use crate::attribute_info::{AttributeInfo, Attributes};
use crate::attributes::StackMapTable;
use crate::constant_pool::ConstantPool;
use crate::error::{Error, ErrorKind};
use crate::instruction::Instructions;
use crate::reader::Reader;

/// A Code attribute. code[] is taken as bytes; [`instructions`](Self::instructions) decodes it.
#[derive(Clone, Copy, Debug)]
pub struct Code<'a> {
    max_stack: u16,
    max_locals: u16,
    code: &'a [u8],
    code_at: usize,
    exception_table: &'a [u8],
    in_small: bool,
    /// At attributes_count.
    attributes: Reader<'a>,
}

/// A row of exception_table; each pc as it stands in the class file, not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptionTableEntry {
    /// First pc that is covered.
    pub start_pc: u16,
    /// First pc that is covered no more; may be code_length.
    pub end_pc: u16,
    /// Where the handler begins.
    pub handler_pc: u16,
    /// The CONSTANT_Class that is caught; 0 for all.
    pub catch_type: u16,
}

impl<'a> Code<'a> {
    /// Decodes an attribute that is named Code.
    pub fn parse(attribute: &AttributeInfo<'a>) -> Result<Self, Error> {
        let mut reader = attribute.reader();
        let in_small = reader.is_before_45_3() && !has_large_length(reader);
        let (max_stack, max_locals) = match in_small {
            true => (reader.u1()?.into(), reader.u1()?.into()),
            false => (reader.u2()?, reader.u2()?),
        };
        let length_at = reader.offset();
        let code_length = if in_small { reader.u2()?.into() } else { reader.u4()? };
        if code_length == 0 || code_length > 65_535 {
            return Err(Error::new(ErrorKind::CodeLength(code_length), length_at));
        }
        let code_at = reader.offset();
        let code = reader.take(code_length as usize)?;
        let rows = reader.u2()?;
        let exception_table = reader.take(8 * usize::from(rows))?;
        Ok(Self { max_stack, max_locals, code, code_at, exception_table, in_small, attributes: reader })
    }

    /// max_stack, in slots.
    pub fn max_stack(&self) -> u16 {
        self.max_stack
    }

    /// max_locals, in slots.
    pub fn max_locals(&self) -> u16 {
        self.max_locals
    }

    /// Whether max_stack and max_locals are u1 and code_length is u2, as in versions before 45.3. No edition of the JVMS has
    /// it; HotSpot 8 and 11 read it, 17 and later read what all other versions have.
    pub(crate) fn in_small(&self) -> bool {
        self.in_small
    }

    /// code[].
    pub fn code(&self) -> &'a [u8] {
        self.code
    }

    /// Offset of code[0] in the class file.
    pub fn offset(&self) -> usize {
        self.code_at
    }

    /// The instructions, in order.
    pub fn instructions(&self) -> Instructions<'a> {
        Instructions::new(self.code, self.code_at)
    }

    /// The rows of exception_table; of those that cover a pc the first that matches is taken.
    pub fn exception_table(&self) -> impl ExactSizeIterator<Item = ExceptionTableEntry> + use<'a> {
        self.exception_table.chunks_exact(8).map(|row| {
            let u2 = |at: usize| u16::from_be_bytes([row[at], row[at + 1]]);
            ExceptionTableEntry { start_pc: u2(0), end_pc: u2(2), handler_pc: u2(4), catch_type: u2(6) }
        })
    }

    /// Its StackMapTable (4.7.4), if it has one. `pool` is that of its class.
    pub fn stack_map_table(&self, pool: &ConstantPool<'a>) -> Result<Option<StackMapTable<'a>>, Error> {
        let found = self.attributes(pool).find("StackMapTable")?;
        found.map(|found| StackMapTable::parse(&found)).transpose()
    }

    /// Its attributes. `pool` is that of its class.
    pub fn attributes<'p>(&self, pool: &'p ConstantPool<'a>) -> Attributes<'p, 'a> {
        Attributes::new(self.attributes, pool)
    }
}

/// Whether a Code attribute before 45.3 reads as those of later versions. One that does not begin with two nops can't be
/// both.
fn has_large_length(mut reader: Reader<'_>) -> bool {
    let length = reader.skip(4).and_then(|()| reader.u4()).unwrap_or(0);
    (1..=65_535).contains(&length) && length as usize + 4 <= reader.remaining()
}
