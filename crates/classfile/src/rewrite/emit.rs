//! Lays the instructions of an edited method out (JVMS 4.9, 6.5): copies them, puts snippets between them, moves local
//! variables, pads switches anew, and widens the jumps that have become too long.

use crate::attributes::Code;
use crate::error::{Error, ErrorKind};
use crate::instruction::{len_at, read_i4};
use crate::left_alone::LeftAlone;
use crate::opcode::*;
use crate::rewrite::edit::{CodeEdit, Place};
use crate::rewrite::scan::Scan;

/// New code, and where everything went. The buffers are used again from method to method.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// The new code[].
    pub(crate) code: Vec<u8>,
    /// Per old pc: where a jump to it now leads; anything within instructions. One more for the end.
    labels: Vec<u32>,
    /// For each insertion, from where to where it stands.
    pub(crate) spans: Vec<(u32, u32)>,
    /// Where the entry ends and the method's own code begins.
    pub(crate) entry_end: u32,
    /// Where the method's own code ends.
    pub(crate) body_end: u32,
    /// For each handler, from where to where it stands.
    pub(crate) handlers: Vec<(u32, u32)>,
    /// Old pcs of the jumps that had to be widened.
    widened: Vec<u32>,
    /// Conditional ones among them: where the instruction behind begins, and the old pc of the jump.
    pub(crate) joins: Vec<(u32, u32)>,
    jumps: Vec<Jump>,
    /// Operands and short opcodes of local variables that have moved, by where they stand in the new code.
    moved: Vec<(u32, u8)>,
}

const NOWHERE: u32 = u32::MAX;

/// How often jumps are widened one by one.
const ROUNDS: usize = 8;

/// A jump offset to fill in.
#[derive(Clone, Copy, Debug)]
struct Jump {
    /// Where its offset stands.
    at: u32,
    /// From where it counts.
    base: u32,
    /// Old pc of the instruction.
    pc: u32,
    /// Old pc of the target.
    target: u32,
    size: JumpSize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JumpSize {
    Two,
    Four,
}

impl Layout {
    /// Where a jump to an old pc, or the end of a range there, now leads.
    pub(crate) fn label(&self, pc: u32, scan: &Scan) -> Option<u32> {
        self.labels.get(pc as usize).copied().filter(|_| scan.is_boundary(pc))
    }

    /// Where the instruction itself is that stood at an old pc: behind what was put before it.
    pub(crate) fn instruction(&self, pc: u32, edit: &CodeEdit<'_>, scan: &Scan) -> Option<u32> {
        let first = edit.insertions.partition_point(|insertion| insertion.pc < pc);
        let before = edit.insertions[first..]
            .iter()
            .take_while(|insertion| insertion.pc == pc && insertion.place == Place::Before)
            .count();
        match before {
            0 => self.label(pc, scan),
            count => self.spans.get(first + count - 1).map(|(_, end)| *end),
        }
    }

    /// Where what ended before an old pc ends now: what was put behind the last instruction is no part of it.
    pub(crate) fn end(&self, pc: u32, edit: &CodeEdit<'_>, scan: &Scan) -> Option<u32> {
        let first = edit.insertions.partition_point(|insertion| insertion.pc < pc);
        let mut end = self.label(pc, scan)?;
        for (insertion, span) in edit.insertions[..first].iter().zip(&self.spans).rev() {
            if insertion.place != Place::After || span.1 != end {
                break;
            }
            end = span.0;
        }
        Some(end)
    }

