//! Format checking (JVMS 4.8): what a JVM looks at before it looks at any code, as HotSpot does it for a class that it
//! verifies. What the rules are about is told in their order: version, constant pool, class, members, attributes.
//!
//! It knows no other class: whether a superclass is final, or is there, it does not ask. Code is a matter of
//! [`crate::verification`], which begins with this.

mod attributes;
mod class;
mod code;
mod error;
mod flags;
mod inner_classes;
mod members;
mod names;
mod pool;

use crate::class_file::ClassFile;
use crate::constant_pool::{ConstantPool, Tag};
pub use class::takes_version;
use error::{Fault, Located};
pub use error::{FormatError, Refusal};
pub(crate) use members::flags_in_force;
use names::Names;

/// Checks all but the instructions. Unlike [`ClassFile::check_structure`] this knows what the bytes mean.
pub fn check(class: &ClassFile<'_>) -> Result<(), FormatError> {
    let checker = Checker { class, pool: class.constant_pool(), major: class.major_version() };
    checker.version().located("class file")?;
    checker.is_no_module().located("class file")?;
    checker.constant_pool()?;
    checker.class().located("class")?;
    checker.fields()?;
    checker.methods()?;
    checker.class_attributes().located("class")?;
    class.check_structure().map_err(Fault::from).located("class file")
}

/// A class whose format is checked.
#[derive(Clone, Copy)]
struct Checker<'c, 'a> {
    class: &'c ClassFile<'a>,
    pool: &'c ConstantPool<'a>,
    major: u16,
}

impl Checker<'_, '_> {
    fn names(&self) -> Names {
        Names { major: self.major }
    }

    /// An entry of one of `tags` has to stand at an index.
    fn entry(&self, index: u16, tags: &[Tag], section: &'static str) -> Result<(), Fault> {
        match self.pool.tag(index) {
            Ok(tag) if tags.contains(&tag) => Ok(()),
            Ok(tag) => Err(Fault::new(
                section,
                "an index is of an entry of the right kind",
                format!("#{index}, {tag}"),
            )),
            Err(_) => {
                Err(Fault::new(section, "an index is of an entry of the constant pool", format!("#{index}")))
            }
        }
    }

    fn class_entry(&self, index: u16, section: &'static str) -> Result<(), Fault> {
        self.entry(index, &[Tag::Class], section)
    }

    fn utf8_entry(&self, index: u16, section: &'static str) -> Result<(), Fault> {
        self.entry(index, &[Tag::Utf8], section)
    }
}
