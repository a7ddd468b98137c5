//! The code of one method as a number: equal for code that says the same, whatever the indices of its constants are.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use crate::class_file::ClassFile;
use crate::constant::{Constant, MemberRef, NameAndType};
use crate::constant_pool::ConstantPool;
use crate::error::Error;
use crate::instruction::{Instructions, Operands};
use crate::method_info::MethodInfo;
use crate::opcode::{GOTO, GOTO_W, JSR, JSR_W, LDC, LDC_W};

/// What code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodeDigest(u64);

impl CodeDigest {
    /// Of the bytes of code[] (JVMS 4.7.3), with the pool that they refer to. Which bootstrap method computes a constant or
    /// call site is left out: a JVM numbers them anew, and does not tell them.
    pub fn of(pool: &ConstantPool<'_>, code: &[u8]) -> Result<Self, Error> {
        let mut state = DefaultHasher::new();
        // Jumps by the number of an instruction: with another index an ldc may have become wider.
        let mut numbers = HashMap::new();
        for (instruction, number) in Instructions::new(code, 0).zip(0_u32..) {
            numbers.insert(instruction?.pc, number);
        }
        for instruction in Instructions::new(code, 0) {
            let instruction = instruction?;
            match instruction.opcode {
                LDC_W => LDC,
                GOTO_W => GOTO,
                JSR_W => JSR,
                opcode => opcode,
            }
            .hash(&mut state);
            let bytes = code.get(instruction.pc..instruction.pc + instruction.len).unwrap_or_default();
            match instruction.operands {
                Operands::Pool(index) => constant(pool, index, &mut state)?,
                Operands::InvokeInterface { index, .. } => constant(pool, index, &mut state)?,
                Operands::MultiANewArray { index, dimensions } => {
                    constant(pool, index, &mut state)?;
                    dimensions.hash(&mut state);
                }
                Operands::Branch(target) => numbers.get(&target).hash(&mut state),
                Operands::Switch(switch) => {
                    numbers.get(&switch.default_target()).hash(&mut state);
                    for (key, target) in switch.pairs() {
                        (key, numbers.get(&target)).hash(&mut state);
                    }
                }
                _ => bytes.hash(&mut state),
            }
        }
        Ok(Self(state.finish()))
    }
}

/// Of a method; none for native and abstract ones.
pub(super) fn digest_of(class: &ClassFile<'_>, method: &MethodInfo<'_>) -> Result<Option<CodeDigest>, Error> {
    let pool = class.constant_pool();
    method.code(pool)?.map(|code| CodeDigest::of(pool, code.code())).transpose()
}

/// Hands over each method that code calls by its class, not on a boot method's word.
pub fn each_call<'a>(
    pool: &ConstantPool<'a>,
    code: &[u8],
    mut each: impl FnMut(MemberRef<'a>),
) -> Result<(), Error> {
    for instruction in Instructions::new(code, 0) {
        let Operands::Pool(index) = instruction?.operands else { continue };
        if let Constant::Methodref(member) = pool.constant(index)? {
            each(member);
        }
    }
    Ok(())
}

pub(super) fn constant(pool: &ConstantPool<'_>, index: u16, state: &mut DefaultHasher) -> Result<(), Error> {
    let text = |bytes: &[u8], state: &mut DefaultHasher| bytes.hash(state);
    let named = |it: NameAndType<'_>, state: &mut DefaultHasher| {
        text(it.name.as_bytes(), state);
        text(it.descriptor.as_bytes(), state);
    };
    let member = |it: MemberRef<'_>, state: &mut DefaultHasher| {
        text(it.class.as_bytes(), state);
        text(it.name.as_bytes(), state);
        text(it.descriptor.as_bytes(), state);
    };
    (pool.tag(index)? as u8).hash(state);
    match pool.constant(index)? {
        Constant::Integer(value) => value.hash(state),
        Constant::Float(value) => value.to_bits().hash(state),
        Constant::Long(value) => value.hash(state),
        Constant::Double(value) => value.to_bits().hash(state),
        Constant::Utf8(it)
        | Constant::Class(it)
        | Constant::String(it)
        | Constant::MethodType(it)
        | Constant::Module(it)
        | Constant::Package(it) => text(it.as_bytes(), state),
        Constant::Fieldref(it) | Constant::Methodref(it) | Constant::InterfaceMethodref(it) => {
            member(it, state);
        }
        Constant::NameAndType(it) | Constant::Dynamic(_, it) | Constant::InvokeDynamic(_, it) => {
            named(it, state);
        }
        Constant::MethodHandle(kind, of) => {
            kind.hash(state);
            member(pool.member_ref(of)?, state);
        }
    }
    Ok(())
}
