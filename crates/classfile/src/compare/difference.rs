//! Differences between two versions of a class: what is different, which error that gives, and who made it so.

use std::fmt;

use crate::compare::{Artefact, RedefinitionError};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What is different.
    pub change: Change,
    /// The error that it gives; none where HotSpot takes it.
    pub error: Option<RedefinitionError>,
    /// What javac made it for, where javac did.
    pub artefact: Option<Artefact>,
}

/// What is different; names as in the class file, methods with their descriptors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "old and new are what the class has and would have")]
pub enum Change {
    /// Class-file versions, as major.minor.
    Version { old: (u16, u16), new: (u16, u16) },
    /// The class's own name.
    Name { old: String, new: String },
    /// The superclass; empty for none.
    Superclass { old: String, new: String },
    /// The direct superinterfaces, in order.
    Interfaces { old: Vec<String>, new: Vec<String> },
    /// The NestHost attribute.
    NestHost { old: Option<String>, new: Option<String> },
    /// A class that is a member of the nest by the new class only.
    NestMemberAdded(String),
    /// A class that is no member of the nest any more.
    NestMemberRemoved(String),
    /// The components of a record, as `name:descriptor`; none where it is no record.
    Record { old: Option<Vec<String>>, new: Option<Vec<String>> },
    /// The PermittedSubclasses attribute.
    PermittedSubclasses { old: Option<Vec<String>>, new: Option<Vec<String>> },
    /// access_flags of the class, as far as HotSpot knows them.
    ClassModifiers { old: u16, new: u16 },
    /// A field, as `name:descriptor`.
    FieldAdded(String),
    /// A field, as `name:descriptor`.
    FieldRemoved(String),
    /// access_flags of a field, as far as HotSpot knows them.
    FieldModifiers { field: String, old: u16, new: u16 },
    /// The same fields, in another order.
    FieldOrder,
    /// A method.
    MethodAdded(String),
    /// A method.
    MethodRemoved(String),
    /// access_flags of a method, as far as HotSpot knows them.
    MethodModifiers { method: String, old: u16, new: u16 },
}

/// A member that is in both classes, and what is not the same in it. HotSpot takes all of this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentChange {
    /// The member, as in [`Change`]; empty for the class itself.
    pub member: String,
    /// Instructions, handlers, or the sizes of stack and locals: what it does.
    pub code: bool,
    /// Stack map frames, while the code is the same.
    pub frames: bool,
    /// Lines, or names of variables.
    pub debug: bool,
    /// Names of other attributes that differ: annotations, Exceptions, Signature, ConstantValue.
    pub attributes: Vec<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.change)?;
        if let Some(error) = self.error {
            write!(f, ": {error}")?;
        }
        if let Some(artefact) = self.artefact {
            write!(f, "; {}", artefact.remedy())?;
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: &Option<Vec<String>>| match names {
            Some(names) => format!("[{}]", names.join(", ")),
            None => "none".to_owned(),
        };
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
        match self {
            Self::Version { old, new } => {
                write!(f, "class-file version {}.{} became {}.{}", old.0, old.1, new.0, new.1)
            }
            Self::Name { old, new } => write!(f, "class {old} became {new}"),
            Self::Superclass { old, new } => write!(f, "superclass {old} became {new}"),
            Self::Interfaces { old, new } => {
                write!(f, "interfaces [{}] became [{}]", old.join(", "), new.join(", "))
            }
            Self::NestHost { old, new } => write!(f, "nest host {} became {}", name(old), name(new)),
            Self::NestMemberAdded(member) => write!(f, "nest member {member} was added"),
            Self::NestMemberRemoved(member) => write!(f, "nest member {member} was removed"),
            Self::Record { old, new } => {
                write!(f, "record components {} became {}", names(old), names(new))
            }
            Self::PermittedSubclasses { old, new } => {
                write!(f, "permitted subclasses {} became {}", names(old), names(new))
            }
            Self::ClassModifiers { old, new } => {
                write!(f, "class modifiers {old:#06x} became {new:#06x}")
            }
            Self::FieldAdded(field) => write!(f, "field {field} was added"),
            Self::FieldRemoved(field) => write!(f, "field {field} was removed"),
            Self::FieldModifiers { field, old, new } => {
                write!(f, "modifiers of field {field} were {old:#06x} and became {new:#06x}")
            }
            Self::FieldOrder => f.write_str("the fields stand in another order"),
            Self::MethodAdded(method) => write!(f, "method {method} was added"),
            Self::MethodRemoved(method) => write!(f, "method {method} was removed"),
            Self::MethodModifiers { method, old, new } => {
                write!(f, "modifiers of method {method} were {old:#06x} and became {new:#06x}")
            }
        }
    }
}
