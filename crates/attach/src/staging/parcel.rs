//! What is to be staged: files of ours with the places they will have, and one digest over all of it.
//!
//! Reading happens as the caller; nothing of the target is touched here.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use sha2::{Digest, Sha256};

use super::Folder;

/// Files of one parcel: the largest agent directories known have some hundred.
const FILE_LIMIT: usize = 10_000;
/// Bytes of one parcel: an agent, not a data set.
const BYTE_LIMIT: u64 = 1 << 30;
/// Directories below one another.
const DEPTH_LIMIT: usize = 32;

/// Files that belong together, the first of which is the one that the JVM is told of.
#[derive(Debug, Default)]
pub struct Parcel {
    pub(super) items: Vec<Item>,
}

/// One file.
#[derive(Debug)]
pub(super) struct Item {
    source: Source,
    /// Where it will be, below the parcel's own directory: plain names only.
    pub(super) at: PathBuf,
    pub(super) bytes: u64,
    pub(super) digest: [u8; 32],
    pub(super) mode: Mode,
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    /// A path below a directory that no link may lead out of.
    Below(Folder, PathBuf),
    Bytes(Vec<u8>),
}

impl Parcel {
    /// An empty one.
    pub fn new() -> Parcel {
        Parcel::default()
    }

    /// Adds the file `path`, to be found at `at` beside the others. Errors name the path.
    pub fn add_file(&mut self, path: &Path, at: &Path) -> io::Result<()> {
        self.add(Source::File(path.to_owned()), at)
    }

    /// Adds the file at `path` below `folder`, to be found at `at`: refused where a link leads out of the folder.
    pub fn add_below(&mut self, folder: &Folder, path: &Path, at: &Path) -> io::Result<()> {
        self.add(Source::Below(folder.clone(), path.to_owned()), at)
    }

    /// Adds a file that is only in memory.
    pub fn add_bytes(&mut self, bytes: Vec<u8>, at: &Path) -> io::Result<()> {
        self.add(Source::Bytes(bytes), at)
    }

    /// Adds all of the directory `folder`, as a directory of its own name, with `first` (a path below it) in front.
    /// Links are followed inside it and refused where they lead out.
    pub fn add_folder(&mut self, folder: &Path, first: &Path) -> io::Result<()> {
        let name = folder.file_name().map(PathBuf::from).unwrap_or_default();
        let handle = Folder::open(folder)?;
        self.add(Source::Below(handle.clone(), first.to_owned()), &name.join(first))?;
        let mut below = Vec::new();
        list(folder, Path::new(""), 0, &mut below)?;
        below.sort();
        for path in below.into_iter().filter(|path| path != first) {
            let at = name.join(&path);
            self.add(Source::Below(handle.clone(), path), &at)?;
        }
        Ok(())
    }

    /// True where something will already be at that place.
    pub fn holds(&self, at: &Path) -> bool {
        self.items.iter().any(|item| item.at == at)
    }

    /// All its bytes.
    pub fn bytes(&self) -> u64 {
        self.items.iter().map(|item| item.bytes).sum()
    }

    /// How many files.
    pub fn files(&self) -> usize {
        self.items.len()
    }

    /// The file that the JVM is told of, below the parcel's own directory.
    pub fn first(&self) -> &Path {
        self.items.first().map_or(Path::new(""), |item| &item.at)
    }

    /// The name of its directory: 32 hexadecimal digits over every name, mode and content.
    pub fn entry(&self) -> String {
        let mut all = Sha256::new();
        for item in &self.items {
            let at = item.at.as_os_str().as_encoded_bytes();
            all.update((at.len() as u64).to_le_bytes());
            all.update(at);
            all.update(item.mode.bits().to_le_bytes());
            all.update(item.digest);
        }
        hex(&all.finalize()[..16])
    }

    pub(super) fn is_library(&self) -> bool {
        self.items.iter().any(|item| item.mode.contains(Mode::S_IXUSR))
    }

    fn add(&mut self, source: Source, at: &Path) -> io::Result<()> {
        let plain = at.components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || at.as_os_str().is_empty() || at.components().count() > DEPTH_LIMIT {
            return Err(io::Error::other(format!("{} is no place below a directory", at.display())));
        }
        if self.items.len() >= FILE_LIMIT {
            return Err(io::Error::other(format!("more than {FILE_LIMIT} files")));
        }
        let (reader, executable) = source.open()?;
        let left = BYTE_LIMIT.saturating_sub(self.bytes());
        let mut digest = Digesting::new(reader);
        let bytes = io::copy(&mut (&mut digest).take(left + 1), &mut io::sink())
            .map_err(|e| named(source.path(), e))?;
        if bytes > left {
            return Err(io::Error::other(format!("more than {} MiB in all", BYTE_LIMIT >> 20)));
        }
        let library = at.file_name().is_some_and(|name| name.as_encoded_bytes().ends_with(b".so"));
        let mode = match executable || library {
            true => Mode::S_IRUSR | Mode::S_IXUSR,
            false => Mode::S_IRUSR | Mode::S_IWUSR,
        };
        let digest = digest.finish();
        self.items.push(Item { source, at: at.to_owned(), bytes, digest, mode });
        Ok(())
    }
}

