//! The StackMapTable of an edited method (JVMS 4.7.4). Where an edit only moves code and adds locals behind the
//! parameters, each frame is told as it was, moved; else all are written out, put together with those that the edit
//! needs, and told anew.

use crate::attributes::{FrameChange, StackMapFrame, StackMapTable, VerificationType};
use crate::constant_pool::ConstantPool;
use crate::left_alone::LeftAlone;
use crate::rewrite::code::not_type_safe;
use crate::rewrite::constant_pool::PoolAppender;
use crate::rewrite::tables::Mover;
use crate::verification::{Budget, Frame, Type, write_frames};

/// Writes the frames as they were, moved, with one for the new locals before and one for each handler behind. Says no
/// where that can't be: `info` is of no use then.
pub(crate) fn retell<'a>(
    table: Option<StackMapTable<'a>>,
    initial_entries: u16,
    mover: &Mover<'_, 'a>,
    pool: &mut PoolAppender<'_, 'a>,
    info: &mut Vec<u8>,
) -> Result<bool, LeftAlone> {
    let mut teller = Teller { mover, next_pc: 0, frames: 0, base: initial_entries, entries: initial_entries };
    let locals = &mover.edit.locals;
    info.clear();
    info.extend([0, 0]);
    let has_frames = table.as_ref().is_some_and(|table| table.left() > 0);
    if has_frames && !locals.types.is_empty() {
        if locals.types.len() > 3 {
            return Ok(false);
        }
        let delta = teller.delta(mover.layout.entry_end)?;
        info.push(251 + locals.types.len() as u8);
        info.extend(delta.to_be_bytes());
        write_new_locals(&locals.types, pool, info)?;
    }
    for told in table.into_iter().flatten() {
        if !teller.tell(&told?, pool, info)? {
            return Ok(false);
        }
    }
    for (handler, (start, _)) in mover.edit.handlers.iter().zip(&mover.layout.handlers) {
        if !handler.frame.locals.is_empty() {
            return Ok(false);
        }
        let snippet = mover.edit.snippets.get(handler.snippet);
        if snippet.is_some_and(|snippet| !snippet.joins.is_empty()) {
            return Ok(false);
        }
        let delta = teller.delta(*start)?;
        info.push(255);
        info.extend(delta.to_be_bytes());
        // A long or double before the new locals is unknown slot by slot.
        let entries = if locals.types.is_empty() { 0 } else { locals.at + locals.types.len() as u16 };
        info.extend(entries.to_be_bytes());
        if entries > 0 {
            info.extend(std::iter::repeat_n(0, usize::from(locals.at)));
            write_new_locals(&locals.types, pool, info)?;
        }
        // The exception, of the type that is caught.
        info.extend([0, 1]);
        VerificationType::Object(handler.catch_type).write(info);
    }
    let count = u16::try_from(teller.frames).map_err(|_| too_many())?;
    info[..2].copy_from_slice(&count.to_be_bytes());
    Ok(true)
}

fn write_new_locals<'a>(
    types: &[Type<'a>],
    pool: &mut PoolAppender<'_, 'a>,
    info: &mut Vec<u8>,
) -> Result<(), LeftAlone> {
    types.iter().try_for_each(|new| encode(*new, pool).map(|new| new.write(info)))
}

/// Follows the frames as they are told again.
struct Teller<'t, 'm, 'a> {
    mover: &'t Mover<'m, 'a>,
    next_pc: u32,
    frames: usize,
    /// How many entries stand before the new locals; old frames may not take any of them away.
    base: u16,
    /// How many entries the old frame has.
    entries: u16,
}

impl<'a> Teller<'_, '_, 'a> {
    fn delta(&mut self, pc: u32) -> Result<u16, LeftAlone> {
        let delta = pc.checked_sub(self.next_pc).and_then(|delta| u16::try_from(delta).ok());
        let delta =
            delta.ok_or_else(|| LeftAlone::NotTypeSafe("two stack map frames at one place".into()))?;
        self.next_pc = pc + 1;
        self.frames += 1;
        Ok(delta)
    }

