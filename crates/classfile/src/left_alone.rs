//! Why a method was not rewritten: one closed list, which reports to users show.

use std::fmt;

use crate::error::Error;
use crate::weave::Operand;

/// HotSpot compiles no method with more bytes of code than this (HugeMethodLimit); it stays interpreted for ever.
pub const HUGE_METHOD_LIMIT: usize = 8_000;

/// Why a method was left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftAlone {
    /// It is native or abstract.
    NoCode,
    /// `java/lang/Object.<init>`: every constructor ends in it, and HotSpot treats it as special.
    ObjectConstructor,
    /// An empty `finalize()`, such as that of `java/lang/Object`: HotSpot takes it for none, and would make every object
    /// of the class and its subclasses finalizable if it were not empty.
    EmptyFinalizer,
    /// It has jsr or ret, which javac has not written since Java 6.
    Subroutines,
    /// Its code would have more than 65,535 bytes (JVMS 4.7.3); the number is how many.
    CodeTooLarge(usize),
    /// It is compiled now and would be too large for that: [`HUGE_METHOD_LIMIT`].
    TooLargeToCompile {
        /// Bytes of code as it is.
        before: usize,
        /// Bytes it would have.
        after: usize,
    },
    /// The constant pool of its class has no more room (65,535 entries).
    ConstantPoolFull,
    /// It would need more than 65,535 local variables or stack slots.
    FrameTooLarge,
    /// A probe would be given more than 255 slots of arguments (JVMS 4.3.3).
    TooManyArguments,
    /// Its exception table would have more than 65,535 rows.
    ExceptionTableFull,
    /// A JVM would refuse it, or could not be sure: what the type rules say.
    NotTypeSafe(String),
    /// A constructor in which `this` is not to be had where it is wanted.
    ThisNotAvailable,
    /// Its attributes are broken.
    Malformed(Error),
    /// A probe asks for what there is not at its place, such as the result at entry.
    OperandNotThere(Operand),
    /// Its frames or paths are more than are followed here; a JVM may well take it.
    TooLargeToFollow,
    /// A condition asks for what this method does not have.
    ConditionDoesNotFit(String),
}

impl From<Error> for LeftAlone {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}

impl fmt::Display for LeftAlone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCode => f.write_str("native or abstract: it has no code"),
            Self::ObjectConstructor => {
                f.write_str("the constructor of java.lang.Object is special to the jvm")
            }
            Self::EmptyFinalizer => {
                f.write_str("an empty finalize(): not empty, it would make objects finalizable")
            }
            Self::Subroutines => f.write_str("it has jsr or ret instructions"),
            Self::CodeTooLarge(size) => write!(f, "it would have {size} bytes of code; 65535 are allowed"),
            Self::TooLargeToCompile { before, after } => write!(
                f,
                "it would grow from {before} to {after} bytes of code; past {HUGE_METHOD_LIMIT} hotspot does not compile it"
            ),
            Self::ConstantPoolFull => f.write_str("the constant pool of its class is full"),
            Self::FrameTooLarge => f.write_str("it would need more than 65535 locals or stack slots"),
            Self::TooManyArguments => f.write_str("its arguments are more than one call can take"),
            Self::ExceptionTableFull => f.write_str("its exception table would be too long"),
            Self::NotTypeSafe(why) => write!(f, "a verifier refuses it as it is: {why}"),
            Self::ThisNotAvailable => f.write_str("its constructor overwrites or drops this"),
            Self::Malformed(error) => write!(f, "broken: {error}"),
            Self::OperandNotThere(operand) => write!(f, "a probe asks for {operand:?} where there is none"),
            Self::TooLargeToFollow => f.write_str("its frames are too many and too large to be followed"),
            Self::ConditionDoesNotFit(why) => write!(f, "the condition does not fit: {why}"),
        }
    }
}
