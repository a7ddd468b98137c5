//! Every place in a class file that holds an index of its constant pool, and every place that holds a pc (JVMS 4.1, 4.5
//! to 4.7): what has to be written anew when a class goes to another pool. An attribute that the specification does not
//! define may hold indices where nobody knows; it ends the walk.

use crate::attribute_info::{AttributeInfo, Attributes};
use crate::attributes::{Code, Target, VerificationType};
use crate::class_file::ClassFile;
use crate::constant_pool::ConstantPool;
use crate::error::{Error, ErrorKind};
use crate::opcode::LDC;
use crate::reader::Reader;

/// Attributes within attributes: Code has some, the components of a record have some.
const DEEPEST: usize = 2;

/// Values within an annotation.
const DEEPEST_VALUE: usize = 64;

/// A place, by its offset in the class file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) at: usize,
    pub(crate) what: Referred,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Referred {
    /// A u2 that is no entry where it is 0.
    Constant(u16),
    /// The u1 of ldc.
    ShortConstant(u8),
    /// A u2.
    Pc(u16),
    /// A u2: how many bytes of code[] behind `start`.
    Length { start: u16, length: u16 },
}

/// Why a class could not be walked to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    Malformed(Error),
    /// The name of an attribute that the specification does not define.
    UnknownAttribute(String),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}

/// Shows every place of a class behind its constant pool, in the order of the file; instructions too.
pub(crate) fn walk(class: &ClassFile<'_>, visit: &mut dyn FnMut(Reference)) -> Result<(), Stopped> {
    let mut walker = Walker { pool: class.constant_pool(), visit };
    let mut reader = Reader::at(class.bytes(), class.constant_pool_end());
    reader.skip(2)?;
    walker.constants(&mut reader, 2)?;
    let interfaces = reader.u2()?;
    walker.constants(&mut reader, usize::from(interfaces))?;
    // fields[], methods[]
    for _ in 0..2 {
        for _ in 0..reader.u2()? {
            reader.skip(2)?;
            walker.constants(&mut reader, 2)?;
            walker.attributes(&mut reader, 0)?;
        }
    }
    walker.attributes(&mut reader, 0)?;
    Ok(reader.end()?)
}

/// Shows every place within one attribute's info[].
pub(crate) fn walk_attribute<'a>(
    attribute: &AttributeInfo<'a>,
    pool: &ConstantPool<'a>,
    visit: &mut dyn FnMut(Reference),
) -> Result<(), Stopped> {
    Walker { pool, visit }.info(attribute, 0)
}

struct Walker<'w, 'a> {
    pool: &'w ConstantPool<'a>,
    visit: &'w mut dyn FnMut(Reference),
}

