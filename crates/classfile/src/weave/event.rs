//! The instructions of one event: its guard, then its calls.

use crate::descriptor::{Element, FieldType};
use crate::left_alone::LeftAlone;
use crate::modified_utf8::ModifiedUtf8;
use crate::opcode::*;
use crate::rewrite::{Assembler, Label, PoolAppender};
use crate::verification::Type;
use crate::weave::condition::{Compiler, Known, SCRATCH, Subject};
use crate::weave::probes::{Call, Event, Operand, Probes, Repeat, StaticMethod};

/// Where an event finds what it hands over.
#[derive(Clone, Debug)]
pub(crate) struct Site<'s, 'a> {
    pub(crate) id: i32,
    pub(crate) clock: StaticMethod<'s>,
    /// The class that is woven, in internal form.
    pub(crate) class: ModifiedUtf8<'a>,
    /// Slot of the start time.
    pub(crate) start: Option<u16>,
    pub(crate) this: This<'a>,
    pub(crate) arguments: &'s [(FieldType<'a>, u16)],
    pub(crate) result: Option<(FieldType<'a>, u16)>,
    pub(crate) exception: Option<u16>,
    /// Slot of the method's own exception; none where it throws none.
    pub(crate) own_exception: Option<u16>,
    pub(crate) call_pc: u32,
    /// First of [`Site::SCRATCH`] slots that hold nothing else.
    pub(crate) scratch: u16,
}

/// Where `this`, or a call's receiver, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum This<'a> {
    /// There is none: null is handed over.
    Null,
    /// In a slot, as what.
    Slot(FieldType<'a>, u16),
}

impl Site<'_, '_> {
    /// Slots that an event uses for itself: end time, cost, and those of a condition.
    pub(crate) const SCRATCH: u16 = 4 + SCRATCH;
}

/// Whether an event has to know when it began.
pub(crate) fn wants_start(event: &Event<'_>) -> bool {
    let condition = event.guard.condition;
    hands_over(event, Operand::StartTime)
        || event.guard.min_cost.is_some()
        || condition.is_some_and(|(condition, _)| condition.asks_about(|subject| subject == Subject::Cost))
}

/// Whether an event hands `this` over, or asks about it.
pub(crate) fn wants_this(event: &Event<'_>) -> bool {
    let condition = event.guard.condition;
    hands_over(event, Operand::This)
        || condition.is_some_and(|(condition, _)| condition.asks_about(|subject| subject == Subject::This))
}

/// Whether an event hands arguments over, or asks about one.
pub(crate) fn wants_arguments(event: &Event<'_>) -> bool {
    let each = |call: &Call<'_>| call.repeat == Repeat::EachArgument;
    hands_over(event, Operand::Arguments) || event.calls.iter().any(each) || asks_about_arguments(event)
}

/// Whether an event's condition needs arguments by their own types.
pub(crate) fn asks_about_arguments(event: &Event<'_>) -> bool {
    let argument = |subject| matches!(subject, Subject::Argument(_));
    event.guard.condition.is_some_and(|(condition, _)| condition.asks_about(argument))
}

/// Whether an event hands the result over, or asks about it.
pub(crate) fn wants_result(event: &Event<'_>) -> bool {
    let condition = event.guard.condition;
    hands_over(event, Operand::Result)
        || condition.is_some_and(|(condition, _)| condition.asks_about(|subject| subject == Subject::Result))
}

/// What probes ask for, found out once for all methods that they are woven into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    /// See [`missing_operand`].
    pub(crate) missing: Option<Operand>,
    /// When the method was entered.
    pub(crate) start: bool,
    /// `this` at its ends.
    pub(crate) this: bool,
    /// Its arguments at its ends.
    pub(crate) arguments: bool,
    /// What it has thrown itself.
    pub(crate) own_exception: bool,
}

impl Needs {
    pub(crate) fn of(probes: &Probes<'_>) -> Self {
        let ends = || probes.exit.iter().chain(&probes.throw);
        Self {
            missing: missing_operand(probes),
            start: ends().chain(&probes.entry).any(wants_start),
            this: ends().any(wants_this),
            arguments: ends().any(wants_arguments),
            own_exception: probes.throw.iter().any(|event| hands_over(event, Operand::OwnException)),
        }
    }
}