    fn tell(
        &mut self,
        told: &StackMapFrame<'_>,
        pool: &mut PoolAppender<'_, 'a>,
        info: &mut Vec<u8>,
    ) -> Result<bool, LeftAlone> {
        let old_pc =
            u16::try_from(told.pc).map_err(|_| LeftAlone::NotTypeSafe("a frame past the code".into()))?;
        let new_pc = u32::from(self.mover.label(old_pc)?);
        // An old frame where the new locals' own frame stands.
        if new_pc < self.next_pc {
            return Ok(false);
        }
        let delta = self.delta(new_pc)?;
        match told.change {
            FrameChange::Same => short(info, told.frame_type, 0, 251, delta),
            FrameChange::SameLocals1StackItem(item) => {
                short(info, told.frame_type, 64, 247, delta);
                self.moved(item)?.write(info);
            }
            FrameChange::Chop(count) => {
                self.entries = self.entries.saturating_sub(u16::from(count));
                if self.entries < self.base {
                    return Ok(self.mover.edit.locals.types.is_empty() && self.chop(info, count, delta));
                }
                self.chop(info, count, delta);
            }
            FrameChange::Append(locals) => {
                info.push(told.frame_type);
                info.extend(delta.to_be_bytes());
                for local in locals.iter() {
                    self.moved(local)?.write(info);
                }
                self.entries = self.entries.saturating_add(locals.count());
            }
            FrameChange::Full { locals, stack } => {
                info.push(255);
                info.extend(delta.to_be_bytes());
                let new = &self.mover.edit.locals;
                let count = usize::from(locals.count()) + new.types.len();
                info.extend(u16::try_from(count).map_err(|_| LeftAlone::FrameTooLarge)?.to_be_bytes());
                let (mut slot, mut base) = (0_u16, None);
                for (n, local) in locals.iter().enumerate() {
                    if slot == new.at && !new.types.is_empty() && base.is_none() {
                        base = Some(n as u16);
                        write_new_locals(&new.types, pool, info)?;
                    }
                    self.moved(local)?.write(info);
                    slot = slot.saturating_add(local.slots());
                }
                if !new.types.is_empty() && base.is_none() {
                    if slot != new.at {
                        return Ok(false);
                    }
                    base = Some(locals.count());
                    write_new_locals(&new.types, pool, info)?;
                }
                self.base = base.unwrap_or(0);
                self.entries = locals.count();
                info.extend(stack.count().to_be_bytes());
                for item in stack.iter() {
                    self.moved(item)?.write(info);
                }
            }
        }
        Ok(true)
    }

    fn chop(&self, info: &mut Vec<u8>, count: u8, delta: u16) -> bool {
        info.push(251 - count);
        info.extend(delta.to_be_bytes());
        true
    }

    fn moved(&self, found: VerificationType) -> Result<VerificationType, LeftAlone> {
        Ok(match found {
            VerificationType::Uninitialized(pc) => {
                VerificationType::Uninitialized(self.mover.instruction(pc)?)
            }
            other => other,
        })
    }
}

/// Keeps the extended form of a frame that had it, so that what does not move stays byte for byte.
fn short(info: &mut Vec<u8>, frame_type: u8, base: u8, extended: u8, delta: u16) {
    if delta < 64 && frame_type != extended {
        info.push(base + delta as u8);
    } else {
        info.push(extended);
        info.extend(delta.to_be_bytes());
    }
}

