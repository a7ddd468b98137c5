//! The Code attribute (JVMS 4.7.3) but for its instructions: its limits, its exception table, and the tables that debuggers
//! read (4.7.12 to 4.7.14).

use super::Checker;
use super::attributes::Once;
use super::error::{Fault, rule};
use crate::attribute_info::AttributeInfo;
use crate::attributes::{Code, LineNumberTable, LocalVariableTable};
use crate::constant_pool::Tag;

/// A variable by what makes two rows the same: start_pc, length, name, index.
type Variable = [u16; 4];

impl<'a> Checker<'_, 'a> {
    /// `parameter_slots` with `this` among them.
    pub(super) fn code(&self, attribute: &AttributeInfo<'a>, parameter_slots: usize) -> Result<(), Fault> {
        // No compiler since the first has written it, and no JVM since 17 reads it.
        let (major, minor) = (self.major, self.class.minor_version());
        let found = format_args!("{major}.{minor}");
        rule(
            major > 45 || minor >= 3,
            "4.7.3",
            "code is of version 45.3 at least, before which it was laid out otherwise",
            found,
        )?;
        let code = Code::parse(attribute)?;
        let length = code.code().len();
        let max_locals = code.max_locals();
        let fits = parameter_slots <= usize::from(max_locals);
        rule(fits, "4.7.3", "the parameters fit into max_locals", max_locals)?;
        for row in code.exception_table() {
            let (start, end) = (usize::from(row.start_pc), usize::from(row.end_pc));
            let legal = start < end && end <= length;
            rule(legal, "4.7.3", "a row of exception_table covers code", format_args!("{start} to {end}"))?;
            let handler = usize::from(row.handler_pc);
            rule(handler < length, "4.7.3", "a handler is in the code", handler)?;
            if row.catch_type != 0 {
                self.class_entry(row.catch_type, "4.7.3")?;
            }
        }
        self.code_attributes(&code)
    }

    fn code_attributes(&self, code: &Code<'a>) -> Result<(), Fault> {
        let mut once = Once::default();
        let (mut variables, mut generic) = (Vec::new(), Vec::new());
        let mut attributes = code.attributes(self.pool);
        for attribute in attributes.by_ref() {
            let attribute = attribute?;
            match attribute.name().as_bytes() {
                b"LineNumberTable" => line_numbers(&attribute, code)?,
                b"LocalVariableTable" => self.variables(&attribute, code, Some(1), &mut variables)?,
                b"LocalVariableTypeTable" if self.major >= 49 => {
                    self.variables(&attribute, code, None, &mut generic)?;
                }
                b"StackMapTable" if self.major >= 50 => once.seen("StackMapTable", "4.7.4")?,
                _ => {}
            }
        }
        attributes.end()?;
        self.unique_variables(variables, generic)
    }

    /// `wide` is how many slots more a long or double takes; none where types are signatures.
    fn variables(
        &self,
        attribute: &AttributeInfo<'a>,
        code: &Code<'a>,
        wide: Option<u32>,
        to: &mut Vec<Variable>,
    ) -> Result<(), Fault> {
        const SECTION: &str = "4.7.13";
        let length = code.code().len();
        for row in LocalVariableTable::parse(attribute)?.rows() {
            let (start, end) =
                (usize::from(row.start_pc), usize::from(row.start_pc) + usize::from(row.length));
            let found = format_args!("{start} to {end}");
            rule(start < length && end <= length, SECTION, "a variable is known within the code", found)?;
            self.entry(row.name_index, &[Tag::Utf8], SECTION)?;
            self.entry(row.descriptor_index, &[Tag::Utf8], SECTION)?;
            let (name, descriptor) = (self.pool.utf8(row.name_index)?, self.pool.utf8(row.descriptor_index)?);
            rule(self.names().is_field(name.as_bytes()), SECTION, "a variable has a name", name)?;
            let mut last = u32::from(row.index);
            if let Some(more) = wide {
                let bytes = descriptor.as_bytes();
                rule(self.names().is_field_descriptor(bytes), SECTION, "a variable has a type", descriptor)?;
                last += if matches!(bytes, b"J" | b"D") { more } else { 0 };
            }
            rule(last < u32::from(code.max_locals()), SECTION, "a variable lies below max_locals", last)?;
            to.push([row.start_pc, row.length, row.name_index, row.index]);
        }
        Ok(())
    }

    fn unique_variables(&self, mut known: Vec<Variable>, mut generic: Vec<Variable>) -> Result<(), Fault> {
        if known.is_empty() {
            return Ok(());
        }
        let twice = |rows: &[Variable]| rows.windows(2).any(|pair| pair[0] == pair[1]);
        known.sort_unstable();
        rule(self.major < 49 || !twice(&known), "4.7.13", "no variable is told twice", "one that is")?;
        generic.sort_unstable();
        rule(!twice(&generic), "4.7.14", "no variable has two signatures", "one that has")?;
        let told = generic.iter().all(|row| known.binary_search(row).is_ok());
        rule(told, "4.7.14", "a variable with a signature has a type", "one that has none")
    }
}

fn line_numbers(attribute: &AttributeInfo<'_>, code: &Code<'_>) -> Result<(), Fault> {
    for row in LineNumberTable::parse(attribute)?.rows() {
        let legal = usize::from(row.start_pc) < code.code().len();
        rule(legal, "4.7.12", "a line begins in the code", row.start_pc)?;
    }
    Ok(())
}
