//! What members say, in bytes that can be compared: constants by value, pcs by the number of their instruction, forms of
//! instructions that differ in width alone as one. Not of use for anything but comparing.

use std::collections::{BTreeMap, BTreeSet};

use crate::attribute_info::{AttributeInfo, Attributes};
use crate::attributes::{Attribute, Code, FrameChange, StackMapTable, VerificationType};
use crate::class_file::ClassFile;
use crate::compare::ContentChange;
use crate::constant_pool::ConstantPool;
use crate::constant_values::{ClassValues, Values};
use crate::error::Error;
use crate::instruction::{Instruction, Operands};
use crate::opcode::{GOTO, GOTO_W, JSR, JSR_W, LDC, LDC_W};
use crate::references::{Referred, Stopped, walk_attribute};

/// Attributes by name; several of one name in their order.
type Contents = BTreeMap<Vec<u8>, Vec<u8>>;

/// What a member's attributes say, told apart by what it is good for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    /// Stack, locals, instructions and handlers; none for what is no method, and for native and abstract ones.
    code: Option<Vec<u8>>,
    /// StackMapTable.
    frames: Vec<u8>,
    /// Lines and names of variables.
    debug: Contents,
    /// Everything else.
    attributes: Contents,
}

/// Attributes that make no difference in a running JVM, beside lines and names of variables. Bytes that a JVM gives back lack
/// most of them.
const NOT_IN_FORCE: [&[u8]; 5] = [
    b"MethodParameters",
    b"Deprecated",
    b"RuntimeInvisibleAnnotations",
    b"RuntimeInvisibleParameterAnnotations",
    b"RuntimeInvisibleTypeAnnotations",
];

impl Content {
    /// Whether a running JVM can't tell them apart, but for lines and names.
    pub(crate) fn does_the_same(&self, other: &Self) -> bool {
        self.code == other.code && self.attributes_that_differ(other).is_empty()
    }

    /// Names of attributes that a running JVM tells apart.
    pub(crate) fn attributes_that_differ(&self, other: &Self) -> BTreeSet<String> {
        let names: BTreeSet<&Vec<u8>> = self.attributes.keys().chain(other.attributes.keys()).collect();
        let told = names.into_iter().filter(|name| !NOT_IN_FORCE.contains(&name.as_slice()));
        let differ = told.filter(|name| self.attributes.get(*name) != other.attributes.get(*name));
        differ.map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }
}

/// What is not the same, if anything.
pub(super) fn change(member: String, old: &Content, new: &Content) -> Option<ContentChange> {
    if old == new {
        return None;
    }
    let names: BTreeSet<_> = old.attributes.keys().chain(new.attributes.keys()).collect();
    let differ = names.into_iter().filter(|name| old.attributes.get(*name) != new.attributes.get(*name));
    Some(ContentChange {
        member,
        code: old.code != new.code,
        frames: old.code == new.code && old.frames != new.frames,
        debug: old.debug != new.debug,
        attributes: differ.map(|name| String::from_utf8_lossy(name).into_owned()).collect(),
    })
}

/// A class as seen by one comparison.
pub(crate) struct Reading<'c, 'a> {
    class: ClassValues<'c, 'a>,
}

impl<'c, 'a> Reading<'c, 'a> {
    pub(crate) fn new(class: &'c ClassFile<'a>) -> Result<Self, Error> {
        Ok(Self { class: ClassValues::new(class)? })
    }

    pub(crate) fn method(
        &mut self,
        values: &mut Values,
        attributes: Attributes<'_, 'a>,
    ) -> Result<Content, Error> {
        let mut content = Content::default();
        for attribute in attributes {
            let attribute = attribute?;
            if attribute.name().as_bytes() == b"Code" && content.code.is_none() {
                self.code(values, &Code::parse(&attribute)?, &mut content)?;
            } else {
                self.add(values, &attribute, &mut content.attributes, None)?;
            }
        }
        Ok(content)
    }

    /// What attributes say, save those that the pool refers to and that say nothing by themselves.
    pub(crate) fn attributes(
        &mut self,
        values: &mut Values,
        attributes: Attributes<'_, 'a>,
    ) -> Result<Content, Error> {
        let mut content = Content::default();
        for attribute in attributes {
            let attribute = attribute?;
            if attribute.name().as_bytes() != b"BootstrapMethods" {
                self.add(values, &attribute, &mut content.attributes, None)?;
            }
        }
        Ok(content)
    }