/// Writes all frames out: the old ones, those at joins of snippets, behind widened jumps (`joins`, by new pc, in old
/// slots) and at handlers.
pub(crate) fn rewrite<'a>(
    table: Option<StackMapTable<'a>>,
    initial: &Frame<'a>,
    joins: Vec<(u32, Frame<'a>)>,
    mover: &Mover<'_, 'a>,
    class_pool: &ConstantPool<'a>,
    pool: &mut PoolAppender<'_, 'a>,
    info: &mut Vec<u8>,
) -> Result<(), LeftAlone> {
    let mut frames = Vec::new();
    let mut frame = initial.clone();
    let mut budget = Budget::kept();
    let mut keep = |frames: &mut Vec<_>, pc: u32, frame: Frame<'a>| {
        budget.spend(&frame, 0, pc as usize).map_err(not_type_safe)?;
        frames.push((pc, frame));
        Ok::<_, LeftAlone>(())
    };
    for told in table.into_iter().flatten() {
        let told = told?;
        let pc =
            u16::try_from(told.pc).map_err(|_| LeftAlone::NotTypeSafe("a frame past the code".into()))?;
        frame.apply(&told, class_pool)?;
        keep(&mut frames, u32::from(mover.label(pc)?), moved_frame(frame.clone(), mover)?)?;
    }
    for (pc, frame) in joins {
        keep(&mut frames, pc, moved_frame(frame, mover)?)?;
    }
    for (handler, (start, _)) in mover.edit.handlers.iter().zip(&mover.layout.handlers) {
        let snippet = mover.edit.snippets.get(handler.snippet);
        for join in snippet.into_iter().flat_map(|snippet| &snippet.joins) {
            let frame = join.frame(&handler.frame, mover.edit.locals.width());
            keep(&mut frames, start + join.at as u32, moved_frame(frame, mover)?)?;
        }
        keep(&mut frames, *start, moved_frame(handler.frame.clone(), mover)?)?;
    }
    // Where an old frame and a new one meet, they say the same of a place that both lead to; the old one came first.
    frames.sort_by_key(|(pc, _)| *pc);
    frames.dedup_by_key(|(pc, _)| *pc);
    info.clear();
    let count = u16::try_from(frames.len()).map_err(|_| too_many())?;
    info.extend(count.to_be_bytes());
    let mut full = None;
    let written = write_frames(initial, &frames, info, |value, to| match encode(value, pool) {
        Ok(encoded) => {
            encoded.write(to);
            Some(())
        }
        Err(reason) => {
            full = Some(reason);
            None
        }
    });
    written.ok_or(full.unwrap_or_else(too_many))
}

/// A frame has a pc of its own, of which there are fewer than 65,536: so there are never more frames than a table can
/// have, unless one of them stands where no instruction is.
fn too_many() -> LeftAlone {
    LeftAlone::NotTypeSafe("more stack map frames than code".into())
}

/// A frame of old slots and pcs in new ones, the new locals among them.
fn moved_frame<'a>(mut moved: Frame<'a>, mover: &Mover<'_, 'a>) -> Result<Frame<'a>, LeftAlone> {
    let new = &mover.edit.locals;
    let at = usize::from(new.at);
    if !new.types.is_empty() {
        let behind = moved.locals.split_off(at.min(moved.locals.len()));
        // No more than it takes: a hostile method has very large frames, and all of them are kept.
        let more = at.saturating_sub(moved.locals.len()) + usize::from(new.width()) + behind.len();
        moved.locals.reserve_exact(more);
        // A long or double in the last slot before: its second half is cut off.
        if let Some(last) = at.checked_sub(1).and_then(|last| moved.locals.get_mut(last))
            && last.slots() == 2
        {
            *last = Type::Top;
        }
        moved.locals.resize(at, Type::Top);
        new.types.iter().for_each(|new| moved.push_local(*new));
        moved.locals.extend(behind);
    }
    for value in moved.locals.iter_mut().chain(&mut moved.stack) {
        if let Type::Uninitialized(pc) = value {
            *value = Type::Uninitialized(mover.instruction(*pc)?);
        }
    }
    Ok(moved)
}

fn encode<'a>(value: Type<'a>, pool: &mut PoolAppender<'_, 'a>) -> Result<VerificationType, LeftAlone> {
    Ok(match value {
        Type::Top => VerificationType::Top,
        Type::Integer => VerificationType::Integer,
        Type::Float => VerificationType::Float,
        Type::Long => VerificationType::Long,
        Type::Double => VerificationType::Double,
        Type::Null => VerificationType::Null,
        Type::UninitializedThis => VerificationType::UninitializedThis,
        Type::Uninitialized(pc) => VerificationType::Uninitialized(pc),
        Type::Reference(declared) => VerificationType::Object(pool.class_of(declared)?),
    })
}
