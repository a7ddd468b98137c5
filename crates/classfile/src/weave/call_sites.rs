//! Events around the calls that a method makes: before, behind, and when they throw.

use crate::constant::MemberRef;
use crate::descriptor::{FieldType, MethodDescriptor};
use crate::left_alone::LeftAlone;
use crate::opcode::*;
use crate::rewrite::{Assembler, CodeEdit, Cover, Handler, Insertion, MethodCopy, Place};
use crate::verification::{Frame, Type};
use crate::weave::event::{self, Site, This};
use crate::weave::method::Woven;
use crate::weave::probes::{CallSites, Event};

/// Whether frames at the calls have to be known.
pub(crate) fn wants_frames(woven: &Woven<'_, '_, '_, '_>) -> bool {
    woven.probes.call_sites.as_ref().is_some_and(|sites| {
        sites.throw.is_some() || sites.before.iter().chain(&sites.after).any(event::is_guarded)
    })
}

/// Adds the events to the edit.
pub(crate) fn weave<'a>(
    woven: &Woven<'_, '_, '_, 'a>,
    method: &mut MethodCopy<'_, '_, 'a>,
    edit: &mut CodeEdit<'a>,
) -> Result<(), LeftAlone> {
    let Some(sites) = &woven.probes.call_sites else { return Ok(()) };
    let (mut fits, mut does_not_fit) = (false, None);
    for pc in &woven.scan.calls {
        let Some(call) = CallSite::at(woven, sites, *pc)? else { continue };
        let before = (method.pool().mark(), edit.mark());
        match call.weave(method, edit) {
            Ok(()) => fits = true,
            // A condition may fit one call and not another: that is left out.
            Err(LeftAlone::ConditionDoesNotFit(why)) => {
                method.pool().back_to(before.0);
                edit.back_to(before.1);
                edit.calls_left_alone += 1;
                does_not_fit = Some(why);
            }
            Err(other) => return Err(other),
        }
    }
    match does_not_fit {
        Some(why) if !fits => Err(LeftAlone::ConditionDoesNotFit(why)),
        _ => Ok(()),
    }
}

struct CallSite<'s, 'w, 'p, 'm, 'a> {
    woven: &'s Woven<'w, 'p, 'm, 'a>,
    sites: &'s CallSites<'p>,
    pc: u32,
    opcode: u8,
    called: MemberRef<'a>,
    descriptor: MethodDescriptor<'a>,
}

impl<'s, 'w, 'p, 'm, 'a> CallSite<'s, 'w, 'p, 'm, 'a> {
    /// The call at `pc`, if it is wanted.
    fn at(
        woven: &'s Woven<'w, 'p, 'm, 'a>,
        sites: &'s CallSites<'p>,
        pc: u32,
    ) -> Result<Option<Self>, LeftAlone> {
        let at = pc as usize;
        let [opcode, high, low, ..] = *woven.code.code.code().get(at..).unwrap_or_default() else {
            return Ok(None);
        };
        if opcode == INVOKEDYNAMIC {
            return Ok(None);
        }
        let called = woven.code.context.class.constant_pool().member_ref(u16::from_be_bytes([high, low]))?;
        if sites.wanted.is_some_and(|wanted| !wanted(&called)) {
            return Ok(None);
        }
        let most = 255 - u16::from(opcode != INVOKESTATIC);
        let descriptor = MethodDescriptor::parse(called.descriptor);
        let Some(descriptor) = descriptor.filter(|descriptor| descriptor.parameter_slots() <= most) else {
            let error = crate::ErrorKind::Descriptor(called.descriptor_index);
            return Err(LeftAlone::Malformed(crate::Error::new(error, woven.code.code.offset() + at)));
        };
        Ok(Some(Self { woven, sites, pc, opcode, called, descriptor }))
    }

