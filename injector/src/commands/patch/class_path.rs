//! The target's class path as a compiler on this side can read it: jars by links to open files, since their paths are those
//! of the target's view; what lies inside a fat jar is unpacked.
//!
//! Whatever the target has put there is opened in its own root only, and what is unpacked has bounds.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use jgraft_attach::Target;
use zip::ZipArchive;

/// Bytes of all that is unpacked.
const UNPACKED_LIMIT: u64 = 2 << 30;
const MOST_ENTRIES: usize = 5_000;
/// A manifest that is longer is not read.
const MANIFEST_LIMIT: u64 = 1 << 20;

/// Entries for `--class-path`. What they lead to is there as long as this is.
#[derive(Debug)]
pub(super) struct ClassPath {
    folder: PathBuf,
    entries: Vec<PathBuf>,
    /// Files and directories of the target that the entries lead to.
    files: Vec<File>,
    folders: Vec<OwnedFd>,
    unpacked: u64,
    /// What could not be read.
    pub(super) missing: Vec<String>,
}

impl ClassPath {
    /// `paths` are those of the JVM's `java.class.path`, in its view; `folder` is an empty one on our side.
    pub(super) fn open(target: &Target, paths: &str, folder: &Path) -> io::Result<ClassPath> {
        let mut class_path = ClassPath {
            folder: folder.to_owned(),
            entries: Vec::new(),
            files: Vec::new(),
            folders: Vec::new(),
            unpacked: 0,
            missing: Vec::new(),
        };
        for path in paths.split(':').filter(|path| !path.is_empty()) {
            let Some(path) = target.resolve(path.as_ref()) else { continue };
            class_path.add(target, &path, true)?;
        }
        Ok(class_path)
    }

    /// As the compiler's option has it.
    pub(super) fn text(&self) -> String {
        let entries: Vec<_> = self.entries.iter().map(|path| path.display().to_string()).collect();
        entries.join(":")
    }

    fn add(&mut self, target: &Target, path: &Path, with_manifest: bool) -> io::Result<()> {
        let Ok(root) = target.root() else { return Ok(()) };
        if self.entries.len() >= MOST_ENTRIES {
            return Err(io::Error::other(format!("the class path has more than {MOST_ENTRIES} entries")));
        }
        if let Ok(folder) = root.open_dir(path) {
            self.entries.push(through(folder.as_raw_fd()));
            self.folders.push(folder);
            return Ok(());
        }
        let file = match root.open_file(path) {
            Ok(file) => file,
            Err(error) => {
                // A JVM passes over what is not there.
                self.missing.push(format!("{}: {error}", path.display()));
                return Ok(());
            }
        };
        let name = self.folder.join(format!("{}.jar", self.entries.len()));
        symlink(through(file.as_raw_fd()), &name)?;
        self.entries.push(name);
        let beside = self.look_inside(&file, path, with_manifest)?;
        self.files.push(file);
        for path in beside {
            self.add(target, &path, false)?;
        }
        Ok(())
    }

    /// Unpacks what a fat jar has inside; the paths that its manifest names.
    fn look_inside(&mut self, file: &File, path: &Path, with_manifest: bool) -> io::Result<Vec<PathBuf>> {
        // A class path may have files that are no jars; a compiler says so if it matters.
        let Ok(mut jar) = ZipArchive::new(file) else { return Ok(Vec::new()) };
        let manifest = read_entry(&mut jar, "META-INF/MANIFEST.MF", MANIFEST_LIMIT).unwrap_or_default();
        let beside = match with_manifest {
            true => class_path_of(&String::from_utf8_lossy(&manifest), path),
            false => Vec::new(),
        };
        let names: Vec<String> =
            jar.file_names().filter_map(|name| name.ok().map(|name| name.into_owned())).collect();
        let below = |name: &str, folder: &str| {
            ["BOOT-INF/", "WEB-INF/"]
                .iter()
                .find_map(|top| name.strip_prefix(top)?.strip_prefix(folder).map(str::to_owned))
        };
        let classes = self.folder.join(format!("{}-classes", self.entries.len()));
        let mut has_classes = false;
        for name in names {
            let to = if let Some(inner) = below(&name, "classes/").filter(|inner| inner.ends_with(".class")) {
                // Nothing of `..` or `/`: the name decides where it is written.
                let Some(inner) = safe(&inner) else { continue };
                has_classes = true;
                classes.join(inner)
            } else if below(&name, "lib/").is_some_and(|inner| inner.ends_with(".jar")) {
                let to = self.folder.join(format!("{}-inner.jar", self.entries.len()));
                self.entries.push(to.clone());
                to
            } else {
                continue;
            };
            let bytes = read_entry(&mut jar, &name, UNPACKED_LIMIT - self.unpacked)?;
            self.unpacked += bytes.len() as u64;
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&to, bytes)?;
        }
        if has_classes {
            self.entries.push(classes);
        }
        Ok(beside)
    }
}

/// An open file or directory of ours, by a path that a child of ours reaches too.
fn through(descriptor: i32) -> PathBuf {
    PathBuf::from(format!("/proc/{}/fd/{descriptor}", std::process::id()))
}

fn read_entry(jar: &mut ZipArchive<impl Read + Seek>, name: &str, limit: u64) -> io::Result<Vec<u8>> {
    let entry = jar.by_name(name).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    entry.take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > limit {
        true => Err(io::Error::other(format!(
            "{name} and what comes before it unpack to more than {} MiB",
            UNPACKED_LIMIT >> 20
        ))),
        false => Ok(bytes),
    }
}

/// A relative path without anything but names.
fn safe(name: &str) -> Option<&Path> {
    let parts = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    parts.then_some(Path::new(name))
}

/// Paths that the manifest's Class-Path names, beside the jar.
fn class_path_of(manifest: &str, jar: &Path) -> Vec<PathBuf> {
    let text = manifest.replace("\r\n", "\n").replace("\n ", "");
    let line = text.lines().find_map(|line| line.strip_prefix("Class-Path:"));
    let Some(folder) = jar.parent() else { return Vec::new() };
    line.unwrap_or_default()
        .split_whitespace()
        .map(|entry| entry.strip_prefix("file:").unwrap_or(entry))
        .filter(|entry| !entry.contains("://"))
        .map(|entry| folder.join(entry))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_what_lies_beside() {
        let manifest = "Manifest-Version: 1.0\r\nClass-Path: lib/a.jar li\r\n b/b.jar\r\n  file:/x/c.jar http://h/d.jar\r\n";
        let expected = ["/app/lib/a.jar", "/app/lib/b.jar", "/x/c.jar"].map(PathBuf::from);
        assert_eq!(class_path_of(manifest, Path::new("/app/app.jar")), expected);
        assert!(class_path_of("Main-Class: x\n", Path::new("/app/app.jar")).is_empty());
    }

    #[test]
    fn names_that_lead_elsewhere_are_left_out() {
        assert_eq!(safe("a/B.class"), Some(Path::new("a/B.class")));
        assert_eq!(["../B.class", "/B.class", "a/../../B.class"].map(safe), [None; 3]);
    }
}
