//! A jar, opened within limits: the directory of entries is read, then one entry at a time; nothing is in
//! memory but that directory, the manifest and the class at hand.
//! Public, because others look into jars of a target too, which may be anything.
//!
//! What the JDK's three zip readers refuse (libjli's for the manifest, libzip's for the class path,
//! java.util.zip for classes) is an error here too; what only zip tools refuse, a wrong checksum, is not.

use std::cell::Cell;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;
use std::rc::Rc;

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::check::class_path;
use crate::end_record::{self, EndRecord};
use crate::manifest::Manifest;
use crate::source::Source;

/// The name of the manifest's entry. libjli compares it byte for byte.
pub(crate) const MANIFEST: &str = "META-INF/MANIFEST.MF";
/// How much of a manifest is read. Signed jars have sections without end behind the main one.
pub(crate) const MANIFEST_LIMIT: usize = 1 << 20;
/// No class of an agent is longer.
pub(crate) const CLASS_LIMIT: usize = 4 << 20;
/// Entries of an agent jar; the largest known agents have about 20,000.
pub(crate) const ENTRY_LIMIT: u64 = 100_000;
/// Bytes of the directory of entries.
const DIRECTORY_LIMIT: u64 = 16 << 20;
/// Bytes of classes that are inflated in all to find the calls in them.
pub(crate) const SCAN_LIMIT: usize = 64 << 20;

/// An open jar.
#[derive(Debug)]
pub struct Jar<R> {
    archive: ZipArchive<Source<R>>,
    has_duplicates: bool,
    /// Bytes of classes inflated so far.
    scanned: usize,
}

/// Why a jar can't be opened or an entry can't be read.
#[derive(Debug, thiserror::Error)]
pub enum JarError {
    /// Neither its end nor its beginning is that of a zip file.
    #[error("it is no zip file")]
    NotZip,
    /// It begins as one.
    #[error("the end of the zip file is missing")]
    Truncated,
    /// The JDK's readers take no such file.
    #[error("{0} bytes follow the end of the zip file")]
    Trailing(u64),
    /// More than any jar has.
    #[error("{0}")]
    Bomb(String),
    /// What it says of itself does not hold.
    #[error("the zip file is damaged: {0}")]
    Damaged(String),
    /// It, or what is written of it, is out of reach.
    #[error("it can't be read: {0}")]
    Io(io::Error),
}

/// An entry that makes libzip refuse the whole jar.
#[derive(Debug)]
pub(crate) struct Unsupported {
    pub(crate) entry: String,
    pub(crate) how: String,
}

/// An entry's bytes.
#[derive(Debug)]
pub(crate) struct Bytes {
    pub(crate) bytes: Vec<u8>,
    /// Whether there is more than the limit.
    pub(crate) cut: bool,
}

impl<R: Read + Seek> Jar<R> {
    /// Reads the directory of entries, unless it announces more than a jar has.
    pub fn open(mut jar: R) -> Result<Self, JarError> {
        let (entries, size) = match end_record::find(&mut jar).map_err(JarError::Io)? {
            EndRecord::Found { entries, directory_size } => (entries, directory_size),
            EndRecord::Truncated => return Err(JarError::Truncated),
            EndRecord::Trailing(bytes) => return Err(JarError::Trailing(bytes)),
            EndRecord::Ambiguous => return Err(JarError::Damaged("its comment holds an end record".into())),
            EndRecord::NotZip => return Err(JarError::NotZip),
        };
        if entries > ENTRY_LIMIT {
            return Err(JarError::Bomb(format!("it announces {entries} entries, more than {ENTRY_LIMIT}")));
        }
        if size > DIRECTORY_LIMIT {
            return Err(JarError::Bomb(format!("its directory of entries has {size} bytes")));
        }
        // The zip crate reads more than the directory to find its offset, but never this much.
        let left = Rc::new(Cell::new(2 * DIRECTORY_LIMIT));
        let mut archive = ZipArchive::new(Source::new(jar, Rc::clone(&left)).map_err(JarError::Io)?)?;
        let has_duplicates = archive.has_duplicate_names();
        // From here on it is the entries' own limits that count.
        left.set(u64::MAX);
        if has_duplicates {
            let directory = archive.central_directory_start();
            let mut source = archive.into_inner();
            source.hide_later_manifests(directory).map_err(JarError::Io)?;
            archive = ZipArchive::new(source)?;
        }
        Ok(Self { archive, has_duplicates, scanned: 0 })
    }

