//! Writes the instructions of a [`Snippet`], and keeps account of the stack that they need.

use crate::left_alone::LeftAlone;
use crate::opcode::*;
use crate::rewrite::constant_pool::PoolAppender;
use crate::rewrite::edit::{Join, Snippet};
use crate::verification::Type;

/// A place to jump to that is not written yet.
#[derive(Debug, Default)]
pub(crate) struct Label {
    /// Offsets of the jumps that lead here.
    jumps: Vec<usize>,
}

/// A snippet in the making.
#[derive(Debug)]
pub(crate) struct Assembler<'a> {
    snippet: Snippet<'a>,
    depth: i32,
    held: Vec<(u16, Type<'a>)>,
    /// Whether a jump would be longer than a jump can be.
    too_large: bool,
}

impl<'a> Assembler<'a> {
    /// Begins in the buffers of an empty snippet.
    pub(crate) fn new(mut snippet: Snippet<'a>) -> Self {
        // Most events take less: one allocation for each.
        snippet.code.reserve(32);
        Self { snippet, depth: 0, held: Vec::new(), too_large: false }
    }

    pub(crate) fn finish(self) -> Result<Snippet<'a>, LeftAlone> {
        match self.too_large {
            true => Err(LeftAlone::CodeTooLarge(self.snippet.code.len())),
            false => Ok(self.snippet),
        }
    }

    /// An instruction without operands that changes the depth of the stack by `change` slots.
    pub(crate) fn op(&mut self, opcode: u8, change: i32) {
        self.snippet.code.push(opcode);
        self.depth += change;
        let needed = u16::try_from(self.depth).unwrap_or(0);
        self.snippet.stack = self.snippet.stack.max(needed);
    }

    /// An instruction whose operand is a constant-pool index.
    pub(crate) fn pool(&mut self, opcode: u8, index: u16, change: i32) {
        self.op(opcode, change);
        self.snippet.code.extend(index.to_be_bytes());
    }

    /// Loads a local of a computational type (A D F I J).
    pub(crate) fn load(&mut self, letter: u8, slot: u16) {
        self.local(opcode_for(letter, ILOAD), slot, size(letter));
    }

    /// Stores into a local.
    pub(crate) fn store(&mut self, letter: u8, slot: u16) {
        let end = slot.saturating_add(size(letter) as u16);
        self.snippet.locals = self.snippet.locals.max(end);
        self.local(opcode_for(letter, ISTORE), slot, -size(letter));
    }

    fn local(&mut self, opcode: u8, slot: u16, change: i32) {
        match u8::try_from(slot) {
            Ok(slot) => {
                self.op(opcode, change);
                self.snippet.code.push(slot);
            }
            Err(_) => {
                self.op(WIDE, 0);
                self.op(opcode, change);
                self.snippet.code.extend(slot.to_be_bytes());
            }
        }
    }

    /// Pushes an int in the shortest way.
    pub(crate) fn int(&mut self, value: i32, pool: &mut PoolAppender<'_, '_>) -> Result<(), LeftAlone> {
        if let (-1..=5, Ok(value)) = (value, i8::try_from(value)) {
            self.op(ICONST_0.wrapping_add_signed(value), 1);
        } else if let Ok(value) = i8::try_from(value) {
            self.op(BIPUSH, 1);
            self.snippet.code.push(value as u8);
        } else if let Ok(value) = i16::try_from(value) {
            self.op(SIPUSH, 1);
            self.snippet.code.extend(value.to_be_bytes());
        } else {
            let index = pool.integer(value)?;
            self.pool(LDC_W, index, 1);
        }
        Ok(())
    }

    /// Jumps to a label that is placed later. All jumps are short; a snippet that is too large for that is refused.
    pub(crate) fn jump(&mut self, opcode: u8, label: &mut Label, change: i32) {
        label.jumps.push(self.snippet.code.len());
        self.op(opcode, change);
        self.snippet.code.extend([0, 0]);
    }

    /// Says that a scratch slot keeps what it holds now over the labels to come.
    pub(crate) fn hold(&mut self, slot: u16, value: Type<'a>) {
        self.held.push((slot, value));
    }

    /// Says that no scratch slot is read from here on.
    pub(crate) fn let_go(&mut self) {
        self.held.clear();
    }

    /// Puts a label here; what holds here is what the snippet's place has, and the scratch slots that are held.
    pub(crate) fn place(&mut self, label: &Label) {
        let here = self.snippet.code.len();
        for jump in &label.jumps {
            match i16::try_from(here - jump) {
                Ok(offset) => self.snippet.code[jump + 1..jump + 3].copy_from_slice(&offset.to_be_bytes()),
                Err(_) => self.too_large = true,
            }
        }
        if label.jumps.is_empty() {
            return;
        }
        match self.snippet.joins.last_mut().filter(|last| last.at == here) {
            Some(last) => last.held.retain(|held| self.held.contains(held)),
            None => self.snippet.joins.push(Join { at: here, held: self.held.clone() }),
        }
    }
}

fn opcode_for(letter: u8, int: u8) -> u8 {
    int + match letter {
        b'I' => 0,
        b'J' => 1,
        b'F' => 2,
        b'D' => 3,
        _ => 4,
    }
}

fn size(letter: u8) -> i32 {
    if matches!(letter, b'D' | b'J') { 2 } else { 1 }
}
