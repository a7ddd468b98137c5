//! Conditions on arguments, fields, result and cost: what they say. [`parse`] reads them from text, `compile` makes
//! bytecode of them.

mod compile;
mod parse;

use std::fmt;

pub(crate) use compile::{Compiler, Known, SCRATCH};
pub use parse::ParseError;

/// A condition: comparisons joined by `&&`, `||` and `!`. Made by [`Condition::parse`] alone, which bounds its size and
/// depth.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All hold.
    #[non_exhaustive]
    And(Vec<Self>),
    /// One holds.
    #[non_exhaustive]
    Or(Vec<Self>),
    /// It does not hold.
    #[non_exhaustive]
    Not(Box<Self>),
    /// Two values compare so. One with a field of null does not hold, whatever it asks.
    #[non_exhaustive]
    Compare(Value, Comparison, Value),
    /// A boolean value is true.
    #[non_exhaustive]
    Is(Value),
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value in a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Written out.
    Literal(Literal),
    /// Something of the call, and the fields that lead from it: `arg0.order.status`.
    Path(Subject, Vec<String>),
}

/// A value that is written out.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true`, `false`.
    Boolean(bool),
    /// A whole number; a time (`10ms`) in nanoseconds.
    Integer(i64),
    /// A number with a fraction.
    Decimal(f64),
    /// Text, which compares with a String by equals.
    Text(String),
}

/// What of a call a condition can ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An argument by its number, from 0, as it was at the start.
    Argument(u16),
    /// The object called on.
    This,
    /// What is returned.
    Result,
    /// Time since the start, in units of the clock: nanoseconds.
    Cost,
}

impl Condition {
    /// Reads a condition: `arg0.status >= 500 && cost > 10ms`.
    ///
    /// Values: `arg0` or `args[0]`, `this`, `result`, `cost`, each with `.field` behind it; numbers, times (ns, us, ms,
    /// s), "text", true, false, null. Comparisons: == != < <= > >=. Joined: && || ! and parentheses.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::parse(text)
    }

    /// Whether it asks about this.
    pub fn asks_about(&self, subject: impl Fn(Subject) -> bool + Copy) -> bool {
        let value = |value: &Value| matches!(value, Value::Path(of, _) if subject(*of));
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.asks_about(subject)),
            Self::Not(part) => part.asks_about(subject),
            Self::Compare(left, _, right) => value(left) || value(right),
            Self::Is(one) => value(one),
        }
    }
}

/// What is known of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFacts {
    /// access_flags of the class that it was looked up in (its inner-class flags where it is a member of another).
    pub class_flags: u16,
    /// Internal name of the class that declares it: that class or a superclass of it.
    pub declared_in: String,
    /// access_flags of the class that declares it, likewise.
    pub declared_in_flags: u16,
    /// Its descriptor.
    pub descriptor: String,
    /// Its access_flags.
    pub flags: u16,
}

/// Knows the fields of classes: for the condition's sake the caller looks them up where classes are known.
pub trait Fields {
    /// The field of this name in a class or what it inherits; none if there is none. Names are internal.
    ///
    /// The class is the one that the class `from`, which is woven, knows by that name: as its own loader finds it. One
    /// that this loader does not find, or whose package is not exported to the module of `from`, has no fields: the
    /// application would be thrown an error otherwise.
    fn find(&self, from: &str, class: &str, name: &str) -> Option<FieldFacts>;
}

/// Knows none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFields;

impl Fields for NoFields {
    fn find(&self, _from: &str, _class: &str, _name: &str) -> Option<FieldFacts> {
        None
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(n) => write!(f, "arg{n}"),
            Self::This => f.write_str("this"),
            Self::Result => f.write_str("result"),
            Self::Cost => f.write_str("cost"),
        }
    }
}