    /// Lays out `code`, which `scan` has seen, as `edit` wants it.
    pub(crate) fn run(&mut self, code: &Code<'_>, scan: &Scan, edit: &CodeEdit<'_>) -> Result<(), LeftAlone> {
        self.widened.clear();
        for round in 0.. {
            self.emit(code, scan, edit)?;
            if self.code.len() > 65_535 {
                return Err(LeftAlone::CodeTooLarge(self.code.len()));
            }
            let known = self.widened.len();
            self.fill_in(code, scan)?;
            if self.widened.len() == known {
                break;
            }
            // A wider jump may make another too long: from the start, until none is. Code made to need very many rounds
            // gets all its jumps widened at once.
            if round >= ROUNDS {
                self.widened
                    .extend(self.jumps.iter().filter(|jump| jump.size == JumpSize::Two).map(|jump| jump.pc));
            }
            self.widened.sort_unstable();
            self.widened.dedup();
        }
        Ok(())
    }

    /// From one instruction that may not stay as it is, or has something put before or behind it, to the next: what lies
    /// between is copied.
    fn emit(&mut self, code: &Code<'_>, scan: &Scan, edit: &CodeEdit<'_>) -> Result<(), LeftAlone> {
        let old = code.code();
        self.labels.clear();
        self.code.clear();
        self.spans.clear();
        self.handlers.clear();
        self.joins.clear();
        self.jumps.clear();
        self.moved.clear();
        self.labels.reserve(old.len() + 1);
        self.code.reserve(old.len() + edit.entry.code.len() + 64);
        self.code.extend_from_slice(&edit.entry.code);
        self.entry_end = self.code.len() as u32;

        let mut writer = Writer { old, copied: 0, at: edit.locals.at, width: edit.locals.width() };
        let mut stops = scan.stops.iter().copied().peekable();
        loop {
            let inserted = edit.insertions.get(self.spans.len()).map_or(NOWHERE, |insertion| insertion.pc);
            let next = inserted.min(stops.peek().copied().unwrap_or(NOWHERE));
            if next == NOWHERE {
                break;
            }
            let pc = next as usize;
            let len = len_at(old, pc).filter(|_| pc >= writer.copied && scan.is_boundary(next));
            let Some(len) = len else {
                let error = Error::new(ErrorKind::Pc(next), code.offset() + pc);
                return Err(LeftAlone::Malformed(error));
            };
            let mut replaced = false;
            if inserted == next {
                self.copy_to(&mut writer, pc);
                self.place_label(pc);
                self.insert(edit, next, Place::Before);
                let before = self.spans.len();
                self.insert(edit, next, Place::Instead);
                replaced = self.spans.len() > before;
            }
            let is_stop = stops.next_if_eq(&next).is_some();
            if replaced {
                self.skip(&mut writer, pc + len);
            } else if is_stop {
                self.instruction_at(&mut writer, pc, len)?;
            }
            if inserted == next {
                self.copy_to(&mut writer, pc + len);
                self.insert(edit, next, Place::After);
            }
        }
        self.copy_to(&mut writer, old.len());
        for (at, byte) in &self.moved {
            if let Some(place) = self.code.get_mut(*at as usize) {
                *place = *byte;
            }
        }
        self.body_end = self.code.len() as u32;
        self.place_label(old.len());
        for handler in &edit.handlers {
            let start = self.code.len() as u32;
            let snippet = edit.snippets.get(handler.snippet).map_or(&[][..], |snippet| &snippet.code);
            self.code.extend_from_slice(snippet);
            self.handlers.push((start, self.code.len() as u32));
        }
        Ok(())
    }

    /// Copies what is not copied yet of the old code before `pc`.
    fn copy_to(&mut self, writer: &mut Writer<'_>, pc: usize) {
        let behind = (self.code.len() as u32).wrapping_sub(writer.copied as u32);
        self.labels.extend((self.labels.len() as u32..pc as u32).map(|old| old.wrapping_add(behind)));
        self.code.extend_from_slice(&writer.old[writer.copied..pc]);
        writer.copied = pc;
    }

    /// Who jumps to `pc`, up to which all is copied, comes to what is written next.
    fn place_label(&mut self, pc: usize) {
        if self.labels.len() == pc {
            self.labels.push(self.code.len() as u32);
        }
    }

