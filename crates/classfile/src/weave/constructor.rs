//! Where a constructor's `this` becomes an object (JVMS 4.10.1.9.invokespecial): found by following the types, since
//! code before super() may jump, and `new` of the own class looks like super().

use std::ops::ControlFlow;

use crate::descriptor::MethodDescriptor;
use crate::instruction::{Instruction, Operands};
use crate::left_alone::LeftAlone;
use crate::opcode::INVOKESPECIAL;
use crate::rewrite::{CodeRewriter, not_type_safe};
use crate::verification::{Flow, Frame, Type};

/// What is known of `this` in a constructor.
#[derive(Debug, Default)]
pub(crate) struct Constructor {
    /// pc of each call of super() or this().
    pub(crate) calls: Vec<u32>,
    /// Spans [from, to) of pcs at which `this` is no object, ascending.
    pub(crate) before: Vec<(u32, u32)>,
}

impl Constructor {
    /// Looks as far as is needed: nearly always to the first super().
    pub(crate) fn find(code: &CodeRewriter<'_, '_>) -> Result<Self, LeftAlone> {
        if let Some(found) = Self::straight(code) {
            return Ok(found);
        }
        let flow = code
            .context
            .flow(&code.code, code.code.stack_map_table(code.context.class.constant_pool())?)
            .map_err(not_type_safe)?;
        let mut found = Self::default();
        let walked = flow.walk(|instruction, frame| {
            if frame.is_none_or(Frame::this_is_uninitialized) {
                found.note(&flow, instruction, frame);
            }
            ControlFlow::Continue(())
        });
        walked.map_err(not_type_safe)?;
        Ok(found)
    }

    /// Up to super(), where nothing jumps or catches before it: then `this` is an object from there on.
    fn straight(code: &CodeRewriter<'_, '_>) -> Option<Self> {
        let flow = code.context.straight_flow(&code.code, None).ok()?;
        let first_caught = code.code.exception_table().map(|row| u32::from(row.start_pc)).min();
        let mut found = Self::default();
        let mut reached = false;
        let walked = flow.walk(|instruction, frame| {
            let jumps = matches!(instruction.operands, Operands::Branch(_) | Operands::Switch(_));
            reached = frame.is_some_and(|frame| !frame.this_is_uninitialized());
            if reached || jumps || frame.is_none() {
                return ControlFlow::Break(());
            }
            found.note(&flow, instruction, frame);
            ControlFlow::Continue(())
        });
        let (_, end) = *found.before.last()?;
        (walked.is_ok() && reached && first_caught.is_none_or(|first| first >= end)).then_some(found)
    }

    /// An instruction at which `this` is no object.
    fn note<'a>(&mut self, flow: &Flow<'_, 'a>, instruction: &Instruction<'a>, frame: Option<&Frame<'a>>) {
        let (pc, end) = (instruction.pc as u32, (instruction.pc + instruction.len) as u32);
        match self.before.last_mut().filter(|(_, before)| *before == pc) {
            Some((_, before)) => *before = end,
            None => self.before.push((pc, end)),
        }
        if frame.is_some_and(|frame| calls_on_this(flow, instruction, frame)) {
            self.calls.push(pc);
        }
    }
}

fn calls_on_this<'a>(flow: &Flow<'_, 'a>, instruction: &Instruction<'a>, frame: &Frame<'a>) -> bool {
    let (INVOKESPECIAL, Operands::Pool(index)) = (instruction.opcode, instruction.operands) else {
        return false;
    };
    let Ok(called) = flow.method().pool.member_ref(index) else { return false };
    let Some(descriptor) = MethodDescriptor::parse(called.descriptor) else { return false };
    let receiver = frame.stack.len().checked_sub(usize::from(descriptor.parameter_count()) + 1);
    called.name.as_bytes() == b"<init>"
        && receiver.and_then(|at| frame.stack.get(at)) == Some(&Type::UninitializedThis)
}
