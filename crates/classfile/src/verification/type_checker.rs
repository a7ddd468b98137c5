//! Checks the code of a method against its StackMapTable (JVMS 4.10.1.5, 4.10.1.6): that every value is of the type that is
//! needed wherever control can lead. From version 50 on; below it, and where frames of version 50 are wrong, types are
//! worked out (`inference`).

use crate::attributes::{Code, FrameChange, StackMapFrame, StackMapTable, VerificationType};
use crate::error::{Error, ErrorKind};
use crate::instruction::{Instruction, decode};
use crate::opcode::*;
use crate::verification::context::MethodContext;
use crate::verification::flow::{Budget, Violation, each_target, falls_through};
use crate::verification::frame::Frame;
use crate::verification::instructions::Method;
use crate::verification::layout::Layout;
use crate::verification::types::Type;

/// Checks one method's code.
pub(crate) fn check<'a>(context: &MethodContext<'_, 'a>, code: &Code<'a>) -> Result<(), Violation> {
    let layout = Layout::of(code)?;
    layout.exception_table(context.class, 0)?;
    layout.variables(context.class)?;
    let initial = context.initial().map_err(malformed)?;
    let anchors = anchors(context, code, &layout, &initial)?;
    let method = context.method_rules(code)?;
    Checker { method, code, anchors, budget: Budget::looked_at() }.run(initial)
}

struct Checker<'k, 'c, 'a> {
    method: Method<'c, 'a>,
    code: &'k Code<'a>,
    /// Frames, by pc, in order.
    anchors: Vec<(usize, Frame<'a>)>,
    budget: Budget,
}

impl<'a> Checker<'_, '_, 'a> {
    fn run(&mut self, mut frame: Frame<'a>) -> Result<(), Violation> {
        let bytes = self.code.code();
        let is_covered = self.code.exception_table().len() > 0;
        let (mut pc, mut met, mut reached) = (0, 0, true);
        // Whether locals have changed since the handlers saw them.
        let mut changed = true;
        while pc < bytes.len() {
            let Some(instruction) = decode(bytes, pc) else {
                return Err(Violation::new(
                    pc,
                    "code is instructions",
                    "an instruction".into(),
                    "none".into(),
                ));
            };
            if let Some((at, anchor)) = self.anchors.get(met)
                && *at <= pc
            {
                if *at < pc {
                    let found = at.to_string();
                    return Err(Violation::new(pc, "each frame is for an instruction", "one".into(), found));
                }
                self.budget.spend(&frame, 0, pc)?;
                if reached {
                    assignable(&frame, anchor, pc)?;
                }
                frame.clone_from(anchor);
                (met, reached, changed) = (met + 1, true, true);
            }
            if !reached {
                let rule = "what nothing falls through to has a frame";
                return Err(Violation::new(pc, rule, "a stack map frame".into(), "none".into()));
            }
            self.budget.spend(&frame, 0, pc)?;
            if is_covered {
                self.handlers(pc, &frame, changed)?;
                changed = false;
            }
            let unfinished = frame.this_is_uninitialized();
            self.method.step(&instruction, &mut frame)?;
            match instruction.opcode {
                INVOKESPECIAL if is_covered => {
                    self.handlers(pc, &frame, true)?;
                    if unfinished && !frame.this_is_uninitialized() {
                        self.super_is_not_covered(pc)?;
                    }
                    changed = true;
                }
                INVOKESPECIAL | NEW | ISTORE..=ASTORE_3 => changed = true,
                _ => {}
            }
            self.targets(&instruction, &frame)?;
            reached = falls_through(instruction.opcode);
            pc += instruction.len;
        }
        if reached {
            let (expected, found) = ("a jump or return".to_owned(), "the end".to_owned());
            return Err(Violation::new(pc, "control does not fall off the end", expected, found));
        }
        if let Some((at, _)) = self.anchors.get(met) {
            return Err(Violation::new(
                pc,
                "each frame is for an instruction",
                "none more".into(),
                at.to_string(),
            ));
        }
        Ok(())
    }

