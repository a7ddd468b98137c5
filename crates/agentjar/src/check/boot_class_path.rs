//! Boot-Class-Path: entries that a running JVM will pass over with a warning on its stderr.
//!
//! An entry is a relative URI: its escapes are decoded and a query is cut off, but "file:" is a folder's name
//! like any other. Relative means relative to the folder that the jar really is in.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::finding::Finding;
use crate::jar::Jar;
use crate::manifest::Manifest;
use crate::question::{Neighbour, Question};

/// The entries as written.
pub(super) fn entries(manifest: &Manifest) -> Vec<String> {
    let value = manifest.get("Boot-Class-Path").unwrap_or_default();
    value.split(' ').filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
}

/// The files that the entries stand for; none for an entry that stands for no file.
pub(super) fn paths(manifest: &Manifest, question: &Question<'_>) -> Vec<PathBuf> {
    paths_from(manifest, question.folder())
}

pub(super) fn paths_from(manifest: &Manifest, folder: Option<&Path>) -> Vec<PathBuf> {
    entries(manifest).iter().filter_map(|entry| resolve(entry, folder)).collect()
}

pub(super) fn check(manifest: &Manifest, question: &Question<'_>, findings: &mut Vec<Finding>) {
    for entry in entries(manifest) {
        let Some(path) = resolve(&entry, question.folder()) else {
            findings.push(Finding::warning(
                "boot-class-path-illegal",
                format!(
                    "the Boot-Class-Path entry {entry} has a character that no URI has: it will be ignored"
                ),
                "escape it as %XX",
            ));
            continue;
        };
        let shown = path.display();
        let (code, sentence) = match (question.look)(&path) {
            Neighbour::Unknown => continue,
            Neighbour::File(file) => match Jar::open(file) {
                Ok(_) => continue,
                Err(error) => ("boot-class-path-not-a-jar", format!("is {shown}, which is no jar: {error}")),
            },
            Neighbour::Directory => (
                "boot-class-path-not-a-jar",
                format!("is the folder {shown}, and a running JVM takes only jars"),
            ),
            Neighbour::Missing => ("boot-class-path-missing", format!("is {shown}, which is not there")),
        };
        let remedy = match entry.strip_prefix("file:") {
            Some(path) => format!("write {path} without 'file:', which is taken for the name of a folder"),
            None => "put the jar there, or take the entry out".to_owned(),
        };
        let sentence = format!(
            "the Boot-Class-Path entry {entry} {sentence}: it will be ignored, and classes that need it fail"
        );
        findings.push(Finding::warning(code, sentence, remedy));
    }
}

fn resolve(entry: &str, folder: Option<&Path>) -> Option<PathBuf> {
    let path = entry.split('?').next().unwrap_or_default();
    let decoded = decode(path.as_bytes())?;
    let path = Path::new(OsStr::from_bytes(&decoded));
    Some(folder.unwrap_or(Path::new("")).join(path))
}

/// Decodes the escapes of a URI's path; none where it has a byte that is not allowed in one.
fn decode(path: &[u8]) -> Option<Vec<u8>> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.!~*'():@&=+$,;/%".contains(byte);
    let escapes = path.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    let well_formed = escapes.map(|(at, _)| escape(&path[at..])).all(|value| value.is_some());
    (well_formed && path.iter().all(allowed)).then(|| decode_escapes(path))
}

/// Decodes each %XX, and leaves what is none.
pub(super) fn decode_escapes(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, ..] = rest {
        let value = escape(rest);
        decoded.push(value.unwrap_or(*byte));
        rest = &rest[if value.is_some() { 3 } else { 1 }..];
    }
    decoded
}

/// The byte that a %XX at the beginning stands for.
fn escape(text: &[u8]) -> Option<u8> {
    match text {
        [b'%', high, low, ..] => Some(hex(*high)? << 4 | hex(*low)?),
        _ => None,
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_resolve_like_libinstrument_does() {
        let at = |entry: &str| resolve(entry, Some(Path::new("/opt/agent")));
        assert_eq!(at("lib.jar"), Some("/opt/agent/lib.jar".into()));
        assert_eq!(at("../x/lib.jar?y"), Some("/opt/agent/../x/lib.jar".into()));
        assert_eq!(at("/abs/a%20b.jar"), Some("/abs/a b.jar".into()));
        assert_eq!(at("file:/abs/a.jar"), Some("/opt/agent/file:/abs/a.jar".into()));
        for illegal in ["a\\b.jar", "ü.jar", "a%2", "a%zz", "a#b"] {
            assert_eq!(at(illegal), None, "{illegal}");
        }
    }
}
