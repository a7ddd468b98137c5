//! A frame written out (JVMS 4.10.1.4), and a StackMapTable made of many.

use crate::attributes::{FrameChange, StackMapFrame};
use crate::constant_pool::ConstantPool;
use crate::descriptor::MethodDescriptor;
use crate::error::{Error, ErrorKind};
use crate::verification::types::Type;

/// Types of locals and stack at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// By slot; the second slot of a long or double holds `Top`.
    pub(crate) locals: Vec<Type<'a>>,
    /// Bottom first; a long or double is one entry.
    pub(crate) stack: Vec<Type<'a>>,
    /// flagThisUninit: a constructor that has not called another yet, whatever the locals say.
    pub(crate) this_uninitialized: bool,
    /// What handles an exception of super() has to end by throwing: the object may be half made. Only where types are
    /// worked out (4.10.2); a StackMapTable has no way to say it.
    pub(crate) never_returns: bool,
}

impl<'a> Frame<'a> {
    /// What holds when a method is entered (4.10.1.6): `this`, unless it is static, and the parameters.
    pub(crate) fn initial(this: Option<Type<'a>>, descriptor: &MethodDescriptor<'a>) -> Self {
        let mut frame = Self { this_uninitialized: this == Some(Type::UninitializedThis), ..Self::default() };
        frame.locals.extend(this);
        for parameter in descriptor.parameters() {
            frame.push_local(Type::of(parameter));
        }
        frame
    }

    pub(crate) fn push_local(&mut self, value: Type<'a>) {
        self.locals.push(value);
        if value.slots() == 2 {
            self.locals.push(Type::Top);
        }
    }

    /// Whether a constructor's `this` is still no object.
    pub(crate) fn this_is_uninitialized(&self) -> bool {
        self.this_uninitialized
    }

    /// What an exception handler sees (4.10.1.6): the same locals, and the exception.
    pub(crate) fn caught(&self, exception: Type<'a>) -> Self {
        Self {
            locals: self.locals.clone(),
            stack: vec![exception],
            this_uninitialized: self.this_uninitialized,
            never_returns: self.never_returns,
        }
    }

    /// Stores into a local; whatever shared a slot with it is gone.
    pub(crate) fn store(&mut self, index: usize, value: Type<'a>) {
        let end = index + value.slots();
        if self.locals.len() < end {
            self.locals.resize(end, Type::Top);
        }
        if index > 0 && self.locals[index - 1].slots() == 2 {
            self.locals[index - 1] = Type::Top;
        }
        if self.locals[end - 1].slots() == 2 && end < self.locals.len() {
            self.locals[end] = Type::Top;
        }
        self.locals[index..end].fill(Type::Top);
        self.locals[index] = value;
    }

    /// Becomes what `told` makes of it.
    pub(crate) fn apply(&mut self, told: &StackMapFrame<'_>, pool: &ConstantPool<'a>) -> Result<(), Error> {
        self.stack.clear();
        match told.change {
            FrameChange::Same => {}
            FrameChange::SameLocals1StackItem(item) => self.stack.push(Type::decode(item, pool)?),
            FrameChange::Chop(count) => {
                let mut entries = self.entries();
                let left = entries.len().checked_sub(usize::from(count));
                entries.truncate(left.ok_or(Error::new(ErrorKind::Value("chop_frame"), 0))?);
                self.locals.clear();
                entries.into_iter().for_each(|entry| self.push_local(entry));
            }
            FrameChange::Append(locals) => {
                for local in locals.iter() {
                    self.push_local(Type::decode(local, pool)?);
                }
            }
            FrameChange::Full { locals, stack } => {
                self.locals.clear();
                for local in locals.iter() {
                    self.push_local(Type::decode(local, pool)?);
                }
                for item in stack.iter() {
                    self.stack.push(Type::decode(item, pool)?);
                }
            }
        }
        let is_this = &Type::UninitializedThis;
        self.this_uninitialized = self.locals.contains(is_this) || self.stack.contains(is_this);
        Ok(())
    }

    /// The locals as frames list them: a long or double once, nothing behind the last that is known.
    pub(crate) fn entries(&self) -> Vec<Type<'a>> {
        let mut entries = Vec::with_capacity(self.locals.len());
        let mut slot = 0;
        while let Some(local) = self.locals.get(slot) {
            entries.push(*local);
            slot += local.slots();
        }
        entries
    }
}

/// Writes frames, in the order of their pcs, as entries[] of a StackMapTable behind `before`, the initial frame. Each is
/// told in the shortest way. None if two stand at one pc. `write_type` writes a verification_type_info.
pub(crate) fn write_frames<'a>(
    before: &Frame<'a>,
    frames: &[(u32, Frame<'a>)],
    to: &mut Vec<u8>,
    mut write_type: impl FnMut(Type<'a>, &mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    let mut locals = known(before.entries());
    let mut next_pc = 0;
    for (pc, frame) in frames {
        let delta = u16::try_from(pc.checked_sub(next_pc)?).ok()?;
        next_pc = pc + 1;
        let entries = known(frame.entries());
        let common = locals.iter().zip(&entries).take_while(|(a, b)| a == b).count();
        let (less, more) = (locals.len() - common, entries.len() - common);
        match (less, more, frame.stack.len()) {
            (0, 0, 0) => tag(to, 0, 251, delta),
            (0, 0, 1) => {
                tag(to, 64, 247, delta);
                write_type(frame.stack[0], to)?;
            }
            (1..=3, 0, 0) => {
                to.push(251 - less as u8);
                to.extend(delta.to_be_bytes());
            }
            (0, 1..=3, 0) => {
                to.push(251 + more as u8);
                to.extend(delta.to_be_bytes());
                entries[common..].iter().try_for_each(|entry| write_type(*entry, to))?;
            }
            _ => {
                to.push(255);
                to.extend(delta.to_be_bytes());
                for types in [&entries, &frame.stack] {
                    to.extend(u16::try_from(types.len()).ok()?.to_be_bytes());
                    types.iter().try_for_each(|entry| write_type(*entry, to))?;
                }
            }
        }
        locals = entries;
    }
    Some(())
}

/// Without what is unknown at the end, which is the same as not being listed.
fn known(mut entries: Vec<Type<'_>>) -> Vec<Type<'_>> {
    let length = entries.iter().rposition(|entry| *entry != Type::Top).map_or(0, |last| last + 1);
    entries.truncate(length);
    entries
}

/// frame_type with the offset in it where it is below 64, else the extended form.
fn tag(to: &mut Vec<u8>, base: u8, extended: u8, delta: u16) {
    if delta < 64 {
        to.push(base + delta as u8);
    } else {
        to.push(extended);
        to.extend(delta.to_be_bytes());
    }
}
