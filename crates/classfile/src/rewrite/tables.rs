//! The tables of a Code attribute that point into code[], with every pc where it is now: exception_table (JVMS 4.7.3),
//! LineNumberTable (4.7.12), LocalVariableTable and LocalVariableTypeTable (4.7.13, 4.7.14), and the type annotations
//! of code (4.7.20).

use crate::attribute_info::AttributeInfo;
use crate::attributes::{Annotation, Code, Target};
use crate::error::{Error, ErrorKind};
use crate::left_alone::LeftAlone;
use crate::reader::Reader;
use crate::rewrite::edit::{CodeEdit, Cover};
use crate::rewrite::emit::Layout;
use crate::rewrite::scan::Scan;
use crate::verification::{Frame, Type};

/// Moves pcs of one method.
#[derive(Clone, Copy)]
pub(crate) struct Mover<'m, 'a> {
    pub(crate) code: &'m Code<'a>,
    pub(crate) scan: &'m Scan,
    pub(crate) edit: &'m CodeEdit<'a>,
    pub(crate) layout: &'m Layout,
}

impl<'a> Mover<'_, 'a> {
    pub(crate) fn label(&self, pc: u16) -> Result<u16, LeftAlone> {
        let label = self.layout.label(u32::from(pc), self.scan).and_then(|label| u16::try_from(label).ok());
        label.ok_or_else(|| self.no_pc(pc))
    }

    /// Where the instruction at `pc` is now, whatever was put before it.
    pub(crate) fn instruction(&self, pc: u16) -> Result<u16, LeftAlone> {
        let now = self
            .layout
            .instruction(u32::from(pc), self.edit, self.scan)
            .and_then(|now| u16::try_from(now).ok());
        now.ok_or_else(|| self.no_pc(pc))
    }

    /// Where a range of the exception table ends now. What is put behind its last instruction is left out: the frames
    /// there are those of the next instruction, of which its handler need not be able to make anything.
    fn end(&self, pc: u16) -> Result<u16, LeftAlone> {
        let end =
            self.layout.end(u32::from(pc), self.edit, self.scan).and_then(|end| u16::try_from(end).ok());
        end.ok_or_else(|| self.no_pc(pc))
    }

    /// As `label`, but what began with the method still does.
    fn start(&self, pc: u16) -> Result<u16, LeftAlone> {
        if pc == 0 { Ok(0) } else { self.label(pc) }
    }

    fn no_pc(&self, pc: u16) -> LeftAlone {
        LeftAlone::Malformed(Error::new(ErrorKind::Pc(u32::from(pc)), self.code.offset()))
    }

    /// Where a local variable is now.
    fn slot(&self, slot: u16) -> Result<u16, LeftAlone> {
        let locals = &self.edit.locals;
        if slot < locals.at {
            return Ok(slot);
        }
        slot.checked_add(locals.width()).ok_or(LeftAlone::FrameTooLarge)
    }

    /// Writes exception_table_length and exception_table.
    pub(crate) fn exception_table(&self, out: &mut Vec<u8>) -> Result<(), LeftAlone> {
        let length_at = out.len();
        out.extend([0, 0]);
        let mut rows = 0_usize;
        let mut row = |out: &mut Vec<u8>, start: u16, end: u16, handler: u16, catch_type: u16| {
            rows += 1;
            for value in [start, end, handler, catch_type] {
                out.extend(value.to_be_bytes());
            }
        };
        let handlers = || self.edit.handlers.iter().zip(&self.layout.handlers);
        for (handler, (at, _)) in handlers() {
            if let Cover::Instruction(pc) = handler.cover {
                let start = self.instruction(pc as u16)?;
                let length = crate::instruction::len_at(self.code.code(), pc as usize).unwrap_or(1);
                row(out, start, start + length as u16, *at as u16, handler.catch_type);
            }
        }
        for old in self.code.exception_table() {
            let (start, end) = (self.label(old.start_pc)?, self.end(old.end_pc)?);
            row(out, start, end, self.label(old.handler_pc)?, old.catch_type);
        }
        for (handler, (from, to)) in handlers() {
            let Cover::Instruction(pc) = handler.cover else { continue };
            if out.len() - length_at > 8 * 65_535 {
                return Err(LeftAlone::ExceptionTableFull);
            }
            for old in self.code.exception_table() {
                if (u32::from(old.start_pc)..u32::from(old.end_pc)).contains(&pc) {
                    row(out, *from as u16, *to as u16, self.label(old.handler_pc)?, old.catch_type);
                }
            }
        }
        for (handler, (at, _)) in handlers() {
            if let Cover::Method { except } = &handler.cover {
                let mut covered = self.covered(except);
                for (other, span) in handlers().take_while(|(_, (start, _))| start < at) {
                    match covered.last_mut().filter(|(_, end)| *end == span.0) {
                        _ if !leads_to(&other.frame, &handler.frame) => {}
                        Some((_, end)) => *end = span.1,
                        None => covered.push(*span),
                    }
                }
                for (start, end) in covered {
                    row(out, start as u16, end as u16, *at as u16, handler.catch_type);
                }
            }
        }
        let rows = u16::try_from(rows).map_err(|_| LeftAlone::ExceptionTableFull)?;
        out[length_at..length_at + 2].copy_from_slice(&rows.to_be_bytes());
        Ok(())
    }

    /// New spans of the method's own code save what is excepted, ascending.
    fn covered(&self, except: &[(u32, u32)]) -> Vec<(u32, u32)> {
        let mut covered = Vec::with_capacity(except.len() + 1);
        let mut from = self.layout.entry_end;
        for (start, end) in except {
            let label = |pc: &u32| self.layout.label(*pc, self.scan);
            let (Some(start), Some(end)) = (label(start), label(end)) else {
                continue;
            };
            if start > from {
                covered.push((from, start));
            }
            from = from.max(end);
        }
        if self.layout.body_end > from {
            covered.push((from, self.layout.body_end));
        }
        covered
    }

    /// Writes a LineNumberTable's info[].
    pub(crate) fn line_number_table(
        &self,
        reader: &mut Reader<'a>,
        out: &mut Vec<u8>,
    ) -> Result<(), LeftAlone> {
        let rows = reader.u2()?;
        out.extend(rows.to_be_bytes());
        for row in reader.take(4 * usize::from(rows))?.chunks_exact(4) {
            let start = self.start(u16::from_be_bytes([row[0], row[1]]))?;
            out.extend(start.to_be_bytes());
            out.extend_from_slice(&row[2..]);
        }
        Ok(())
    }

    /// Writes the info[] of a LocalVariableTable or LocalVariableTypeTable.
    pub(crate) fn local_variables(
        &self,
        reader: &mut Reader<'a>,
        out: &mut Vec<u8>,
    ) -> Result<(), LeftAlone> {
        let rows = reader.u2()?;
        out.extend(rows.to_be_bytes());
        for row in reader.take(10 * usize::from(rows))?.chunks_exact(10) {
            let u2 = |at: usize| u16::from_be_bytes([row[at], row[at + 1]]);
            self.range(u2(0), u2(2), out)?;
            out.extend_from_slice(&row[4..8]);
            out.extend(self.slot(u2(8))?.to_be_bytes());
        }
        Ok(())
    }

    /// start_pc and length.
    fn range(&self, start_pc: u16, length: u16, out: &mut Vec<u8>) -> Result<(), LeftAlone> {
        let end = start_pc.checked_add(length).ok_or_else(|| self.no_pc(start_pc))?;
        let (start, end) = (self.start(start_pc)?, self.label(end)?);
        out.extend(start.to_be_bytes());
        out.extend(end.saturating_sub(start).to_be_bytes());
        Ok(())
    }

    /// Writes the info[] of a RuntimeVisibleTypeAnnotations or RuntimeInvisibleTypeAnnotations attribute.
    pub(crate) fn type_annotations(
        &self,
        reader: &mut Reader<'a>,
        out: &mut Vec<u8>,
    ) -> Result<(), LeftAlone> {
        let count = reader.u2()?;
        out.extend(count.to_be_bytes());
        for _ in 0..count {
            self.type_annotation(reader, out)?;
        }
        Ok(())
    }

    fn type_annotation(&self, reader: &mut Reader<'a>, out: &mut Vec<u8>) -> Result<(), LeftAlone> {
        let target_type = reader.u1()?;
        let target_at = *reader;
        out.push(target_type);
        match Target::read(target_type, reader)? {
            Target::LocalVar { table } => {
                out.extend(((table.len() / 6) as u16).to_be_bytes());
                for row in table.chunks_exact(6) {
                    let u2 = |at: usize| u16::from_be_bytes([row[at], row[at + 1]]);
                    self.range(u2(0), u2(2), out)?;
                    out.extend(self.slot(u2(4))?.to_be_bytes());
                }
            }
            Target::Catch { exception_table_index } => {
                // Rows of ours may stand before those of old.
                let ours = self
                    .edit
                    .handlers
                    .iter()
                    .filter(|handler| matches!(handler.cover, Cover::Instruction(_)));
                let row = exception_table_index.checked_add(ours.count() as u16);
                out.extend(row.ok_or(LeftAlone::ExceptionTableFull)?.to_be_bytes());
            }
            Target::Offset { offset } => out.extend(self.instruction(offset)?.to_be_bytes()),
            Target::TypeArgument { offset, type_argument_index } => {
                out.extend(self.instruction(offset)?.to_be_bytes());
                out.push(type_argument_index);
            }
            // No pc in it.
            _ => copy(target_at, reader, out)?,
        }
        // Nor in target_path, type_index and the values.
        let rest = *reader;
        let steps = reader.u1()?;
        reader.skip(2 * usize::from(steps))?;
        Annotation::read(reader, 0)?;
        copy(rest, reader, out)?;
        Ok(())
    }
}

