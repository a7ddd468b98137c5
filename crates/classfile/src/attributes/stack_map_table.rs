//! The StackMapTable attribute (JVMS 4.7.4): frames, each told as a difference from the one before.
//! [`crate::frame`] has them written out.

use crate::attribute_info::AttributeInfo;
use crate::error::{Error, ErrorKind};
use crate::reader::Reader;

/// A verification_type_info.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerificationType {
    /// Top_variable_info: nothing that may be used.
    Top,
    /// Integer_variable_info: int and everything narrower.
    Integer,
    /// Float_variable_info.
    Float,
    /// Double_variable_info: two slots.
    Double,
    /// Long_variable_info: two slots.
    Long,
    /// Null_variable_info.
    Null,
    /// UninitializedThis_variable_info.
    UninitializedThis,
    /// Object_variable_info, with its CONSTANT_Class.
    Object(u16),
    /// Uninitialized_variable_info, with the pc of the `new` that made it.
    Uninitialized(u16),
}

impl VerificationType {
    /// Slots that it takes among the local variables.
    pub fn slots(self) -> u16 {
        if matches!(self, Self::Long | Self::Double) { 2 } else { 1 }
    }

    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let at = reader.offset();
        Ok(match reader.u1()? {
            0 => Self::Top,
            1 => Self::Integer,
            2 => Self::Float,
            3 => Self::Double,
            4 => Self::Long,
            5 => Self::Null,
            6 => Self::UninitializedThis,
            7 => Self::Object(reader.u2()?),
            8 => Self::Uninitialized(reader.u2()?),
            tag => return Err(Error::new(ErrorKind::VerificationTypeTag(tag), at)),
        })
    }

    pub(crate) fn write(self, to: &mut Vec<u8>) {
        let (tag, operand) = match self {
            Self::Top => (0, None),
            Self::Integer => (1, None),
            Self::Float => (2, None),
            Self::Double => (3, None),
            Self::Long => (4, None),
            Self::Null => (5, None),
            Self::UninitializedThis => (6, None),
            Self::Object(index) => (7, Some(index)),
            Self::Uninitialized(pc) => (8, Some(pc)),
        };
        to.push(tag);
        if let Some(operand) = operand {
            to.extend(operand.to_be_bytes());
        }
    }
}

/// A stack_map_frame, as it is told.
#[derive(Clone, Copy, Debug)]
pub struct StackMapFrame<'a> {
    /// frame_type.
    pub frame_type: u8,
    /// The pc it is for, in bytes of code[].
    pub pc: u32,
    /// What it says.
    pub change: FrameChange<'a>,
}

/// The difference of a frame from the one before it.
#[derive(Clone, Copy, Debug)]
pub enum FrameChange<'a> {
    /// same_frame, same_frame_extended: the same locals, an empty stack.
    Same,
    /// same_locals_1_stack_item_frame and its extended form.
    SameLocals1StackItem(VerificationType),
    /// chop_frame: so many locals less, an empty stack.
    Chop(u8),
    /// append_frame: these locals more, an empty stack.
    Append(VerificationTypes<'a>),
    /// full_frame.
    Full {
        /// All locals.
        locals: VerificationTypes<'a>,
        /// The whole stack, bottom first.
        stack: VerificationTypes<'a>,
    },
}

/// Several verification types in a row; they have been read once, so walking them can't fail.
#[derive(Clone, Copy, Debug)]
pub struct VerificationTypes<'a> {
    reader: Reader<'a>,
    count: u16,
}

impl<'a> VerificationTypes<'a> {
    fn parse(reader: &mut Reader<'a>, count: u16) -> Result<Self, Error> {
        let start = *reader;
        for _ in 0..count {
            VerificationType::parse(reader)?;
        }
        Ok(Self { reader: start, count })
    }

    /// How many there are; long and double count as one.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = VerificationType> + use<'a> {
        let mut reader = self.reader;
        (0..self.count).map_while(move |_| VerificationType::parse(&mut reader).ok())
    }
}

/// The frames of one method.
#[derive(Clone, Debug)]
pub struct StackMapTable<'a> {
    reader: Reader<'a>,
    left: u16,
    /// pc of the next frame if its offset_delta were 0.
    next_pc: u32,
}

impl<'a> StackMapTable<'a> {
    /// Decodes an attribute of this name; the frames are read as they are walked.
    pub fn parse(attribute: &AttributeInfo<'a>) -> Result<Self, Error> {
        let mut reader = attribute.reader();
        let left = reader.u2()?;
        Ok(Self { reader, left, next_pc: 0 })
    }

    /// How many frames are left.
    pub(crate) fn left(&self) -> u16 {
        self.left
    }

    fn frame(&mut self) -> Result<StackMapFrame<'a>, Error> {
        let reader = &mut self.reader;
        let at = reader.offset();
        let frame_type = reader.u1()?;
        let offset_delta = match frame_type {
            0..=63 => u16::from(frame_type),
            64..=127 => u16::from(frame_type - 64),
            128..=246 => return Err(Error::new(ErrorKind::FrameType(frame_type), at)),
            _ => reader.u2()?,
        };
        let change = match frame_type {
            64..=127 | 247 => FrameChange::SameLocals1StackItem(VerificationType::parse(reader)?),
            248..=250 => FrameChange::Chop(251 - frame_type),
            252..=254 => FrameChange::Append(VerificationTypes::parse(reader, u16::from(frame_type - 251))?),
            255 => {
                let count = reader.u2()?;
                let locals = VerificationTypes::parse(reader, count)?;
                let count = reader.u2()?;
                FrameChange::Full { locals, stack: VerificationTypes::parse(reader, count)? }
            }
            _ => FrameChange::Same,
        };
        let pc = self.next_pc + u32::from(offset_delta);
        self.next_pc = pc + 1;
        Ok(StackMapFrame { frame_type, pc, change })
    }
}

/// Ends after its first error; bytes after the last frame are one.
impl<'a> Iterator for StackMapTable<'a> {
    type Item = Result<StackMapFrame<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            let end = self.reader.end();
            self.reader = Reader::at(&[], 0);
            return end.err().map(Err);
        }
        self.left -= 1;
        let frame = self.frame();
        if frame.is_err() {
            self.left = 0;
            self.reader = Reader::at(&[], 0);
        }
        Some(frame)
    }
}