impl<'a> Walker<'_, 'a> {
    fn constant(&mut self, reader: &mut Reader<'a>) -> Result<u16, Error> {
        let at = reader.offset();
        let index = reader.u2()?;
        if index != 0 {
            (self.visit)(Reference { at, what: Referred::Constant(index) });
        }
        Ok(index)
    }

    fn constants(&mut self, reader: &mut Reader<'a>, count: usize) -> Result<(), Error> {
        (0..count).try_for_each(|_| self.constant(reader).map(drop))
    }

    /// Constants behind a u2 that counts them.
    fn counted(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        let count = reader.u2()?;
        self.constants(reader, usize::from(count))
    }

    fn pc(&mut self, reader: &mut Reader<'a>) -> Result<u16, Error> {
        let at = reader.offset();
        let pc = reader.u2()?;
        (self.visit)(Reference { at, what: Referred::Pc(pc) });
        Ok(pc)
    }

    /// start_pc and length.
    fn range(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        let start = self.pc(reader)?;
        let at = reader.offset();
        let length = reader.u2()?;
        (self.visit)(Reference { at, what: Referred::Length { start, length } });
        Ok(())
    }

    fn attributes(&mut self, reader: &mut Reader<'a>, depth: usize) -> Result<(), Stopped> {
        if depth > DEEPEST {
            return Err(Error::new(ErrorKind::Value("attributes_count"), reader.offset()).into());
        }
        for attribute in Attributes::new(*reader, self.pool) {
            let attribute = attribute?;
            let at = attribute.offset() - 6;
            (self.visit)(Reference { at, what: Referred::Constant(attribute.name_index()) });
            self.info(&attribute, depth)?;
        }
        Ok(crate::attribute_info::skip_attributes(reader)?)
    }

    fn info(&mut self, attribute: &AttributeInfo<'a>, depth: usize) -> Result<(), Stopped> {
        let mut info = attribute.reader();
        let reader = &mut info;
        match attribute.name().as_bytes() {
            b"ConstantValue" | b"Signature" | b"SourceFile" | b"ModuleMainClass" | b"NestHost" => {
                self.constants(reader, 1)?;
            }
            b"EnclosingMethod" => self.constants(reader, 2)?,
            b"Exceptions" | b"NestMembers" | b"PermittedSubclasses" | b"ModulePackages" => {
                self.counted(reader)?;
            }
            b"Synthetic" | b"Deprecated" => {}
            b"SourceDebugExtension" => return Ok(()),
            b"InnerClasses" => {
                for _ in 0..reader.u2()? {
                    self.constants(reader, 3)?;
                    reader.skip(2)?;
                }
            }
            b"LineNumberTable" => {
                for _ in 0..reader.u2()? {
                    self.pc(reader)?;
                    reader.skip(2)?;
                }
            }
            b"LocalVariableTable" | b"LocalVariableTypeTable" => {
                for _ in 0..reader.u2()? {
                    self.range(reader)?;
                    self.constants(reader, 2)?;
                    reader.skip(2)?;
                }
            }
            b"RuntimeVisibleAnnotations" | b"RuntimeInvisibleAnnotations" => self.annotations(reader)?,
            b"RuntimeVisibleParameterAnnotations" | b"RuntimeInvisibleParameterAnnotations" => {
                for _ in 0..reader.u1()? {
                    self.annotations(reader)?;
                }
            }
            b"RuntimeVisibleTypeAnnotations" | b"RuntimeInvisibleTypeAnnotations" => {
                for _ in 0..reader.u2()? {
                    self.type_annotation(reader)?;
                }
            }
            b"AnnotationDefault" => self.element_value(reader, 0)?,
            b"BootstrapMethods" => {
                for _ in 0..reader.u2()? {
                    self.constant(reader)?;
                    self.counted(reader)?;
                }
            }
            b"MethodParameters" => {
                for _ in 0..reader.u1()? {
                    self.constant(reader)?;
                    reader.skip(2)?;
                }
            }
            b"Module" => self.module(reader)?,
            b"Record" => {
                for _ in 0..reader.u2()? {
                    self.constants(reader, 2)?;
                    self.attributes(reader, depth + 1)?;
                }
            }
            b"StackMapTable" => self.stack_map_table(reader)?,
            b"Code" => return self.code(attribute, depth),
            _ => return Err(Stopped::UnknownAttribute(attribute.name().to_string())),
        }
        Ok(reader.end()?)
    }

    fn code(&mut self, attribute: &AttributeInfo<'a>, depth: usize) -> Result<(), Stopped> {
        use crate::instruction::Operands;
        let code = Code::parse(attribute)?;
        for instruction in code.instructions() {
            let instruction = instruction?;
            let at = code.offset() + instruction.pc + 1;
            let what = match instruction.operands {
                Operands::Pool(index) if instruction.opcode == LDC => Referred::ShortConstant(index as u8),
                Operands::Pool(index)
                | Operands::InvokeInterface { index, .. }
                | Operands::MultiANewArray { index, .. } => Referred::Constant(index),
                _ => continue,
            };
            (self.visit)(Reference { at, what });
        }
        let mut reader = attribute.reader();
        reader.skip(code.offset() - attribute.offset() + code.code().len())?;
        for _ in 0..reader.u2()? {
            (0..3).try_for_each(|_| self.pc(&mut reader).map(drop))?;
            self.constant(&mut reader)?;
        }
        self.attributes(&mut reader, depth + 1)?;
        Ok(reader.end()?)
    }

    /// Types only: the pcs stand in offset_delta, as differences.
    fn stack_map_table(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        for _ in 0..reader.u2()? {
            let at = reader.offset();
            let frame_type = reader.u1()?;
            if frame_type >= 247 {
                reader.skip(2)?;
            }
            let types = match frame_type {
                0..=63 | 248..=251 => 0,
                64..=127 | 247 => 1,
                252..=254 => u16::from(frame_type - 251),
                255 => {
                    let locals = reader.u2()?;
                    self.verification_types(reader, locals)?;
                    reader.u2()?
                }
                128..=246 => return Err(Error::new(ErrorKind::FrameType(frame_type), at)),
            };
            self.verification_types(reader, types)?;
        }
        Ok(())
    }

    fn verification_types(&mut self, reader: &mut Reader<'a>, count: u16) -> Result<(), Error> {
        for _ in 0..count {
            let at = reader.offset() + 1;
            if let VerificationType::Object(index) = VerificationType::parse(reader)? {
                (self.visit)(Reference { at, what: Referred::Constant(index) });
            }
        }
        Ok(())
    }

    fn annotations(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        for _ in 0..reader.u2()? {
            self.annotation(reader, 0)?;
        }
        Ok(())
    }

    fn annotation(&mut self, reader: &mut Reader<'a>, depth: usize) -> Result<(), Error> {
        self.constant(reader)?;
        for _ in 0..reader.u2()? {
            self.constant(reader)?;
            self.element_value(reader, depth)?;
        }
        Ok(())
    }

    fn element_value(&mut self, reader: &mut Reader<'a>, depth: usize) -> Result<(), Error> {
        let wrong = Error::new(ErrorKind::Value("element_value"), reader.offset());
        if depth > DEEPEST_VALUE {
            return Err(wrong);
        }
        match reader.u1()? {
            b'B' | b'C' | b'D' | b'F' | b'I' | b'J' | b'S' | b'Z' | b's' | b'c' => self.constants(reader, 1),
            b'e' => self.constants(reader, 2),
            b'@' => self.annotation(reader, depth + 1),
            b'[' => {
                for _ in 0..reader.u2()? {
                    self.element_value(reader, depth + 1)?;
                }
                Ok(())
            }
            _ => Err(wrong),
        }
    }

    fn type_annotation(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        let target_type = reader.u1()?;
        let mut target = *reader;
        match Target::read(target_type, reader)? {
            Target::LocalVar { .. } => {
                for _ in 0..target.u2()? {
                    self.range(&mut target)?;
                    target.skip(2)?;
                }
            }
            Target::Offset { .. } | Target::TypeArgument { .. } => drop(self.pc(&mut target)?),
            _ => {}
        }
        let steps = reader.u1()?;
        reader.skip(2 * usize::from(steps))?;
        self.annotation(reader, 0)
    }

    fn module(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        self.constant(reader)?;
        reader.skip(2)?;
        self.constant(reader)?;
        for _ in 0..reader.u2()? {
            self.constant(reader)?;
            reader.skip(2)?;
            self.constant(reader)?;
        }
        // exports[], opens[]
        for _ in 0..2 {
            for _ in 0..reader.u2()? {
                self.constant(reader)?;
                reader.skip(2)?;
                self.counted(reader)?;
            }
        }
        self.counted(reader)?;
        for _ in 0..reader.u2()? {
            self.constant(reader)?;
            self.counted(reader)?;
        }
        Ok(())
    }
}