    fn pool(&self) -> &'c ConstantPool<'a> {
        self.class.pool
    }

    fn constant(&mut self, values: &mut Values, index: u16, out: &mut Vec<u8>) -> Result<(), Error> {
        // 0 is allowed where there may be none.
        let value = match index {
            0 => [u8::MAX; 4],
            index => self.class.value(values, index)?.to_be_bytes(),
        };
        out.extend(value);
        Ok(())
    }

    fn add(
        &mut self,
        values: &mut Values,
        attribute: &AttributeInfo<'a>,
        contents: &mut Contents,
        pcs: Option<&Pcs>,
    ) -> Result<(), Error> {
        let mut out = contents.remove(attribute.name().as_bytes()).unwrap_or_default();
        match attribute.name().as_bytes() {
            // Within it stand attributes, whose order says nothing either.
            b"Record" => self.record(values, attribute, &mut out)?,
            b"Code" => out.extend_from_slice(attribute.info()),
            _ => self.generic(values, attribute, &mut out, pcs)?,
        }
        contents.insert(attribute.name().as_bytes().to_vec(), out);
        Ok(())
    }

    fn record(
        &mut self,
        values: &mut Values,
        attribute: &AttributeInfo<'a>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Attribute::Record(record) = Attribute::decode(attribute, self.pool())? else { return Ok(()) };
        for component in record.components() {
            append(out, component.name().as_bytes());
            append(out, component.descriptor().as_bytes());
            let mut contents = Contents::new();
            for attribute in component.attributes(self.pool()) {
                let attribute = attribute?;
                let said = contents.entry(attribute.name().as_bytes().to_vec()).or_default();
                match attribute.name().as_bytes() {
                    b"Record" | b"Code" => said.extend_from_slice(attribute.info()),
                    _ => self.generic(values, &attribute, said, None)?,
                }
            }
            contents.iter().for_each(|(name, said)| {
                append(out, name);
                append(out, said);
            });
        }
        Ok(())
    }

    /// The bytes of an attribute, with values for indices.
    fn generic(
        &mut self,
        values: &mut Values,
        attribute: &AttributeInfo<'a>,
        out: &mut Vec<u8>,
        pcs: Option<&Pcs>,
    ) -> Result<(), Error> {
        let mut places = Vec::new();
        match walk_attribute(attribute, self.pool(), &mut |place| places.push(place)) {
            Ok(()) => {}
            // Where it holds indices is not known: they count as what they are.
            Err(Stopped::UnknownAttribute(_)) => {
                append(out, attribute.info());
                return Ok(());
            }
            Err(Stopped::Malformed(error)) => return Err(error),
        }
        let (info, base) = (attribute.info(), attribute.offset());
        let mut copied = 0;
        for place in places {
            let at = place.at - base;
            let width = match place.what {
                Referred::Constant(_) => 2,
                Referred::Pc(_) | Referred::Length { .. } if pcs.is_some() => 2,
                _ => continue,
            };
            out.extend_from_slice(info.get(copied..at).unwrap_or_default());
            copied = at + width;
            match place.what {
                Referred::Constant(index) => self.constant(values, index, out)?,
                Referred::Pc(pc) => put(pcs, usize::from(pc), out),
                Referred::Length { start, length } => {
                    put(pcs, usize::from(start) + usize::from(length), out);
                }
                Referred::ShortConstant(_) => {}
            }
        }
        out.extend_from_slice(info.get(copied..).unwrap_or_default());
        Ok(())
    }

    fn code(&mut self, values: &mut Values, code: &Code<'a>, content: &mut Content) -> Result<(), Error> {
        let pcs = Pcs::new(code)?;
        let mut out = Vec::with_capacity(2 * code.code().len());
        out.extend(code.max_stack().to_be_bytes());
        out.extend(code.max_locals().to_be_bytes());
        for instruction in code.instructions() {
            self.instruction(values, &instruction?, &pcs, &mut out)?;
        }
        for row in code.exception_table() {
            for pc in [row.start_pc, row.end_pc, row.handler_pc] {
                pcs.put(usize::from(pc), &mut out);
            }
            self.constant(values, row.catch_type, &mut out)?;
        }
        content.code = Some(out);
        for attribute in code.attributes(self.pool()) {
            let attribute = attribute?;
            match attribute.name().as_bytes() {
                b"LineNumberTable" | b"LocalVariableTable" | b"LocalVariableTypeTable" => {
                    self.add(values, &attribute, &mut content.debug, Some(&pcs))?;
                }
                b"StackMapTable" => self.frames(values, &attribute, &pcs, &mut content.frames)?,
                _ => self.add(values, &attribute, &mut content.attributes, Some(&pcs))?,
            }
        }
        Ok(())
    }