    fn weave(&self, method: &mut MethodCopy<'_, '_, 'a>, edit: &mut CodeEdit<'a>) -> Result<(), LeftAlone> {
        let all = || self.sites.before.iter().chain(&self.sites.after).chain(&self.sites.throw);
        let ends = || self.sites.after.iter().chain(&self.sites.throw);
        let scratch = self.woven.slots.scratch;
        let is_constructor = self.is_constructor();
        let is_super = self.woven.constructor.as_ref().is_some_and(|found| found.calls.contains(&self.pc));
        // Nobody may have what is no object yet.
        let receiver = self
            .receiver_class()
            .filter(|_| self.opcode != INVOKESTATIC && !is_constructor && all().any(event::wants_this));
        let spill = receiver.is_some() || all().any(event::wants_arguments);

        // First what frames have to name: when the call began, then receiver and arguments.
        let start = ends().any(event::wants_start).then_some(scratch);
        let mut next = if start.is_some() { scratch + 2 } else { scratch };
        let mut keep = |kept: FieldType<'a>| {
            let slot = next;
            next = next.checked_add(kept.slots()).ok_or(LeftAlone::FrameTooLarge)?;
            Ok::<_, LeftAlone>((kept, slot))
        };
        let receiver = receiver.filter(|_| spill).map(&mut keep).transpose()?;
        let arguments = match spill {
            true => self.descriptor.parameters().map(&mut keep).collect::<Result<Vec<_>, _>>()?,
            false => Vec::new(),
        };
        let kept = Kept { receiver, arguments };
        let site = Site {
            id: self.woven.id,
            clock: self.woven.probes.clock,
            class: self.woven.class,
            start,
            this: receiver.map_or(This::Null, |(class, slot)| This::Slot(class, slot)),
            arguments: &kept.arguments,
            result: None,
            exception: None,
            own_exception: None,
            call_pc: self.pc,
            scratch: next,
        };

        if spill || start.is_some() || self.sites.before.is_some() {
            self.before(&site, &kept, method, edit)?;
        }
        if let Some(event) = &self.sites.after {
            self.after(event, &site, &kept, method, edit)?;
        }
        if let Some(event) = self.sites.throw.as_ref().filter(|_| !is_super) {
            self.throw(event, &site, &kept, method, edit)?;
        }
        Ok(())
    }

    fn is_constructor(&self) -> bool {
        self.called.name.as_bytes() == b"<init>"
    }

    /// The class that the receiver is known to be of.
    fn receiver_class(&self) -> Option<FieldType<'a>> {
        FieldType::of_class(self.called.class)
    }

    fn before(
        &self,
        site: &Site<'_, 'a>,
        kept: &Kept<'a>,
        method: &mut MethodCopy<'_, '_, 'a>,
        edit: &mut CodeEdit<'a>,
    ) -> Result<(), LeftAlone> {
        let mut assembler = edit.assembler();
        kept.store(&mut assembler);
        let mut frame = None;
        if let Some(event) = &self.sites.before {
            event::write(event, &Site { start: None, ..site.clone() }, &mut assembler, method.pool())?;
            frame = self.woven.frames.get(&self.pc).filter(|_| event::is_guarded(event)).map(|before| {
                let mut frame = before.clone();
                frame.stack.truncate(before.stack.len().saturating_sub(kept.arguments.len()));
                kept.declare(&mut frame, &before.stack, edit.locals.width());
                frame
            });
        }
        kept.load(&mut assembler);
        if let Some(start) = site.start {
            event::read_clock(site.clock, &mut assembler, method.pool())?;
            assembler.store(b'J', start);
        }
        let snippet = self.woven.add(edit, assembler.finish(), 1)?;
        edit.insert(Insertion { pc: self.pc, place: Place::Before, snippet, frame })?;
        Ok(())
    }

    fn after(
        &self,
        event: &Event<'_>,
        site: &Site<'_, 'a>,
        kept: &Kept<'a>,
        method: &mut MethodCopy<'_, '_, 'a>,
        edit: &mut CodeEdit<'a>,
    ) -> Result<(), LeftAlone> {
        let mut assembler = edit.assembler();
        let mut site = site.clone();
        // The frame behind the call knows nothing of what was put away before it.
        if let Some(start) = site.start {
            assembler.hold(start, Type::Long);
        }
        if let Some(before) = self.woven.frames.get(&self.pc) {
            kept.types(&before.stack).for_each(|(slot, known)| assembler.hold(slot, known));
        }
        if let Some(result) = self.descriptor.result().filter(|_| event::wants_result(event)) {
            let slot = site.scratch + Site::SCRATCH;
            let two = result.slots() == 2;
            assembler.op(if two { DUP2 } else { DUP }, i32::from(result.slots()));
            assembler.store(result.computational(), slot);
            site.result = Some((result, slot));
        }
        event::write(event, &site, &mut assembler, method.pool())?;
        let snippet = self.woven.add(edit, assembler.finish(), 1)?;
        let frame = self.woven.frame_behind(self.pc).filter(|_| event::is_guarded(event));
        edit.insert(Insertion { pc: self.pc, place: Place::After, snippet, frame })?;
        Ok(())
    }

    fn throw(
        &self,
        event: &Event<'_>,
        site: &Site<'_, 'a>,
        kept: &Kept<'a>,
        method: &mut MethodCopy<'_, '_, 'a>,
        edit: &mut CodeEdit<'a>,
    ) -> Result<(), LeftAlone> {
        let exception = site.scratch + Site::SCRATCH;
        let site = Site { exception: Some(exception), ..site.clone() };
        let mut assembler = edit.assembler();
        assembler.op(DUP, 1);
        assembler.store(b'A', exception);
        event::write(event, &site, &mut assembler, method.pool())?;
        assembler.op(ATHROW, 0);
        let snippet = self.woven.add(edit, assembler.finish(), 1)?;
        // No frame: no path leads here in a class whose frames are inferred.
        let before = self.woven.frames.get(&self.pc).cloned().unwrap_or_default();
        let mut frame = before.caught(Type::THROWABLE);
        if self.is_constructor() {
            // A verifier lets the handler begin with what holds before the call and with what holds behind it, where copies
            // of the new object are objects.
            let below = before.stack.len().checked_sub(usize::from(self.descriptor.parameter_count()) + 1);
            let new = below.and_then(|below| before.stack.get(below)).copied();
            frame.locals.iter_mut().filter(|local| Some(**local) == new).for_each(|local| *local = Type::Top);
        }
        let width = edit.locals.width();
        kept.declare(&mut frame, &before.stack, width);
        if let Some(start) = site.start {
            frame.store(usize::from(start - width), Type::Long);
        }
        let catch_type = method.pool().class(b"java/lang/Throwable")?;
        edit.handle(Handler { snippet, cover: Cover::Instruction(self.pc), frame, catch_type })?;
        Ok(())
    }
}

