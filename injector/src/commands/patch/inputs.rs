//! The classes of a patch, from the paths that were typed: class files, directories and jars. Not here: sources, which are
//! compiled first (`compile.rs`).
//!
//! A patch is small. What is far larger than one is refused before it is unpacked.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jgraft_agentjar::Manifest;
use jgraft_classfile::ClassFile;
use jgraft_classfile::verification::verify;
use zip::ZipArchive;

use crate::failure::{EXIT_BLOCKED, Failure};
use crate::jar;

/// Bytes of one class file; what a JVM accepts is far less.
pub(super) const CLASS_LIMIT: u64 = 16 << 20;
/// Bytes of all class files.
pub(super) const LIMIT: u64 = 256 << 20;
/// Class files.
pub(super) const MOST_CLASSES: usize = 20_000;
/// Where a jar or a directory of a web application has classes, beside its root.
const BELOW: [&str; 2] = ["BOOT-INF/classes/", "WEB-INF/classes/"];

/// A class file of a patch. It is one, and verifies.
#[derive(Clone, Debug)]
pub(super) struct NewClass {
    /// The internal name.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// Where it is from, for people.
    pub(super) from: String,
}

/// Classes by their internal names.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    classes: BTreeMap<String, NewClass>,
    bytes: u64,
}

impl Inputs {
    /// Reads whatever the paths lead to; of a jar with variants of its classes that which a JVM of this release would load.
    pub(super) fn read(paths: &[PathBuf], feature: Option<u32>) -> Result<Vec<NewClass>, Failure> {
        let mut inputs = Inputs::default();
        for path in paths {
            let unreadable = |error: io::Error| unreadable(path, &error.to_string());
            let kind = fs::metadata(path).map_err(unreadable)?;
            if kind.is_dir() {
                inputs.directory(path, path)?;
            } else if !kind.is_file() {
                return Err(unreadable(io::Error::other("it is neither a file nor a directory")));
            } else if path.extension().is_some_and(|extension| extension == "class") {
                inputs.class_file(path, None)?;
            } else {
                inputs.jar(path, feature)?;
            }
        }
        if inputs.classes.is_empty() {
            let typed: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
            return Err(Failure::new(EXIT_BLOCKED, "no-classes", "there is nothing to patch with")
                .evidence(format!("no class file in {}", typed.join(", ")))
                .remedy("name class files, directories or jars with class files, or .java sources"));
        }
        Ok(inputs.classes.into_values().collect())
    }

