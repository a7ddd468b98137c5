//! What is wrong with the format of a class: where, which rule, what was found, and the error that a JVM throws for it.

use std::fmt;

use crate::error::Error;

/// The error that a JVM throws where it refuses a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// java.lang.ClassFormatError.
    ClassFormatError,
    /// java.lang.UnsupportedClassVersionError.
    UnsupportedClassVersionError,
    /// java.lang.NoClassDefFoundError: what it was given is the description of a module.
    NoClassDefFoundError,
    /// java.lang.VerifyError.
    VerifyError,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "java.lang.{self:?}")
    }
}

/// A rule of the format that a class breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    place: String,
    fault: Fault,
}

impl FormatError {
    /// Which part of the class: `method f()V`, `constant pool entry #7`.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The rule, as a sentence about a class that keeps it.
    pub fn rule(&self) -> &str {
        self.fault.rule
    }

    /// Where the Java Virtual Machine Specification says so.
    pub fn section(&self) -> &str {
        self.fault.section
    }

    /// What is there.
    pub fn found(&self) -> &str {
        &self.fault.found
    }

    /// What a JVM throws for it.
    pub fn refusal(&self) -> Refusal {
        self.fault.refusal
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { rule, section, found, .. } = &self.fault;
        write!(f, "{}: {rule} (JVMS {section}): found {found}", self.place)
    }
}

impl std::error::Error for FormatError {}

/// A [`FormatError`] of which the place is not told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    refusal: Refusal,
    section: &'static str,
    rule: &'static str,
    found: String,
}

impl Fault {
    #[cold]
    pub(super) fn new(section: &'static str, rule: &'static str, found: impl fmt::Display) -> Self {
        Self { refusal: Refusal::ClassFormatError, section, rule, found: found.to_string() }
    }

    pub(super) fn refused_by(self, refusal: Refusal) -> Self {
        Self { refusal, ..self }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::new("4.8", "a structure is whole", error)
    }
}

/// Says where a fault is.
pub(super) trait Located<T> {
    fn located(self, place: impl fmt::Display) -> Result<T, FormatError>;
}

impl<T> Located<T> for Result<T, Fault> {
    fn located(self, place: impl fmt::Display) -> Result<T, FormatError> {
        self.map_err(|fault| FormatError { place: place.to_string(), fault })
    }
}

/// `Ok` if a rule is kept.
pub(super) fn rule(
    kept: bool,
    section: &'static str,
    rule: &'static str,
    found: impl fmt::Display,
) -> Result<(), Fault> {
    if kept { Ok(()) } else { Err(Fault::new(section, rule, found)) }
}
