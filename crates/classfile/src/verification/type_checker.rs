//! Checks the code of a method against its StackMapTable (JVMS 4.10.1.5, 4.10.1.6), or, below version 50, against what
//! can be worked out (4.10.2): that every value is of the type that is needed wherever control can lead.

use std::collections::BTreeMap;

use crate::attributes::{Code, StackMapTable};
use crate::error::Error;
use crate::instruction::{Instruction, decode};
use crate::opcode::*;
use crate::verification::context::MethodContext;
use crate::verification::flow::{Budget, Violation, each_target, falls_through};
use crate::verification::frame::Frame;
use crate::verification::types::Type;

/// Checks one method's code.
pub(crate) fn check<'a>(
    context: &MethodContext<'_, 'a>,
    code: &Code<'a>,
    table: Option<StackMapTable<'a>>,
) -> Result<(), Violation> {
    if !context.has_stack_maps(table.as_ref(), code) {
        if has_subroutines(code) {
            // What jsr and ret do is not followed; javac has not written them since Java 6.
            return Ok(());
        }
        // To work it out is to check it.
        return context.flow(code, None).map(drop);
    }
    let mut checker =
        Checker { context, code, anchors: anchors(context, table)?, budget: Budget::looked_at() };
    checker.run()
}

struct Checker<'k, 'c, 'a> {
    context: &'k MethodContext<'c, 'a>,
    code: &'k Code<'a>,
    anchors: BTreeMap<usize, Frame<'a>>,
    budget: Budget,
}

impl<'a> Checker<'_, '_, 'a> {
    fn run(&mut self) -> Result<(), Violation> {
        let method = self.context.method_rules(self.code)?;
        let bytes = self.code.code();
        let initial = self.context.initial().map_err(|error| broken(0, error))?;
        let (mut current, mut pc, mut met) = (Some(initial), 0, 0);
        while pc < bytes.len() {
            let instruction = decode(bytes, pc).ok_or_else(|| {
                Violation::new(pc, "code is instructions", "an instruction".into(), "none".into())
            })?;
            if let Some(anchor) = self.anchors.get(&pc) {
                met += 1;
                if let Some(current) = &current {
                    self.budget.spend(current, 0, pc)?;
                    assignable(current, anchor, pc)?;
                }
                current = Some(anchor.clone());
            }
            let Some(frame) = current.as_mut() else {
                let expected = "a stack map frame".to_owned();
                return Err(Violation::new(
                    pc,
                    "what nothing falls through to has a frame",
                    expected,
                    "none".into(),
                ));
            };
            self.budget.spend(frame, self.code.exception_table().len(), pc)?;
            let before = frame.clone();
            method.step(&instruction, frame)?;
            let behind = frame.clone();
            self.handlers(&instruction, &before, &behind)?;
            self.targets(&instruction, &behind)?;
            if !falls_through(instruction.opcode) {
                current = None;
            }
            pc += instruction.len;
        }
        if current.is_some() {
            return Err(Violation::new(
                pc,
                "control does not fall off the end",
                "a jump or return".into(),
                "the end".into(),
            ));
        }
        if met != self.anchors.len() {
            let found = self.anchors.len() - met;
            return Err(Violation::new(
                pc,
                "each frame is for an instruction",
                "none more".into(),
                found.to_string(),
            ));
        }
        Ok(())
    }

    fn targets(&mut self, instruction: &Instruction<'a>, behind: &Frame<'a>) -> Result<(), Violation> {
        let mut targets = Vec::new();
        each_target(instruction, |target| targets.push(target));
        for target in targets {
            self.budget.spend(behind, 0, instruction.pc)?;
            let anchor = self.anchors.get(&target).ok_or_else(|| {
                Violation::new(
                    instruction.pc,
                    "where a jump leads is a frame",
                    "a frame".into(),
                    format!("none at {target}"),
                )
            })?;
            assignable(behind, anchor, instruction.pc)?;
        }
        Ok(())
    }

