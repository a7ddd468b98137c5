//! Walks a method's code with what is known at each instruction: from its StackMapTable (JVMS 4.10.1), or worked out
//! where there is none (4.10.2).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;

use crate::attributes::{Code, StackMapFrame, StackMapTable};
use crate::constant_pool::ConstantPool;
use crate::error::Error;
use crate::format::Refusal;
use crate::instruction::{Instruction, Operands, decode};
use crate::opcode::*;
use crate::verification::frame::Frame;
use crate::verification::instructions::Method;
use crate::verification::types::Type;

/// Code that is not type-safe, as far as can be told without knowing other classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pc: usize,
    rule: String,
    expected: String,
    found: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// java.lang.VerifyError.
    Types,
    /// A JVM calls it a fault of the format, though it finds it while it verifies.
    Format,
    /// The same, and at version 50 the JVM does not try without frames.
    StackMap,
    /// No rule is broken: it was only too much to follow.
    GivenUp,
}

impl Violation {
    pub(crate) fn new(pc: usize, rule: &str, expected: String, found: String) -> Self {
        Self { pc, rule: rule.to_owned(), expected, found, kind: Kind::Types }
    }

    #[cold]
    fn given_up(pc: usize) -> Self {
        let (expected, found) = ("smaller frames".to_owned(), "very many or very large ones".to_owned());
        Self { kind: Kind::GivenUp, ..Self::new(pc, "a method can be followed", expected, found) }
    }

    /// Whether no rule is broken, and the method was only too much to follow.
    pub fn is_given_up(&self) -> bool {
        self.kind == Kind::GivenUp
    }

    #[cold]
    pub(crate) fn of_format(pc: usize, rule: &str, expected: impl ToString, found: impl ToString) -> Self {
        Self { kind: Kind::Format, ..Self::new(pc, rule, expected.to_string(), found.to_string()) }
    }

    /// What a JVM throws for it.
    pub fn refusal(&self) -> Refusal {
        match self.kind {
            Kind::Format | Kind::StackMap => Refusal::ClassFormatError,
            Kind::Types | Kind::GivenUp => Refusal::VerifyError,
        }
    }

    /// Of a StackMapTable that can't be read.
    #[cold]
    pub(crate) fn of_stack_map(error: Error) -> Self {
        let unread = Self::new(0, "the StackMapTable is well-formed", "frames".into(), error.to_string());
        Self { kind: Kind::StackMap, ..unread }
    }

    /// Whether a class of version 50 may be verified without frames.
    pub(crate) fn fails_over(&self) -> bool {
        self.kind != Kind::StackMap
    }

    /// Where in code[].
    pub fn pc(&self) -> usize {
        self.pc
    }

    /// The rule, as a sentence about code that keeps it.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// What the rule wants.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What is there.
    pub fn found(&self) -> &str {
        &self.found
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pc {}: {}: expected {}, found {}", self.pc, self.rule, self.expected, self.found)
    }
}

/// A method's code with the frames where its paths meet.
pub(crate) struct Flow<'c, 'a> {
    method: Method<'c, 'a>,
    code: Code<'a>,
    initial: Frame<'a>,
    anchors: Anchors<'a>,
}

