//! Makes the edit that weaves one method: entry, exits and the handler for what it throws. [`call_sites`] adds those
//! around calls.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::descriptor::FieldType;
use crate::left_alone::{HUGE_METHOD_LIMIT, LeftAlone};
use crate::modified_utf8::ModifiedUtf8;
use crate::opcode::*;
use crate::rewrite::{
    CodeEdit, CodeRewriter, Insertion, MethodCopy, Place, Scan, Scratch, Snippet, Wanted, method_handler,
    not_type_safe,
};
use crate::verification::{Frame, MethodContext, Type};
use crate::weave::WovenMethod;
use crate::weave::call_sites;
use crate::weave::constructor::Constructor;
use crate::weave::event::{self, Needs, Site, This};
use crate::weave::probes::{CompileLimit, Event, Probes};

/// Weaves one method.
pub(crate) struct MethodWeaver<'w, 'p, 'a> {
    pub(crate) probes: &'w Probes<'p>,
    pub(crate) needs: Needs,
    pub(crate) id: i32,
    pub(crate) scan: &'w mut Scan,
    pub(crate) edit: &'w mut CodeEdit<'a>,
}

/// What is known of a method when its edit is made.
pub(crate) struct Woven<'w, 'p, 'm, 'a> {
    pub(crate) probes: &'w Probes<'p>,
    needs: Needs,
    pub(crate) id: i32,
    pub(crate) code: &'w CodeRewriter<'m, 'a>,
    pub(crate) scan: &'w Scan,
    /// Only in a constructor, where a probe asks about super() or `this`.
    pub(crate) constructor: Option<Constructor>,
    pub(crate) class: ModifiedUtf8<'a>,
    pub(crate) slots: Slots<'a>,
    /// What holds before each instruction at which that is asked; by pc.
    pub(crate) frames: BTreeMap<u32, Frame<'a>>,
}

