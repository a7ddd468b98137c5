//! Verification of a class (JVMS 4.10), as a JVM does it before a class may run: used on everything that goes back to
//! one, since HotSpot does not verify classes of the boot loader when they are retransformed.

use std::fmt;

use crate::attributes::Code;
use crate::class_file::ClassFile;
use crate::error::Error;
use crate::format::{self, FormatError, Refusal};
use crate::verification::context::MethodContext;
use crate::verification::flow::Violation;
use crate::verification::{inference, type_checker};

/// Why a class would be refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// It is no class file.
    Malformed(Error),
    /// It breaks a rule of the format (JVMS 4.8).
    Format(FormatError),
    /// Code of a method breaks a rule.
    Method {
        /// The method's name and descriptor.
        method: String,
        /// Which rule, where, and how.
        violation: Violation,
    },
}

impl VerifyError {
    /// What a JVM throws for it.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Malformed(_) => Refusal::ClassFormatError,
            Self::Format(error) => error.refusal(),
            Self::Method { violation, .. } => violation.refusal(),
        }
    }
}

impl From<Error> for VerifyError {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}

impl From<FormatError> for VerifyError {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "{error}"),
            Self::Format(error) => write!(f, "{error}"),
            Self::Method { method, violation } => write!(f, "{method} {violation}"),
        }
    }
}

impl std::error::Error for VerifyError {}

/// Checks the format, and verifies every method. Relations between classes are taken to be as needed, and members of other
/// classes to be there and accessible.
///
/// A class of version 50 whose frames are wrong is verified without them, as HotSpot does.
pub fn verify(class: &ClassFile<'_>) -> Result<(), VerifyError> {
    format::check(class)?;
    match class.major_version() {
        ..50 => each_method(class, inference::check),
        50 => match each_method(class, type_checker::check) {
            Err(VerifyError::Method { violation, .. }) if violation.fails_over() => {
                each_method(class, inference::check)
            }
            checked => checked,
        },
        _ => each_method(class, type_checker::check),
    }
}

/// As [`verify`], of a class as a JVM gives it to a hook: HotSpot keeps no StackMapTable of a class that it did not verify,
/// which is most of those of the boot loader. Where a method needs one and has none, its types are inferred; who weaves
/// such a class writes none either, and it is not verified again.
pub fn verify_retransformed(class: &ClassFile<'_>) -> Result<(), VerifyError> {
    format::check(class)?;
    each_method(class, |context, code| {
        let table = code.stack_map_table(context.class.constant_pool());
        match context.has_stack_maps(table.ok().flatten().as_ref(), code) {
            true => type_checker::check(context, code),
            false => inference::check(context, code),
        }
    })
}

fn each_method<'a>(
    class: &ClassFile<'a>,
    check: impl Fn(&MethodContext<'_, 'a>, &Code<'a>) -> Result<(), Violation>,
) -> Result<(), VerifyError> {
    for method in class.methods() {
        let method = method?;
        let Some(code) = method.code(class.constant_pool())? else { continue };
        let context = MethodContext::new(class, &method)?;
        check(&context, &code).map_err(|violation| VerifyError::Method {
            method: format!("{}{}", method.name(), method.descriptor()),
            violation,
        })?;
    }
    Ok(())
}
