//! The errors with which RedefineClasses refuses a class that is too different, under JVMTI's names and numbers.

use std::fmt;

/// An error of RedefineClasses. The order is that in which HotSpot looks for them; it gives the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are JVMTI's, JVMTI_ERROR_ and UNSUPPORTED_REDEFINITION_ left off")]
pub enum RedefinitionError {
    UnsupportedVersion,
    NamesDontMatch,
    HierarchyChanged,
    ClassAttributeChanged,
    ClassModifiersChanged,
    SchemaChanged,
    MethodDeleted,
    MethodModifiersChanged,
    MethodAdded,
}

impl RedefinitionError {
    /// JVMTI's number.
    pub fn code(self) -> u16 {
        match self {
            Self::MethodAdded => 63,
            Self::SchemaChanged => 64,
            Self::HierarchyChanged => 66,
            Self::MethodDeleted => 67,
            Self::UnsupportedVersion => 68,
            Self::NamesDontMatch => 69,
            Self::ClassModifiersChanged => 70,
            Self::MethodModifiersChanged => 71,
            Self::ClassAttributeChanged => 72,
        }
    }

    /// JVMTI's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::MethodAdded => "JVMTI_ERROR_UNSUPPORTED_REDEFINITION_METHOD_ADDED",
            Self::SchemaChanged => "JVMTI_ERROR_UNSUPPORTED_REDEFINITION_SCHEMA_CHANGED",
            Self::HierarchyChanged => "JVMTI_ERROR_UNSUPPORTED_REDEFINITION_HIERARCHY_CHANGED",
            Self::MethodDeleted => "JVMTI_ERROR_UNSUPPORTED_REDEFINITION_METHOD_DELETED",
            Self::UnsupportedVersion => "JVMTI_ERROR_UNSUPPORTED_VERSION",
            Self::NamesDontMatch => "JVMTI_ERROR_NAMES_DONT_MATCH",
            Self::ClassModifiersChanged => "JVMTI_ERROR_UNSUPPORTED_REDEFINITION_CLASS_MODIFIERS_CHANGED",
            Self::MethodModifiersChanged => "JVMTI_ERROR_UNSUPPORTED_REDEFINITION_METHOD_MODIFIERS_CHANGED",
            Self::ClassAttributeChanged => "JVMTI_ERROR_UNSUPPORTED_REDEFINITION_CLASS_ATTRIBUTE_CHANGED",
        }
    }
}

impl fmt::Display for RedefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.code())
    }
}
