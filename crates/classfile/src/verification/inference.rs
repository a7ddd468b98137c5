//! Checks the code of a method without a StackMapTable, by types that are worked out (JVMS 4.10.2): below version 50, and
//! where the frames of version 50 are wrong. Operands are looked at everywhere, types where control can lead.

use crate::attributes::Code;
use crate::instruction::decode;
use crate::opcode::{JSR, JSR_W, RET};
use crate::verification::context::MethodContext;
use crate::verification::flow::Violation;
use crate::verification::layout::Layout;
use crate::verification::subroutines;

/// Checks one method's code.
pub(crate) fn check<'a>(context: &MethodContext<'_, 'a>, code: &Code<'a>) -> Result<(), Violation> {
    let layout = Layout::of(code)?;
    let method = context.inferred_rules(code)?;
    let mut has_subroutines = false;
    let mut pc = 0;
    while let Some(instruction) = decode(code.code(), pc) {
        method.check_operands(&instruction)?;
        layout.targets(&instruction)?;
        has_subroutines |= matches!(instruction.opcode, JSR | JSR_W | RET);
        pc += instruction.len;
    }
    if method.max_stack == 0 && code.exception_table().len() > 0 {
        let rule = "the operand stack has room for an exception that is caught";
        return Err(Violation::new(0, rule, "1".into(), "max_stack 0".into()));
    }
    // A handler at the very beginning is refused.
    layout.exception_table(context.class, 1)?;
    match has_subroutines {
        true => subroutines::check(context, code),
        // To work it out is to check it.
        false => context.inferred_flow(code).map(drop),
    }
}