enum Anchors<'a> {
    /// What the StackMapTable says, read as the code is walked.
    Declared(Option<StackMapTable<'a>>),
    /// What was worked out, by pc.
    Inferred(BTreeMap<usize, Frame<'a>>),
}

/// How much is looked at, and kept, before a method is given up, in values: far more than javac ever needs, and little
/// enough that a class made for it neither hangs nor fills the memory of whoever follows it.
const MOST_LOOKED_AT: usize = 50_000_000;
const MOST_KEPT: usize = 500_000;

/// What is left of a bound.
#[derive(Debug)]
pub(crate) struct Budget(usize);

/// That of frames that are kept.
impl Default for Budget {
    fn default() -> Self {
        Self::kept()
    }
}

impl Budget {
    /// For frames that are kept.
    pub(crate) fn kept() -> Self {
        Self(MOST_KEPT)
    }

    /// For frames that are looked at.
    pub(crate) fn looked_at() -> Self {
        Self(MOST_LOOKED_AT)
    }

    /// Spends as much as `frame` holds, and `more`.
    pub(crate) fn spend(&mut self, frame: &Frame<'_>, more: usize, pc: usize) -> Result<(), Violation> {
        let cost = frame.locals.len() + frame.stack.len() + more + 1;
        self.0 = self.0.checked_sub(cost).ok_or_else(|| Violation::given_up(pc))?;
        Ok(())
    }
}

impl<'c, 'a> Flow<'c, 'a> {
    /// Takes the frames of `table`. Without one the method has none, and no jumps.
    pub(crate) fn declared(
        method: Method<'c, 'a>,
        code: Code<'a>,
        initial: Frame<'a>,
        table: Option<StackMapTable<'a>>,
    ) -> Self {
        Self { method, code, initial, anchors: Anchors::Declared(table) }
    }

    /// Works the frames out: a classfile below version 50 has none, and one of version 50 may.
    pub(crate) fn inferred(
        method: Method<'c, 'a>,
        code: Code<'a>,
        initial: Frame<'a>,
    ) -> Result<Self, Violation> {
        let mut inference = Inference {
            method: &method,
            code: &code,
            meets: meeting_points(&code),
            frames: BTreeMap::new(),
            waiting: BTreeSet::new(),
            looked_at: Budget(MOST_LOOKED_AT),
            kept: Budget::kept(),
        };
        inference.meet(0, &initial)?;
        // Types only ever get weaker, so this ends. In the order of the code most is looked at once.
        while let Some(pc) = inference.waiting.pop_first() {
            inference.spread(pc)?;
        }
        let anchors = Anchors::Inferred(inference.frames);
        Ok(Self { method, code, initial, anchors })
    }

    /// The method that is walked.
    pub(crate) fn method(&self) -> &Method<'c, 'a> {
        &self.method
    }

    /// Shows each instruction with what holds before it, until told to stop; with none where no path leads (only below
    /// version 50).
    pub(crate) fn walk(
        &self,
        mut visit: impl FnMut(&Instruction<'a>, Option<&Frame<'a>>) -> ControlFlow<()>,
    ) -> Result<(), Violation> {
        let mut frame = Some(self.initial.clone());
        let mut declared = match &self.anchors {
            Anchors::Declared(Some(table)) => Some(Declared::new(table.clone(), self.initial.clone())),
            _ => None,
        };
        let mut budget = Budget(MOST_LOOKED_AT);
        let mut pc = 0;
        while pc < self.code.code().len() {
            match (&self.anchors, &mut declared) {
                (Anchors::Inferred(frames), _) => {
                    if let Some(anchor) = frames.get(&pc) {
                        frame = Some(anchor.clone());
                    }
                }
                (_, Some(declared)) => {
                    if let Some(anchor) = declared.at(pc, self.method.pool)? {
                        frame = Some(anchor.clone());
                    }
                }
                _ => {}
            }
            let instruction = instruction(&self.code, pc)?;
            if visit(&instruction, frame.as_ref()).is_break() {
                break;
            }
            if let Some(state) = &mut frame {
                budget.spend(state, 0, pc)?;
                self.method.step(&instruction, state)?;
            }
            if !falls_through(instruction.opcode) {
                frame = None;
            }
            pc += instruction.len;
        }
        Ok(())
    }
}

/// The frames of a StackMapTable, one after the other.
struct Declared<'a> {
    table: StackMapTable<'a>,
    /// The frame that was told last.
    frame: Frame<'a>,
    /// What is told next.
    next: Option<StackMapFrame<'a>>,
    started: bool,
}

impl<'a> Declared<'a> {
    fn new(table: StackMapTable<'a>, initial: Frame<'a>) -> Self {
        Self { table, frame: initial, next: None, started: false }
    }

    /// The frame for `pc`, if there is one.
    fn at(&mut self, pc: usize, pool: &ConstantPool<'a>) -> Result<Option<&Frame<'a>>, Violation> {
        let broken = |error: Error| {
            Violation::new(pc, "the StackMapTable is well-formed", "a frame".into(), error.to_string())
        };
        if !self.started {
            self.started = true;
            self.next = self.table.next().transpose().map_err(broken)?;
        }
        let Some(told) = self.next.filter(|told| told.pc as usize <= pc) else { return Ok(None) };
        if told.pc as usize != pc {
            return Err(Violation::new(
                pc,
                "a frame is for an instruction",
                "a pc".into(),
                told.pc.to_string(),
            ));
        }
        self.frame.apply(&told, pool).map_err(broken)?;
        self.next = self.table.next().transpose().map_err(broken)?;
        Ok(Some(&self.frame))
    }
}

/// Works out what is known at each instruction (4.10.2.2), keeping only what is known where paths meet.
struct Inference<'m, 'c, 'a> {
    method: &'m Method<'c, 'a>,
    code: &'m Code<'a>,
    /// By pc: whether a jump or an exception leads there.
    meets: Vec<bool>,
    frames: BTreeMap<usize, Frame<'a>>,
    /// Where what is known has changed since it was last followed.
    waiting: BTreeSet<usize>,
    looked_at: Budget,
    kept: Budget,
}

