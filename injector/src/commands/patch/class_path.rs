//! The target's class path as a compiler can read it. On this side: jars by links to open files, since their paths are those of
//! the target's view, and folders as copies (`class_folder.rs`). In that view: by those paths. What lies inside a fat jar is
//! unpacked for either (`fat_jar.rs`).
//!
//! Whatever the target has put there is opened in its own root only, and what comes of it has bounds.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use jgraft_agentjar::{Jar, JarError};
use jgraft_attach::{Target, TargetRoot};

use super::class_folder;
use super::fat_jar::{self, Room};

/// Files and directories of the target; the largest services have some hundreds.
const MOST_ENTRIES: usize = 5_000;

/// Entries for `--class-path`. What they lead to is there as long as this is.
#[derive(Debug)]
pub(super) struct ClassPath {
    folder: PathBuf,
    entries: Vec<Entry>,
    /// Files and directories of the target that the entries lead to.
    files: Vec<File>,
    folders: Vec<OwnedFd>,
    /// For what is unpacked.
    room: Room,
    /// What could not be read.
    pub(super) missing: Vec<String>,
}

#[derive(Debug)]
enum Entry {
    /// A file or directory of the target.
    Theirs {
        /// In the target's view.
        path: PathBuf,
        /// What leads to it on our side.
        here: PathBuf,
    },
    /// What was unpacked, on our side.
    Unpacked(PathBuf),
}

/// Where the compiler is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compiler {
    /// On our side: it may follow nothing that the target has put there.
    Here,
    /// In the target's view.
    There,
}

impl ClassPath {
    /// `paths` are those of the JVM's `java.class.path`, in its view; `folder` is an empty one on our side.
    pub(super) fn open(
        target: &Target,
        paths: &str,
        folder: &Path,
        compiler: Compiler,
    ) -> io::Result<ClassPath> {
        let mut class_path = ClassPath {
            folder: folder.to_owned(),
            entries: Vec::new(),
            files: Vec::new(),
            folders: Vec::new(),
            room: Room::default(),
            missing: Vec::new(),
        };
        // To a JVM, an empty entry is its working directory.
        let paths = paths.split(':').map(|path| if path.is_empty() { "." } else { path });
        // The next one last. What a jar's manifest names comes right behind the jar, and each comes once.
        let mut waiting: Vec<_> = paths.rev().filter_map(|path| target.resolve(path.as_ref())).collect();
        let mut seen = BTreeSet::new();
        while let Some(path) = waiting.pop() {
            if waiting.len() + seen.len() >= MOST_ENTRIES {
                return Err(io::Error::other(format!("it has more than {MOST_ENTRIES} entries")));
            }
            if seen.insert(path.clone()) {
                let more = class_path.add(target, &path, compiler)?;
                waiting.extend(more.into_iter().rev());
            }
        }
        Ok(class_path)
    }

    /// For a compiler on our side.
    pub(super) fn here(&self) -> impl Iterator<Item = PathBuf> {
        self.entries.iter().map(|entry| match entry {
            Entry::Theirs { here, .. } => here.clone(),
            Entry::Unpacked(path) => path.clone(),
        })
    }

    /// For a compiler in the target's view, where what was unpacked lies in this folder.
    pub(super) fn there(&self, unpacked: &Path) -> impl Iterator<Item = PathBuf> {
        self.entries.iter().map(|entry| match entry {
            Entry::Theirs { path, .. } => path.clone(),
            Entry::Unpacked(path) => unpacked.join(path.strip_prefix(&self.folder).unwrap_or(path)),
        })
    }

