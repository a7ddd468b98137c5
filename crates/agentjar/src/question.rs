//! What is asked: which jar is to be loaded how, into what, and who can look at other files.

use std::fmt;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

/// A request to load a jar, not sent yet.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The jar's path as it will be sent to the target.
    pub path: &'a Path,
    /// Its real path in the target's view, links resolved, where that differs: relative entries of its
    /// manifest start from there.
    pub real_path: Option<&'a Path>,
    /// The options as they will be sent, modified UTF-8; none is not the same as empty.
    pub options: Option<&'a [u8]>,
    /// How many bytes path, '=' and options may have together: 1,024 by attach protocol version 1.
    pub argument_limit: Option<usize>,
    /// What is known of the target; none if there is no target yet.
    pub target: Option<&'a TargetFacts>,
    /// Looks at a path as the target sees it.
    pub look: &'a dyn Fn(&Path) -> Neighbour,
}

impl<'a> Question<'a> {
    /// A jar by itself: no options, no target, nothing known of its surroundings.
    pub fn new(path: &'a Path) -> Self {
        Self {
            path,
            real_path: None,
            options: None,
            argument_limit: Some(1024),
            target: None,
            look: &|_| Neighbour::Unknown,
        }
    }

    /// The feature version of the target's JDK, if known.
    pub(crate) fn feature_version(&self) -> Option<u32> {
        self.target.and_then(|target| target.feature_version)
    }

    /// The folder that relative entries of the manifest start from.
    pub(crate) fn folder(&self) -> Option<&'a Path> {
        self.real_path.unwrap_or(self.path).parent()
    }
}

impl fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, real_path, options, argument_limit, target, look: _ } = self;
        f.debug_struct("Question")
            .field("path", path)
            .field("real_path", real_path)
            .field("options", options)
            .field("argument_limit", argument_limit)
            .field("target", target)
            .finish_non_exhaustive()
    }
}

/// What is known of the JVM that the jar is for. Unknown facts make findings less sure, never wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetFacts {
    /// 8, 11, 17 …
    pub feature_version: Option<u32>,
    /// Whether it was started with --enable-preview.
    pub preview_enabled: Option<bool>,
    /// The encoding of its file names (`sun.jnu.encoding`), from LC_ALL, LC_CTYPE or LANG.
    pub file_name_encoding: Option<String>,
    /// Why its user can't read the jar; none if it can, or if that is not known.
    pub unreadable: Option<String>,
    /// Its class path, absolute, where that is known: an agent class may be found there.
    pub class_path: Vec<PathBuf>,
    /// Why the jar is thought to be loaded already, one evidence a line.
    pub already_loaded: Vec<String>,
}

/// What is at a path.
pub enum Neighbour {
    /// It was not looked at, or can't be.
    Unknown,
    /// Nothing.
    Missing,
    /// A folder.
    Directory,
    /// A file, open.
    File(Box<dyn ReadSeek>),
}

impl fmt::Debug for Neighbour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "Unknown",
            Self::Missing => "Missing",
            Self::Directory => "Directory",
            Self::File(_) => "File",
        })
    }
}

/// Bytes that can be read from anywhere: a file, or a cursor over memory.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}