impl<'a> Inference<'_, '_, 'a> {
    /// Follows the path from `pc` until it ends or meets another.
    fn spread(&mut self, mut pc: usize) -> Result<(), Violation> {
        let Some(mut frame) = self.frames.get(&pc).cloned() else { return Ok(()) };
        // Whether locals have changed since the handlers saw them.
        let mut changed = true;
        loop {
            let instruction = instruction(self.code, pc)?;
            self.looked_at.spend(&frame, 0, pc)?;
            self.caught(pc, &frame, changed)?;
            let unfinished = frame.this_uninitialized;
            self.method.step(&instruction, &mut frame)?;
            changed = matches!(instruction.opcode, ISTORE..=ASTORE_3 | NEW | INVOKESPECIAL);
            if instruction.opcode == INVOKESPECIAL {
                // What a handler sees may be what was there before, or what is there now.
                let never_returns = frame.never_returns || unfinished && !frame.this_uninitialized;
                let before = std::mem::replace(&mut frame.never_returns, never_returns);
                self.caught(pc, &frame, true)?;
                frame.never_returns = before;
            }
            let mut met = Ok(());
            each_target(&instruction, |target| {
                if met.is_ok() {
                    met = self.meet(target, &frame);
                }
            });
            met?;
            if !falls_through(instruction.opcode) {
                return Ok(());
            }
            pc += instruction.len;
            if self.meets.get(pc).copied().unwrap_or(true) {
                return self.meet(pc, &frame);
            }
        }
    }

    /// Exceptions from the instruction at `pc`. Where locals have not changed, only for the ranges that begin there.
    fn caught(&mut self, pc: usize, frame: &Frame<'a>, changed: bool) -> Result<(), Violation> {
        let code = *self.code;
        for row in code.exception_table() {
            let (start, end) = (usize::from(row.start_pc), usize::from(row.end_pc));
            if (start..end).contains(&pc) && (changed || start == pc) {
                let class = match row.catch_type {
                    0 => None,
                    index => self.method.pool.class_type(index).ok(),
                };
                let caught = class.map_or(Type::THROWABLE, Type::Reference);
                self.meet(usize::from(row.handler_pc), &frame.caught(caught))?;
            }
        }
        Ok(())
    }

    /// A path comes to `pc`.
    fn meet(&mut self, pc: usize, frame: &Frame<'a>) -> Result<(), Violation> {
        self.looked_at.spend(frame, 0, pc)?;
        if let Some(known) = self.frames.get_mut(&pc) {
            if merge(known, frame, pc)? {
                self.waiting.insert(pc);
            }
            return Ok(());
        }
        instruction(self.code, pc)?;
        self.kept.spend(frame, 0, pc)?;
        self.frames.insert(pc, frame.clone());
        self.waiting.insert(pc);
        Ok(())
    }
}

/// By pc: whether a jump or an exception leads there.
fn meeting_points(code: &Code<'_>) -> Vec<bool> {
    let mut meets = vec![false; code.code().len()];
    let mut mark = |pc: usize| {
        if let Some(meets) = meets.get_mut(pc) {
            *meets = true;
        }
    };
    code.instructions().flatten().for_each(|instruction| each_target(&instruction, &mut mark));
    code.exception_table().for_each(|row| mark(usize::from(row.handler_pc)));
    meets
}

pub(super) fn instruction<'a>(code: &Code<'a>, pc: usize) -> Result<Instruction<'a>, Violation> {
    decode(code.code(), pc).ok_or_else(|| {
        Violation::new(pc, "control stays within the code", "an instruction".into(), "none".into())
    })
}

/// Whether the next instruction may follow.
pub(crate) fn falls_through(opcode: u8) -> bool {
    !matches!(
        opcode,
        GOTO | GOTO_W
            | ATHROW
            | IRETURN
            | LRETURN
            | FRETURN
            | DRETURN
            | ARETURN
            | RETURN
            | TABLESWITCH
            | LOOKUPSWITCH
    )
}

pub(crate) fn each_target(instruction: &Instruction<'_>, mut visit: impl FnMut(usize)) {
    match instruction.operands {
        Operands::Branch(target) => visit(target),
        Operands::Switch(switch) => {
            visit(switch.default_target());
            switch.pairs().for_each(|(_, target)| visit(target));
        }
        _ => {}
    }
}

/// Weakens what is known where paths meet by what another brings; whether that says less.
pub(super) fn merge<'a>(known: &mut Frame<'a>, other: &Frame<'a>, pc: usize) -> Result<bool, Violation> {
    if known.stack.len() != other.stack.len() {
        let (expected, found) = (known.stack.len().to_string(), other.stack.len().to_string());
        return Err(Violation::new(pc, "paths meet with stacks of one depth", expected, found));
    }
    let mut changed = false;
    let mut weaken = |known: &mut Type<'a>, merged: Type<'a>| {
        changed |= *known != merged;
        *known = merged;
    };
    // What is known of fewer slots on one path is known of no more where they meet.
    for (slot, local) in known.locals.iter_mut().enumerate() {
        weaken(local, local.merge(other.locals.get(slot).copied().unwrap_or(Type::Top)));
    }
    for (item, other) in known.stack.iter_mut().zip(&other.stack) {
        let merged = item.merge(*other);
        if merged == Type::Top && *item != Type::Top {
            let (rule, expected) = ("paths meet with stacks of one kind of values", item.to_string());
            return Err(Violation::new(pc, rule, expected, other.to_string()));
        }
        weaken(item, merged);
    }
    for (flag, other) in [
        (&mut known.this_uninitialized, other.this_uninitialized),
        (&mut known.never_returns, other.never_returns),
    ] {
        changed |= other && !*flag;
        *flag |= other;
    }
    Ok(changed)
}
