//! Walks a method's code with what is known at each instruction: from its StackMapTable (JVMS 4.10.1), or worked out
//! where there is none (4.10.2).

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use crate::attributes::{Code, StackMapTable};
use crate::instruction::{Instruction, Operands};
use crate::opcode::*;
use crate::verification::frame::Frame;
use crate::verification::instructions::Method;

/// Code that is not type-safe, as far as can be told without knowing other classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pc: usize,
    rule: String,
    expected: String,
    found: String,
}

impl Violation {
    pub(crate) fn new(pc: usize, rule: &str, expected: String, found: String) -> Self {
        Self { pc, rule: rule.to_owned(), expected, found }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pc {}: {}: expected {}, found {}", self.pc, self.rule, self.expected, self.found)
    }
}

/// The frames of a method where its paths meet.
pub(crate) struct Flow<'c, 'a> {
    method: Method<'c, 'a>,
    code: Code<'a>,
    initial: Frame<'a>,
    /// By pc: what a StackMapTable says, or what was worked out.
    anchors: BTreeMap<usize, Frame<'a>>,
}

impl<'c, 'a> Flow<'c, 'a> {
    /// Takes the frames of `table`. Without one the method has none, and no jumps.
    pub(crate) fn declared(
        method: Method<'c, 'a>,
        code: Code<'a>,
        initial: Frame<'a>,
        table: Option<StackMapTable<'a>>,
    ) -> Result<Self, Violation> {
        let mut anchors = BTreeMap::new();
        let mut frame = initial.clone();
        let broken = |pc: usize, error: crate::Error| {
            Violation::new(pc, "the StackMapTable is well-formed", "a frame".into(), error.to_string())
        };
        for told in table.into_iter().flatten() {
            let told = told.map_err(|error| broken(0, error))?;
            let pc = told.pc as usize;
            frame.apply(&told, method.pool).map_err(|error| broken(pc, error))?;
            anchors.insert(pc, frame.clone());
        }
        Ok(Self { method, code, initial, anchors })
    }

    /// Works the frames out: a classfile below version 50 has none, and one of version 50 may.
    pub(crate) fn inferred(
        method: Method<'c, 'a>,
        code: Code<'a>,
        initial: Frame<'a>,
    ) -> Result<Self, Violation> {
        let mut flow = Self { method, code, initial, anchors: BTreeMap::new() };
        let mut waiting = vec![(0, flow.initial.clone())];
        // Types only ever get weaker, so this ends; a chain of merges is as long as there are slots.
        while let Some((pc, frame)) = waiting.pop() {
            flow.spread(pc, frame, &mut waiting)?;
        }
        Ok(flow)
    }

    /// Follows one path from `pc` until it ends or meets what is known already.
    fn spread(
        &mut self,
        mut pc: usize,
        mut frame: Frame<'a>,
        waiting: &mut Vec<(usize, Frame<'a>)>,
    ) -> Result<(), Violation> {
        loop {
            let known = self.anchors.get(&pc);
            let merged = match known {
                Some(known) => merge(known, &frame, pc)?,
                None => frame.clone(),
            };
            if known == Some(&merged) {
                return Ok(());
            }
            self.anchors.insert(pc, merged.clone());
            frame = merged;
            let instruction = self.instruction(pc)?;
            self.handlers(pc, &frame, waiting);
            let before = frame.locals.clone();
            self.method.step(&instruction, &mut frame)?;
            if frame.locals != before {
                // A store may be seen by a handler too.
                self.handlers(pc, &frame, waiting);
            }
            each_target(&instruction, |target| waiting.push((target, frame.clone())));
            if !falls_through(instruction.opcode) {
                return Ok(());
            }
            pc += instruction.len;
        }
    }

    fn handlers(&self, pc: usize, frame: &Frame<'a>, waiting: &mut Vec<(usize, Frame<'a>)>) {
        use crate::verification::types::Type;
        for row in self.code.exception_table() {
            if (usize::from(row.start_pc)..usize::from(row.end_pc)).contains(&pc) {
                let class = match row.catch_type {
                    0 => None,
                    index => self.method.pool.class_type(index).ok(),
                };
                let caught = class.map_or(Type::THROWABLE, Type::Reference);
                let handler = Frame { locals: frame.locals.clone(), stack: vec![caught] };
                waiting.push((usize::from(row.handler_pc), handler));
            }
        }
    }

    fn instruction(&self, pc: usize) -> Result<Instruction<'a>, Violation> {
        crate::instruction::decode(self.code.code(), pc).ok_or_else(|| {
            Violation::new(pc, "control stays within the code", "an instruction".into(), "none".into())
        })
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
        let mut pc = 0;
        while pc < self.code.code().len() {
            if let Some(anchor) = self.anchors.get(&pc) {
                frame = Some(anchor.clone());
            }
            let instruction = self.instruction(pc)?;
            if visit(&instruction, frame.as_ref()).is_break() {
                break;
            }
            if let Some(state) = &mut frame {
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

fn each_target(instruction: &Instruction<'_>, mut visit: impl FnMut(usize)) {
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
    let merge_all =
        |a: &[_], b: &[_]| a.iter().zip(b).map(|(a, b): (&super::Type<'a>, _)| a.merge(*b)).collect();
    let mut merged =
        Frame { locals: merge_all(&one.locals, &other.locals), stack: merge_all(&one.stack, &other.stack) };
    // What is known of fewer slots on one path is known of no more where they meet; but the same must equal itself.
    if merged.locals.len() < one.locals.len() {
        merged.locals.resize(one.locals.len(), super::Type::Top);
    }
    Ok(merged)
}