/// Copies what lies between two places.
fn copy(mut from: Reader<'_>, to: &Reader<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    out.extend_from_slice(from.take(to.offset().saturating_sub(from.offset()))?);
    Ok(())
}

/// Whether what a handler throws may go to another: what that knows has to hold, and a constructor's `this` has to be an
/// object.
fn leads_to(from: &Frame<'_>, to: &Frame<'_>) -> bool {
    let known = |(slot, wanted): (usize, &Type<'_>)| {
        from.locals.get(slot).copied().unwrap_or(Type::Top).is_assignable_to(*wanted)
    };
    !from.this_is_uninitialized() && to.locals.iter().enumerate().all(known)
}

/// Whether an attribute of Code is one of those above; `None` where its bytes are copied as they are.
pub(crate) type TableWriter<'m, 'a> =
    fn(&Mover<'m, 'a>, &mut Reader<'a>, &mut Vec<u8>) -> Result<(), LeftAlone>;

/// What writes an attribute anew; nothing for those that know no pc.
pub(crate) fn writer<'m, 'a>(attribute: &AttributeInfo<'a>) -> Option<TableWriter<'m, 'a>> {
    match attribute.name().as_bytes() {
        b"LineNumberTable" => Some(Mover::line_number_table),
        b"LocalVariableTable" | b"LocalVariableTypeTable" => Some(Mover::local_variables),
        b"RuntimeVisibleTypeAnnotations" | b"RuntimeInvisibleTypeAnnotations" => {
            Some(Mover::type_annotations)
        }
        _ => None,
    }
}
