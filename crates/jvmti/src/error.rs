//! What a call came to when it failed: which call, and the JVMTI's name and number for the reason.

use std::fmt;

use jni::sys::jint;

/// A failed call.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A JVMTI function returned an error.
    Call {
        /// The function, as the specification names it.
        call: &'static str,
        /// The reason.
        code: ErrorCode,
    },
    /// The JVM has no such function.
    Missing {
        /// The function, as the specification names it.
        call: &'static str,
    },
    /// The JVM hands out no JVMTI environment, of version 9 or of 1.2; the result of JNI `GetEnv`.
    NoEnvironment(jint),
    /// [`Environment::listen`](crate::Environment::listen) was called before on this environment.
    AlreadyListening,
    /// A JNI call failed.
    Jni(jni::errors::Error),
}

impl Error {
    /// Whether the call is not allowed in this phase of the JVM's life: to be expected near its start and its end.
    pub fn is_wrong_phase(&self) -> bool {
        matches!(self, Error::Call { code, .. } if *code == ErrorCode::WRONG_PHASE)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Call { call, code } => write!(f, "{call} returned {code}"),
            Error::Missing { call } => write!(f, "this jvm has no {call}"),
            Error::NoEnvironment(code) => {
                write!(f, "this jvm has no tool interface (GetEnv returned {code} for JVMTI 9 and 1.2)")
            }
            Error::AlreadyListening => f.write_str("this environment's events are taken already"),
            Error::Jni(error) => write!(f, "a JNI call failed: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Jni(error) => Some(error),
            _ => None,
        }
    }
}

impl From<jni::errors::Error> for Error {
    fn from(error: jni::errors::Error) -> Error {
        Error::Jni(error)
    }
}

/// A `jvmtiError` other than JVMTI_ERROR_NONE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(jint);

impl ErrorCode {
    /// JVMTI_ERROR_WRONG_PHASE.
    pub const WRONG_PHASE: ErrorCode = ErrorCode(112);

    /// The number.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The name in `jvmti.h`, without its prefix; none for a number newer than this crate.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(number, _)| *number == self.0).map(|(_, name)| *name)
    }

    pub(crate) fn check(call: &'static str, result: jint) -> Result<(), Error> {
        match result {
            0 => Ok(()),
            code => Err(Error::Call { call, code: ErrorCode(code) }),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "JVMTI_ERROR_{name} ({})", self.0),
            None => write!(f, "JVMTI error {}", self.0),
        }
    }
}

/// The errors of the specification, in its order.
#[rustfmt::skip]
pub(crate) const NAMES: &[(jint, &str)] = &[
    (10, "INVALID_THREAD"), (11, "INVALID_THREAD_GROUP"), (12, "INVALID_PRIORITY"), (13, "THREAD_NOT_SUSPENDED"),
    (14, "THREAD_SUSPENDED"), (15, "THREAD_NOT_ALIVE"), (20, "INVALID_OBJECT"), (21, "INVALID_CLASS"),
    (22, "CLASS_NOT_PREPARED"), (23, "INVALID_METHODID"), (24, "INVALID_LOCATION"), (25, "INVALID_FIELDID"),
    (26, "INVALID_MODULE"), (31, "NO_MORE_FRAMES"), (32, "OPAQUE_FRAME"), (34, "TYPE_MISMATCH"),
    (35, "INVALID_SLOT"), (40, "DUPLICATE"), (41, "NOT_FOUND"), (50, "INVALID_MONITOR"),
    (51, "NOT_MONITOR_OWNER"), (52, "INTERRUPT"), (60, "INVALID_CLASS_FORMAT"), (61, "CIRCULAR_CLASS_DEFINITION"),
    (62, "FAILS_VERIFICATION"), (63, "UNSUPPORTED_REDEFINITION_METHOD_ADDED"),
    (64, "UNSUPPORTED_REDEFINITION_SCHEMA_CHANGED"), (65, "INVALID_TYPESTATE"),
    (66, "UNSUPPORTED_REDEFINITION_HIERARCHY_CHANGED"), (67, "UNSUPPORTED_REDEFINITION_METHOD_DELETED"),
    (68, "UNSUPPORTED_VERSION"), (69, "NAMES_DONT_MATCH"),
    (70, "UNSUPPORTED_REDEFINITION_CLASS_MODIFIERS_CHANGED"),
    (71, "UNSUPPORTED_REDEFINITION_METHOD_MODIFIERS_CHANGED"),
    (72, "UNSUPPORTED_REDEFINITION_CLASS_ATTRIBUTE_CHANGED"), (73, "UNSUPPORTED_OPERATION"),
    (79, "UNMODIFIABLE_CLASS"), (80, "UNMODIFIABLE_MODULE"), (98, "NOT_AVAILABLE"),
    (99, "MUST_POSSESS_CAPABILITY"), (100, "NULL_POINTER"), (101, "ABSENT_INFORMATION"),
    (102, "INVALID_EVENT_TYPE"), (103, "ILLEGAL_ARGUMENT"), (104, "NATIVE_METHOD"),
    (106, "CLASS_LOADER_UNSUPPORTED"), (110, "OUT_OF_MEMORY"), (111, "ACCESS_DENIED"), (112, "WRONG_PHASE"),
    (113, "INTERNAL"), (115, "UNATTACHED_THREAD"), (116, "INVALID_ENVIRONMENT"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_call_and_reason() {
        let error = ErrorCode::check("RetransformClasses", 79).unwrap_err();
        assert_eq!(error.to_string(), "RetransformClasses returned JVMTI_ERROR_UNMODIFIABLE_CLASS (79)");
        assert!(!error.is_wrong_phase());
        let error = ErrorCode::check("GetClassSignature", 112).unwrap_err();
        assert!(error.is_wrong_phase());
        assert_eq!(ErrorCode::check("X", 4711).unwrap_err().to_string(), "X returned JVMTI error 4711");
        assert!(ErrorCode::check("X", 0).is_ok());
    }
}
