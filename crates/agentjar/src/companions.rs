//! The files that a jar's manifest names by paths relative to itself: where the jar goes, they have to go too.

use std::io::{Read, Seek};
use std::path::{Component, PathBuf};

use crate::check::{class_path, relative_boot_class_path};
use crate::jar::{Jar, MANIFEST, MANIFEST_LIMIT};
use crate::manifest::Manifest;

/// One relative entry of Boot-Class-Path or Class-Path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    /// Boot-Class-Path or Class-Path.
    pub attribute: &'static str,
    /// Decoded, relative to the jar's folder: for Boot-Class-Path to the real one, links resolved.
    pub path: PathBuf,
}

impl Companion {
    /// Its path with plain names only, or none where it leads out of the jar's folder.
    pub fn below(&self) -> Option<PathBuf> {
        let parts = self.path.components().filter(|part| *part != Component::CurDir);
        let plain: Option<PathBuf> =
            parts.map(|part| matches!(part, Component::Normal(_)).then_some(part)).collect();
        plain.filter(|path| !path.as_os_str().is_empty())
    }
}

/// The relative entries of a jar's manifest; none where there is no manifest that can be read.
pub fn companions<R: Read + Seek>(jar: R) -> Vec<Companion> {
    let Ok(mut jar) = Jar::open(jar) else { return Vec::new() };
    let Ok(Some(bytes)) = jar.read(MANIFEST, MANIFEST_LIMIT) else { return Vec::new() };
    let Ok(manifest) = Manifest::parse(&bytes.bytes) else { return Vec::new() };
    let of = |attribute: &'static str, paths: Vec<PathBuf>| {
        let relative = paths.into_iter().filter(|path| path.is_relative());
        relative.map(move |path| Companion { attribute, path })
    };
    let boot = of("Boot-Class-Path", relative_boot_class_path(&manifest));
    boot.chain(of("Class-Path", class_path(&manifest))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(path: &str) -> Option<PathBuf> {
        Companion { attribute: "Class-Path", path: path.into() }.below()
    }

    #[test]
    fn only_what_lies_below_the_jar_comes_along() {
        assert_eq!(below("./lib/a.jar"), Some("lib/a.jar".into()));
        assert_eq!(below("../lib/a.jar"), None);
        assert_eq!(below("lib/../../a.jar"), None);
        assert_eq!(below("."), None);
    }
}
