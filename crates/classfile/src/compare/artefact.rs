//! Members and classes that javac makes where the source has none: why a small edit changes the shape of a class, and
//! what to write instead.

use std::collections::BTreeSet;
use std::fmt;

use crate::class_file::{ClassFile, access_flags};
use crate::constant_pool::Tag;
use crate::error::Error;

/// What javac made a member or class for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artefact {
    /// `lambda$…`, `$deserializeLambda$`.
    Lambda,
    /// `$assertionsDisabled`, and the `<clinit>` that sets it.
    Assert,
    /// `Outer$1` with `$SwitchMap$…`.
    EnumSwitch,
    /// `access$000`: a nested class uses a private member, below class-file version 55.
    Accessor,
    /// A bridge from a method's erased or inherited descriptor to its own.
    Bridge,
    /// `$values` of an enum.
    EnumValues,
    /// `this$0`, `val$x`: what an inner class captures.
    Capture,
    /// `Outer$1`, `Outer$1Local`.
    AnonymousClass,
    /// `<clinit>` for the initial values of static fields.
    StaticInitializer,
}

impl Artefact {
    /// What to do about it, as a sentence without capital and full stop.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Lambda => {
                "javac makes a method for each lambda: use a method reference to a method that is there, or a loop, \
                 and keep the lambdas that are there"
            }
            Self::Assert => {
                "javac makes a field for the first assert of a class, and drops it with the last: throw an \
                 AssertionError under an if of your own instead"
            }
            Self::EnumSwitch => {
                "javac makes a class with a table for a switch over an enum: compare with == in ifs instead, or compile \
                 with the javac that compiled the class in force"
            }
            Self::Accessor => {
                "javac makes a method where a nested class uses a private member: leave its uses as they were, or use \
                 members that are not private"
            }
            Self::Bridge => {
                "javac makes a bridge where an overriding method has another erasure or a narrower result: keep the \
                 descriptor of the method that it overrides"
            }
            Self::EnumValues => {
                "newer compilers put the constants of an enum into $values(): compile with the javac that compiled the \
                 class in force"
            }
            Self::Capture => {
                "javac makes a field for what an inner class captures: use what it has captured already, or what can be \
                 reached without"
            }
            Self::AnonymousClass => {
                "javac makes a class, and a member of the nest, for an anonymous or local class: use a method reference, \
                 or move the code into a class that is there"
            }
            Self::StaticInitializer => {
                "javac puts initial values of static fields and static blocks into <clinit>, which would not run again \
                 anyhow: set the value where it is used"
            }
        }
    }

    /// What a method was made for, in the class that has it.
    pub(super) fn of_method(name: &[u8], flags: u16, class: &ClassFile<'_>) -> Result<Option<Self>, Error> {
        let synthetic = flags & access_flags::SYNTHETIC != 0;
        Ok(match name {
            b"<clinit>" if has_field(class, b"$assertionsDisabled")? => Some(Self::Assert),
            b"<clinit>" => Some(Self::StaticInitializer),
            b"$deserializeLambda$" => Some(Self::Lambda),
            b"$values" => Some(Self::EnumValues),
            _ if !synthetic => None,
            name if name.starts_with(b"lambda$") => Some(Self::Lambda),
            name if name.starts_with(b"access$") => Some(Self::Accessor),
            _ if flags & access_flags::BRIDGE != 0 => Some(Self::Bridge),
            _ => None,
        })
    }

    /// What a field was made for.
    pub(super) fn of_field(name: &[u8], flags: u16) -> Option<Self> {
        match name {
            _ if flags & access_flags::SYNTHETIC == 0 => None,
            b"$assertionsDisabled" => Some(Self::Assert),
            name if name.starts_with(b"$SwitchMap$") => Some(Self::EnumSwitch),
            name if name.starts_with(b"val$") || name.starts_with(b"this$") => Some(Self::Capture),
            _ => None,
        }
    }

    /// What a member of a class's nest was made for; `switches` are the class's [`switch_classes`].
    pub(super) fn of_nest_member(member: &[u8], switches: &BTreeSet<&[u8]>) -> Option<Self> {
        if switches.contains(member) {
            return Some(Self::EnumSwitch);
        }
        let simple = member.rsplit(|byte| *byte == b'$').next().unwrap_or_default();
        simple.first().is_some_and(u8::is_ascii_digit).then_some(Self::AnonymousClass)
    }
}

/// The classes from which a class takes tables for its switches over enums.
pub(super) fn switch_classes<'a>(class: &ClassFile<'a>) -> BTreeSet<&'a [u8]> {
    let pool = class.constant_pool();
    let fields = (1..pool.count()).filter(|index| pool.tag(*index) == Ok(Tag::Fieldref));
    let fields = fields.filter_map(|index| pool.member_ref(index).ok());
    let tables = fields.filter(|field| field.name.as_bytes().starts_with(b"$SwitchMap$"));
    tables.map(|field| field.class.as_bytes()).collect()
}

fn has_field(class: &ClassFile<'_>, name: &[u8]) -> Result<bool, Error> {
    for field in class.fields() {
        if field?.name().as_bytes() == name {
            return Ok(true);
        }
    }
    Ok(false)
}

impl fmt::Display for Artefact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.remedy())
    }
}
