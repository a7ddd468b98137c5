//! One look at a method's instructions before they are edited: where it returns, what it calls, and which slots it
//! uses as the halves of a long or double.

use crate::attributes::Code;
use crate::error::{Error, ErrorKind};
use crate::instruction::len_at;
use crate::left_alone::LeftAlone;
use crate::opcode::*;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Returns, jumps, and what lies across the slot.
    Ends,
    /// Calls and stores to slot 0 too.
    All,
}

/// What was seen; buffers are used again from method to method.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Per pc: whether an instruction begins there.
    starts: Vec<bool>,
    /// pc of each instruction that jumps, or has a local variable in the slot that was asked about or one behind; ascending.
    pub(crate) stops: Vec<u32>,
    /// pc of each return instruction, ascending.
    pub(crate) returns: Vec<u32>,
    /// pc of each athrow instruction, ascending.
    pub(crate) throws: Vec<u32>,
    /// pc of each invoke… instruction, ascending; if wanted.
    pub(crate) calls: Vec<u32>,
    /// Whether any instruction jumps.
    pub(crate) has_jumps: bool,
    /// Whether a long or double lies half before and half behind the slot that was asked about.
    pub(crate) straddled: bool,
    /// pc of the first instruction that writes to slot 0; if wanted.
    pub(crate) first_store_to_slot_0: Option<u32>,
}

impl Scan {
    /// Looks at every instruction; `slot` is the first that may move to make room for new locals. An error where no
    /// instruction is, and for jsr and ret.
    pub(crate) fn run(&mut self, code: &Code<'_>, slot: u16, wanted: Wanted) -> Result<(), LeftAlone> {
        let bytes = code.code();
        let lengths = &LENGTHS[usize::from(slot).min(FOURTH)][wanted as usize];
        let Self { starts, stops, returns, throws, calls, .. } = self;
        starts.clear();
        starts.resize(bytes.len(), false);
        stops.clear();
        returns.clear();
        throws.clear();
        calls.clear();
        self.has_jumps = false;
        self.straddled = false;
        self.first_store_to_slot_0 = None;
        let before = slot.checked_sub(1);
        let mut pc = 0;
        while let (Some(&opcode), Some(start)) = (bytes.get(pc), starts.get_mut(pc)) {
            *start = true;
            let fixed = usize::from(lengths[usize::from(opcode)]);
            if fixed != 0 {
                // Nothing to see in most instructions.
                pc += fixed;
                continue;
            }
            let Some(len) = len_at(bytes, pc) else { return Err(no_instruction(code, pc)) };
            match opcode {
                IRETURN..=RETURN => returns.push(pc as u32),
                ATHROW => throws.push(pc as u32),
                INVOKEVIRTUAL..=INVOKEDYNAMIC => calls.push(pc as u32),
                JSR | RET | JSR_W => return Err(LeftAlone::Subroutines),
                IFEQ..=GOTO | IFNULL..=GOTO_W | TABLESWITCH | LOOKUPSWITCH => {
                    self.has_jumps = true;
                    stops.push(pc as u32);
                }
                WIDE if bytes[pc + 1] == RET => return Err(LeftAlone::Subroutines),
                _ => {
                    let (opcode, index) = local(bytes, pc);
                    if index >= slot {
                        stops.push(pc as u32);
                    }
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
            let last = starts.iter().rposition(|start| *start);
            return Err(no_instruction(code, last.unwrap_or(0)));
        }
        Ok(())
    }

    /// Whether an instruction begins at `pc`.
    pub(crate) fn is_instruction(&self, pc: u32) -> bool {
        self.starts.get(pc as usize).copied().unwrap_or(false)
    }

    /// The slot from which the instruction right before `pc` loads a reference; none if it is another instruction.
    pub(crate) fn loaded_before(&self, code: &[u8], pc: u32) -> Option<u16> {
        let begins = |back: u32| pc.checked_sub(back).filter(|at| self.is_instruction(*at));
        let (opcode, slot) = (1..=4).find_map(begins).map(|at| local(code, at as usize))?;
        (opcode == ALOAD).then_some(slot)
    }

    /// The slot to which the instruction at `pc` stores a reference; none if it is another instruction.
    pub(crate) fn stored_at(&self, code: &[u8], pc: u32) -> Option<u16> {
        let (opcode, slot) = self.is_instruction(pc).then(|| local(code, pc as usize))?;
        (opcode == ASTORE).then_some(slot)
    }

    /// Whether an instruction begins or the code ends at `pc`.
    pub(crate) fn is_boundary(&self, pc: u32) -> bool {
        self.starts.get(pc as usize).copied().unwrap_or(pc as usize == self.starts.len())
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

/// Slots from here on have no instructions of their own.
const FOURTH: usize = 4;

/// Lengths of instructions that need no look; 0 for the others. By the slot, and by [`Wanted`].
static LENGTHS: [[[u8; 256]; 2]; FOURTH + 1] =
    [lengths(0), lengths(1), lengths(2), lengths(3), lengths(FOURTH)];

const fn lengths(slot: usize) -> [[u8; 256]; 2] {
    let mut tables = [[0; 256]; 2];
    let mut wanted = 0;
    while wanted < 2 {
        let all = wanted == Wanted::All as usize;
        let mut opcode = 0;
        while opcode < 256 {
            let looked_at = match opcode as u8 {
                ILOAD..=ALOAD | ISTORE..=ASTORE | IINC | WIDE | IRETURN..=RETURN | ATHROW => true,
                IFEQ..=LOOKUPSWITCH | IFNULL..=JSR_W => true,
                // One before: it may be the first half of a long or double.
                LLOAD_0..=LLOAD_3 | DLOAD_0..=DLOAD_3 => (opcode - ILOAD_0 as usize) % 4 + 1 >= slot,
                ILOAD_0..=ALOAD_3 => (opcode - ILOAD_0 as usize) % 4 >= slot,
                LSTORE_0..=LSTORE_3 | DSTORE_0..=DSTORE_3 => {
                    all || (opcode - ISTORE_0 as usize) % 4 + 1 >= slot
                }
                ISTORE_0..=ASTORE_3 => all || (opcode - ISTORE_0 as usize) % 4 >= slot,
                INVOKEVIRTUAL..=INVOKEDYNAMIC => all,
                _ => false,
            };
            if !looked_at {
                tables[wanted][opcode] = FIXED_LENGTHS[opcode];
            }
            opcode += 1;
        }
        wanted += 1;
    }
    tables
}