/// Where the new locals are.
#[derive(Debug, Default)]
pub(crate) struct Slots<'a> {
    start: Option<u16>,
    this: Option<(FieldType<'a>, u16)>,
    arguments: Vec<(FieldType<'a>, u16)>,
    own_exception: Option<u16>,
    /// The first slot behind all others.
    pub(crate) scratch: u16,
}

/// Scratch slots for a result or exception, behind those of an event.
const VALUE: u16 = Site::SCRATCH;

/// Slots that an event can use, at the most: the start of a call, its receiver and arguments (JVMS 4.3.3), and what an
/// event needs besides.
const ROOM: u16 = 2 + 255 + VALUE + 2;

impl<'a> MethodWeaver<'_, '_, 'a> {
    /// Weaves; what it is by its number is for the caller to say.
    pub(crate) fn weave(
        &mut self,
        method: &mut MethodCopy<'_, '_, 'a>,
        scratch: &mut Scratch,
    ) -> Result<WovenMethod, LeftAlone> {
        if let Some(missing) = self.needs.missing {
            return Err(LeftAlone::OperandNotThere(missing));
        }
        let context = method.context;
        let code = method.code()?;
        if context.is_constructor() && context.class.this_class_name()? == "java/lang/Object" {
            return Err(LeftAlone::ObjectConstructor);
        }
        if code.code.code() == [RETURN] && is_finalizer(&context) {
            return Err(LeftAlone::EmptyFinalizer);
        }
        let parameters = context.parameter_slots();
        let wanted = match self.probes.call_sites.is_some() || context.is_constructor() {
            true => Wanted::All,
            false => Wanted::Ends,
        };
        self.scan.run(&code.code, parameters, wanted)?;
        self.edit.clear();
        self.edit(method, &code)?;
        let (before, after) =
            (code.code.code().len(), method.replace_code(&code, self.scan, self.edit, scratch)?);
        let crosses = before <= HUGE_METHOD_LIMIT && after > HUGE_METHOD_LIMIT;
        if crosses && self.probes.compile_limit == CompileLimit::Keep {
            return Err(LeftAlone::TooLargeToCompile { before, after });
        }
        Ok(WovenMethod { index: 0, before, after, calls_left_alone: self.edit.calls_left_alone })
    }

    fn edit(
        &mut self,
        method: &mut MethodCopy<'_, '_, 'a>,
        code: &CodeRewriter<'_, 'a>,
    ) -> Result<(), LeftAlone> {
        let edit = &mut *self.edit;
        let context = code.context;
        let looked_into = context.is_constructor() && asks_about_super(self.probes);
        let constructor = looked_into.then(|| Constructor::find(code)).transpose()?;
        let mut woven = Woven {
            probes: self.probes,
            needs: self.needs,
            id: self.id,
            code,
            scan: self.scan,
            constructor,
            class: context.class.this_class_name()?,
            slots: Slots::default(),
            frames: BTreeMap::new(),
        };
        if woven.this_may_be_another() {
            return Err(LeftAlone::ThisNotAvailable);
        }
        woven.place_locals(edit)?;
        woven.collect_frames(edit)?;
        // Calls first: what is told when super() has returned reads slots that no frame behind the entry's event knows.
        call_sites::weave(&woven, method, edit)?;
        woven.entry(method, edit)?;
        woven.exits(method, edit)?;
        woven.throws(method, edit)?;
        // In one place: what the entry puts there stands behind what the call of super() adds.
        edit.insertions.sort_by_key(|insertion| (insertion.pc, insertion.place));
        Ok(())
    }
}

impl<'a> Woven<'_, '_, '_, 'a> {
    fn context(&self) -> MethodContext<'_, 'a> {
        self.code.context
    }

    /// Events at the ends of the method.
    fn ends(&self) -> impl Iterator<Item = &Event<'_>> {
        self.probes.exit.iter().chain(&self.probes.throw)
    }

    /// Chooses the slots of the new locals: right behind the parameters, where most frames need not be told anew; else
    /// behind all others.
    fn place_locals(&mut self, edit: &mut CodeEdit<'a>) -> Result<(), LeftAlone> {
        let context = self.context();
        let parameters = context.parameter_slots();
        let max_locals = self.code.code.max_locals();
        if parameters > max_locals {
            return Err(LeftAlone::NotTypeSafe("max_locals is smaller than the parameters".into()));
        }
        let paths_meet = self.scan.has_jumps || self.code.code.exception_table().len() > 0;
        let framed = context.class.major_version() >= 50 && paths_meet;
        let at = if framed && !self.scan.straddled { parameters } else { max_locals };
        let locals = &mut edit.locals;
        locals.at = at;
        let mut next = at;
        let mut take = |wanted: Type<'a>| {
            let slot = next;
            next = slot.checked_add(wanted.slots() as u16).ok_or(LeftAlone::FrameTooLarge)?;
            locals.types.push(wanted);
            Ok::<_, LeftAlone>(slot)
        };
        let mut slots = Slots::default();
        if self.needs.start {
            slots.start = Some(take(Type::Long)?);
        }
        let is_static = context.method.is_static();
        if self.needs.this && !is_static && self.constructor.is_none() {
            let class = context.this_class()?;
            slots.this = Some((class, take(Type::Reference(class))?));
        }
        // Behind super() a parameter's slot may hold something else.
        let late = self.probes.entry.as_ref().filter(|_| self.entry_behind_super());
        let copies = || self.ends().chain(late);
        if self.needs.arguments || late.is_some_and(event::wants_arguments) {
            // A condition reads their fields, which a verifier allows only if it knows their class.
            let by_class = copies().any(event::asks_about_arguments);
            for parameter in context.descriptor.parameters() {
                let known =
                    if parameter.is_reference() && !by_class { Type::OBJECT } else { Type::of(parameter) };
                slots.arguments.push((parameter, take(known)?));
            }
        }
        if self.needs.own_exception && self.own_throws().next().is_some() {
            slots.own_exception = Some(take(Type::THROWABLE)?);
        }
        slots.scratch = max_locals.checked_add(locals.width()).ok_or(LeftAlone::FrameTooLarge)?;
        // From here on slots are counted without a check.
        slots.scratch.checked_add(ROOM).ok_or(LeftAlone::FrameTooLarge)?;
        self.slots = slots;
        Ok(())
    }

    /// What holds before the instructions at which a snippet will jump, or `this` of a constructor is wanted.
    fn collect_frames(&mut self, edit: &mut CodeEdit<'a>) -> Result<(), LeftAlone> {
        let exit_jumps = self.probes.exit.as_ref().is_some_and(event::is_guarded);
        let this_wanted = self.constructor.is_some() && self.needs.this;
        let calls = call_sites::wants_frames(self);
        if !(exit_jumps || this_wanted || calls || self.entry_behind_super()) {
            return Ok(());
        }
        let table = self.code.code.stack_map_table(self.context().class.constant_pool())?;
        let flow = self.context().flow(&self.code.code, table).map_err(not_type_safe)?;
        let (mut frames, scan) = (BTreeMap::new(), self.scan);
        // Before returns, and before and behind calls.
        let mut behind_call = false;
        let mut too_large = None;
        let walked = flow.walk(|instruction, frame| {
            let pc = instruction.pc as u32;
            let returns = matches!(instruction.opcode, IRETURN..=RETURN);
            let called = scan.calls.binary_search(&pc).is_ok();
            if let Some(frame) = frame.filter(|_| returns || called || behind_call) {
                if let Err(violation) = edit.kept.spend(frame, 0, instruction.pc) {
                    too_large = Some(violation);
                    return ControlFlow::Break(());
                }
                frames.insert(pc, frame.clone());
            }
            behind_call = called;
            ControlFlow::Continue(())
        });
        walked.and_then(|()| too_large.map_or(Ok(()), Err)).map_err(not_type_safe)?;
        self.frames = frames;
        Ok(())
    }

    /// Whether slot 0 of a constructor may hold another object of the class where `this` is wanted.
    fn this_may_be_another(&self) -> bool {
        let (Some(constructor), Some(first)) = (&self.constructor, self.scan.first_store_to_slot_0) else {
            return false;
        };
        let before_super = constructor.calls.iter().any(|call| first < *call);
        self.needs.this || before_super && self.entry_behind_super()
    }

    /// Whether the entry's event waits for a constructor's `this`.
    fn entry_behind_super(&self) -> bool {
        self.constructor.is_some() && self.probes.entry.as_ref().is_some_and(event::wants_this)
    }

    fn site(&self, this: This<'a>) -> Site<'_, 'a> {
        Site {
            id: self.id,
            clock: self.probes.clock,
            class: self.class,
            start: self.slots.start,
            this,
            arguments: &self.slots.arguments,
            result: None,
            exception: None,
            own_exception: self.slots.own_exception,
            call_pc: 0,
            scratch: self.slots.scratch,
        }
    }

    /// Parameters in their own slots.
    fn parameters(&self) -> impl Iterator<Item = (FieldType<'a>, u16)> + use<'a> {
        let mut slot = u16::from(!self.context().method.is_static());
        let place = move |parameter: FieldType<'a>| {
            let at = slot;
            slot += parameter.slots();
            (parameter, at)
        };
        self.context().descriptor.parameters().map(place)
    }

    /// Where `this` is when the method is entered.
    fn own_this(&self) -> Result<This<'a>, LeftAlone> {
        match self.context().method.is_static() {
            true => Ok(This::Null),
            false => Ok(This::Slot(self.context().this_class()?, 0)),
        }
    }

    fn entry(&self, method: &mut MethodCopy<'_, '_, 'a>, edit: &mut CodeEdit<'a>) -> Result<(), LeftAlone> {
        let mut assembler = edit.assembler();
        let pool = method.pool();
        if let Some((_, slot)) = self.slots.this {
            assembler.load(b'A', 0);
            assembler.store(b'A', slot);
        }
        for ((_, to), (parameter, from)) in self.slots.arguments.iter().zip(self.parameters()) {
            assembler.load(parameter.computational(), from);
            assembler.store(parameter.computational(), *to);
        }
        if let Some(start) = self.slots.start {
            event::read_clock(self.probes.clock, &mut assembler, pool)?;
            assembler.store(b'J', start);
        }
        if let Some(slot) = self.slots.own_exception {
            assembler.op(ACONST_NULL, 1);
            assembler.store(b'A', slot);
        }
        let Some(event) = &self.probes.entry else {
            edit.entry = assembler.finish()?;
            return Ok(());
        };
        if !self.entry_behind_super() {
            let this = if event::wants_this(event) { self.own_this()? } else { This::Null };
            let arguments: Vec<_> = self.parameters().collect();
            let site = Site { arguments: &arguments, ..self.site(this) };
            event::write(event, &site, &mut assembler, pool)?;
            edit.entry = assembler.finish()?;
            return Ok(());
        }
        edit.entry = assembler.finish()?;
        let calls = self.constructor.iter().flat_map(|constructor| &constructor.calls);
        for pc in calls {
            let behind = self.frame_behind(*pc);
            if behind.as_ref().is_some_and(|frame| !self.has_this(frame)) {
                return Err(LeftAlone::ThisNotAvailable);
            }
            let mut assembler = edit.assembler();
            let site = self.site(self.own_this()?);
            event::write(event, &site, &mut assembler, method.pool())?;
            let snippet = self.add(edit, assembler.finish(), 1)?;
            let frame = behind.filter(|_| event::is_guarded(event));
            edit.insert(Insertion { pc: *pc, place: Place::After, snippet, frame })?;
        }
        Ok(())
    }

    /// What holds behind a call.
    pub(crate) fn frame_behind(&self, pc: u32) -> Option<Frame<'a>> {
        let after = self.frames.range(pc + 1..).next()?;
        Some(after.1.clone())
    }

    /// Whether slot 0 holds a constructor's `this` as an object.
    fn has_this(&self, frame: &Frame<'a>) -> bool {
        self.context().this_class().is_ok_and(|class| frame.locals.first() == Some(&Type::Reference(class)))
    }

    /// Adds a snippet that will stand at so many places.
    pub(crate) fn add(
        &self,
        edit: &mut CodeEdit<'a>,
        snippet: Result<Snippet<'a>, LeftAlone>,
        places: usize,
    ) -> Result<usize, LeftAlone> {
        let snippet = snippet?;
        edit.size = edit.size.saturating_add(snippet.code.len().saturating_mul(places));
        if edit.size > 65_535 {
            return Err(LeftAlone::CodeTooLarge(self.code.code.code().len() + edit.size));
        }
        edit.snippets.push(snippet);
        Ok(edit.snippets.len() - 1)
    }

    fn exits(&self, method: &mut MethodCopy<'_, '_, 'a>, edit: &mut CodeEdit<'a>) -> Result<(), LeftAlone> {
        let Some(event) = &self.probes.exit else { return Ok(()) };
        let mut site = self.site(self.this_at_the_end(event)?);
        if self.constructor.is_some() && event::wants_this(event) {
            let returns = self.scan.returns.iter().filter_map(|pc| self.frames.get(pc));
            if returns.into_iter().any(|frame| !self.has_this(frame)) {
                return Err(LeftAlone::ThisNotAvailable);
            }
        }
        let mut assembler = edit.assembler();
        let result = self.context().descriptor.result().filter(|_| event::wants_result(event));
        if let Some(result) = result {
            let slot = self.slots.scratch + VALUE;
            let two = result.slots() == 2;
            assembler.op(if two { DUP2 } else { DUP }, i32::from(result.slots()));
            assembler.store(result.computational(), slot);
            site.result = Some((result, slot));
        }
        event::write(event, &site, &mut assembler, method.pool())?;
        let snippet = self.add(edit, assembler.finish(), self.scan.returns.len())?;
        let guarded = event::is_guarded(event);
        edit.insertions.reserve(self.scan.returns.len());
        for pc in &self.scan.returns {
            let frame = self.frames.get(pc).filter(|_| guarded).cloned();
            edit.insert(Insertion { pc: *pc, place: Place::Before, snippet, frame })?;
        }
        Ok(())
    }

    /// `this` for an exit or throw: the copy that was taken, or, in a constructor, slot 0.
    fn this_at_the_end(&self, event: &Event<'_>) -> Result<This<'a>, LeftAlone> {
        match self.slots.this {
            Some((class, slot)) => Ok(This::Slot(class, slot)),
            None if self.constructor.is_some() && event::wants_this(event) => self.own_this(),
            None => Ok(This::Null),
        }
    }

    fn throws(&self, method: &mut MethodCopy<'_, '_, 'a>, edit: &mut CodeEdit<'a>) -> Result<(), LeftAlone> {
        let Some(event) = &self.probes.throw else { return Ok(()) };
        let this = self.this_at_the_end(event)?;
        let exception = self.slots.scratch + VALUE;
        let site = Site { exception: Some(exception), ..self.site(this) };
        let mut assembler = edit.assembler();
        if event.calls.iter().any(|call| call.operands.contains(&super::Operand::Exception)) {
            assembler.op(DUP, 1);
            assembler.store(b'A', exception);
        }
        event::write(event, &site, &mut assembler, method.pool())?;
        assembler.op(ATHROW, 0);
        let snippet = self.add(edit, assembler.finish(), 1)?;
        self.keep_own_exceptions(edit)?;

        let mut except: Vec<(u32, u32)> = self.scan.returns.iter().map(|pc| (*pc, pc + 1)).collect();
        let mut frame = None;
        if let Some(constructor) = &self.constructor {
            except.extend(&constructor.before);
            if event::wants_this(event) {
                // Where a frame has dropped `this`, an exception goes unseen: there is nothing to hand over.
                let this_class = self.context().this_class()?;
                except.extend(self.without_this()?);
                frame = Some(Type::Reference(this_class));
            }
            except.sort_unstable();
        }
        let catch_type = method.pool().class(b"java/lang/Throwable")?;
        let mut handler = method_handler(snippet, except, catch_type);
        handler.frame.locals.extend(frame);
        edit.handle(handler)?;
        Ok(())
    }

    /// Before an athrow of the method's own, what it throws goes into its slot.
    fn keep_own_exceptions(&self, edit: &mut CodeEdit<'a>) -> Result<(), LeftAlone> {
        let Some(slot) = self.slots.own_exception else { return Ok(()) };
        let mut assembler = edit.assembler();
        assembler.op(DUP, 1);
        assembler.store(b'A', slot);
        let snippet = self.add(edit, assembler.finish(), self.scan.throws.len())?;
        self.own_throws()
            .try_for_each(|pc| edit.insert(Insertion { pc, place: Place::Before, snippet, frame: None }))
    }

    /// Each athrow but those at the end of a finally or synchronized block, which throw again what came from elsewhere:
    /// compilers make of them a handler for everything that stores the exception first and loads it last.
    fn own_throws(&self) -> impl Iterator<Item = u32> {
        let code = &self.code.code;
        let stored = |slot| {
            let mut handlers = code.exception_table().filter(|row| row.catch_type == 0);
            handlers.any(|row| self.scan.stored_at(code.code(), row.handler_pc.into()) == Some(slot))
        };
        let again = move |pc: &u32| self.scan.loaded_before(code.code(), *pc).is_some_and(stored);
        self.scan.throws.iter().copied().filter(move |pc| !again(pc))
    }

    /// Spans [from, to) of pcs at which slot 0 does not hold `this` as an object.
    fn without_this(&self) -> Result<Vec<(u32, u32)>, LeftAlone> {
        let table = self.code.code.stack_map_table(self.context().class.constant_pool())?;
        let flow = self.context().flow(&self.code.code, table).map_err(not_type_safe)?;
        let mut spans = Vec::new();
        let walked = flow.walk(|instruction, frame| {
            if !frame.is_some_and(|frame| self.has_this(frame)) {
                spans.push((instruction.pc as u32, (instruction.pc + instruction.len) as u32));
            }
            ControlFlow::Continue(())
        });
        walked.map_err(not_type_safe)?;
        Ok(spans)
    }
}

/// Whether it has to be known where a constructor calls super(), or what `this` is there.
fn asks_about_super(probes: &Probes<'_>) -> bool {
    let ends = [&probes.entry, &probes.exit].into_iter().flatten();
    probes.throw.is_some() || probes.call_sites.is_some() || ends.into_iter().any(event::wants_this)
}

fn is_finalizer(context: &MethodContext<'_, '_>) -> bool {
    context.method.name().as_bytes() == b"finalize" && context.method.descriptor().as_bytes() == b"()V"
}
