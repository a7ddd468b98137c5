//! What the agent tells of the target when a session begins: the classes that were asked for, as they are loaded or would be,
//! and what it keeps of patches. Names and files are the target's word: cleaned where they are shown, and bounded.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use jgraft_attach::TargetDir;
use jgraft_protocol::patch::{self, told};
use serde::Serialize;

use crate::human::clean;

/// A class file, or what is kept with a patch.
pub(super) const FILE_LIMIT: usize = 32 << 20;
/// All that a reply names.
const ALL_FILES_LIMIT: usize = 1 << 30;

/// A loaded class as the agent has found it.
#[derive(Debug)]
pub(super) struct Found {
    /// By which the agent knows it in this session.
    pub(super) n: usize,
    /// The internal name.
    pub(super) name: String,
    pub(super) loader: String,
    pub(super) loader_id: i64,
    pub(super) modifiable: bool,
    /// Where the base is from.
    pub(super) kind: Base,
    /// The URL of what its loader has now, where that was asked.
    pub(super) resource: Option<String>,
    /// The class as it was before any patch, as far as that is known; or why there is none.
    pub(super) base: Result<Vec<u8>, String>,
    /// What we have put there, where it is patched.
    pub(super) current: Option<Vec<u8>>,
}

/// Where a base is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Base {
    /// What the class's loader has now.
    Resource,
    /// We have kept it.
    Kept,
    /// A patch has added the class, and none has changed it since.
    Helper,
    /// The JVM has handed it out.
    Handed,
}

/// A class that is not loaded.
#[derive(Debug)]
pub(super) struct Unloaded {
    /// The internal name.
    pub(super) name: String,
    /// The loaders that would load it.
    pub(super) candidates: Vec<Candidate>,
}

/// What a loader would load.
#[derive(Debug)]
pub(super) struct Candidate {
    /// By which the agent knows it in this session.
    pub(super) id: String,
    pub(super) loader: String,
    pub(super) loader_id: i64,
    pub(super) bytes: Vec<u8>,
}

/// A class that is not loaded and will be patched when it is.
#[derive(Debug)]
pub(super) struct Wanted {
    /// By which the agent knows it in this session.
    pub(super) n: String,
    pub(super) name: String,
    pub(super) loader_id: i64,
    pub(super) base: Vec<u8>,
    pub(super) current: Vec<u8>,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Tells {
    pub(super) found: Vec<Found>,
    pub(super) unloaded: Vec<Unloaded>,
    pub(super) wanted: Vec<Wanted>,
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
}

impl Tells {
    /// Reads the reply, and the files of the session that it names.
    pub(super) fn read(reply: &[(String, String)], dir: &TargetDir) -> Result<Tells, String> {
        let all = reply.iter().map(|(key, value)| (&**key, &**value)).collect();
        let words = Words { all, dir, room: Cell::new(ALL_FILES_LIMIT) };
        Ok(Tells {
            found: words.found()?,
            unloaded: words.unloaded()?,
            wanted: words.wanted(reply)?,
            blobs: words.blobs()?,
        })
    }
}

/// A reply by its keys.
struct Words<'a> {
    all: HashMap<&'a str, &'a str>,
    dir: &'a TargetDir,
    /// Bytes that may be read yet.
    room: Cell<usize>,
}

impl<'a> Words<'a> {
    fn get(&self, key: &str) -> Option<&'a str> {
        self.all.get(key).copied()
    }

    fn text(&self, key: &str) -> String {
        self.get(key).map(clean).unwrap_or_default()
    }

    fn id(&self, key: &str) -> i64 {
        self.get(key).and_then(|id| id.parse().ok()).unwrap_or(0)
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, String> {
        let bytes = self.dir.read_whole(name, FILE_LIMIT.min(self.room.get()));
        let bytes =
            bytes.map_err(|error| format!("the session's file {} cannot be read: {error}", clean(name)))?;
        self.room.set(self.room.get() - bytes.len());
        Ok(bytes)
    }

    fn found(&self) -> Result<Vec<Found>, String> {
        let mut all = Vec::new();
        for n in 1.. {
            let key = |key: &str| format!("{key}{n}");
            let Some(name) = self.get(&key(patch::CLASS)) else { break };
            let base = match self.get(&key(told::BASE)) {
                Some(file) => Ok(self.file(file)?),
                None => Err(self.text(&key(told::BASE_ERROR))),
            };
            all.push(Found {
                n,
                name: slashed(name),
                loader: self.text(&key(told::LOADER)),
                loader_id: self.id(&key(told::LOADER_ID)),
                modifiable: self.get(&key(told::MODIFIABLE)) == Some("true"),
                kind: match self.get(&key(told::BASE_KIND)) {
                    Some(told::KIND_KEPT) => Base::Kept,
                    Some(told::KIND_HELPER) => Base::Helper,
                    _ => Base::Resource,
                },
                resource: self.get(&key(told::BASE_URL)).map(clean),
                base,
                current: self.get(&key(told::CURRENT)).map(|file| self.file(file)).transpose()?,
            });
        }
        Ok(all)
    }

    fn unloaded(&self) -> Result<Vec<Unloaded>, String> {
        let mut all = Vec::new();
        for m in 1.. {
            let Some(name) = self.get(&format!("{}{m}", told::UNLOADED)) else { break };
            let mut unloaded = Unloaded { name: slashed(name), candidates: Vec::new() };
            for k in 1.. {
                let id = format!("{m}.{k}");
                let key = |end: &str| format!("{}{id}{end}", told::CANDIDATE);
                let Some(file) = self.get(&key(told::END_FILE)) else { break };
                unloaded.candidates.push(Candidate {
                    loader: self.text(&key(told::END_LOADER)),
                    loader_id: self.id(&key(told::END_LOADER_ID)),
                    bytes: self.file(file)?,
                    id,
                });
            }
            all.push(unloaded);
        }
        Ok(all)
    }

    /// Their numbers have gaps.
    fn wanted(&self, reply: &[(String, String)]) -> Result<Vec<Wanted>, String> {
        let mut all = Vec::new();
        let numbers = reply.iter().filter_map(|(key, name)| Some((key.strip_prefix(told::WANTED)?, name)));
        for (n, name) in numbers.filter(|(n, _)| n.bytes().all(|byte| byte.is_ascii_digit())) {
            let key = |key: &str| format!("{key}{n}");
            let of = |end: &str| self.get(&key(end));
            let (Some(base), Some(current)) = (of(told::WANTED_BASE), of(told::WANTED_CURRENT)) else {
                continue;
            };
            all.push(Wanted {
                n: n.to_owned(),
                name: slashed(name),
                loader_id: self.id(&key(told::WANTED_LOADER_ID)),
                base: self.file(base)?,
                current: self.file(current)?,
            });
        }
        Ok(all)
    }

    fn blobs(&self) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let mut all = BTreeMap::new();
        for k in 1.. {
            let Some(name) = self.get(&format!("{}{k}", told::BLOB)) else { break };
            let Some(file) = self.get(&format!("{}{k}{}", told::BLOB, told::BLOB_FILE)) else { break };
            all.insert(name.to_owned(), self.file(file)?);
        }
        Ok(all)
    }
}

fn slashed(name: &str) -> String {
    name.replace('.', "/")
}
