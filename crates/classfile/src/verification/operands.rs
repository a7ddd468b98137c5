//! What the operands of an instruction may be, whatever holds before it (JVMS 4.9.1): constants of the right kind, locals
//! below max_locals, switches in order. The rules of types (`instructions`) begin with what is decoded here.

use crate::class_file::ClassFile;
use crate::constant::{Constant, MemberRef};
use crate::descriptor::{Element, FieldType, MethodDescriptor};
use crate::instruction::{Instruction, Operands, Switch};
use crate::modified_utf8::ModifiedUtf8;
use crate::opcode::*;
use crate::verification::flow::Violation;
use crate::verification::instructions::Method;
use crate::verification::types::Type;

/// A field that an instruction uses.
pub(super) struct Field<'a> {
    pub(super) class: FieldType<'a>,
    pub(super) name: ModifiedUtf8<'a>,
    pub(super) descriptor: ModifiedUtf8<'a>,
    pub(super) value: Type<'a>,
}

/// A method that an instruction calls.
pub(super) struct Call<'a> {
    pub(super) class: FieldType<'a>,
    pub(super) is_constructor: bool,
    pub(super) descriptor: MethodDescriptor<'a>,
}

const STRING: &str = "java/lang/String";

impl<'a> Method<'_, 'a> {
    /// All of it, for code that nothing leads to: the old verifier looks at that too.
    pub(super) fn check_operands(&self, instruction: &Instruction<'a>) -> Result<(), Violation> {
        match (instruction.opcode, instruction.operands) {
            (LDC | LDC_W | LDC2_W, Operands::Pool(index)) => self.loadable(instruction, index).map(drop),
            (GETSTATIC | PUTSTATIC | GETFIELD | PUTFIELD, Operands::Pool(index)) => {
                self.field(instruction, index).map(drop)
            }
            (INVOKEDYNAMIC, Operands::Pool(index)) => self.call_site(instruction, index).map(drop),
            (NEW | ANEWARRAY | CHECKCAST | INSTANCEOF, Operands::Pool(index)) => {
                self.class_operand(instruction, index).map(drop)
            }
            (_, Operands::MultiANewArray { index, dimensions }) => {
                self.multi_array(instruction, index, dimensions).map(drop)
            }
            (_, Operands::InvokeInterface { index, .. } | Operands::Pool(index)) => {
                self.call(instruction, index).map(drop)
            }
            (_, Operands::ArrayType(code)) => self.primitive_array(instruction, code).map(drop),
            (_, Operands::Switch(switch)) => self.switch(instruction, &switch),
            (opcode, Operands::Local(index)) => {
                let wide = matches!(opcode, LLOAD | DLOAD | LSTORE | DSTORE);
                self.local(instruction, index, usize::from(wide) + 1)
            }
            (_, Operands::LocalIncrement { index, .. }) => self.local(instruction, index, 1),
            (opcode @ ILOAD_0..=ALOAD_3, _) => self.numbered_local(instruction, opcode - ILOAD_0),
            (opcode @ ISTORE_0..=ASTORE_3, _) => self.numbered_local(instruction, opcode - ISTORE_0),
            _ => Ok(()),
        }
    }

    /// `n` counts iload_0 to aload_3, or as many stores.
    fn numbered_local(&self, instruction: &Instruction<'a>, n: u8) -> Result<(), Violation> {
        let slots = if matches!(n / 4, 1 | 3) { 2 } else { 1 };
        self.local(instruction, u16::from(n % 4), slots)
    }

    /// Locals lie below max_locals.
    pub(super) fn local(
        &self,
        instruction: &Instruction<'_>,
        index: u16,
        slots: usize,
    ) -> Result<(), Violation> {
        let end = usize::from(index) + slots;
        if end > self.max_locals {
            let rule = "local variables lie below max_locals";
            return Err(fail(instruction, rule, self.max_locals, end));
        }
        Ok(())
    }

    /// The type of a constant that ldc may load (table 5.1-A).
    pub(super) fn loadable(&self, instruction: &Instruction<'a>, index: u16) -> Result<Type<'a>, Violation> {
        let loaded = match self.constant(instruction, index)? {
            Constant::Integer(_) => Type::Integer,
            Constant::Float(_) => Type::Float,
            Constant::Long(_) => Type::Long,
            Constant::Double(_) => Type::Double,
            Constant::String(_) => Type::class(STRING),
            Constant::Class(_) if self.class.major_version() >= 49 => Type::class("java/lang/Class"),
            Constant::MethodHandle(..) => Type::class("java/lang/invoke/MethodHandle"),
            Constant::MethodType(_) => Type::class("java/lang/invoke/MethodType"),
            Constant::Dynamic(_, dynamic) => Type::of(declared(instruction, dynamic.descriptor)?),
            _ => {
                return Err(fail(instruction, "ldc loads a loadable constant", "a loadable constant", index));
            }
        };
        if (loaded.slots() == 2) != (instruction.opcode == LDC2_W) {
            return Err(fail(instruction, "the size of a constant suits its ldc", "another size", loaded));
        }
        Ok(loaded)
    }

    pub(super) fn field(&self, instruction: &Instruction<'a>, index: u16) -> Result<Field<'a>, Violation> {
        let Constant::Fieldref(field) = self.constant(instruction, index)? else {
            return Err(fail(instruction, "the operand is a field", "a CONSTANT_Fieldref", index));
        };
        let MemberRef { name, descriptor, .. } = field;
        let value = Type::of(declared(instruction, descriptor)?);
        let class = FieldType::of_class(field.class)
            .ok_or_else(|| fail(instruction, "a field is of a class", "a class", field.class))?;
        // The old verifier does not mind, and from 9 on HotSpot would take getstatic: to no end, there is no such field.
        if class.dimensions > 0 && !self.inferred {
            return Err(fail(instruction, "an array has no fields", "a class", class));
        }
        Ok(Field { class, name, descriptor, value })
    }

    pub(super) fn call(&self, instruction: &Instruction<'a>, index: u16) -> Result<Call<'a>, Violation> {
        let opcode = instruction.opcode;
        // Interfaces have static methods, and such as can be called specially, since Java 8.
        let may_be_either =
            matches!(opcode, INVOKESPECIAL | INVOKESTATIC) && self.class.major_version() >= 52;
        let method = match self.constant(instruction, index)? {
            Constant::Methodref(method) if opcode != INVOKEINTERFACE => method,
            Constant::InterfaceMethodref(method) if opcode == INVOKEINTERFACE || may_be_either => method,
            _ => {
                let rule = "the operand is a method that suits the instruction";
                return Err(fail(instruction, rule, "a method", index));
            }
        };
        let class = FieldType::of_class(method.class)
            .ok_or_else(|| fail(instruction, "a method is of a class", "a class", method.class))?;
        let descriptor = method_type(instruction, method.descriptor)?;
        if let Operands::InvokeInterface { count, .. } = instruction.operands {
            let wanted = usize::from(descriptor.parameter_slots()) + 1;
            if usize::from(count) != wanted || self.code.get(instruction.pc + 4) != Some(&0) {
                return Err(fail(instruction, "invokeinterface counts its arguments", wanted, count));
            }
        }
        let is_constructor = method.name == "<init>" && opcode == INVOKESPECIAL;
        if !is_constructor && method.name.as_bytes().first() == Some(&b'<') {
            return Err(fail(
                instruction,
                "a constructor is called by invokespecial",
                "a method",
                method.name,
            ));
        }
        if opcode == INVOKESPECIAL && !is_constructor {
            let of_interface = matches!(self.constant(instruction, index)?, Constant::InterfaceMethodref(_));
            // Of a class that is no array it takes other classes to know whether it is a superclass.
            if class.dimensions > 0 || of_interface && !is_own(self.class, class) {
                let rule =
                    "invokespecial is for methods of the class, its superclasses and direct superinterfaces";
                return Err(fail(instruction, rule, "one of them", class));
            }
        }
        Ok(Call { class, is_constructor, descriptor })
    }

    pub(super) fn call_site(
        &self,
        instruction: &Instruction<'a>,
        index: u16,
    ) -> Result<MethodDescriptor<'a>, Violation> {
        let Constant::InvokeDynamic(_, dynamic) = self.constant(instruction, index)? else {
            return Err(fail(instruction, "the operand is a call site", "a CONSTANT_InvokeDynamic", index));
        };
        let pc = instruction.pc;
        if self.inferred || self.code.get(pc + 3..pc + 5) != Some(&[0, 0]) {
            let rule = "invokedynamic is followed by zeros, and is there from version 51 on";
            return Err(fail(instruction, rule, "zeros", "others"));
        }
        if dynamic.name.as_bytes().first() == Some(&b'<') {
            return Err(fail(instruction, "a call site has the name of a method", "a method", dynamic.name));
        }
        method_type(instruction, dynamic.descriptor)
    }

    /// Of new, anewarray, checkcast, instanceof: the class, of anewarray the array that is made.
    pub(super) fn class_operand(
        &self,
        instruction: &Instruction<'a>,
        index: u16,
    ) -> Result<FieldType<'a>, Violation> {
        let mut class = self
            .pool
            .class_type(index)
            .map_err(|error| fail(instruction, "the operand is a class", "a class", error))?;
        match instruction.opcode {
            NEW if class.dimensions > 0 => {
                return Err(fail(instruction, "new makes no array", "a class", class));
            }
            ANEWARRAY => {
                class.dimensions = class.dimensions.checked_add(1).ok_or_else(|| {
                    fail(instruction, "an array has at most 255 dimensions", "at most 255", 256)
                })?;
            }
            _ => {}
        }
        Ok(class)
    }

    pub(super) fn multi_array(
        &self,
        instruction: &Instruction<'a>,
        index: u16,
        dimensions: u8,
    ) -> Result<FieldType<'a>, Violation> {
        let made = self.class_operand(instruction, index)?;
        if dimensions == 0 || dimensions > made.dimensions {
            let rule = "multianewarray makes no more dimensions than there are";
            return Err(fail(instruction, rule, made, dimensions));
        }
        Ok(made)
    }

    /// What newarray makes.
    pub(super) fn primitive_array(
        &self,
        instruction: &Instruction<'a>,
        code: u8,
    ) -> Result<FieldType<'a>, Violation> {
        let letter = b"ZCFDBSIJ".get(usize::from(code).wrapping_sub(4));
        let letter = *letter.ok_or_else(|| {
            fail(instruction, "newarray makes an array of a primitive type", "4 to 11", code)
        })?;
        Ok(FieldType { dimensions: 1, element: Element::Primitive(letter) })
    }

    pub(super) fn switch(&self, instruction: &Instruction<'a>, switch: &Switch<'a>) -> Result<(), Violation> {
        let padding = self.code.get(instruction.pc + 1..instruction.pc + 1 + switch.padding());
        if self.class.major_version() < 51
            && padding.is_none_or(|padding| padding.iter().any(|byte| *byte != 0))
        {
            return Err(fail(
                instruction,
                "the padding of a switch is zeros, up to version 50",
                "zeros",
                "others",
            ));
        }
        if instruction.opcode == TABLESWITCH {
            if switch.count() == 0 {
                return Err(fail(
                    instruction,
                    "tableswitch has a lowest and a highest match",
                    "low",
                    "high below it",
                ));
            }
            return Ok(());
        }
        let mut last = None;
        for (key, _) in switch.pairs() {
            if last.is_some_and(|last| last >= key) {
                return Err(fail(instruction, "the matches of lookupswitch are in order", "more", key));
            }
            last = Some(key);
        }
        Ok(())
    }

    fn constant(&self, instruction: &Instruction<'_>, index: u16) -> Result<Constant<'a>, Violation> {
        let constant = self.pool.constant(index);
        constant.map_err(|error| fail(instruction, "the operand is a constant-pool entry", "an entry", error))
    }
}

