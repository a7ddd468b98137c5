//! Verification types (JVMS 4.10.1.2), with classes by name, so that types from descriptors and from frames compare.

use std::fmt;

use crate::attributes::VerificationType;
use crate::constant_pool::ConstantPool;
use crate::descriptor::{Element, FieldType};
use crate::error::Error;
use crate::modified_utf8::ModifiedUtf8;

/// What is known of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type<'a> {
    /// Nothing that may be used; also the second slot of a long or double local.
    Top,
    Integer,
    Float,
    Long,
    Double,
    Null,
    UninitializedThis,
    /// What the `new` at this pc made, before its constructor has run.
    Uninitialized(u16),
    Reference(FieldType<'a>),
}

impl<'a> Type<'a> {
    pub(crate) const OBJECT: Self = Self::class("java/lang/Object");
    pub(crate) const THROWABLE: Self = Self::class("java/lang/Throwable");

    pub(crate) const fn class(name: &'a str) -> Self {
        Self::Reference(FieldType {
            dimensions: 0,
            element: Element::Class(ModifiedUtf8::new(name.as_bytes())),
        })
    }

    /// The type of a value of a declared type: everything narrower than int is int.
    pub(crate) fn of(declared: FieldType<'a>) -> Self {
        match declared.computational() {
            b'D' => Self::Double,
            b'F' => Self::Float,
            b'I' => Self::Integer,
            b'J' => Self::Long,
            _ => Self::Reference(declared),
        }
    }

    pub(crate) fn decode(found: VerificationType, pool: &ConstantPool<'a>) -> Result<Self, Error> {
        Ok(match found {
            VerificationType::Top => Self::Top,
            VerificationType::Integer => Self::Integer,
            VerificationType::Float => Self::Float,
            VerificationType::Double => Self::Double,
            VerificationType::Long => Self::Long,
            VerificationType::Null => Self::Null,
            VerificationType::UninitializedThis => Self::UninitializedThis,
            VerificationType::Uninitialized(pc) => Self::Uninitialized(pc),
            VerificationType::Object(index) => Self::Reference(pool.class_type(index)?),
        })
    }

    pub(crate) fn slots(self) -> usize {
        if matches!(self, Self::Long | Self::Double) { 2 } else { 1 }
    }

    /// A reference that a constructor has run for, or null.
    pub(crate) fn is_initialized_reference(self) -> bool {
        matches!(self, Self::Reference(_) | Self::Null)
    }

    /// Whether a value of this type may stand where `wanted` is wanted (4.10.1.2). Two classes are taken to be related
    /// as needed; arrays are compared as far as their shape goes.
    pub(crate) fn is_assignable_to(self, wanted: Self) -> bool {
        match (self, wanted) {
            (_, Self::Top) => true,
            (Self::Null, Self::Reference(_)) => true,
            (Self::Reference(from), Self::Reference(to)) => references_assignable(from, to),
            (from, to) => from == to,
        }
    }

    /// What is known of a value that has one of two types (4.10.2.2).
    pub(crate) fn merge(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Null, Self::Reference(_)) => other,
            (Self::Reference(_), Self::Null) => self,
            (Self::Reference(one), Self::Reference(two)) => merge_references(one, two),
            _ => Self::Top,
        }
    }
}

/// Not the nearest common superclass, which is not known here, but a type that both are of.
fn merge_references<'a>(one: FieldType<'a>, two: FieldType<'a>) -> Type<'a> {
    // How many dimensions hold references: those of an array of primitives hold one less.
    let depth = |of: FieldType<'_>| match of.element {
        Element::Primitive(_) => of.dimensions.saturating_sub(1),
        Element::Class(_) => of.dimensions,
    };
    let Type::Reference(object) = Type::OBJECT else { return Type::OBJECT };
    Type::Reference(FieldType { dimensions: depth(one).min(depth(two)), element: object.element })
}

fn references_assignable(from: FieldType<'_>, to: FieldType<'_>) -> bool {
    if from == to {
        return true;
    }
    match (from.dimensions.checked_sub(to.dimensions), from.element, to.element) {
        // What is no array, or one of fewer dimensions, is never an array of more.
        (None, ..) => false,
        // Arrays of primitives of equal depth have to be equal, which they are not.
        (Some(0), Element::Class(_), Element::Class(_)) => true,
        (Some(0), ..) => false,
        // An array is an Object, Cloneable and Serializable, and no other class or interface.
        (Some(_), _, Element::Class(name)) => SUPERTYPES_OF_ARRAYS.iter().any(|known| name == *known),
        (Some(_), _, Element::Primitive(_)) => false,
    }
}

const SUPERTYPES_OF_ARRAYS: [&str; 3] = ["java/lang/Object", "java/lang/Cloneable", "java/io/Serializable"];

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => f.write_str("nothing"),
            Self::Integer => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Long => f.write_str("long"),
            Self::Double => f.write_str("double"),
            Self::Null => f.write_str("null"),
            Self::UninitializedThis => f.write_str("uninitialized this"),
            Self::Uninitialized(pc) => write!(f, "uninitialized (new at pc {pc})"),
            Self::Reference(declared) => fmt::Display::fmt(declared, f),
        }
    }
}

impl fmt::Debug for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
