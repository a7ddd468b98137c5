//! Verification of a class (JVMS 4.10), as a JVM does it before a class may run: used on everything that goes back to
//! one, since HotSpot does not verify classes of the boot loader when they are retransformed.

use std::fmt;

use crate::class_file::ClassFile;
use crate::error::Error;
use crate::verification::context::MethodContext;
use crate::verification::flow::Violation;
use crate::verification::type_checker;

/// Why a class would be refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// It is no class file.
    Malformed(Error),
    /// Code of a method breaks a rule.
    Method {
        /// The method's name and descriptor.
        method: String,
        /// Which rule, where, and how.
        violation: Violation,
    },
}

impl From<Error> for VerifyError {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "{error}"),
            Self::Method { method, violation } => write!(f, "{method} {violation}"),
        }
    }
}

impl std::error::Error for VerifyError {}

/// Verifies every method. Relations between classes are taken to be as needed.
pub fn verify(class: &ClassFile<'_>) -> Result<(), VerifyError> {
    class.check_structure()?;
    for method in class.methods() {
        let method = method?;
        let Some(code) = method.code(class.constant_pool())? else { continue };
        let context = MethodContext::new(class, &method)?;
        let table = code.stack_map_table(class.constant_pool())?;
        type_checker::check(&context, &code, table).map_err(|violation| VerifyError::Method {
            method: format!("{}{}", method.name(), method.descriptor()),
            violation,
        })?;
    }
    Ok(())
}
