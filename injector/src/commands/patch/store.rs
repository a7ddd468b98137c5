//! What is kept in the target for each patch: its class files as they were given, and a note of who put it there and why.
//! The agent keeps both for us and does not look at them. The notes of all patches are its journal too.

use jgraft_classfile::compose::Share;
use jgraft_protocol::properties;

/// One patch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) id: String,
    /// SHA-256 of its class files, in hexadecimal.
    pub(super) digest: String,
    pub(super) by: String,
    /// Milliseconds since 1970.
    pub(super) at_ms: u64,
    pub(super) note: Option<String>,
    /// Classes that it changes, with dots; of some it may change no method.
    pub(super) classes: Vec<String>,
    /// Those of them that were not loaded when it was applied, with dots.
    pub(super) later: Vec<String>,
    /// `CLASS::METHODDESCRIPTOR`, with dots, in the order of the classes.
    pub(super) methods: Vec<String>,
    /// Classes that were added, with dots.
    pub(super) helpers: Vec<String>,
    /// Of jgraft.
    pub(super) version: String,
}

impl Note {
    /// The pairs of notes in their order, the oldest first.
    pub(super) fn pairs(notes: &[Note]) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (n, note) in (1..).zip(notes) {
            let mut put = |key: &str, value: &str| pairs.push((format!("patch.{n}.{key}"), value.to_owned()));
            put("id", &note.id);
            put("digest", &note.digest);
            put("by", &note.by);
            put("at.ms", &note.at_ms.to_string());
            if let Some(text) = &note.note {
                put("note", text);
            }
            // Names may have spaces.
            let lists = [
                ("class", &note.classes),
                ("later", &note.later),
                ("method", &note.methods),
                ("helper", &note.helpers),
            ];
            for (key, list) in lists {
                (1..).zip(list).for_each(|(n, name)| put(&format!("{key}.{n}"), name));
            }
            put("version", &note.version);
        }
        pairs
    }

    /// The notes in such pairs.
    pub(super) fn all(pairs: &[(String, String)]) -> Vec<Note> {
        let of = |n: usize| {
            let get = |key: &str| properties::get(pairs, &format!("patch.{n}.{key}"));
            let text = |key| get(key).unwrap_or_default().to_owned();
            let list = |key| (1..).map_while(|n| get(&format!("{key}.{n}"))).map(str::to_owned).collect();
            get("id")?;
            Some(Note {
                id: text("id"),
                digest: text("digest"),
                by: text("by"),
                at_ms: get("at.ms").and_then(|ms| ms.parse().ok()).unwrap_or(0),
                note: get("note").map(str::to_owned),
                classes: list("class"),
                later: list("later"),
                methods: list("method"),
                helpers: list("helper"),
                version: text("version"),
            })
        };
        (1..).map_while(of).collect()
    }
}

/// The name under which a class file of a patch is kept. No id has a slash.
pub(super) fn blob(patch: &str, loader_id: i64, class: &str) -> String {
    format!("{patch}/{loader_id}/{class}")
}

/// What such a name says.
pub(super) fn parse_blob(name: &str) -> Option<(&str, i64, &str)> {
    let mut parts = name.splitn(3, '/');
    let (patch, loader_id, class) = (parts.next()?, parts.next()?, parts.next()?);
    Some((patch, loader_id.parse().ok()?, class))
}

/// The name under which it is kept what a patch has to do with that class.
pub(super) fn share_blob(patch: &str, loader_id: i64, class: &str) -> String {
    format!("{}//share", blob(patch, loader_id, class))
}

/// The name under which the notes of all patches are kept, the oldest first.
pub(super) const NOTES: &str = "notes";

/// A share as it is kept.
pub(super) fn share_text(share: &Share) -> String {
    let lists = [("changes", &share.changes), ("besides", &share.besides), ("carries", &share.carries)];
    let pairs: Vec<_> = lists
        .iter()
        .flat_map(|(key, list)| (1..).zip(list.iter()).map(move |(n, text)| (format!("{key}.{n}"), text)))
        .collect();
    properties::write(pairs.iter().map(|(key, text)| (key.as_str(), text.as_str())))
}

/// The share in such a text.
pub(super) fn parse_share(text: &[u8]) -> Share {
    let pairs = properties::parse(text);
    let list = |key: &str| {
        let of = |n| properties::get(&pairs, &format!("{key}.{n}")).map(str::to_owned);
        (1..).map_while(of).collect()
    };
    Share { changes: list("changes"), besides: list("besides"), carries: list("carries"), leaves: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_back() {
        let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let share = Share { changes: of(&["a()V", "b(I)I"]), besides: of(&["class"]), ..Share::default() };
        assert_eq!(parse_share(share_text(&share).as_bytes()), share);
    }

    #[test]
    fn notes_come_back() {
        let note = Note {
            id: "p1".into(),
            digest: "ab".into(),
            by: "alice (uid 0)".into(),
            at_ms: 7,
            note: Some("price\nwrong".into()),
            classes: vec!["shop.Order".into(), "shop.Odd name".into()],
            later: vec!["shop.Odd name".into()],
            methods: vec!["shop.Order::price()I".into(), "shop.Order::place(I)V".into()],
            helpers: Vec::new(),
            version: "0.1.0".into(),
        };
        let notes = [note.clone(), Note { id: "p2".into(), note: None, ..note }];
        let pairs = Note::pairs(&notes);
        let text = properties::write(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        assert_eq!(Note::all(&properties::parse(text.as_bytes())), notes);
    }

    #[test]
    fn names_of_class_files_come_back() {
        assert_eq!(parse_blob(&blob("p1", 77, "shop/Order")), Some(("p1", 77, "shop/Order")));
        assert_eq!(["p1", "p1/x/a", "p1/7"].map(parse_blob), [None; 3]);
    }
}