    /// The paths that belong behind it.
    fn add(&mut self, target: &Target, path: &Path, compiler: Compiler) -> io::Result<Vec<PathBuf>> {
        let root = target.root().map_err(|error| io::Error::other(error.to_string()))?;
        if let Ok(folder) = target.as_its_user(|| root.open_dir(path))? {
            let beside = target.as_its_user(|| unpacked_fat_jar(root, path))?;
            match compiler {
                Compiler::Here => {
                    let copy = self.folder.join(format!("{}-folder", self.entries.len()));
                    class_folder::copy(target, root, path, &copy, &mut self.room)?;
                    self.entries.push(Entry::Unpacked(copy));
                }
                Compiler::There => {
                    self.entries.push(Entry::Theirs { path: path.to_owned(), here: through(&folder) });
                    self.folders.push(folder);
                }
            }
            return Ok(beside);
        }
        let file = match target.as_its_user(|| root.open_file(path))? {
            Ok(file) => file,
            Err(error) => {
                // A JVM passes over what is not there.
                self.missing.push(format!("{}: {error}", path.display()));
                return Ok(Vec::new());
            }
        };
        let link = self.folder.join(format!("{}.jar", self.entries.len()));
        symlink(through(&file), &link)?;
        self.entries.push(Entry::Theirs { path: path.to_owned(), here: link });
        let beside = match Jar::open(&file) {
            Ok(mut jar) => {
                if fat_jar::leads_elsewhere(&mut jar) {
                    let folder = self.folder.join(format!("{}-classes", self.entries.len()));
                    let missing = fat_jar::unpack_classes(&mut jar, &folder, &mut self.room)
                        .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
                    self.missing.extend(missing.iter().map(|entry| format!("{}!/{entry}", path.display())));
                    self.entries.pop();
                    self.entries.push(Entry::Unpacked(folder));
                }
                let to = self.folder.join(format!("{}-inside", self.entries.len()));
                let inside = fat_jar::unpack(&mut jar, &to, &mut self.room)
                    .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
                self.entries.extend(inside.entries.into_iter().map(Entry::Unpacked));
                self.missing
                    .extend(inside.missing.iter().map(|entry| format!("{}!/{entry}", path.display())));
                jar.class_path()
            }
            // A class path may have files that are no jars; a compiler says so if it matters.
            Err(JarError::NotZip) => Vec::new(),
            Err(error) => {
                self.missing.push(format!("{}: {error}", path.display()));
                Vec::new()
            }
        };
        let jar = real_path(root, &file, path);
        self.files.push(file);
        let folder = jar.parent().unwrap_or(Path::new("/"));
        Ok(beside.iter().map(|entry| folder.join(entry)).collect())
    }
}

/// An open file or directory of ours, by a path that a child of ours reaches too.
fn through(file: &impl AsRawFd) -> PathBuf {
    PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()))
}

/// The path with no link in it, from where a JVM takes what a manifest names; the path itself where that cannot be told.
fn real_path(root: &TargetRoot, file: &File, path: &Path) -> PathBuf {
    let real = fs::read_link(through(file)).ok().map(|seen| Path::new("/").join(root.as_target_sees(&seen)));
    let is_same = |real: &PathBuf| {
        let id = file.metadata().map(|file| (file.dev(), file.ino()));
        id.is_ok_and(|id| root.file_id(real).is_ok_and(|other| other == id))
    };
    real.filter(is_same).unwrap_or_else(|| path.to_owned())
}

/// What a fat jar has inside, where it lies unpacked in a folder of the class path, as in many images.
fn unpacked_fat_jar(root: &TargetRoot, folder: &Path) -> Vec<PathBuf> {
    let mut inside = Vec::new();
    for top in fat_jar::TOPS.map(|top| folder.join(top)) {
        let classes = top.join(fat_jar::CLASSES);
        if root.open_dir(&classes).is_ok() {
            inside.push(classes);
        }
        for libraries in fat_jar::LIBRARIES.map(|libraries| top.join(libraries)) {
            let Ok(handle) = root.open_dir(&libraries) else { continue };
            let jars = fs::read_dir(through(&handle)).into_iter().flatten().flatten();
            let jars = jars.map(|jar| libraries.join(jar.file_name()));
            // One more than there may be is enough to be refused.
            let jars =
                jars.filter(|jar| jar.extension().is_some_and(|end| end == "jar")).take(MOST_ENTRIES + 1);
            let first = inside.len();
            inside.extend(jars);
            inside[first..].sort();
        }
    }
    inside
}