/// Receiver and arguments of a call in slots of their own.
struct Kept<'a> {
    receiver: Option<(FieldType<'a>, u16)>,
    arguments: Vec<(FieldType<'a>, u16)>,
}

impl<'a> Kept<'a> {
    fn count(&self) -> usize {
        self.arguments.len() + usize::from(self.receiver.is_some())
    }

    /// In the order in which they lie on the stack.
    fn all(&self) -> impl Iterator<Item = (FieldType<'a>, u16)> + '_ {
        self.receiver.iter().chain(&self.arguments).copied()
    }

    /// Takes the arguments off the stack, and a copy of the receiver: that stays where it was produced, which is where a
    /// NullPointerException's text looks for it.
    fn store(&self, assembler: &mut Assembler<'_>) {
        self.arguments.iter().rev().for_each(|(kept, slot)| assembler.store(kept.computational(), *slot));
        if let Some((_, slot)) = self.receiver {
            assembler.op(DUP, 1);
            assembler.store(b'A', slot);
        }
    }

    /// Puts the arguments back.
    fn load(&self, assembler: &mut Assembler<'_>) {
        self.arguments.iter().for_each(|(kept, slot)| assembler.load(kept.computational(), *slot));
    }

    /// Their slots, and what they were on the stack before the call: a receiver may be of the class that is woven where
    /// the class that the method is looked up in would not do.
    fn types(&self, stack: &[Type<'a>]) -> impl Iterator<Item = (u16, Type<'a>)> {
        let on_stack = &stack[stack.len().saturating_sub(self.count())..];
        self.all().zip(on_stack).map(|((_, slot), known)| (slot, *known))
    }

    /// Says in a frame, in old slots, that they are there.
    fn declare(&self, frame: &mut Frame<'a>, stack: &[Type<'a>], width: u16) {
        for (slot, known) in self.types(stack) {
            frame.store(usize::from(slot - width), known);
        }
    }
}