    fn directory(&mut self, root: &Path, folder: &Path) -> Result<(), Failure> {
        let unreadable = |error: io::Error| unreadable(folder, &error.to_string());
        let mut entries: Vec<_> =
            fs::read_dir(folder).and_then(Iterator::collect::<io::Result<_>>).map_err(unreadable)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            // A link may lead round in a circle; a class file may be one.
            let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
            if is_folder {
                self.directory(root, &path)?;
            } else if path.extension().is_some_and(|extension| extension == "class") {
                let below = path.strip_prefix(root).unwrap_or(&path);
                self.class_file(&path, Some(&below.to_string_lossy()))?;
            }
        }
        Ok(())
    }

    /// `expected`: its place below the root that was named.
    fn class_file(&mut self, path: &Path, expected: Option<&str>) -> Result<(), Failure> {
        let unreadable = |error: io::Error| unreadable(path, &error.to_string());
        let bytes = jar::open(path).and_then(limited).map_err(unreadable)?;
        self.add(bytes, path.display().to_string(), expected)
    }

    fn jar(&mut self, path: &Path, feature: Option<u32>) -> Result<(), Failure> {
        let no_jar = |error: String| {
            Failure::new(
                EXIT_BLOCKED,
                "no-classes",
                format!("{} is neither a class file nor a jar", path.display()),
            )
            .evidence(error)
            .remedy("name class files, directories or jars with class files, or .java sources")
        };
        let file = jar::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
        let mut jar = ZipArchive::new(file).map_err(|error| no_jar(error.to_string()))?;
        let names = (0..jar.len()).map(|index| {
            let entry = jar.by_index_raw(index).map_err(|error| no_jar(error.to_string()))?;
            Ok(entry.name().map_err(|error| no_jar(error.to_string()))?.into_owned())
        });
        let names = names.collect::<Result<Vec<String>, Failure>>()?;
        let feature = feature.filter(|_| is_multi_release(&mut jar)).unwrap_or(8);
        for (place, index) in variants(&names, feature) {
            let entry = jar.by_index(index).map_err(|error| no_jar(error.to_string()))?;
            let from = format!("{}!/{}", path.display(), names[index]);
            let bytes = limited(entry).map_err(|error| unreadable(Path::new(&from), &error.to_string()))?;
            self.add(bytes, from, Some(place))?;
        }
        Ok(())
    }

    fn add(&mut self, bytes: Vec<u8>, from: String, expected: Option<&str>) -> Result<(), Failure> {
        self.bytes += bytes.len() as u64;
        if self.bytes > LIMIT || self.classes.len() >= MOST_CLASSES {
            return Err(Failure::new(EXIT_BLOCKED, "patch-too-large", "that is no patch")
                .evidence(format!("more than {MOST_CLASSES} class files or {} MiB, by {from}", LIMIT >> 20))
                .remedy("name the classes that are to be changed"));
        }
        let class = ClassFile::parse(&bytes).map_err(|error| broken(&from, &error.to_string()))?;
        let name = class.this_class_name().map_err(|error| broken(&from, &error.to_string()))?.to_string();
        // They have no code, and are not redefined.
        if name.ends_with("package-info") || name == "module-info" {
            return Ok(());
        }
        is_where_it_belongs(&name, expected, &from)?;
        class.check_structure().map_err(|error| broken(&from, &error.to_string()))?;
        verify(&class).map_err(|error| broken(&from, &error.to_string()))?;
        let new = NewClass { name: name.clone(), bytes, from: from.clone() };
        match self.classes.insert(name, new) {
            Some(other) if other.bytes != self.classes[&other.name].bytes => {
                Err(Failure::new(EXIT_BLOCKED, "class-twice", format!("{} comes twice", dotted(&other.name)))
                    .evidence(format!("{} and {from} are different", other.from))
                    .remedy("leave one of them out"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether the jar says that it has variants of its classes for later releases (JAR File Specification, Multi-release JAR files).
fn is_multi_release(jar: &mut ZipArchive<fs::File>) -> bool {
    let bytes = jar.by_name("META-INF/MANIFEST.MF").ok().and_then(|entry| limited(entry).ok());
    let manifest = bytes.and_then(|bytes| Manifest::parse(&bytes).ok());
    manifest.is_some_and(|manifest| manifest.is_true("Multi-Release"))
}

/// The class files that a JVM of this release would load, by where they belong, with their numbers among these.
fn variants(names: &[String], feature: u32) -> BTreeMap<&str, usize> {
    let mut best: BTreeMap<&str, (u32, usize)> = BTreeMap::new();
    for (index, name) in names.iter().enumerate().filter(|(_, name)| name.ends_with(".class")) {
        let (release, place) = match name.strip_prefix("META-INF/") {
            None => (8, name.as_str()),
            Some(below) => {
                let versioned = below.strip_prefix("versions/").and_then(|rest| rest.split_once('/'));
                let versioned = versioned.and_then(|(release, place)| Some((release.parse().ok()?, place)));
                match versioned {
                    // Others are nothing that a class loader would find.
                    Some((release, place)) if (9..=feature).contains(&release) => (release, place),
                    _ => continue,
                }
            }
        };
        let known = best.entry(place).or_insert((release, index));
        if known.0 < release {
            *known = (release, index);
        }
    }
    best.into_iter().map(|(place, (_, index))| (place, index)).collect()
}

/// Fails where the target's JVM does not know the version of a class.
pub(super) fn are_known(classes: &[NewClass], feature: Option<u32>) -> Result<(), Failure> {
    let Some(feature) = feature else { return Ok(()) };
    // 52 is 8 (JVMS 4.1).
    let most = feature + 44;
    for class in classes {
        let Ok(parsed) = ClassFile::parse(&class.bytes) else { continue };
        let (major, minor) = (u32::from(parsed.major_version()), parsed.minor_version());
        let refused = |cause: String, evidence: String| {
            Err(Failure::new(EXIT_BLOCKED, "newer-class", cause).evidence(evidence).remedy(format!(
                "compile it with --release {feature}, or the release that the service was compiled for"
            )))
        };
        if major > most {
            return refused(
                format!("{} is of a newer jdk than the target", class.from),
                format!("its version is {major}, and java {feature} takes {most} at most"),
            );
        }
        // The preview features of a release are those of no other; before 12 there were none (JVMS 4.1).
        if minor == PREVIEW && major >= 56 && major != most {
            return refused(
                format!("{} uses preview features of another jdk than the target's", class.from),
                format!(
                    "they are those of java {}, and the target is java {feature}",
                    major.saturating_sub(44)
                ),
            );
        }
    }
    Ok(())
}

/// minor_version of a class that uses preview features.
const PREVIEW: u16 = 65_535;

/// A class file lies below its root as its package says.
fn is_where_it_belongs(name: &str, expected: Option<&str>, from: &str) -> Result<(), Failure> {
    let Some(place) = expected else { return Ok(()) };
    let place = BELOW.iter().find_map(|below| place.strip_prefix(below)).unwrap_or(place);
    if place.strip_suffix(".class") == Some(name) {
        return Ok(());
    }
    Err(Failure::new(EXIT_BLOCKED, "wrong-package", format!("{from} is not where its package says"))
        .evidence(format!("it is class {}, which belongs at {name}.class", dotted(name)))
        .remedy("name the directory that holds its outermost package, or the class file itself"))
}

/// A class file, or an error where it is longer than any.
pub(super) fn limited(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(CLASS_LIMIT + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > CLASS_LIMIT {
        true => Err(io::Error::other(format!("it is larger than {} MiB, as no class is", CLASS_LIMIT >> 20))),
        false => Ok(bytes),
    }
}

fn unreadable(path: &Path, error: &str) -> Failure {
    Failure::new(EXIT_BLOCKED, "unreadable-patch", format!("{} cannot be read", path.display()))
        .evidence(error)
        .remedy("nothing was sent; name what can be read")
}

fn broken(from: &str, error: &str) -> Failure {
    Failure::new(EXIT_BLOCKED, "broken-class", format!("{from} is not a class that a JVM would take"))
        .evidence(error)
        .remedy("compile it anew")
}

/// The name as Java writes it.
pub(super) fn dotted(name: &str) -> String {
    name.replace('/', ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_for_releases() {
        let names = [
            "A.class",
            "META-INF/versions/9/A.class",
            "META-INF/versions/17/A.class",
            "META-INF/versions/21/B.class",
            "META-INF/versions/8/A.class",
            "META-INF/versions/x/A.class",
            "META-INF/C.class",
            "A.txt",
        ];
        let names = names.map(str::to_owned);
        let of = |feature| variants(&names, feature).into_iter().collect::<Vec<_>>();
        assert_eq!(of(8), [("A.class", 0)]);
        assert_eq!(of(11), [("A.class", 1)]);
        assert_eq!(of(17), [("A.class", 2)]);
        assert_eq!(of(21), [("A.class", 2), ("B.class", 3)]);
    }
}
