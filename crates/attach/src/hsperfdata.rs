//! hsperfdata, the counters that HotSpot keeps in a file of its temporary directory (`jdk.internal.perf`, format 2.0).
//!
//! Pure: bytes in, counters out. Opening the file is [`crate::Jvm`]'s business. The bytes belong to the target and may
//! say anything; nothing here trusts an offset.

/// A copy of the counters of one JVM.
#[derive(Clone)]
pub struct PerfData {
    bytes: Vec<u8>,
    entries: usize,
    first: usize,
    big_endian: bool,
}

/// One counter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PerfValue<'a> {
    /// A 64-bit counter; its unit is the counter's own.
    Long(i64),
    /// Text, without the zero bytes that end it.
    Text(&'a str),
}

/// Why bytes are no counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PerfDataError {
    /// The first four bytes are not `cafec0c0`.
    #[error("not an hsperfdata file")]
    Magic,
    /// The JVM has not finished writing the list of counters.
    #[error("counters not ready yet: the jvm is starting")]
    NotAccessible,
    /// A major version other than 2.
    #[error("hsperfdata format {0}.{1} is not known")]
    Version(u8, u8),
    /// An offset points outside.
    #[error("hsperfdata is cut off or damaged")]
    Damaged,
}

/// Prologue: magic u4, byte order u1, major u1, minor u1, accessible u1, used i4, overflow i4, time i8, offset i4, count i4.
const PROLOGUE: usize = 32;
/// Entry: length i4, name offset i4, vector length i4, type u1, flags u1, units u1, variability u1, data offset i4.
const ENTRY: usize = 20;

impl PerfData {
    /// Checks the prologue; entries are checked as they are read.
    pub fn parse(bytes: Vec<u8>) -> Result<PerfData, PerfDataError> {
        let Some(prologue) = bytes.get(..PROLOGUE) else { return Err(PerfDataError::Damaged) };
        if prologue[..4] != [0xca, 0xfe, 0xc0, 0xc0] {
            return Err(PerfDataError::Magic);
        }
        let (big_endian, major, minor, accessible) =
            (prologue[4] == 0, prologue[5], prologue[6], prologue[7]);
        if major != 2 {
            return Err(PerfDataError::Version(major, minor));
        }
        if accessible == 0 {
            return Err(PerfDataError::NotAccessible);
        }
        let mut data = PerfData { bytes, entries: 0, first: 0, big_endian };
        data.first = data.index(24).ok_or(PerfDataError::Damaged)?;
        data.entries = data.index(28).ok_or(PerfDataError::Damaged)?;
        Ok(data)
    }

    /// Every counter, in the file's order; ends at the first damaged entry.
    pub fn iter(&self) -> impl Iterator<Item = (&str, PerfValue<'_>)> {
        let mut at = self.first;
        (0..self.entries).map_while(move |_| {
            let length = self.index(at)?;
            if length < ENTRY {
                return None;
            }
            let entry = self.bytes.get(at..at.checked_add(length)?)?;
            let name = text(entry.get(self.index(at + 4)?..)?)?;
            let data = entry.get(self.index(at + 16)?..)?;
            let value = match (entry[12], self.index(at + 8)?) {
                (b'J', 0) => PerfValue::Long(self.number(data.first_chunk()?)),
                (b'B', vector) if vector > 0 => PerfValue::Text(text(data.get(..vector.min(data.len()))?)?),
                // A type that HotSpot does not write today; step over it.
                _ => PerfValue::Text(""),
            };
            at += length;
            Some((name, value))
        })
    }

    /// A text counter, such as `sun.rt.javaCommand`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(n, value)| match value {
            PerfValue::Text(text) if n == name => Some(text),
            _ => None,
        })
    }

    /// A numeric counter, such as `sun.rt.createVmEndTime`.
    pub fn long(&self, name: &str) -> Option<i64> {
        self.iter().find_map(|(n, value)| match value {
            PerfValue::Long(number) if n == name => Some(number),
            _ => None,
        })
    }

    fn number(&self, bytes: &[u8; 8]) -> i64 {
        if self.big_endian { i64::from_be_bytes(*bytes) } else { i64::from_le_bytes(*bytes) }
    }

    /// A non-negative i4 at `at`, as an index.
    fn index(&self, at: usize) -> Option<usize> {
        let bytes = *self.bytes.get(at..)?.first_chunk::<4>()?;
        let number = if self.big_endian { i32::from_be_bytes(bytes) } else { i32::from_le_bytes(bytes) };
        usize::try_from(number).ok()
    }
}

impl std::fmt::Debug for PerfData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Up to the first zero byte. Counters cut long values anywhere, so a torn last character is dropped, not an error.
fn text(bytes: &[u8]) -> Option<&str> {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    match std::str::from_utf8(&bytes[..end]) {
        Ok(text) => Some(text),
        Err(e) => std::str::from_utf8(&bytes[..e.valid_up_to()]).ok(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A file with one text and one long counter, as a little-endian JVM writes it.
    pub(crate) fn sample() -> Vec<u8> {
        counters(&[("a.b", 7)])
    }

    /// The same with these long counters.
    pub(crate) fn counters(longs: &[(&str, i64)]) -> Vec<u8> {
        let entry = |kind: u8, name: &[u8], vector: i32, value: &[u8]| {
            let data = (ENTRY + name.len()) as i32;
            let mut e = Vec::new();
            e.extend((data + value.len() as i32).to_le_bytes());
            e.extend((ENTRY as i32).to_le_bytes());
            e.extend(vector.to_le_bytes());
            e.extend([kind, 0, 1, 1]);
            e.extend(data.to_le_bytes());
            e.extend(name);
            e.extend(value);
            e
        };
        let text = entry(b'B', b"sun.rt.javaCommand\0", 9, b"Shop a b\0");
        let mut file = vec![0xca, 0xfe, 0xc0, 0xc0, 1, 2, 0, 1];
        file.extend([0; 16]);
        file.extend((PROLOGUE as i32).to_le_bytes());
        file.extend((1 + longs.len() as i32).to_le_bytes());
        file.extend(text);
        for (name, value) in longs {
            file.extend(entry(b'J', format!("{name}\0").as_bytes(), 0, &value.to_le_bytes()));
        }
        file
    }

    #[test]
    fn reads_both_kinds() {
        let data = PerfData::parse(sample()).unwrap();
        assert_eq!(data.text("sun.rt.javaCommand"), Some("Shop a b"));
        let all: Vec<_> = data.iter().collect();
        assert_eq!(all[1], ("a.b", PerfValue::Long(7)));
    }

    #[test]
    fn a_starting_jvm_is_told_apart_from_rubbish() {
        let mut starting = sample();
        starting[7] = 0;
        assert_eq!(PerfData::parse(starting).unwrap_err(), PerfDataError::NotAccessible);
        assert_eq!(PerfData::parse(vec![0; 64]).unwrap_err(), PerfDataError::Magic);
        assert_eq!(PerfData::parse(vec![]).unwrap_err(), PerfDataError::Damaged);
        let mut future = sample();
        future[5] = 3;
        assert_eq!(PerfData::parse(future).unwrap_err(), PerfDataError::Version(3, 0));
    }

    #[test]
    fn no_damage_panics_or_hangs() {
        let good = sample();
        for at in 0..good.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[at] = value;
                if let Ok(data) = PerfData::parse(bad) {
                    assert!(data.iter().count() <= good.len());
                }
            }
            if let Ok(data) = PerfData::parse(good[..at].to_vec()) {
                assert!(data.iter().count() <= 2);
            }
        }
    }
}