    /// Each handler that covers an instruction takes what holds before it; what a constructor call has changed, too.
    fn handlers(
        &mut self,
        instruction: &Instruction<'a>,
        before: &Frame<'a>,
        behind: &Frame<'a>,
    ) -> Result<(), Violation> {
        let pc = instruction.pc;
        for row in self.code.exception_table() {
            if !(usize::from(row.start_pc)..usize::from(row.end_pc)).contains(&pc) {
                continue;
            }
            let caught = match row.catch_type {
                0 => Type::THROWABLE,
                index => {
                    let class = self.context.class.constant_pool().class_type(index);
                    Type::Reference(class.map_err(|error| broken(pc, error))?)
                }
            };
            let handler = usize::from(row.handler_pc);
            let anchor = self.anchors.get(&handler).ok_or_else(|| {
                Violation::new(pc, "a handler has a frame", "a frame".into(), format!("none at {handler}"))
            })?;
            assignable(&before.caught(caught), anchor, pc)?;
            if instruction.opcode == INVOKESPECIAL {
                // An object whose constructor has thrown is of no use to a handler.
                let mut after = before.caught(caught);
                for (slot, was) in before.locals.iter().enumerate() {
                    let made = matches!(was, Type::Uninitialized(_) | Type::UninitializedThis)
                        && behind.locals.get(slot) != Some(was);
                    if made && let Some(local) = after.locals.get_mut(slot) {
                        *local = Type::Top;
                    }
                }
                if before.this_is_uninitialized()
                    && !behind.this_is_uninitialized()
                    && !self.ends_in_athrow(handler)
                {
                    let found = format!("one at {handler} that may not");
                    return Err(Violation::new(
                        pc,
                        "what handles super() ends by throwing",
                        "such a handler".into(),
                        found,
                    ));
                }
                if !before.this_is_uninitialized() || behind.this_is_uninitialized() {
                    assignable(&after, anchor, pc)?;
                }
            }
        }
        Ok(())
    }

    /// Whether every path from `pc` on ends in athrow.
    fn ends_in_athrow(&self, pc: usize) -> bool {
        let (mut waiting, mut seen) = (vec![pc], std::collections::BTreeSet::new());
        while let Some(mut pc) = waiting.pop() {
            while seen.insert(pc) {
                let Some(instruction) = decode(self.code.code(), pc) else { return false };
                match instruction.opcode {
                    ATHROW => break,
                    IRETURN..=RETURN => return false,
                    _ => {}
                }
                each_target(&instruction, |target| waiting.push(target));
                if !falls_through(instruction.opcode) {
                    break;
                }
                pc += instruction.len;
            }
        }
        true
    }
}

/// All frames, by pc.
fn anchors<'a>(
    context: &MethodContext<'_, 'a>,
    table: Option<StackMapTable<'a>>,
) -> Result<BTreeMap<usize, Frame<'a>>, Violation> {
    let mut frame = context.initial().map_err(|error| broken(0, error))?;
    let (mut anchors, mut kept) = (BTreeMap::new(), Budget::kept());
    for told in table.into_iter().flatten() {
        let told = told.map_err(|error| broken(0, error))?;
        let pc = told.pc as usize;
        frame.apply(&told, context.class.constant_pool()).map_err(|error| broken(pc, error))?;
        kept.spend(&frame, 0, pc)?;
        anchors.insert(pc, frame.clone());
    }
    Ok(anchors)
}

/// A frame may flow into another (4.10.1.3): every local and value is of the type that is asked for there, and a
/// constructor's `this` that is no object yet is none there either.
fn assignable(from: &Frame<'_>, to: &Frame<'_>, pc: usize) -> Result<(), Violation> {
    if from.stack.len() != to.stack.len() {
        let (expected, found) = (to.stack.len().to_string(), from.stack.len().to_string());
        return Err(Violation::new(pc, "the stack is as deep as the frame says", expected, found));
    }
    if from.this_is_uninitialized() && !to.this_is_uninitialized() {
        let (expected, found) = ("an object".to_owned(), "uninitialized this".to_owned());
        return Err(Violation::new(pc, "this is what the frame says", expected, found));
    }
    for (slot, wanted) in to.locals.iter().enumerate() {
        let found = from.locals.get(slot).copied().unwrap_or(Type::Top);
        if !found.is_assignable_to(*wanted) {
            let rule = format!("local {slot} is what the frame says");
            return Err(Violation::new(pc, &rule, wanted.to_string(), found.to_string()));
        }
    }
    for (found, wanted) in from.stack.iter().zip(&to.stack) {
        if !found.is_assignable_to(*wanted) {
            let rule = "the stack holds what the frame says";
            return Err(Violation::new(pc, rule, wanted.to_string(), found.to_string()));
        }
    }
    Ok(())
}

fn has_subroutines(code: &Code<'_>) -> bool {
    code.instructions().flatten().any(|instruction| matches!(instruction.opcode, JSR | JSR_W | RET))
}

fn broken(pc: usize, error: Error) -> Violation {
    Violation::new(pc, "the class is well-formed", "a class file".into(), error.to_string())
}
