//! The patches of a JVM as its journal has them: an open file of the agent's that has no name any more, read from outside.
//!
//! Nothing is sent for it. The target may write there whatever it likes: what is shown is cleaned, and believed by nobody.

use std::io::Read;
use std::time::{Duration, SystemTime};

use jgraft_attach::{Target, files};
use jgraft_protocol::patch::{GENERATION, JOURNAL};
use jgraft_protocol::pattern::shown_method;
use jgraft_protocol::properties;
use serde::Serialize;

use super::store::Note;
use crate::human;

/// A journal is a few lines a patch.
const LIMIT: u64 = 16 << 20;
/// A JVM has one, or two while it writes the next. What has more is up to something.
const MOST: usize = 8;

/// Methods of a patch that a line names.
const SHOWN: usize = 6;

/// A patch.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PatchJson {
    pub(crate) id: String,
    /// SHA-256 of its class files.
    pub(crate) digest: String,
    pub(crate) by: String,
    /// Milliseconds since 1970.
    pub(crate) at_ms: u64,
    pub(crate) note: Option<String>,
    /// Classes that it changes; as they are called, since they are looked for by that.
    pub(crate) classes: Vec<String>,
    /// Those of them that were not loaded when it was applied; they are changed as they are loaded.
    pub(crate) later: Vec<String>,
    /// `CLASS::METHODDESCRIPTOR`
    pub(crate) methods: Vec<String>,
    /// Classes that it has added.
    pub(crate) helpers: Vec<String>,
    pub(crate) jgraft_version: String,
}

impl PatchJson {
    pub(super) fn of(note: &Note) -> PatchJson {
        let clean = |list: &[String]| list.iter().map(|text| human::clean(text)).collect();
        PatchJson {
            id: human::clean(&note.id),
            digest: human::clean(&note.digest),
            by: human::clean(&note.by),
            at_ms: note.at_ms,
            note: note.note.as_deref().map(human::clean),
            classes: note.classes.clone(),
            later: clean(&note.later),
            methods: clean(&note.methods),
            helpers: clean(&note.helpers),
            jgraft_version: human::clean(&note.version),
        }
    }

    /// For people.
    pub(crate) fn line(&self) -> String {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(self.at_ms);
        let age = SystemTime::now().duration_since(at).unwrap_or_default();
        let note = self.note.as_ref().map_or(String::new(), |note| format!("; {note}"));
        let added = match &self.helpers[..] {
            [] => String::new(),
            added => format!(", {} added ({})", human::count(added.len() as u64, "class"), added.join(" ")),
        };
        let later = match &self.later[..] {
            [] => String::new(),
            [one] => format!(", {one} when it is loaded"),
            more => format!(", {} when they are loaded", human::count(more.len() as u64, "class")),
        };
        let mut what: Vec<String> = match &self.methods[..] {
            [] => self.classes.clone(),
            methods => methods.iter().map(|method| shown_method(method)).collect(),
        };
        if what.len() > SHOWN {
            let more = what.split_off(SHOWN).len();
            what.push(format!("and {more} more"));
        }
        format!(
            "{}: {} ({}){later}{added}, for {}, by {}{note}",
            self.id,
            human::count(self.methods.len() as u64, "method"),
            human::clean(&what.join(" ")),
            human::age(age),
            self.by
        )
    }
}

/// The patches that are in force, the oldest first; none where there is no journal.
pub(crate) fn read(target: &Target) -> Vec<PatchJson> {
    let mut newest: Option<(u64, Vec<(String, String)>)> = None;
    for file in files::open_without_name(target, JOURNAL).into_iter().take(MOST) {
        let mut text = Vec::new();
        if file.take(LIMIT).read_to_end(&mut text).is_err() {
            continue;
        }
        let pairs = properties::parse(&text);
        let number = |key| properties::get(&pairs, key).and_then(|text| text.parse::<u64>().ok());
        // One that is being written has no end yet.
        if let Some(generation) =
            number(GENERATION).filter(|_| properties::get(&pairs, "end") == Some("true"))
            && newest.as_ref().is_none_or(|(known, _)| *known < generation)
        {
            newest = Some((generation, pairs));
        }
    }
    let notes = newest.map(|(_, pairs)| Note::all(&pairs)).unwrap_or_default();
    notes.iter().map(PatchJson::of).collect()
}