    /// Something else was written for what is not copied yet of the old code before `pc`.
    fn skip(&mut self, writer: &mut Writer<'_>, pc: usize) {
        self.labels.resize(pc, NOWHERE);
        writer.copied = pc;
    }

    /// Writes the snippets that go to this place.
    fn insert(&mut self, edit: &CodeEdit<'_>, pc: u32, place: Place) {
        while let Some(insertion) = edit.insertions.get(self.spans.len()) {
            if insertion.pc != pc || insertion.place != place {
                return;
            }
            let start = self.code.len() as u32;
            let snippet = edit.snippets.get(insertion.snippet).map_or(&[][..], |snippet| &snippet.code);
            self.code.extend_from_slice(snippet);
            self.spans.push((start, self.code.len() as u32));
        }
    }

    /// An instruction that may not stay as it is.
    fn instruction_at(&mut self, writer: &mut Writer<'_>, pc: usize, len: usize) -> Result<(), LeftAlone> {
        let old = writer.old;
        let opcode = old[pc];
        let byte = |at: usize| old.get(pc + at).copied().unwrap_or(0);
        let u2 = |at: usize| u16::from_be_bytes([byte(at), byte(at + 1)]);
        match opcode {
            ILOAD..=ALOAD | ISTORE..=ASTORE => {
                self.move_local(writer, pc, len, opcode, u16::from(byte(1)))?
            }
            ILOAD_0..=ALOAD_3 => {
                let short = opcode - ILOAD_0;
                self.move_local(writer, pc, len, ILOAD + short / 4, u16::from(short % 4))?;
            }
            ISTORE_0..=ASTORE_3 => {
                let short = opcode - ISTORE_0;
                self.move_local(writer, pc, len, ISTORE + short / 4, u16::from(short % 4))?;
            }
            IINC => self.move_local(writer, pc, len, opcode, u16::from(byte(1)))?,
            WIDE => self.move_local(writer, pc, len, byte(1), u2(2))?,
            IFEQ..=GOTO | IFNULL | IFNONNULL => {
                let target = pc.wrapping_add_signed(isize::from(u2(1) as i16)) as u32;
                if self.widened.binary_search(&(pc as u32)).is_ok() {
                    self.widen(writer, pc, len, target);
                } else {
                    let base = (self.code.len() + pc - writer.copied) as u32;
                    let jump = Jump { at: base + 1, base, pc: pc as u32, target, size: JumpSize::Two };
                    self.jumps.push(jump);
                }
            }
            GOTO_W => {
                let target = pc.wrapping_add_signed(read_i4(old, pc + 1).unwrap_or(0) as isize) as u32;
                let base = (self.code.len() + pc - writer.copied) as u32;
                self.jumps.push(Jump { at: base + 1, base, pc: pc as u32, target, size: JumpSize::Four });
            }
            TABLESWITCH | LOOKUPSWITCH => self.switch(writer, pc, len),
            _ => return Err(LeftAlone::Subroutines),
        }
        Ok(())
    }

    /// An instruction with a local variable: the same, with the variable where it is now.
    fn move_local(
        &mut self,
        writer: &mut Writer<'_>,
        pc: usize,
        len: usize,
        opcode: u8,
        index: u16,
    ) -> Result<(), LeftAlone> {
        if index < writer.at || writer.width == 0 {
            return Ok(());
        }
        let moved = index.checked_add(writer.width).ok_or(LeftAlone::FrameTooLarge)?;
        let at = (self.code.len() + pc - writer.copied) as u32;
        match (len, u8::try_from(moved)) {
            // Those of one kind stand behind each other.
            (1, Ok(short @ ..=3)) => self.moved.push((at, writer.old[pc] - index as u8 + short)),
            (2 | 3, Ok(short)) => self.moved.push((at + 1, short)),
            (len, short) => {
                self.copy_to(writer, pc);
                self.place_label(pc);
                match short {
                    Ok(short) if len == 1 => self.code.extend([opcode, short]),
                    _ => {
                        let [high, low] = moved.to_be_bytes();
                        self.code.extend([WIDE, opcode, high, low]);
                    }
                }
                if opcode == IINC {
                    let wide = [writer.old[pc + len - 2], writer.old[pc + len - 1]];
                    self.code.extend(if len == 6 { wide } else { i16::from(wide[1] as i8).to_be_bytes() });
                }
                self.skip(writer, pc + len);
            }
        }
        Ok(())
    }

