//! One look at a method's instructions before they are edited: where it returns, what it calls, and which slots it
//! uses as the halves of a long or double.

use crate::attributes::Code;
use crate::error::{Error, ErrorKind};
use crate::instruction::len_at;
use crate::left_alone::LeftAlone;
use crate::opcode::*;

/// What was seen; buffers are used again from method to method.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// pc of each return instruction, ascending.
    pub(crate) returns: Vec<u32>,
    /// pc of each invoke… instruction, ascending.
    pub(crate) calls: Vec<u32>,
    /// Whether any instruction jumps.
    pub(crate) has_jumps: bool,
    /// Whether a long or double lies half before and half behind the slot that was asked about.
    pub(crate) straddled: bool,
    /// pc of the first instruction that writes to slot 0.
    pub(crate) first_store_to_slot_0: Option<u32>,
}

impl Scan {
    /// Looks at every instruction; `slot` is the one where new locals shall go. An error where one is none, or is jsr
    /// or ret.
    pub(crate) fn run(&mut self, code: &Code<'_>, slot: u16) -> Result<(), LeftAlone> {
        let bytes = code.code();
        self.returns.clear();
        self.calls.clear();
        self.has_jumps = false;
        self.straddled = false;
        self.first_store_to_slot_0 = None;
        let before = slot.checked_sub(1);
        let mut pc = 0;
        while pc < bytes.len() {
            let opcode = bytes[pc];
            let fixed = usize::from(LENGTHS[usize::from(opcode)]);
            if fixed != 0 {
                // Nothing to see in most instructions.
                pc += fixed;
                continue;
            }
            let Some(len) = len_at(bytes, pc) else { return Err(no_instruction(code, pc)) };
            match opcode {
                IRETURN..=RETURN => self.returns.push(pc as u32),
                INVOKEVIRTUAL..=INVOKEDYNAMIC => self.calls.push(pc as u32),
                JSR | RET | JSR_W => return Err(LeftAlone::Subroutines),
                IFEQ..=GOTO | IFNULL..=GOTO_W | TABLESWITCH | LOOKUPSWITCH => self.has_jumps = true,
                WIDE if bytes[pc + 1] == RET => return Err(LeftAlone::Subroutines),
                _ => {
                    let (opcode, index) = local(bytes, pc);
                    let two = matches!(opcode, LLOAD | DLOAD | LSTORE | DSTORE);
                    self.straddled |= two && Some(index) == before;
                    if index == 0 && matches!(opcode, ISTORE..=ASTORE) {
                        self.first_store_to_slot_0.get_or_insert(pc as u32);
                    }
                }
            }
            pc += len;
        }
        // The last instruction may have been passed by its length alone.
        if pc != bytes.len() {
            return Err(no_instruction(code, bytes.len() - 1));
        }
        Ok(())
    }
}

#[cold]
fn no_instruction(code: &Code<'_>, pc: usize) -> LeftAlone {
    let opcode = code.code().get(pc).copied().unwrap_or(0);
    LeftAlone::Malformed(Error::new(ErrorKind::Instruction(opcode), code.offset() + pc))
}

/// The local variable of an instruction that has one, with the opcode of its long form.
fn local(code: &[u8], pc: usize) -> (u8, u16) {
    let byte = |at: usize| u16::from(code.get(pc + at).copied().unwrap_or(0));
    match code[pc] {
        short @ ILOAD_0..=ALOAD_3 => (ILOAD + (short - ILOAD_0) / 4, u16::from((short - ILOAD_0) % 4)),
        short @ ISTORE_0..=ASTORE_3 => (ISTORE + (short - ISTORE_0) / 4, u16::from((short - ISTORE_0) % 4)),
        WIDE => (byte(1) as u8, byte(2) << 8 | byte(3)),
        opcode => (opcode, byte(1)),
    }
}

/// Lengths of instructions that need no look; 0 for the others.
static LENGTHS: [u8; 256] = {
    let mut table = [0; 256];
    let mut opcode = 0;
    while opcode < 256 {
        let looked_at = matches!(
            opcode as u8,
            LLOAD | DLOAD | ISTORE..=ASTORE | LLOAD_0..=LLOAD_3 | DLOAD_0..=DLOAD_3 | ISTORE_0..=ASTORE_3
                | IRETURN..=RETURN | INVOKEVIRTUAL..=INVOKEDYNAMIC | IFEQ..=RET | TABLESWITCH | LOOKUPSWITCH
                | WIDE | IFNULL..=JSR_W
        );
        if !looked_at {
            table[opcode] = FORMATS[opcode].fixed_len() as u8;
        }
        opcode += 1;
    }
    table
};
