//! One thing that is wrong, or may be, with a jar or with the request to load it.

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The target will take the jar; what was found may still be unwanted, or is only inferred.
    Warning,
    /// The target will surely refuse.
    Error,
}

/// A finding. Its words are fragments in lower case, meant to follow a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A stable name, such as `agent-class-missing`.
    pub code: &'static str,
    /// How sure it is.
    pub severity: Severity,
    /// What is wrong, and how that is known.
    pub sentence: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    pub(crate) fn error(code: &'static str, sentence: String, remedy: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, sentence, remedy: remedy.into() }
    }

    pub(crate) fn warning(code: &'static str, sentence: String, remedy: impl Into<String>) -> Self {
        Self { code, severity: Severity::Warning, sentence, remedy: remedy.into() }
    }
}
