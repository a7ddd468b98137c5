//! The zip file that a jar is: refused as a whole (return code 100 or 101), or read in two ways.

use std::io::{Read, Seek};

use crate::finding::Finding;
use crate::jar::{Jar, JarError};

pub(super) fn refusal(error: &JarError) -> Finding {
    let code = match error {
        JarError::NotZip => "not-a-zip",
        JarError::Truncated => "zip-truncated",
        JarError::Trailing(_) => "zip-trailing-bytes",
        JarError::Bomb(_) => "zip-bomb",
        JarError::Damaged(_) => "zip-damaged",
        JarError::Io(_) => "jar-unreadable",
    };
    let remedy = match error {
        JarError::NotZip => "name the agent's jar; a download may have given an error page instead",
        JarError::Truncated | JarError::Trailing(_) | JarError::Damaged(_) => {
            "copy or download the jar again, and compare its checksum"
        }
        JarError::Bomb(_) => "load an agent jar from a source you trust: none has as much",
        JarError::Io(_) => "check the disk and the rights of the file",
    };
    Finding::error(code, format!("the JVM can't open the jar: {error}"), remedy)
}

/// Whether the JVM will open the jar to load classes from it.
pub(super) fn check<R: Read + Seek>(jar: &Jar<R>, findings: &mut Vec<Finding>) -> bool {
    let unsupported = jar.unsupported();
    if let Some(unsupported) = &unsupported {
        findings.push(Finding::error(
            "zip-entry-unsupported",
            format!(
                "the entry {} is {}, and the JVM refuses a jar whose entries are not all stored or deflated",
                unsupported.entry, unsupported.how
            ),
            "pack the jar with the jar tool",
        ));
    }
    if jar.has_duplicates() {
        findings.push(Finding::warning(
            "zip-duplicate-entries",
            "entries of the jar share a name: of manifests the JVM takes the first, of classes the last"
                .into(),
            "pack the jar so that each name is there once",
        ));
    }
    unsupported.is_none()
}
