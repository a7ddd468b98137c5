//! Instructions (JVMS 6.5) as they stand in a Code attribute: where each begins, how long it is, what its operands
//! are. Whether they make sense together is the verifier's business.

use crate::error::{Error, ErrorKind};
use crate::opcode::{self, Format};

/// One instruction. `wide` is taken in: opcode and operands are those of the widened instruction.
#[derive(Clone, Copy, Debug)]
pub struct Instruction<'a> {
    /// Index of its first byte in code[], that of the prefix where it has one.
    pub pc: usize,
    /// Its opcode.
    pub opcode: u8,
    /// Its operands.
    pub operands: Operands<'a>,
    /// How many bytes it takes, prefix and padding included.
    pub len: usize,
}

/// The operands of an instruction, decoded.
#[derive(Clone, Copy, Debug)]
pub enum Operands<'a> {
    /// None, or only those that the mnemonic names (iload_0).
    None,
    /// The constant of bipush and sipush.
    Constant(i16),
    /// Index of a local variable.
    Local(u16),
    /// iinc.
    LocalIncrement {
        /// Index of the local variable.
        index: u16,
        /// What is added.
        by: i16,
    },
    /// Index of a constant-pool entry.
    Pool(u16),
    /// pc to jump to.
    Branch(usize),
    /// tableswitch and lookupswitch.
    Switch(Switch<'a>),
    /// invokeinterface.
    InvokeInterface {
        /// Index of the CONSTANT_InterfaceMethodref.
        index: u16,
        /// Slots that the arguments take, receiver included.
        count: u8,
    },
    /// newarray: the type code (table 6.5.newarray-A).
    ArrayType(u8),
    /// multianewarray.
    MultiANewArray {
        /// Index of the CONSTANT_Class.
        index: u16,
        /// How many dimensions are created.
        dimensions: u8,
    },
}

/// The jump table of a switch.
#[derive(Clone, Copy, Debug)]
pub struct Switch<'a> {
    pc: usize,
    /// The default's offset, then low and high or npairs, then the table.
    body: &'a [u8],
    /// Bytes of zeros between the opcode and `body`.
    padding: usize,
    lookup: bool,
}

impl<'a> Switch<'a> {
    /// pc of the default target; may lie outside of the code where the class file is broken.
    pub fn default_target(&self) -> usize {
        self.target_at(0)
    }

    /// The matches with the pc each jumps to, in the order of the table.
    pub fn pairs(&self) -> impl Iterator<Item = (i32, usize)> + use<'a> {
        let this = *self;
        let low = this.word(4);
        (0..this.count()).map(move |n| {
            let at = this.offset_at(n);
            match this.lookup {
                true => (this.word(at - 4), this.target_at(at)),
                // Low to high: the count is what fits between them, so this can't wrap.
                false => (low.wrapping_add(n as i32), this.target_at(at)),
            }
        })
    }

    /// How many bytes of padding stand before the table.
    pub fn padding(&self) -> usize {
        self.padding
    }

    /// How many matches there are.
    pub(crate) fn count(&self) -> usize {
        if self.lookup { (self.body.len() - 8) / 8 } else { (self.body.len() - 12) / 4 }
    }

    /// Offset in `body` of the n-th jump offset.
    pub(crate) fn offset_at(&self, n: usize) -> usize {
        if self.lookup { 12 + 8 * n } else { 12 + 4 * n }
    }

    pub(crate) fn body(&self) -> &'a [u8] {
        self.body
    }

    pub(crate) fn target_at(&self, at: usize) -> usize {
        self.pc.wrapping_add_signed(self.word(at) as isize)
    }

    fn word(&self, at: usize) -> i32 {
        read_i4(self.body, at).unwrap_or(0)
    }
}

/// Walks code[] from one instruction to the next; ends after its first error.
#[derive(Clone, Debug)]
pub struct Instructions<'a> {
    code: &'a [u8],
    /// Offset of code[0] in the class file.
    code_at: usize,
    pc: usize,
}

impl<'a> Instructions<'a> {
    /// Walks `code`, which begins at offset `code_at` of its class file.
    pub fn new(code: &'a [u8], code_at: usize) -> Self {
        Self { code, code_at, pc: 0 }
    }
}

impl<'a> Iterator for Instructions<'a> {
    type Item = Result<Instruction<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.pc >= self.code.len() {
            return None;
        }
        let instruction = decode(self.code, self.pc)
            .ok_or_else(|| Error::new(ErrorKind::Instruction(self.code[self.pc]), self.code_at + self.pc));
        self.pc = instruction.as_ref().map_or(self.code.len(), |instruction| self.pc + instruction.len);
        Some(instruction)
    }
}

/// Length of the instruction at `pc`; none if its opcode is undefined or the code ends within it.
#[inline]
pub(crate) fn len_at(code: &[u8], pc: usize) -> Option<usize> {
    let opcode = *code.get(pc)?;
    let len = match opcode::FIXED_LENGTHS[usize::from(opcode)] {
        0 => variable_len(code, pc, opcode)?,
        len => usize::from(len),
    };
    (len <= code.len() - pc).then_some(len)
}

/// Length of an instruction that depends on its operands.
#[cold]
fn variable_len(code: &[u8], pc: usize, opcode: u8) -> Option<usize> {
    match opcode::format(opcode) {
        Format::Wide => match opcode::format(*code.get(pc + 1)?) {
            Format::LocalIncrement => Some(6),
            Format::Local => Some(4),
            _ => None,
        },
        Format::TableSwitch | Format::LookupSwitch => Some(switch_at(code, pc)?.2),
        _ => None,
    }
}

