//! The files of a session that say what numbers mean. They only grow, and not without end: they lie in the target's /tmp.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use jgraft_protocol::native::trace::NAMES_LIMIT;

use crate::session::Session;

/// One of them.
#[derive(Debug)]
pub(super) struct NamesFile {
    file: File,
    room: u64,
}

impl NamesFile {
    pub(super) fn new(session: &Session, name: &str) -> io::Result<NamesFile> {
        let file =
            OpenOptions::new().append(true).create_new(true).mode(0o600).open(session.path().join(name))?;
        Ok(NamesFile { file, room: NAMES_LIMIT })
    }

    /// Adds whole lines. Where that is not possible, or there is no more room, numbers have to do.
    pub(super) fn add(&mut self, lines: &str) {
        let size = lines.len() as u64;
        if size == 0 || size > self.room {
            return;
        }
        if self.file.write_all(lines.as_bytes()).is_ok() {
            self.room -= size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_grow_without_end() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("names");
        let file = OpenOptions::new().append(true).create_new(true).open(&path).unwrap();
        let mut names = NamesFile { file, room: 8 };
        for lines in ["1\ta\n", "2\tbbbb\n", "3\tc\n", "4\td\n"] {
            names.add(lines);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\ta\n3\tc\n");
    }
}
