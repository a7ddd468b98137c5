//! Where the target's system class loader finds a class that the jar names: in the jar itself, in the jars of
//! its Boot-Class-Path and Class-Path, or on the class path that the target has anyway.

use std::ffi::OsStr;
use std::io::{Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::jar::{Bytes, CLASS_LIMIT, Jar, JarError};
use crate::jdk;
use crate::manifest::Manifest;
use crate::question::{Neighbour, Question};

use super::boot_class_path;

/// What came of looking for a class.
pub(super) enum Found {
    /// Its bytes, and where they are for use in a sentence ("in the jar at …").
    Class { bytes: Bytes, place: String },
    /// It is in none of these places, which is all that there are.
    Nowhere { looked_in: Vec<String> },
    /// It is in none that could be looked at; these could not.
    Perhaps { unseen: Vec<String> },
    /// Its entry can't be read.
    Unreadable { place: String, error: JarError },
}

/// Looks for a class by its internal name.
pub(super) fn find<R: Read + Seek>(
    jar: &mut Jar<R>,
    manifest: &Manifest,
    internal_name: &str,
    question: &Question<'_>,
) -> Found {
    let file = format!("{internal_name}.class");
    let entry = entry_for(jar, manifest, &file, question.feature_version());
    match jar.read(&entry, CLASS_LIMIT) {
        Ok(Some(bytes)) => return Found::Class { bytes, place: format!("the entry {entry}") },
        Ok(None) => {}
        Err(error) => return Found::Unreadable { place: format!("the entry {entry}"), error },
    }
    let mut unseen = Vec::new();
    let mut looked_in = vec!["the jar".to_owned()];
    let (class_path, foreign) = class_path(manifest, question.folder());
    unseen.extend(foreign);
    let target = question.target.map_or(&[][..], |target| &target.class_path);
    let boot_jars = boot_class_path::paths(manifest, question).into_iter().map(|path| (path, Kind::Jar));
    let target = target.iter().map(|path| (path.clone(), Kind::Either));
    for (place, kind) in boot_jars.chain(class_path).chain(target) {
        let shown = place.display();
        let found = match (question.look)(&place) {
            Neighbour::Unknown => {
                unseen.push(shown.to_string());
                continue;
            }
            Neighbour::Directory if kind != Kind::Jar => in_folder(&place.join(&file), question),
            Neighbour::File(neighbour) if kind != Kind::Folder => in_jar(neighbour, &file),
            Neighbour::Missing | Neighbour::Directory | Neighbour::File(_) => continue,
        };
        match found {
            Ok(Some(bytes)) => return Found::Class { bytes, place: format!("{file} in {shown}") },
            Ok(None) => looked_in.push(shown.to_string()),
            Err(_) => unseen.push(shown.to_string()),
        }
    }
    if unseen.is_empty() { Found::Nowhere { looked_in } } else { Found::Perhaps { unseen } }
}

/// Whether class loaders would find a class, as far as can be told without reading it.
pub(super) fn is_known<R: Read + Seek>(
    jar: &mut Jar<R>,
    manifest: &Manifest,
    internal_name: &str,
    question: &Question<'_>,
) -> bool {
    // Packages of the JDK, as far as their names tell; a guess on this side only costs a warning.
    const JDK: [&str; 9] = [
        "java/",
        "javax/",
        "jdk/",
        "sun/",
        "com/sun/",
        "org/w3c/dom/",
        "org/xml/sax/",
        "org/ietf/jgss/",
        "netscape/",
    ];
    JDK.iter().any(|package| internal_name.starts_with(package))
        || jar.contains(&entry_for(
            jar,
            manifest,
            &format!("{internal_name}.class"),
            question.feature_version(),
        ))
        || !matches!(find(jar, manifest, internal_name, question), Found::Nowhere { .. })
}

/// The entry that a class loader of that JDK reads for a class file: META-INF/versions/N first, if the jar is
/// multi-release.
fn entry_for<R: Read + Seek>(
    jar: &Jar<R>,
    manifest: &Manifest,
    file: &str,
    feature_version: Option<u32>,
) -> String {
    let versioned = |version: u32| format!("META-INF/versions/{version}/{file}");
    // Without a target the newest is as good a guess as any, but only where there is no other.
    let newest = match feature_version {
        None if jar.contains(file) => None,
        None => Some(99),
        Some(version) => Some(version),
    };
    newest
        .filter(|_| manifest.is_multi_release())
        .and_then(|newest| jdk::lowest_versioned_folder(newest).map(|lowest| lowest..=newest))
        .and_then(|mut versions| versions.rfind(|version| jar.contains(&versioned(*version))))
        .map_or_else(|| file.to_owned(), versioned)
}

/// What an entry of a class path is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jar,
    Folder,
    Either,
}

/// The files and folders of Class-Path, and the entries that name neither. An entry is a URL: a folder is
/// what ends with a slash, and a query stays part of the name.
pub(super) fn class_path(manifest: &Manifest, folder: Option<&Path>) -> (Vec<(PathBuf, Kind)>, Vec<String>) {
    let mut paths = Vec::new();
    let mut foreign = Vec::new();
    let value = manifest.java_value("Class-Path").unwrap_or_default();
    for entry in value.split_ascii_whitespace() {
        let path = match entry.strip_prefix("file:") {
            Some(path) => path.strip_prefix("//").unwrap_or(path),
            None if entry.split('/').next().is_some_and(|start| start.contains(':')) => {
                foreign.push(entry.to_owned());
                continue;
            }
            None => entry,
        };
        let kind = if path.ends_with('/') { Kind::Folder } else { Kind::Jar };
        let decoded = boot_class_path::decode_escapes(path.as_bytes());
        paths.push((folder.unwrap_or(Path::new("")).join(OsStr::from_bytes(&decoded)), kind));
    }
    (paths, foreign)
}

fn in_jar(neighbour: impl Read + Seek, file: &str) -> Result<Option<Bytes>, JarError> {
    Jar::open(neighbour)?.read(file, CLASS_LIMIT)
}

fn in_folder(file: &Path, question: &Question<'_>) -> Result<Option<Bytes>, JarError> {
    let Neighbour::File(class) = (question.look)(file) else { return Ok(None) };
    let mut bytes = Vec::new();
    class.take(CLASS_LIMIT as u64 + 1).read_to_end(&mut bytes).map_err(JarError::Io)?;
    let cut = bytes.len() > CLASS_LIMIT;
    bytes.truncate(CLASS_LIMIT);
    Ok(Some(Bytes { bytes, cut }))
}