/// Decodes the instruction at `pc`; none if its opcode is undefined or the code ends within it.
pub(crate) fn decode(code: &[u8], pc: usize) -> Option<Instruction<'_>> {
    let opcode = *code.get(pc)?;
    let len = len_at(code, pc)?;
    let u1 = |at: usize| code.get(pc + at).copied();
    let u2 = |at: usize| Some(u16::from_be_bytes([u1(at)?, u1(at + 1)?]));
    let i2 = |at: usize| u2(at).map(|value| value as i16);
    let mut actual = opcode;
    let operands = match opcode::format(opcode) {
        Format::None => Operands::None,
        Format::Byte => Operands::Constant(i16::from(u1(1)? as i8)),
        Format::Short => Operands::Constant(i2(1)?),
        Format::Local => Operands::Local(u16::from(u1(1)?)),
        Format::LocalIncrement => {
            Operands::LocalIncrement { index: u16::from(u1(1)?), by: i16::from(u1(2)? as i8) }
        }
        Format::PoolByte => Operands::Pool(u16::from(u1(1)?)),
        Format::Pool | Format::InvokeDynamic => Operands::Pool(u2(1)?),
        Format::Branch => Operands::Branch(pc.wrapping_add_signed(isize::from(i2(1)?))),
        Format::BranchWide => Operands::Branch(pc.wrapping_add_signed(read_i4(code, pc + 1)? as isize)),
        Format::InvokeInterface => Operands::InvokeInterface { index: u2(1)?, count: u1(3)? },
        Format::ArrayType => Operands::ArrayType(u1(1)?),
        Format::MultiANewArray => Operands::MultiANewArray { index: u2(1)?, dimensions: u1(3)? },
        Format::TableSwitch | Format::LookupSwitch => {
            let (padding, lookup, len) = switch_at(code, pc)?;
            let body = code.get(pc + 1 + padding..pc + len)?;
            Operands::Switch(Switch { pc, body, padding, lookup })
        }
        Format::Wide => {
            actual = u1(1)?;
            match actual {
                opcode::IINC => Operands::LocalIncrement { index: u2(2)?, by: i2(4)? },
                _ => Operands::Local(u2(2)?),
            }
        }
        Format::Undefined => return None,
    };
    Some(Instruction { pc, opcode: actual, operands, len })
}

/// Padding, whether it is a lookupswitch, and the length of the whole instruction.
fn switch_at(code: &[u8], pc: usize) -> Option<(usize, bool, usize)> {
    let padding = 3 - pc % 4;
    let body = pc + 1 + padding;
    let lookup = *code.get(pc)? == opcode::LOOKUPSWITCH;
    let (head, entries, size) = if lookup {
        (8, i64::from(read_i4(code, body + 4)?), 8)
    } else {
        let (low, high) = (read_i4(code, body + 4)?, read_i4(code, body + 8)?);
        (12, i64::from(high) - i64::from(low) + 1, 4)
    };
    // More than the code can hold, or less than none, is refused before anything is multiplied.
    let entries = usize::try_from(entries).ok().filter(|entries| *entries <= code.len())?;
    Some((padding, lookup, 1 + padding + head + entries * size))
}

pub(crate) fn read_i4(bytes: &[u8], at: usize) -> Option<i32> {
    let word = bytes.get(at..)?.first_chunk()?;
    Some(i32::from_be_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(code: &[u8], pc: usize) -> Instruction<'_> {
        decode(code, pc).unwrap()
    }

    #[test]
    fn wide_is_taken_in() {
        let code = [opcode::WIDE, opcode::IINC, 1, 2, 0xff, 0xfe, opcode::WIDE, opcode::LLOAD, 0x10, 0];
        let iinc = only(&code, 0);
        assert_eq!((iinc.opcode, iinc.len), (opcode::IINC, 6));
        assert!(matches!(iinc.operands, Operands::LocalIncrement { index: 0x102, by: -2 }));
        let lload = only(&code, 6);
        assert!(matches!((lload.opcode, lload.operands), (opcode::LLOAD, Operands::Local(0x1000))));
        assert!(decode(&[opcode::WIDE, opcode::NOP, 0, 0], 0).is_none());
    }

    #[test]
    fn switches_at_every_padding() {
        for pc in 0..4 {
            let mut code = vec![opcode::NOP; pc];
            code.push(opcode::TABLESWITCH);
            code.resize(code.len() + 3 - pc, 0);
            for word in [40_i32, -1, 1, 8, 16, -1] {
                code.extend(word.to_be_bytes());
            }
            let instruction = only(&code, pc);
            assert_eq!(instruction.len, code.len() - pc);
            let Operands::Switch(switch) = instruction.operands else { panic!("{instruction:?}") };
            assert_eq!(switch.default_target(), pc + 40);
            let pairs: Vec<_> = switch.pairs().collect();
            assert_eq!(pairs, [(-1, pc + 8), (0, pc + 16), (1, pc.wrapping_sub(1))]);
            assert!(decode(&code[..code.len() - 1], pc).is_none(), "a cut table");
        }
    }

    #[test]
    fn a_table_that_lies_is_no_instruction() {
        let mut code = vec![opcode::LOOKUPSWITCH, 0, 0, 0];
        code.extend([0, 0, 0, 8, 0x7f, 0xff, 0xff, 0xff]);
        assert!(decode(&code, 0).is_none());
        code[8] = 0xff;
        assert!(decode(&code, 0).is_none());
        let error = Instructions::new(&code, 7).next().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Instruction(opcode::LOOKUPSWITCH), 7));
    }
}
