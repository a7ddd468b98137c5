//! Where the instructions of a method begin (JVMS 4.9.1), and that what points into code points there: jumps, the
//! exception table, variables.

use crate::attributes::{Code, LocalVariableTable};
use crate::class_file::ClassFile;
use crate::instruction::{Instruction, len_at};
use crate::opcode::NEW;
use crate::verification::flow::{Violation, each_target};

/// The places of instructions.
pub(super) struct Layout<'k, 'a> {
    code: &'k Code<'a>,
    /// By pc.
    begins: Vec<bool>,
}

impl<'k, 'a> Layout<'k, 'a> {
    /// Code has to be instructions, one behind the other.
    pub(super) fn of(code: &'k Code<'a>) -> Result<Self, Violation> {
        let bytes = code.code();
        let mut begins = vec![false; bytes.len()];
        let mut pc = 0;
        while let Some(place) = begins.get_mut(pc) {
            *place = true;
            pc += len_at(bytes, pc).ok_or_else(|| {
                let found = format!("{:#04x}", bytes.get(pc).copied().unwrap_or(0));
                Violation::new(pc, "code is instructions", "an instruction".into(), found)
            })?;
        }
        Ok(Self { code, begins })
    }

    fn is_instruction(&self, pc: usize) -> bool {
        self.begins.get(pc).copied().unwrap_or(false)
    }

    /// An instruction, or the end.
    fn is_border(&self, pc: usize) -> bool {
        pc == self.begins.len() || self.is_instruction(pc)
    }

    /// A `new`, of which a frame speaks.
    pub(super) fn is_new(&self, pc: u16) -> bool {
        let pc = usize::from(pc);
        self.is_instruction(pc) && self.code.code().get(pc) == Some(&NEW)
    }

    /// Jumps lead to instructions.
    pub(super) fn targets(&self, instruction: &Instruction<'_>) -> Result<(), Violation> {
        let mut wrong = None;
        each_target(instruction, |target| {
            if !self.is_instruction(target) {
                wrong = Some(target);
            }
        });
        let Some(target) = wrong else { return Ok(()) };
        let (expected, found) = ("an instruction".to_owned(), format!("pc {}", target as isize));
        Err(Violation::new(instruction.pc, "a jump leads to an instruction", expected, found))
    }

    /// Ranges and handlers begin with instructions, and what is caught may be thrown. `first_handler` is the lowest pc
    /// that a handler may have.
    pub(super) fn exception_table(
        &self,
        class: &ClassFile<'a>,
        first_handler: usize,
    ) -> Result<(), Violation> {
        for row in self.code.exception_table() {
            let [start, end, handler] = [row.start_pc, row.end_pc, row.handler_pc].map(usize::from);
            if !self.is_instruction(start) || !self.is_border(end) {
                let found = format!("{start} to {end}");
                return Err(Violation::of_format(
                    start,
                    "a range is of whole instructions",
                    "such a range",
                    found,
                ));
            }
            if !self.is_instruction(handler) || handler < first_handler {
                return Err(Violation::of_format(handler, "a handler is an instruction", "one", handler));
            }
            let caught = class.constant_pool().class_type(row.catch_type).ok();
            if let Some(caught) = caught.filter(|caught| row.catch_type != 0 && caught.dimensions > 0) {
                let expected = "a class".to_owned();
                return Err(Violation::new(
                    handler,
                    "what is caught is a Throwable",
                    expected,
                    caught.to_string(),
                ));
            }
        }
        Ok(())
    }

    /// Variables are known from an instruction to an instruction.
    pub(super) fn variables(&self, class: &ClassFile<'a>) -> Result<(), Violation> {
        for attribute in self.code.attributes(class.constant_pool()).flatten() {
            if attribute.name().as_bytes() != b"LocalVariableTable" {
                continue;
            }
            let Ok(table) = LocalVariableTable::parse(&attribute) else { continue };
            for row in table.rows() {
                let (start, end) =
                    (usize::from(row.start_pc), usize::from(row.start_pc) + usize::from(row.length));
                if !self.is_instruction(start) || !self.is_border(end) {
                    let (rule, found) =
                        ("a variable is known for whole instructions", format!("{start} to {end}"));
                    return Err(Violation::of_format(start, rule, "such a range", found));
                }
            }
        }
        Ok(())
    }
}