impl Item {
    /// Its content once more, read as the caller; ends with an error if it is another by now.
    pub(super) fn open(&self) -> io::Result<Digesting<Box<dyn Read + Send + '_>>> {
        Ok(Digesting::expecting(self.source.open()?.0, self.digest))
    }

    /// Are these bytes, which belong to the target and may have no end, the same?
    pub(super) fn equals(&self, there: impl Read) -> bool {
        let mut there = Digesting::expecting(there.take(self.bytes + 1), self.digest);
        io::copy(&mut there, &mut io::sink()).is_ok()
    }
}

impl Source {
    /// A reader, and whether the file may be executed.
    fn open(&self) -> io::Result<(Box<dyn Read + Send + '_>, bool)> {
        let file = match self {
            Source::Bytes(bytes) => return Ok((Box::new(&**bytes), false)),
            Source::File(path) => {
                let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
                open(path, flags, Mode::empty()).map(File::from).map_err(|e| named(path, e.into()))?
            }
            Source::Below(folder, path) => folder.open_below(path)?,
        };
        let metadata = file.metadata().map_err(|e| named(self.path(), e))?;
        if !metadata.is_file() {
            let text = "it is no plain file, nor a link to one";
            return Err(named(self.path(), io::Error::new(io::ErrorKind::InvalidInput, text)));
        }
        let executable = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
        Ok((Box::new(file), executable))
    }

    fn path(&self) -> &Path {
        match self {
            Source::File(path) | Source::Below(_, path) => path,
            Source::Bytes(_) => Path::new("a file in memory"),
        }
    }
}

/// Passes bytes on and digests them; at their end it fails unless they are what was expected.
pub(super) struct Digesting<R> {
    inner: R,
    digest: Sha256,
    expected: Option<[u8; 32]>,
}

impl<R: Read> Digesting<R> {
    fn new(inner: R) -> Digesting<R> {
        Digesting { inner, digest: Sha256::new(), expected: None }
    }

    pub(super) fn expecting(inner: R, expected: [u8; 32]) -> Digesting<R> {
        Digesting { expected: Some(expected), ..Digesting::new(inner) }
    }

    fn finish(self) -> [u8; 32] {
        self.digest.finalize().into()
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.digest.update(&buffer[..got]);
        let ended = got == 0 && !buffer.is_empty();
        if ended && self.expected.is_some_and(|expected| self.digest.clone().finalize()[..] != expected) {
            return Err(io::Error::other("its content changed while it was read"));
        }
        Ok(got)
    }
}

/// Every file and link below, directories entered; links to directories are not.
fn list(folder: &Path, below: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let here = folder.join(below);
    if depth >= DEPTH_LIMIT - 1 {
        return Err(named(&here, io::Error::other("too many directories below one another")));
    }
    for entry in std::fs::read_dir(&here).map_err(|e| named(&here, e))? {
        let entry = entry.map_err(|e| named(&here, e))?;
        let path = below.join(entry.file_name());
        if entry.file_type().map_err(|e| named(&here, e))?.is_dir() {
            list(folder, &path, depth + 1, found)?;
        } else {
            found.push(path);
        }
        if found.len() > FILE_LIMIT {
            return Err(named(folder, io::Error::other(format!("more than {FILE_LIMIT} files"))));
        }
    }
    Ok(())
}

fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_folder_comes_whole_with_its_agent_in_front() {
        let temp = tempfile::tempdir().unwrap();
        let agent = temp.path().join("skywalking");
        std::fs::create_dir_all(agent.join("plugins")).unwrap();
        for name in ["agent.jar", "plugins/a.jar", "config"] {
            std::fs::write(agent.join(name), name).unwrap();
        }
        symlink("plugins/a.jar", agent.join("link.jar")).unwrap();
        let mut parcel = Parcel::new();
        parcel.add_folder(&agent, Path::new("agent.jar")).unwrap();
        let at: Vec<_> = parcel.items.iter().map(|item| item.at.to_str().unwrap()).collect();
        let names = ["agent.jar", "config", "link.jar", "plugins/a.jar"];
        assert_eq!(at, names.map(|name| format!("skywalking/{name}")));
        let before = parcel.entry();
        std::fs::write(agent.join("config"), "other").unwrap();
        let mut again = Parcel::new();
        again.add_folder(&agent, Path::new("agent.jar")).unwrap();
        assert_ne!(again.entry(), before);
    }

    #[test]
    fn links_out_of_a_folder_fifos_and_places_outside_are_refused() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("agent.jar"), "x").unwrap();
        symlink("/etc/passwd", temp.path().join("config")).unwrap();
        let refused = Parcel::new().add_folder(temp.path(), Path::new("agent.jar")).unwrap_err();
        assert!(refused.to_string().contains("config"), "{refused}");
        let fifo = temp.path().join("fifo.jar");
        nix::unistd::mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        assert!(Parcel::new().add_file(&fifo, Path::new("fifo.jar")).is_err());
        for outside in ["../x", "/x", "", "a/../b"] {
            assert!(Parcel::new().add_bytes(vec![], Path::new(outside)).is_err(), "{outside:?}");
        }
    }
}