    fn instruction(
        &mut self,
        values: &mut Values,
        instruction: &Instruction<'_>,
        pcs: &Pcs,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        out.push(match instruction.opcode {
            LDC_W => LDC,
            GOTO_W => GOTO,
            JSR_W => JSR,
            opcode => opcode,
        });
        match instruction.operands {
            Operands::None => {}
            Operands::Constant(value) => out.extend(value.to_be_bytes()),
            Operands::Local(index) => out.extend(index.to_be_bytes()),
            Operands::LocalIncrement { index, by } => {
                out.extend(index.to_be_bytes());
                out.extend(by.to_be_bytes());
            }
            Operands::Pool(index) => self.constant(values, index, out)?,
            Operands::Branch(target) => pcs.put(target, out),
            Operands::Switch(switch) => {
                pcs.put(switch.default_target(), out);
                out.extend((switch.count() as u32).to_be_bytes());
                for (key, target) in switch.pairs() {
                    out.extend(key.to_be_bytes());
                    pcs.put(target, out);
                }
            }
            Operands::InvokeInterface { index, count } => {
                self.constant(values, index, out)?;
                out.push(count);
            }
            Operands::ArrayType(code) => out.push(code),
            Operands::MultiANewArray { index, dimensions } => {
                self.constant(values, index, out)?;
                out.push(dimensions);
            }
        }
        Ok(())
    }

    fn frames(
        &mut self,
        values: &mut Values,
        attribute: &AttributeInfo<'a>,
        pcs: &Pcs,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        for frame in StackMapTable::parse(attribute)? {
            let frame = frame?;
            pcs.put(frame.pc as usize, out);
            match frame.change {
                FrameChange::Same => out.push(0),
                FrameChange::SameLocals1StackItem(item) => {
                    out.push(1);
                    self.types(values, [item].into_iter(), pcs, out)?;
                }
                FrameChange::Chop(count) => out.extend([2, count]),
                FrameChange::Append(locals) => {
                    out.extend([3, locals.count() as u8]);
                    self.types(values, locals.iter(), pcs, out)?;
                }
                FrameChange::Full { locals, stack } => {
                    out.push(4);
                    for types in [locals, stack] {
                        out.extend(types.count().to_be_bytes());
                        self.types(values, types.iter(), pcs, out)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn types(
        &mut self,
        values: &mut Values,
        types: impl Iterator<Item = VerificationType>,
        pcs: &Pcs,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        for found in types {
            match found {
                VerificationType::Object(index) => {
                    out.push(7);
                    self.constant(values, index, out)?;
                }
                VerificationType::Uninitialized(pc) => {
                    out.push(8);
                    pcs.put(usize::from(pc), out);
                }
                other => other.write(out),
            }
        }
        Ok(())
    }
}

/// Numbers of instructions by their pc.
struct Pcs(Vec<u32>);

impl Pcs {
    fn new(code: &Code<'_>) -> Result<Self, Error> {
        let mut numbers = vec![u32::MAX; code.code().len() + 1];
        let mut count = 0;
        for instruction in code.instructions() {
            if let Some(number) = numbers.get_mut(instruction?.pc) {
                *number = count;
            }
            count += 1;
        }
        if let Some(end) = numbers.last_mut() {
            *end = count;
        }
        Ok(Self(numbers))
    }

    /// Writes the number; for a pc that is none, the pc itself.
    fn put(&self, pc: usize, out: &mut Vec<u8>) {
        let number = self.0.get(pc).copied().filter(|number| *number != u32::MAX);
        out.extend(number.unwrap_or(0x8000_0000 | pc as u32).to_be_bytes());
    }
}

fn put(pcs: Option<&Pcs>, pc: usize, out: &mut Vec<u8>) {
    if let Some(pcs) = pcs {
        pcs.put(pc, out);
    }
}

/// Bytes behind their length, so that what follows can't be taken for them.
fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}
