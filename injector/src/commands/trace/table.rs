//! What numbers mean: a file of the session that the agent goes on writing, of which only what is new is read.

use std::collections::HashMap;

use jgraft_protocol::native::trace::NAMES_LIMIT;

use crate::human::clean;
use crate::session::Session;

/// So many names are kept.
const MOST: usize = 100_000;

/// Names by their numbers.
#[derive(Debug)]
pub(super) struct Table {
    file: &'static str,
    /// Bytes of it.
    read: u64,
    names: HashMap<u64, Name>,
}

#[derive(Debug)]
struct Name {
    /// None where the agent has not told it in time, or has none.
    text: Option<String>,
    /// Whether it was asked for since names were last thrown away.
    used: bool,
}

impl Table {
    pub(super) fn new(file: &'static str) -> Table {
        Table { file, read: 0, names: HashMap::new() }
    }

    /// Whether [`Table::get`] need not be asked again.
    pub(super) fn has(&self, number: u64) -> bool {
        self.names.contains_key(&number)
    }

    pub(super) fn get(&mut self, number: u64) -> Option<&str> {
        let name = self.names.get_mut(&number)?;
        name.used = true;
        name.text.as_deref()
    }

    /// This one stays without a name.
    pub(super) fn give_up(&mut self, number: u64) {
        self.names.entry(number).or_insert(Name { text: None, used: false });
    }

    /// Reads on. A file that is not there yet, or no longer, has nothing new.
    pub(super) fn read_on(&mut self, session: &Session) {
        let left = NAMES_LIMIT.saturating_sub(self.read);
        self.add(&session.dir().read_from(self.file, self.read, left).unwrap_or_default());
    }

    /// Lines `ID\tNAME`; one that is not finished is read again.
    fn add(&mut self, new: &[u8]) {
        let whole = new.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.read += whole as u64;
        for line in String::from_utf8_lossy(&new[..whole]).lines() {
            let Some((id, name)) = line.split_once('\t') else { continue };
            let Ok(id) = id.parse() else { continue };
            self.make_room();
            self.names.insert(id, Name { text: Some(clean(name)), used: false });
        }
    }

    /// Threads come by the million, and most never again.
    fn make_room(&mut self) {
        if self.names.len() >= MOST {
            self.names.retain(|_, name| std::mem::take(&mut name.used) && name.text.is_some());
        }
        if self.names.len() >= MOST {
            self.names.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_not_finished_is_read_again() {
        let mut table = Table::new("names");
        table.add(b"1\tmain\n2\twork");
        assert_eq!((table.read, table.has(1), table.has(2)), (7, true, false));
        table.add(b"2\tworker\nnonsense\n");
        assert_eq!((table.read, table.get(2)), (25, Some("worker")));
        table.give_up(3);
        assert_eq!((table.has(3), table.get(3)), (true, None));
        table.add(b"3\tlate\n");
        assert_eq!(table.get(3), Some("late"));
    }

    #[test]
    fn names_in_use_are_kept() {
        let mut table = Table::new("threads");
        let numbers: Vec<_> = (0..2 * MOST as u64).collect();
        for numbers in numbers.chunks(1000) {
            table.add(numbers.iter().map(|n| format!("{n}\tt\n")).collect::<String>().as_bytes());
            assert_eq!(table.get(7), Some("t"));
        }
        assert!(table.names.len() <= MOST);
    }
}