    /// Whether two entries share a name: libjli takes the first of them, java.util.zip the last.
    pub(crate) fn has_duplicates(&self) -> bool {
        self.has_duplicates
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.archive.index_for_name_raw(name.as_bytes()).is_some()
    }

    /// The names of all entries, in the order of the directory.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.archive.file_names_raw()
    }

    /// The first entry that is packed in a way, or encrypted, so that libzip won't open the jar.
    pub(crate) fn unsupported(&self) -> Option<Unsupported> {
        (0..self.archive.len()).find_map(|index| {
            let entry = self.archive.by_index_data(index).ok()?;
            let how = match entry.compression() {
                _ if entry.encrypted() => "encrypted".to_owned(),
                CompressionMethod::Stored | CompressionMethod::Deflated => return None,
                other => format!("compressed by {other}"),
            };
            Some(Unsupported { entry: String::from_utf8_lossy(entry.name_raw()).into_owned(), how })
        })
    }

    /// The paths that the manifest's Class-Path names, decoded, relative ones relative to the jar's folder; none where there is
    /// no manifest that can be read.
    pub fn class_path(&mut self) -> Vec<PathBuf> {
        let manifest = self.read(MANIFEST, MANIFEST_LIMIT).ok().flatten();
        let manifest = manifest.and_then(|bytes| Manifest::parse(&bytes.bytes).ok());
        manifest.map(|manifest| class_path(&manifest)).unwrap_or_default()
    }

    /// Writes the bytes of an entry to `to`, and says how many there were: `limit` and one more where there are more. None
    /// if it isn't there.
    pub fn unpack(&mut self, name: &str, to: &mut impl Write, limit: u64) -> Result<Option<u64>, JarError> {
        match self.archive.index_for_name_raw(name.as_bytes()) {
            Some(index) => self.unpack_index(index, to, limit).map(Some),
            None => Ok(None),
        }
    }

    /// The bytes of an entry, up to `limit`; none if it isn't there.
    pub(crate) fn read(&mut self, name: &str, limit: usize) -> Result<Option<Bytes>, JarError> {
        match self.archive.index_for_name_raw(name.as_bytes()) {
            Some(index) => self.read_index(index, limit).map(Some),
            None => Ok(None),
        }
    }

    /// Shows every class to `visit` until it says stop; false if a limit ended it first. What can't be read
    /// is passed over.
    pub(crate) fn scan_classes(&mut self, mut visit: impl FnMut(&[u8]) -> Scan) -> bool {
        for index in 0..self.archive.len() {
            let Ok(entry) = self.archive.by_index_data(index) else { continue };
            if !entry.name_raw().ends_with(b".class") || entry.size() > CLASS_LIMIT as u64 {
                continue;
            }
            let left = SCAN_LIMIT.saturating_sub(self.scanned);
            if left == 0 {
                return false;
            }
            let Ok(class) = self.read_index(index, left.min(CLASS_LIMIT)) else { continue };
            self.scanned += class.bytes.len();
            if matches!(visit(&class.bytes), Scan::Stop) {
                return true;
            }
        }
        true
    }

    fn read_index(&mut self, index: usize, limit: usize) -> Result<Bytes, JarError> {
        let announced = self.archive.by_index_data(index)?.size();
        let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or(usize::MAX).min(limit));
        self.unpack_index(index, &mut bytes, limit as u64)?;
        let cut = bytes.len() > limit;
        bytes.truncate(limit);
        Ok(Bytes { bytes, cut })
    }

    fn unpack_index(&mut self, index: usize, to: &mut impl Write, limit: u64) -> Result<u64, JarError> {
        let entry = self.archive.by_index(index)?;
        let announced = entry.size();
        let (mut entry, mut buffer, mut unpacked) = (entry.take(limit + 1), [0; 16 << 10], 0);
        loop {
            let count = match entry.read(&mut buffer) {
                Ok(0) => return Ok(unpacked),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // No reader of the JDK checks the sum.
                Err(error) if error.kind() == io::ErrorKind::InvalidData && unpacked == announced => {
                    return Ok(unpacked);
                }
                Err(error) => return Err(JarError::Damaged(error.to_string())),
            };
            to.write_all(&buffer[..count]).map_err(JarError::Io)?;
            unpacked += count as u64;
        }
    }
}

/// Whether a scan goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    More,
    Stop,
}

impl From<ZipError> for JarError {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => {
                Self::Bomb(error.to_string())
            }
            ZipError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Damaged("it ends inside an entry".into())
            }
            ZipError::Io(error) => Self::Io(error),
            error => Self::Damaged(error.to_string()),
        }
    }
}
