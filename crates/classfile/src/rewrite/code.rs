//! Carries an edit of a Code attribute out (JVMS 4.7.3): new code, and everything in the attribute moved with it.

use std::ops::ControlFlow;

use crate::attribute_info::AttributeInfo;
use crate::attributes::{Code, StackMapTable};
use crate::left_alone::LeftAlone;
use crate::rewrite::constant_pool::PoolAppender;
use crate::rewrite::edit::{CodeEdit, Handler};
use crate::rewrite::emit::Layout;
use crate::rewrite::scan::Scan;
use crate::rewrite::stack_map;
use crate::rewrite::tables::{self, Mover};
use crate::verification::{Budget, Frame, MethodContext, Violation};

/// Buffers that are used again from method to method.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    layout: Layout,
    stack_map: Vec<u8>,
}

/// One Code attribute about to be edited.
pub(crate) struct CodeRewriter<'c, 'a> {
    pub(crate) context: MethodContext<'c, 'a>,
    pub(crate) attribute: AttributeInfo<'a>,
    pub(crate) code: Code<'a>,
}

impl<'c, 'a> CodeRewriter<'c, 'a> {
    /// Appends the edited attribute, whose code `scan` has seen, to `out`; how many bytes its code has. What was appended when it fails is for the
    /// caller to take away.
    pub(crate) fn write(
        &self,
        scan: &Scan,
        edit: &CodeEdit<'a>,
        pool: &mut PoolAppender<'_, 'a>,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<usize, LeftAlone> {
        scratch.layout.run(&self.code, scan, edit)?;
        let Scratch { layout, stack_map } = scratch;
        let mover = Mover { code: &self.code, scan, edit, layout };

        out.extend(self.attribute.name_index().to_be_bytes());
        let length_at = out.len();
        out.extend([0; 4]);
        let (max_stack, max_locals) = (self.max_stack(edit)?, self.max_locals(edit)?);
        if self.code.in_small() {
            let small = |slots| u8::try_from(slots).map_err(|_| LeftAlone::FrameTooLarge);
            out.extend([small(max_stack)?, small(max_locals)?]);
            out.extend((layout.code.len() as u16).to_be_bytes());
        } else {
            out.extend(max_stack.to_be_bytes());
            out.extend(max_locals.to_be_bytes());
            out.extend((layout.code.len() as u32).to_be_bytes());
        }
        out.extend_from_slice(&layout.code);
        mover.exception_table(out)?;
        self.attributes(&mover, pool, stack_map, out)?;
        let length = (out.len() - length_at - 4) as u32;
        out[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
        Ok(layout.code.len())
    }

    fn max_stack(&self, edit: &CodeEdit<'a>) -> Result<u16, LeftAlone> {
        let stack = |snippet: usize| edit.snippets.get(snippet).map_or(0, |snippet| snippet.stack);
        let inserted = edit.insertions.iter().map(|insertion| stack(insertion.snippet)).max().unwrap_or(0);
        let handled = edit.handlers.iter().map(|handler| stack(handler.snippet).saturating_add(1)).max();
        let body = self.code.max_stack().checked_add(inserted).ok_or(LeftAlone::FrameTooLarge)?;
        Ok(body.max(edit.entry.stack).max(handled.unwrap_or(0)))
    }

    fn max_locals(&self, edit: &CodeEdit<'a>) -> Result<u16, LeftAlone> {
        let own = self.code.max_locals().checked_add(edit.locals.width()).ok_or(LeftAlone::FrameTooLarge)?;
        let stored = edit.snippets.iter().chain([&edit.entry]).map(|snippet| snippet.locals).max();
        Ok(own.max(stored.unwrap_or(0)))
    }

    /// attributes_count and attributes[].
    fn attributes(
        &self,
        mover: &Mover<'_, 'a>,
        pool: &mut PoolAppender<'_, 'a>,
        stack_map: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), LeftAlone> {
        let count_at = out.len();
        out.extend([0, 0]);
        let mut count = 0_u16;
        let mut table = None;
        let mut attributes = self.code.attributes(self.context.class.constant_pool());
        for attribute in attributes.by_ref() {
            let attribute = attribute?;
            if attribute.name().as_bytes() == b"StackMapTable" && table.is_none() {
                table = Some(attribute);
                // It keeps its place among the others.
                self.stack_map(mover, table, pool, stack_map, out, &mut count)?;
                continue;
            }
            count += 1;
            let Some(write) = tables::writer(&attribute) else {
                out.extend_from_slice(attribute.whole());
                continue;
            };
            out.extend(attribute.name_index().to_be_bytes());
            let length_at = out.len();
            out.extend([0; 4]);
            let mut reader = attribute.reader();
            write(mover, &mut reader, out)?;
            reader.end()?;
            let length = (out.len() - length_at - 4) as u32;
            out[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
        }
        attributes.end()?;
        if table.is_none() {
            self.stack_map(mover, None, pool, stack_map, out, &mut count)?;
        }
        out[count_at..count_at + 2].copy_from_slice(&count.to_be_bytes());
        Ok(())
    }

    /// The StackMapTable, if there is or has to be one.
    fn stack_map(
        &self,
        mover: &Mover<'_, 'a>,
        attribute: Option<AttributeInfo<'a>>,
        pool: &mut PoolAppender<'_, 'a>,
        info: &mut Vec<u8>,
        out: &mut Vec<u8>,
        count: &mut u16,
    ) -> Result<(), LeftAlone> {
        let table = attribute.map(|attribute| StackMapTable::parse(&attribute)).transpose()?;
        let Mover { edit, layout, .. } = *mover;
        if !self.context.has_stack_maps(table.as_ref(), &self.code) {
            // Below version 50 nobody reads one; it is kept all the same, if only to keep what was there.
            if let Some(attribute) = attribute {
                *count += 1;
                out.extend_from_slice(attribute.whole());
            }
            return Ok(());
        }
        let no_joins = layout.joins.is_empty()
            && edit.entry.joins.is_empty()
            && edit.insertions.iter().all(|insertion| insertion.frame.is_none());
        let in_place = edit.locals.types.is_empty()
            || edit.locals.at == self.context.parameter_slots()
            || table.as_ref().is_none_or(|table| table.left() == 0);
        let retold = no_joins
            && in_place
            && stack_map::retell(table.clone(), self.context.parameter_count(), mover, pool, info)?;
        if !retold {
            let initial = self.context.initial()?;
            let joins = self.joins(mover, &initial, table.clone())?;
            stack_map::rewrite(
                table,
                &initial,
                joins,
                mover,
                self.context.class.constant_pool(),
                pool,
                info,
            )?;
        }
        if attribute.is_none() && info.get(..2) == Some(&[0, 0]) {
            return Ok(());
        }
        *count += 1;
        let name =
            attribute.map_or_else(|| pool.utf8(b"StackMapTable"), |attribute| Ok(attribute.name_index()))?;
        out.extend(name.to_be_bytes());
        out.extend((info.len() as u32).to_be_bytes());
        out.extend_from_slice(info);
        Ok(())
    }

    /// What holds at joins of snippets, and behind jumps that were widened, by new pc and in old slots.
    fn joins(
        &self,
        mover: &Mover<'_, 'a>,
        initial: &Frame<'a>,
        table: Option<StackMapTable<'a>>,
    ) -> Result<Vec<(u32, Frame<'a>)>, LeftAlone> {
        let Mover { edit, layout, .. } = *mover;
        let width = edit.locals.width();
        let (mut joins, mut budget) = (Vec::new(), Budget::kept());
        let mut join = |pc: u32, frame: Frame<'a>| {
            budget.spend(&frame, 0, pc as usize)?;
            joins.push((pc, frame));
            Ok(())
        };
        for at in &edit.entry.joins {
            join(at.at as u32, at.frame(initial, width)).map_err(not_type_safe)?;
        }
        for (insertion, (start, _)) in edit.insertions.iter().zip(&layout.spans) {
            let snippet = edit.snippets.get(insertion.snippet);
            for at in snippet.into_iter().flat_map(|snippet| &snippet.joins) {
                let frame = insertion.frame.as_ref().map(|frame| at.frame(frame, width));
                join(start + at.at as u32, frame.unwrap_or_default()).map_err(not_type_safe)?;
            }
        }
        if !layout.joins.is_empty() {
            let flow = self.context.flow(&self.code, table).map_err(not_type_safe)?;
            let mut waiting = layout.joins.iter().peekable();
            let mut behind = None;
            let mut too_large = None;
            let walked = flow.walk(|instruction, frame| {
                if let (Some(new_pc), Some(frame)) = (behind.take(), frame)
                    && let Err(violation) = join(new_pc, frame.clone())
                {
                    too_large = Some(violation);
                    return ControlFlow::Break(());
                }
                if waiting.peek().is_some_and(|(_, pc)| *pc as usize == instruction.pc) {
                    behind = waiting.next().map(|(new_pc, _)| *new_pc);
                }
                ControlFlow::Continue(())
            });
            walked.and_then(|()| too_large.map_or(Ok(()), Err)).map_err(not_type_safe)?;
        }
        Ok(joins)
    }
}

pub(crate) fn not_type_safe(violation: Violation) -> LeftAlone {
    match violation.is_given_up() {
        true => LeftAlone::TooLargeToFollow,
        false => LeftAlone::NotTypeSafe(violation.to_string()),
    }
}

/// A handler for everything that a method throws: it knows nothing but the new locals.
pub(crate) fn method_handler<'a>(snippet: usize, except: Vec<(u32, u32)>, catch_type: u16) -> Handler<'a> {
    use crate::rewrite::edit::Cover;
    use crate::verification::Type;
    let frame = Frame::default().caught(Type::THROWABLE);
    Handler { snippet, cover: Cover::Method { except }, frame, catch_type }
}