    /// A jump of two bytes that has become too long.
    fn widen(&mut self, writer: &mut Writer<'_>, pc: usize, len: usize, target: u32) {
        self.copy_to(writer, pc);
        self.place_label(pc);
        self.skip(writer, pc + len);
        let opcode = writer.old[pc];
        if opcode != GOTO {
            // Jumps over the goto_w: 3 bytes of its own and 5 of that.
            self.code.extend([opposite(opcode), 0, 8]);
        }
        let base = self.code.len() as u32;
        self.code.extend([GOTO_W, 0, 0, 0, 0]);
        self.jumps.push(Jump { at: base + 1, base, pc: pc as u32, target, size: JumpSize::Four });
        if opcode != GOTO {
            self.joins.push((self.code.len() as u32, pc as u32));
        }
    }

    /// A switch: padded anew if it has moved by other than a multiple of four.
    fn switch(&mut self, writer: &mut Writer<'_>, pc: usize, len: usize) {
        let old = writer.old;
        let Some(instruction) = crate::instruction::decode(old, pc) else { return };
        let crate::instruction::Operands::Switch(switch) = instruction.operands else { return };
        let mut base = self.code.len() + pc - writer.copied;
        let mut padding = switch.padding();
        if base % 4 != pc % 4 {
            self.copy_to(writer, pc);
            self.place_label(pc);
            base = self.code.len();
            padding = 3 - base % 4;
            self.code.push(old[pc]);
            self.code.extend(std::iter::repeat_n(0, padding));
            self.code.extend_from_slice(switch.body());
            self.skip(writer, pc + len);
        }
        let body = base + 1 + padding;
        let (base, pc) = (base as u32, pc as u32);
        for at in std::iter::once(0).chain((0..switch.count()).map(|n| switch.offset_at(n))) {
            let target = switch.target_at(at) as u32;
            self.jumps.push(Jump { at: (body + at) as u32, base, pc, target, size: JumpSize::Four });
        }
    }

    /// Writes the offset of every jump; one that does not fit goes among the widened.
    fn fill_in(&mut self, code: &Code<'_>, scan: &Scan) -> Result<(), LeftAlone> {
        for jump in &self.jumps {
            // The end of the code is a label for ranges, and nothing to jump to.
            let label = self.labels.get(jump.target as usize).filter(|_| scan.is_instruction(jump.target));
            let Some(&label) = label else {
                let error = Error::new(ErrorKind::Pc(jump.target), code.offset() + jump.pc as usize);
                return Err(LeftAlone::Malformed(error));
            };
            let (offset, at) = (label as i32 - jump.base as i32, jump.at as usize);
            match (jump.size, i16::try_from(offset)) {
                (JumpSize::Two, Ok(short)) => {
                    if let Some(operand) = self.code.get_mut(at..at + 2) {
                        operand.copy_from_slice(&short.to_be_bytes());
                    }
                }
                (JumpSize::Two, Err(_)) => self.widened.push(jump.pc),
                (JumpSize::Four, _) => {
                    if let Some(operand) = self.code.get_mut(at..at + 4) {
                        operand.copy_from_slice(&offset.to_be_bytes());
                    }
                }
            }
        }
        Ok(())
    }
}

/// Where the copying stands.
#[derive(Debug)]
struct Writer<'o> {
    old: &'o [u8],
    /// How much of `old` is copied.
    copied: usize,
    /// First slot that moves, and by how much.
    at: u16,
    width: u16,
}
