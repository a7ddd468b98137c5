//! Access flags that go together (JVMS tables 4.1-B, 4.5-A, 4.6-A), by version. Flags that a version does not know are
//! passed over.

use super::error::{Fault, rule};
use crate::class_file::access_flags::*;

/// Flags of a class, or of a row of InnerClasses: both are held to the same.
pub(super) fn class(flags: u16, major: u16) -> Result<(), Fault> {
    let has = |flag: u16| flags & flag != 0;
    let from_5 = major >= 49;
    // Compilers before Java 6 left it off.
    let is_abstract = has(ABSTRACT) || has(INTERFACE) && major < 50;
    let legal = !(is_abstract && has(FINAL)
        || has(INTERFACE) && !is_abstract
        || has(INTERFACE) && from_5 && (has(SUPER) || has(ENUM))
        || !has(INTERFACE) && from_5 && has(ANNOTATION));
    rule(legal, "4.1", "flags of a class go together", format_args!("{flags:#06x}"))
}

pub(super) fn field(flags: u16, in_interface: bool, major: u16) -> Result<(), Fault> {
    let has = |flag: u16| flags & flag != 0;
    let legal = match in_interface {
        true => {
            let fixed = PUBLIC | STATIC | FINAL;
            flags & fixed == fixed
                && flags & (PRIVATE | PROTECTED | VOLATILE | TRANSIENT) == 0
                && !(major >= 49 && has(ENUM))
        }
        false => one_visibility(flags) && !(has(FINAL) && has(VOLATILE)),
    };
    rule(legal, "4.5", "flags of a field go together", format_args!("{flags:#06x}"))
}

/// Flags of a method that is not `<clinit>`.
pub(super) fn method(flags: u16, is_constructor: bool, in_interface: bool, major: u16) -> Result<(), Fault> {
    let has = |flag: u16| flags & flag != 0;
    let from_5 = major >= 49;
    // From 61 on strictfp means nothing.
    let strict = has(STRICT) && major < 61;
    let legal = match (in_interface, major) {
        (true, 52..) => {
            has(PUBLIC) != has(PRIVATE)
                && flags & (PROTECTED | FINAL | SYNCHRONIZED | NATIVE) == 0
                && !(has(ABSTRACT) && (has(PRIVATE) || has(STATIC) || strict))
        }
        (true, 49..) => {
            let fixed = PUBLIC | ABSTRACT;
            flags & fixed == fixed
                && flags & (PRIVATE | PROTECTED | STATIC | FINAL | SYNCHRONIZED | NATIVE | STRICT) == 0
        }
        (true, _) => has(PUBLIC) && has(ABSTRACT) && flags & (STATIC | FINAL | NATIVE) == 0,
        (false, _) if is_constructor => {
            one_visibility(flags)
                && flags & (STATIC | FINAL | SYNCHRONIZED | NATIVE | ABSTRACT) == 0
                && !(from_5 && has(BRIDGE))
        }
        (false, _) => {
            one_visibility(flags)
                && !(has(ABSTRACT)
                    && (flags & (FINAL | NATIVE | PRIVATE | STATIC) != 0
                        || from_5 && (has(SYNCHRONIZED) || strict)))
        }
    };
    rule(legal, "4.6", "flags of a method go together", format_args!("{flags:#06x}"))
}

fn one_visibility(flags: u16) -> bool {
    (flags & (PUBLIC | PRIVATE | PROTECTED)).count_ones() <= 1
}
