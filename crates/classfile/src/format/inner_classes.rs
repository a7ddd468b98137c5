//! The InnerClasses attribute (JVMS 4.7.6). Rows that go in a circle make a JVM pass over the whole attribute, and are no
//! fault.

use super::error::{Fault, rule};
use super::{Checker, flags};
use crate::attribute_info::AttributeInfo;
use crate::attributes::InnerClass;
use crate::class_file::access_flags::MODULE;

const SECTION: &str = "4.7.6";

impl<'a> Checker<'_, 'a> {
    pub(super) fn inner_classes(&self, attribute: &AttributeInfo<'a>) -> Result<(), Fault> {
        let mut info = self.reader_beyond(attribute);
        let count = info.u2()?;
        let mut rows = Vec::new();
        for _ in 0..count {
            let row = InnerClass {
                inner_class_info_index: info.u2()?,
                outer_class_info_index: info.u2()?,
                inner_name_index: info.u2()?,
                inner_class_access_flags: info.u2()?,
            };
            self.inner_class(&row)?;
            rows.push(row);
        }
        if self.major < 49 {
            return Ok(());
        }
        let whole = attribute.info().len() == 2 + 8 * usize::from(count);
        rule(whole, SECTION, "an attribute has the length that its name asks for", attribute.info().len())?;
        self.inner_classes_twice(&rows)
    }

    fn inner_class(&self, row: &InnerClass) -> Result<(), Fault> {
        let (inner, outer) = (row.inner_class_info_index, row.outer_class_info_index);
        self.class_entry(inner, SECTION)?;
        if outer != 0 {
            self.class_entry(outer, SECTION)?;
            let name = self.pool.class_name(outer)?;
            rule(name.as_bytes().first() != Some(&b'['), SECTION, "an outer class is no array", name)?;
        }
        if row.inner_name_index != 0 {
            self.utf8_entry(row.inner_name_index, SECTION)?;
        }
        rule(inner != outer, SECTION, "a class is not within itself", format_args!("#{inner}"))?;
        let access_flags = row.inner_class_access_flags;
        let is_module = self.major >= 53 && access_flags & MODULE != 0;
        rule(!is_module, SECTION, "a class is no module", format_args!("{access_flags:#06x}"))
            .map_err(|fault| fault.refused_by(super::Refusal::NoClassDefFoundError))?;
        flags::class(access_flags, self.major)
    }

    /// A JVM looks for rows that are there twice until it finds one that goes in a circle.
    fn inner_classes_twice(&self, rows: &[InnerClass]) -> Result<(), Fault> {
        for (n, row) in rows.iter().enumerate() {
            if self.goes_in_a_circle(rows, row)? {
                return Ok(());
            }
            for other in &rows[n + 1..] {
                rule(other != row, SECTION, "no row of InnerClasses is there twice", "one that is")?;
                if other.inner_class_info_index == row.inner_class_info_index {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// From a class to its outer class, and so on: whether that comes back.
    fn goes_in_a_circle(&self, rows: &[InnerClass], from: &InnerClass) -> Result<bool, Fault> {
        let start = self.pool.class_name(from.inner_class_info_index)?;
        let mut outer = from.outer_class_info_index;
        for _ in 0..rows.len() {
            if outer == 0 {
                return Ok(false);
            }
            let name = self.pool.class_name(outer)?;
            if name == start {
                return Ok(true);
            }
            let mut row = rows.iter();
            let row = row.find(|row| self.pool.class_name(row.inner_class_info_index) == Ok(name));
            let Some(row) = row else { return Ok(false) };
            outer = row.outer_class_info_index;
        }
        Ok(true)
    }
}
