//! A constant pool in the making: each entry once, in the order in which it is asked for.

use std::collections::HashMap;

/// See above.
#[derive(Default)]
pub(crate) struct Pool {
    bytes: Vec<u8>,
    entries: HashMap<Vec<u8>, u16>,
    next: u16,
}

impl Pool {
    /// constant_pool_count.
    pub(crate) fn count(&self) -> u16 {
        self.next + 1
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// An entry that is tag and bytes.
    pub(crate) fn push(&mut self, entry: &[u8]) -> u16 {
        if let Some(index) = self.entries.get(entry) {
            return *index;
        }
        self.bytes.extend(entry);
        self.next += 1;
        self.entries.insert(entry.to_vec(), self.next);
        let index = self.next;
        // A long or double takes two places.
        self.next += u16::from(matches!(entry[0], 5 | 6));
        index
    }

    pub(crate) fn utf8(&mut self, text: &str) -> u16 {
        let mut entry = vec![1];
        u2(&mut entry, text.len() as u16);
        entry.extend(text.as_bytes());
        self.push(&entry)
    }

    pub(crate) fn class(&mut self, name: &str) -> u16 {
        let name = self.utf8(name);
        self.one(7, name)
    }

    pub(crate) fn one(&mut self, tag: u8, first: u16) -> u16 {
        let mut entry = vec![tag];
        u2(&mut entry, first);
        self.push(&entry)
    }

    pub(crate) fn two(&mut self, tag: u8, first: u16, second: u16) -> u16 {
        let mut entry = vec![tag];
        u2(&mut entry, first);
        u2(&mut entry, second);
        self.push(&entry)
    }

    pub(crate) fn long(&mut self, value: u64) -> u16 {
        let mut entry = vec![5];
        entry.extend(value.to_be_bytes());
        self.push(&entry)
    }
}

pub(crate) fn u2(out: &mut Vec<u8>, value: u16) {
    out.extend(value.to_be_bytes());
}