/// An operand that an event asks for at a place where there is no such thing: it could only be left out, and a method with
/// another descriptor be called.
fn missing_operand(probes: &Probes<'_>) -> Option<Operand> {
    use Operand::{Argument, ArgumentIndex, CallPc, Exception, OwnException, Result, StartTime};
    let sites = probes.call_sites.as_ref();
    let places: [(Option<&Event<'_>>, &[Operand]); 6] = [
        (probes.entry.as_ref(), &[Result, Exception, OwnException, CallPc]),
        (probes.exit.as_ref(), &[Exception, OwnException, CallPc]),
        (probes.throw.as_ref(), &[Result, CallPc]),
        (sites.and_then(|sites| sites.before.as_ref()), &[StartTime, Result, Exception, OwnException]),
        (sites.and_then(|sites| sites.after.as_ref()), &[Exception, OwnException]),
        (sites.and_then(|sites| sites.throw.as_ref()), &[Result, OwnException]),
    ];
    let calls = places
        .iter()
        .flat_map(|(event, absent)| event.iter().flat_map(|event| &event.calls).map(|call| (call, *absent)));
    calls.into_iter().find_map(|(call, absent)| {
        let once = call.repeat == Repeat::Once;
        let missing = |operand: &&Operand| {
            absent.contains(operand) || once && matches!(operand, Argument | ArgumentIndex)
        };
        call.operands.iter().find(missing).copied()
    })
}

/// Whether an event has a guard: whether it jumps.
pub(crate) fn is_guarded(event: &Event<'_>) -> bool {
    let guard = &event.guard;
    guard.flag.is_some() || guard.min_cost.is_some() || guard.condition.is_some()
}

fn hands_over(event: &Event<'_>, operand: Operand) -> bool {
    event.calls.iter().any(|call| call.operands.contains(&operand))
}

/// Writes a clock reading onto the stack.
pub(crate) fn read_clock(
    clock: StaticMethod<'_>,
    assembler: &mut Assembler<'_>,
    pool: &mut PoolAppender<'_, '_>,
) -> Result<(), LeftAlone> {
    let clock = pool.method(clock.class, clock.name, b"()J")?;
    assembler.pool(INVOKESTATIC, clock, 2);
    Ok(())
}

/// Writes an event. It leaves the stack as it was, and jumps nowhere but to its own end.
pub(crate) fn write<'a>(
    event: &Event<'_>,
    site: &Site<'_, 'a>,
    assembler: &mut Assembler<'a>,
    pool: &mut PoolAppender<'_, 'a>,
) -> Result<(), LeftAlone> {
    let mut skip = Label::default();
    let guard = &event.guard;
    // What was stored before, and is read behind the jumps of a condition.
    if let Some((result, slot)) = site.result {
        assembler.hold(slot, Type::of(result));
    }
    if let Some(slot) = site.exception.filter(|_| hands_over(event, Operand::Exception)) {
        assembler.hold(slot, Type::THROWABLE);
    }
    if let Some(flag) = guard.flag {
        let field = pool.field(flag.class.as_bytes(), flag.name.as_bytes(), b"Z")?;
        assembler.pool(GETSTATIC, field, 1);
        assembler.jump(IFEQ, &mut skip, -1);
    }
    let (end, cost) = (site.scratch, site.scratch + 2);
    let asks_cost = guard
        .condition
        .is_some_and(|(condition, _)| condition.asks_about(|subject| subject == Subject::Cost));
    let mut known_end = None;
    if let Some(start) = site.start.filter(|_| guard.min_cost.is_some() || asks_cost) {
        read_clock(site.clock, assembler, pool)?;
        assembler.op(DUP2, 2);
        assembler.store(b'J', end);
        assembler.load(b'J', start);
        assembler.op(LSUB, -2);
        if asks_cost {
            assembler.op(DUP2, 2);
            assembler.store(b'J', cost);
            assembler.hold(cost, Type::Long);
        }
        match guard.min_cost {
            Some(least) => {
                let least = pool.long(least)?;
                assembler.pool(LDC2_W, least, 2);
                assembler.op(LCMP, -3);
                assembler.jump(IFLT, &mut skip, -1);
            }
            None => assembler.op(POP2, -2),
        }
        assembler.hold(end, Type::Long);
        known_end = Some(end);
    }
    if let Some((condition, fields)) = guard.condition {
        let known = Known {
            arguments: site.arguments,
            this: match site.this {
                This::Slot(class, slot) => Some((class, slot)),
                This::Null => None,
            },
            result: site.result,
            cost: known_end.map(|_| cost),
        };
        let class = site.class.to_str_lossy().into_owned();
        Compiler { assembler, pool, known: &known, fields, class, scratch: site.scratch + 4 }
            .compile(condition, &mut skip)?;
    }
    for call in &event.calls {
        match call.repeat {
            Repeat::Once => write_call(call, site, None, known_end, assembler, pool)?,
            Repeat::EachArgument => {
                for number in 0..site.arguments.len() {
                    write_call(call, site, Some(number), known_end, assembler, pool)?;
                }
            }
        }
    }
    assembler.let_go();
    assembler.place(&skip);
    Ok(())
}

