//! What came of a verification, as a table, and what makes it a failure.

use std::collections::BTreeMap;
use std::fmt;

/// One archive on one JDK in one variant.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) archive: String,
    pub(super) jdk: String,
    pub(super) variant: String,
    pub(super) classes: usize,
    pub(super) methods: usize,
    /// Methods by reason.
    pub(super) left_alone: BTreeMap<String, usize>,
    pub(super) linked_before: usize,
    pub(super) linked_after: usize,
    pub(super) verify_errors: usize,
    /// A line a class.
    pub(super) failures: Vec<String>,
}

impl Row {
    /// Compares what came of a class before and after weaving.
    pub(super) fn count(&mut self, class: &str, before: &str, after: &str) {
        self.classes += 1;
        self.linked_before += usize::from(before == LINKED);
        self.linked_after += usize::from(after == LINKED);
        let new_refusal = refused(after) && !refused(before);
        self.verify_errors += usize::from(new_refusal);
        if new_refusal || (before == LINKED && after != LINKED) {
            self.failures.push(format!("{class}: {after} (unwoven: {before})"));
        }
    }

    /// The line above the rows.
    pub(super) fn header() -> String {
        format!(
            "{:<40} {:<10} {:<10} {:>7} {:>8} {:>7} {:>7} {:>6}  {}",
            "", "JDK", "variant", "classes", "woven", "before", "after", "errors", "left alone"
        )
    }
}

const LINKED: &str = "linked";

/// Whether the JVM refused the class itself, not something that it needs.
fn refused(outcome: &str) -> bool {
    let errors = ["VerifyError", "ClassFormatError", "IncompatibleClassChangeError", "BootstrapMethodError"];
    errors.iter().any(|error| outcome.starts_with(&format!("java.lang.{error}")))
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { archive, jdk, variant, classes, methods, .. } = self;
        let Self { linked_before, linked_after, verify_errors, .. } = self;
        write!(f, "{archive:<40} {jdk:<10} {variant:<10} {classes:>7} {methods:>8} ")?;
        write!(f, "{linked_before:>7} {linked_after:>7} {verify_errors:>6} ")?;
        // Most of them by far, and never a question.
        for (reason, count) in self.left_alone.iter().filter(|(reason, _)| *reason != "NoCode") {
            write!(f, " {reason} {count}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_that_no_longer_links_and_a_new_refusal_are_failures() {
        let mut row = Row::default();
        row.count("a.A", "linked", "linked");
        row.count("a.B", "java.lang.NoClassDefFoundError: x", "java.lang.NoClassDefFoundError: y");
        row.count("a.C", "java.lang.VerifyError: x", "java.lang.VerifyError: y");
        assert_eq!((row.linked_before, row.linked_after, row.failures.len()), (1, 1, 0));
        row.count("a.D", "linked", "java.lang.NoClassDefFoundError: x");
        row.count("a.E", "java.lang.NoClassDefFoundError: x", "java.lang.VerifyError: y");
        assert_eq!((row.classes, row.verify_errors, row.failures.len()), (5, 1, 2));
    }
}
