//! Why patches do not go together.

use std::fmt;

use crate::error::Error;
use crate::rebase::RebaseError;

/// Why no class was composed. Patches are counted from 0, the lowest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComposeError {
    /// A class is broken.
    Malformed(Error),
    /// A class can't be put on the constant pool of the one in force.
    Rebase {
        /// Which patch; none for the base.
        patch: Option<usize>,
        /// Why.
        reason: RebaseError,
    },
    /// A patch has another lambda under the name of one that a method of another patch, or of the base, still uses.
    SharedLambda {
        /// Which patch.
        patch: usize,
        /// The body's name and descriptor.
        lambda: String,
    },
    /// A method uses a member that only a patch had which is gone, or that a patch has taken away.
    Missing {
        /// The method that uses it.
        user: String,
        /// The member.
        member: String,
    },
}

impl From<Error> for ComposeError {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}

impl fmt::Display for ComposeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "broken: {error}"),
            Self::Rebase { reason, .. } => write!(f, "{reason}"),
            Self::SharedLambda { lambda, .. } => write!(
                f,
                "{lambda} is a lambda that a method outside this patch uses, and this patch has another of the name: \
                 compile the patch from the source of what is in force"
            ),
            Self::Missing { user, member } => write!(
                f,
                "{user} uses {member}, which would not be there: compile the patch from the source of what is in force, \
                 or revert the patches of both together"
            ),
        }
    }
}

impl std::error::Error for ComposeError {}

/// A later patch changes the same method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedMethod {
    /// The later patch, counted from 0, the lowest.
    pub later: usize,
    /// The method's name and descriptor.
    pub method: String,
}

impl fmt::Display for SharedMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a later patch changes {} too: revert that one first", self.method)
    }
}

impl std::error::Error for SharedMethod {}