fn write_call<'a>(
    call: &Call<'_>,
    site: &Site<'_, 'a>,
    argument: Option<usize>,
    known_end: Option<u16>,
    assembler: &mut Assembler<'a>,
    pool: &mut PoolAppender<'_, 'a>,
) -> Result<(), LeftAlone> {
    let mut given = Given { descriptor: std::mem::take(&mut pool.descriptor), slots: 0 };
    given.descriptor.clear();
    given.descriptor.push(b'(');
    for operand in &call.operands {
        match operand {
            Operand::ProbeId => given.int(site.id, assembler, pool)?,
            Operand::CallPc => given.int(site.call_pc as i32, assembler, pool)?,
            Operand::ArgumentIndex => {
                given.int(argument.map_or(0, |number| number as i32), assembler, pool)?
            }
            Operand::StartTime => {
                if let Some(start) = site.start {
                    given.local(LONG, start, assembler);
                }
            }
            Operand::EndTime => match known_end {
                Some(end) => given.local(LONG, end, assembler),
                None => {
                    read_clock(site.clock, assembler, pool)?;
                    given.note(b"J", 2);
                }
            },
            Operand::This => match site.this {
                This::Slot(class, slot) => given.local(class, slot, assembler),
                This::Null => {
                    assembler.op(ACONST_NULL, 1);
                    given.note(OBJECT, 1);
                }
            },
            Operand::Arguments => {
                for (declared, slot) in site.arguments {
                    given.local(*declared, *slot, assembler);
                }
            }
            Operand::Argument => {
                if let Some((declared, slot)) = argument.and_then(|number| site.arguments.get(number)) {
                    given.local(*declared, *slot, assembler);
                }
            }
            Operand::Result => {
                if let Some((declared, slot)) = site.result {
                    given.local(declared, slot, assembler);
                }
            }
            Operand::Exception => {
                if let Some(slot) = site.exception {
                    assembler.load(b'A', slot);
                    given.note(THROWABLE, 1);
                }
            }
            Operand::OwnException => {
                match site.own_exception {
                    Some(slot) => assembler.load(b'A', slot),
                    None => assembler.op(ACONST_NULL, 1),
                }
                given.note(THROWABLE, 1);
            }
        }
    }
    if given.slots > 255 {
        return Err(LeftAlone::TooManyArguments);
    }
    given.descriptor.extend(b")V");
    let method = pool.method(call.method.class, call.method.name, &given.descriptor)?;
    pool.descriptor = given.descriptor;
    assembler.pool(INVOKESTATIC, method, -i32::from(given.slots));
    Ok(())
}

const LONG: FieldType<'static> = FieldType { dimensions: 0, element: Element::Primitive(b'J') };
const OBJECT: &[u8] = b"Ljava/lang/Object;";
const THROWABLE: &[u8] = b"Ljava/lang/Throwable;";

/// What a call is given so far.
struct Given {
    descriptor: Vec<u8>,
    slots: u16,
}

impl Given {
    /// A value that is on the stack.
    fn note(&mut self, descriptor: &[u8], slots: u16) {
        self.descriptor.extend(descriptor);
        self.slots = self.slots.saturating_add(slots);
    }

    fn local(&mut self, declared: FieldType<'_>, slot: u16, assembler: &mut Assembler<'_>) {
        assembler.load(declared.computational(), slot);
        match declared.element {
            Element::Primitive(letter) if declared.dimensions == 0 => self.note(&[letter], declared.slots()),
            _ => self.note(OBJECT, 1),
        }
    }

    fn int(
        &mut self,
        value: i32,
        assembler: &mut Assembler<'_>,
        pool: &mut PoolAppender<'_, '_>,
    ) -> Result<(), LeftAlone> {
        assembler.int(value, pool)?;
        self.note(b"I", 1);
        Ok(())
    }
}