/// Whether it is the class itself, its superclass, or a direct superinterface.
fn is_own(class: &ClassFile<'_>, other: FieldType<'_>) -> bool {
    let (0, Element::Class(name)) = (other.dimensions, other.element) else { return false };
    class.this_class_name() == Ok(name)
        || class.super_class_name() == Ok(Some(name))
        || class.interfaces().any(|interface| interface == Ok(name))
}

fn declared<'a>(
    instruction: &Instruction<'_>,
    descriptor: ModifiedUtf8<'a>,
) -> Result<FieldType<'a>, Violation> {
    let parsed = FieldType::parse(descriptor);
    parsed.ok_or_else(|| fail(instruction, "a field has a field descriptor", "a type", descriptor))
}

fn method_type<'a>(
    instruction: &Instruction<'_>,
    descriptor: ModifiedUtf8<'a>,
) -> Result<MethodDescriptor<'a>, Violation> {
    let parsed = MethodDescriptor::parse(descriptor);
    parsed.ok_or_else(|| {
        fail(instruction, "a method has a method descriptor", "a method descriptor", descriptor)
    })
}

#[cold]
fn fail(
    instruction: &Instruction<'_>,
    rule: &str,
    expected: impl ToString,
    found: impl ToString,
) -> Violation {
    Violation::new(instruction.pc, rule, expected.to_string(), found.to_string())
}