    fn anchor(&self, pc: usize) -> Option<&Frame<'a>> {
        let found = self.anchors.binary_search_by_key(&pc, |(at, _)| *at).ok()?;
        self.anchors.get(found).map(|(_, frame)| frame)
    }

    fn targets(&mut self, instruction: &Instruction<'a>, behind: &Frame<'a>) -> Result<(), Violation> {
        let mut checked = Ok(());
        each_target(instruction, |target| {
            if checked.is_ok() {
                checked = self.target(instruction.pc, target, behind);
            }
        });
        checked
    }

    fn target(&mut self, pc: usize, target: usize, behind: &Frame<'a>) -> Result<(), Violation> {
        self.budget.spend(behind, 0, pc)?;
        let anchor = self.anchor(target).ok_or_else(|| {
            let found = format!("none at {}", target as isize);
            Violation::new(pc, "where a jump leads is a frame", "a frame".into(), found)
        })?;
        assignable(behind, anchor, pc)
    }

    /// Each handler that covers an instruction takes the locals that hold there. Where they have not changed, only those
    /// handlers are asked whose range begins.
    fn handlers(&mut self, pc: usize, frame: &Frame<'a>, changed: bool) -> Result<(), Violation> {
        for row in self.code.exception_table() {
            let (start, end) = (usize::from(row.start_pc), usize::from(row.end_pc));
            if !(start..end).contains(&pc) || !changed && start != pc {
                continue;
            }
            self.budget.spend(frame, 0, pc)?;
            let handler = usize::from(row.handler_pc);
            let caught = match row.catch_type {
                0 => Type::THROWABLE,
                index => Type::Reference(self.method.pool.class_type(index).map_err(malformed)?),
            };
            let anchor = self.anchor(handler).ok_or_else(|| {
                Violation::new(pc, "a handler has a frame", "a frame".into(), format!("none at {handler}"))
            })?;
            locals_assignable(frame, anchor, pc)?;
            stack_assignable(&[caught], &anchor.stack, pc)?;
        }
        Ok(())
    }

    /// The handler would have to take `this` as an object and as none.
    fn super_is_not_covered(&self, pc: usize) -> Result<(), Violation> {
        let covers = |row: &crate::attributes::ExceptionTableEntry| {
            (usize::from(row.start_pc)..usize::from(row.end_pc)).contains(&pc)
        };
        match self.code.exception_table().find(covers) {
            None => Ok(()),
            Some(row) => {
                let (rule, found) =
                    ("super() is outside of what is caught", format!("a handler at {}", row.handler_pc));
                Err(Violation::new(pc, rule, "none".into(), found))
            }
        }
    }
}

/// All frames, in order.
fn anchors<'a>(
    context: &MethodContext<'_, 'a>,
    code: &Code<'a>,
    layout: &Layout<'_, 'a>,
    initial: &Frame<'a>,
) -> Result<Vec<(usize, Frame<'a>)>, Violation> {
    let pool = context.class.constant_pool();
    let attribute = code.attributes(pool).find("StackMapTable").map_err(malformed)?;
    let Some(attribute) = attribute.filter(|attribute| !attribute.info().is_empty()) else {
        return Ok(Vec::new());
    };
    let table = StackMapTable::parse(&attribute).map_err(malformed)?;
    let mut anchors = Vec::with_capacity(usize::from(table.left()));
    let (mut frame, mut kept) = (initial.clone(), Budget::kept());
    for told in table {
        let told = told.map_err(malformed)?;
        let pc = told.pc as usize;
        if let Some(wrong) = uninitialized(&told).find(|new| !layout.is_new(*new)) {
            return Err(Violation::of_format(
                pc,
                "what a frame calls uninitialized comes from a new",
                "new",
                wrong,
            ));
        }
        let chops_too_much = |error: Error| matches!(error.kind(), ErrorKind::Value(_));
        frame.apply(&told, pool).map_err(|error| match chops_too_much(error) {
            true => Violation::of_format(pc, "a frame chops locals that there are", "fewer", error),
            false => malformed(error),
        })?;
        let depth: usize = frame.stack.iter().map(|item| item.slots()).sum();
        if frame.locals.len() > usize::from(code.max_locals()) || depth > usize::from(code.max_stack()) {
            let expected = format!("{} locals, {} on the stack", code.max_locals(), code.max_stack());
            let found = format!("{} locals, {depth} on the stack", frame.locals.len());
            return Err(Violation::of_format(pc, "a frame holds no more than the method", expected, found));
        }
        kept.spend(&frame, 0, pc)?;
        anchors.push((pc, frame.clone()));
    }
    Ok(anchors)
}

/// Of each Uninitialized_variable_info that a frame tells, the pc of its `new`.
fn uninitialized(told: &StackMapFrame<'_>) -> impl Iterator<Item = u16> {
    let (one, some, more) = match told.change {
        FrameChange::SameLocals1StackItem(item) => (Some(item), None, None),
        FrameChange::Append(locals) => (None, Some(locals), None),
        FrameChange::Full { locals, stack } => (None, Some(locals), Some(stack)),
        FrameChange::Same | FrameChange::Chop(_) => (None, None, None),
    };
    let all = one.into_iter().chain(some.into_iter().chain(more).flat_map(|types| types.iter()));
    all.filter_map(|value| match value {
        VerificationType::Uninitialized(pc) => Some(pc),
        _ => None,
    })
}

/// A frame may flow into another (4.10.1.3): every local and value is of the type that is asked for there, and a
/// constructor's `this` that is no object yet is none there either.
fn assignable(from: &Frame<'_>, to: &Frame<'_>, pc: usize) -> Result<(), Violation> {
    locals_assignable(from, to, pc)?;
    stack_assignable(&from.stack, &to.stack, pc)
}

fn locals_assignable(from: &Frame<'_>, to: &Frame<'_>, pc: usize) -> Result<(), Violation> {
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
    Ok(())
}

fn stack_assignable(from: &[Type<'_>], to: &[Type<'_>], pc: usize) -> Result<(), Violation> {
    if from.len() != to.len() {
        let (expected, found) = (to.len().to_string(), from.len().to_string());
        return Err(Violation::new(pc, "the stack is as deep as the frame says", expected, found));
    }
    for (found, wanted) in from.iter().zip(to) {
        if !found.is_assignable_to(*wanted) {
            let rule = "the stack holds what the frame says";
            return Err(Violation::new(pc, rule, wanted.to_string(), found.to_string()));
        }
    }
    Ok(())
}

fn malformed(error: Error) -> Violation {
    Violation::of_stack_map(error)
}
