//! Walks a method's code with what is known at each instruction: from its StackMapTable (JVMS 4.10.1), or worked out
//! where there is none (4.10.2).

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use crate::attributes::{Code, StackMapFrame, StackMapTable};
use crate::constant_pool::ConstantPool;
use crate::error::Error;
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
    /// No rule is broken: it was only too much to follow.
    given_up: bool,
}

impl Violation {
    pub(crate) fn new(pc: usize, rule: &str, expected: String, found: String) -> Self {
        Self { pc, rule: rule.to_owned(), expected, found, given_up: false }
    }

    #[cold]
    fn given_up(pc: usize) -> Self {
        let (expected, found) = ("smaller frames".to_owned(), "very many or very large ones".to_owned());
        Self { given_up: true, ..Self::new(pc, "a method can be followed", expected, found) }
    }

    /// Whether no rule is broken, and the method was only too much to follow.
    pub fn is_given_up(&self) -> bool {
        self.given_up
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
            waiting: vec![(0, initial.clone())],
            looked_at: Budget(MOST_LOOKED_AT),
            kept: Budget::kept(),
        };
        // Types only ever get weaker, so this ends.
        while let Some((pc, frame)) = inference.waiting.pop() {
            inference.spread(pc, frame)?;
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
    /// Paths to follow.
    waiting: Vec<(usize, Frame<'a>)>,
    looked_at: Budget,
    kept: Budget,
}

impl<'a> Inference<'_, '_, 'a> {
    /// Follows one path from `pc` until it ends or says nothing new.
    fn spread(&mut self, mut pc: usize, mut frame: Frame<'a>) -> Result<(), Violation> {
        loop {
            if self.meets.get(pc).copied().unwrap_or(true) {
                let known = self.frames.get(&pc);
                let merged = match known {
                    Some(known) => merge(known, &frame, pc)?,
                    None => frame.clone(),
                };
                if known == Some(&merged) {
                    return Ok(());
                }
                if known.is_none() {
                    self.kept.spend(&merged, 0, pc)?;
                }
                self.frames.insert(pc, merged.clone());
                frame = merged;
            }
            let instruction = instruction(self.code, pc)?;
            self.looked_at.spend(&frame, self.code.exception_table().len(), pc)?;
            self.caught(pc, &frame)?;
            let stores = matches!(instruction.opcode, ISTORE..=ASTORE_3 | INVOKESPECIAL);
            self.method.step(&instruction, &mut frame)?;
            if stores {
                // What a handler sees may be what was there before, or what is there now.
                self.caught(pc, &frame)?;
            }
            let mut targets = Vec::new();
            each_target(&instruction, |target| targets.push(target));
            for target in targets {
                self.wait(target, frame.clone())?;
            }
            if !falls_through(instruction.opcode) {
                return Ok(());
            }
            pc += instruction.len;
        }
    }

    /// Exceptions from the instruction at `pc`.
    fn caught(&mut self, pc: usize, frame: &Frame<'a>) -> Result<(), Violation> {
        let code = *self.code;
        for row in code.exception_table() {
            if (usize::from(row.start_pc)..usize::from(row.end_pc)).contains(&pc) {
                let class = match row.catch_type {
                    0 => None,
                    index => self.method.pool.class_type(index).ok(),
                };
                let caught = class.map_or(Type::THROWABLE, Type::Reference);
                self.wait(usize::from(row.handler_pc), frame.caught(caught))?;
            }
        }
        Ok(())
    }

    /// A path to follow later, unless it says nothing new.
    fn wait(&mut self, pc: usize, frame: Frame<'a>) -> Result<(), Violation> {
        self.looked_at.spend(&frame, 0, pc)?;
        if let Some(known) = self.frames.get(&pc)
            && merge(known, &frame, pc)? == *known
        {
            return Ok(());
        }
        // Paths that wait are kept as well; they become frames, or go.
        let waiting: usize = self.waiting.len() * (frame.locals.len() + frame.stack.len() + 1);
        if waiting > MOST_KEPT {
            return Err(Violation::given_up(pc));
        }
        self.waiting.push((pc, frame));
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

fn instruction<'a>(code: &Code<'a>, pc: usize) -> Result<Instruction<'a>, Violation> {
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

/// What is known where two paths meet.
fn merge<'a>(one: &Frame<'a>, other: &Frame<'a>, pc: usize) -> Result<Frame<'a>, Violation> {
    if one.stack.len() != other.stack.len() {
        let (expected, found) = (one.stack.len().to_string(), other.stack.len().to_string());
        return Err(Violation::new(pc, "paths meet with stacks of one depth", expected, found));
    }
    let merge_all = |a: &[_], b: &[_]| a.iter().zip(b).map(|(a, b): (&Type<'a>, _)| a.merge(*b)).collect();
    let mut merged = Frame {
        locals: merge_all(&one.locals, &other.locals),
        stack: merge_all(&one.stack, &other.stack),
        this_uninitialized: one.this_uninitialized || other.this_uninitialized,
    };
    // What is known of fewer slots on one path is known of no more where they meet; but the same must equal itself.
    if merged.locals.len() < one.locals.len() {
        merged.locals.resize(one.locals.len(), Type::Top);
    }
    Ok(merged)
}
