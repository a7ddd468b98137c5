//! Whether code in force is a class file's with instructions put in by weavers: other agents, or probes of ours. Then that file
//! is what the class was made of, though its code is another now.
//!
//! Weavers keep the instructions of a method, in their order. They do not keep what is left out here: numbers of locals,
//! targets of jumps, widths, and returns, for which Byte Buddy jumps to one at the end. So what is *taken away* or
//! *replaced* is seen, and code that somebody has only *added* in the source is not told from a weaver's.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::digest::{constant, digest_of};
use super::members;
use crate::class_file::ClassFile;
use crate::constant_pool::ConstantPool;
use crate::error::Error;
use crate::instruction::{Instruction, Instructions, Operands};
use crate::method_info::MethodInfo;
use crate::opcode::{
    ALOAD_3, ASTORE_3, GOTO, GOTO_W, ILOAD, ILOAD_0, IRETURN, ISTORE, ISTORE_0, JSR, JSR_W, LDC, LDC_W,
    RETURN, opposite,
};

/// Methods that both classes have whose code in force is neither `base`'s nor woven from it: where there are any, `base` is
/// not what the class was made of. `told` was put together from what a JVM tells ([`ClassParts`](crate::ClassParts)).
pub fn not_woven_from(base: &ClassFile<'_>, told: &ClassFile<'_>) -> Result<Vec<String>, Error> {
    let name = |method: &MethodInfo<'_>| members::name(method.name(), "", method.descriptor());
    let mut in_force = BTreeMap::new();
    for method in told.methods() {
        let method = method?;
        in_force.insert(name(&method), method);
    }
    let mut others = Vec::new();
    for method in base.methods() {
        let method = method?;
        let Some(now) = in_force.remove(&name(&method)) else { continue };
        if digest_of(base, &method)? == digest_of(told, &now)? {
            continue;
        }
        let (old_pool, new_pool) = (base.constant_pool(), told.constant_pool());
        let is_woven = match (method.code(old_pool)?, now.code(new_pool)?) {
            (Some(old), Some(new)) => woven_from((old_pool, old.code()), (new_pool, new.code()))?,
            _ => false,
        };
        if !is_woven {
            others.push(name(&method));
        }
    }
    Ok(others)
}

/// Whether the instructions of `base` stand in `in_force` in their order, with others between them or none. Each is the bytes of
/// code[] with the pool that they refer to.
pub fn woven_from(
    base: (&ConstantPool<'_>, &[u8]),
    in_force: (&ConstantPool<'_>, &[u8]),
) -> Result<bool, Error> {
    let kept = words(base.0, base.1)?;
    let mut there = words(in_force.0, in_force.1)?.into_iter();
    Ok(kept.into_iter().all(|word| there.any(|other| other == word)))
}

/// What each instruction says, as a number; returns say nothing.
fn words(pool: &ConstantPool<'_>, code: &[u8]) -> Result<Vec<u64>, Error> {
    let mut words = Vec::new();
    let mut all = Instructions::new(code, 0).peekable();
    while let Some(instruction) = all.next() {
        let instruction = instruction?;
        if (IRETURN..=RETURN).contains(&instruction.opcode) {
            continue;
        }
        let mut opcode = plain(instruction.opcode);
        // A conditional jump that is too far jumps over one that is not.
        if opposite(opcode) != opcode
            && let Operands::Branch(target) = instruction.operands
            && let Some(Ok(next)) = all.peek()
            && next.opcode == GOTO_W
            && target == next.pc + next.len
        {
            opcode = opposite(opcode);
            all.next();
        }
        let mut state = DefaultHasher::new();
        opcode.hash(&mut state);
        operands(pool, &instruction, &mut state)?;
        words.push(state.finish());
    }
    Ok(words)
}

fn operands(
    pool: &ConstantPool<'_>,
    instruction: &Instruction<'_>,
    state: &mut DefaultHasher,
) -> Result<(), Error> {
    match instruction.operands {
        Operands::None | Operands::Local(_) | Operands::Branch(_) => {}
        Operands::Constant(value) => value.hash(state),
        Operands::LocalIncrement { by, .. } => by.hash(state),
        Operands::Pool(index) | Operands::InvokeInterface { index, .. } => constant(pool, index, state)?,
        Operands::ArrayType(code) => code.hash(state),
        Operands::MultiANewArray { index, dimensions } => {
            constant(pool, index, state)?;
            dimensions.hash(state);
        }
        Operands::Switch(switch) => switch.pairs().for_each(|(key, _)| key.hash(state)),
    }
    Ok(())
}

/// The opcode without width and number of a local: iload for wide iload and iload_3.
fn plain(opcode: u8) -> u8 {
    match opcode {
        // Four of each kind, in the order of the kinds.
        ILOAD_0..=ALOAD_3 => ILOAD + (opcode - ILOAD_0) / 4,
        ISTORE_0..=ASTORE_3 => ISTORE + (opcode - ISTORE_0) / 4,
        LDC_W => LDC,
        GOTO_W => GOTO,
        JSR_W => JSR,
        opcode => opcode,
    }
}
