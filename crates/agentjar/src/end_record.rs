//! The zip file's end record, looked at before anything is allocated for the entries it announces, and to
//! tell a jar that was cut from a file that never was one.
//!
//! The JDK's readers want the record, with its comment, to be the last thing in the file; zip tools are more
//! forgiving, so that a jar with bytes after it opens everywhere but in a JVM.

use std::io::{self, Read, Seek, SeekFrom};

const SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const LENGTH: usize = 22;
const LOCATOR_SIGNATURE: [u8; 4] = *b"PK\x06\x07";
const LOCATOR_LENGTH: u64 = 20;
const ZIP64_SIGNATURE: [u8; 4] = *b"PK\x06\x06";
const LOCAL_HEADER_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
/// A comment's length is a u2.
const LONGEST_COMMENT: usize = 0xffff;

/// What the end of the file says of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndRecord {
    /// How many entries there are to be, and how long their directory is.
    Found { entries: u64, directory_size: u64 },
    /// No record, but the file begins as a zip file does.
    Truncated,
    /// A record with this many bytes after it.
    Trailing(u64),
    /// A record with the signature of another one in its comment: readers differ in which they believe.
    Ambiguous,
    /// Neither.
    NotZip,
}

pub(crate) fn find(jar: &mut (impl Read + Seek)) -> io::Result<EndRecord> {
    let length = jar.seek(SeekFrom::End(0))?;
    // Nearly every jar has no comment: try that before 64 KiB are read.
    let mut tail = read_tail(jar, length, LENGTH)?;
    let mut found = find_in(&tail);
    if !matches!(found, Some((_, 0))) {
        tail = read_tail(jar, length, LENGTH + LONGEST_COMMENT)?;
        found = find_in(&tail);
    }
    let Some((at, after)) = found else {
        let mut start = Vec::new();
        jar.seek(SeekFrom::Start(0))?;
        jar.by_ref().take(4).read_to_end(&mut start)?;
        return Ok(if start == LOCAL_HEADER_SIGNATURE { EndRecord::Truncated } else { EndRecord::NotZip });
    };
    if after > 0 {
        return Ok(EndRecord::Trailing(after as u64));
    }
    let record = &tail[at..];
    if record[LENGTH..].windows(4).any(|bytes| bytes == SIGNATURE) {
        return Ok(EndRecord::Ambiguous);
    }
    let entries = u64::from(u16::from_le_bytes([record[10], record[11]]));
    let directory_size = u64::from(u32::from_le_bytes([record[12], record[13], record[14], record[15]]));
    if entries == 0xffff || directory_size == 0xffff_ffff {
        let record_at = length - (tail.len() - at) as u64;
        if let Some(zip64) = zip64(jar, record_at)? {
            return Ok(zip64);
        }
    }
    Ok(EndRecord::Found { entries, directory_size })
}

/// Where the record is in `tail`, and how many bytes follow its comment: the first one that none follow, else
/// the last one.
fn find_in(tail: &[u8]) -> Option<(usize, usize)> {
    let starts = 0..=tail.len().checked_sub(LENGTH)?;
    let mut with_bytes_after = None;
    for at in starts.filter(|at| tail[*at..].starts_with(&SIGNATURE)) {
        let comment = usize::from(u16::from_le_bytes([tail[at + 20], tail[at + 21]]));
        match tail.len().checked_sub(at + LENGTH + comment) {
            Some(0) => return Some((at, 0)),
            Some(after) => with_bytes_after = Some((at, after)),
            None => {}
        }
    }
    with_bytes_after
}

/// The zip64 record, found by the locator right before the end record.
fn zip64(jar: &mut (impl Read + Seek), record_at: u64) -> io::Result<Option<EndRecord>> {
    let Some(locator_at) = record_at.checked_sub(LOCATOR_LENGTH) else { return Ok(None) };
    let locator: [u8; LOCATOR_LENGTH as usize] = read_at(jar, locator_at)?;
    if !locator.starts_with(&LOCATOR_SIGNATURE) {
        return Ok(None);
    }
    // The offset in the locator is wrong where something was put before the archive; the record itself nearly
    // always ends where its locator begins.
    for at in [locator_at.checked_sub(56), Some(u8_le(&locator[8..]))].into_iter().flatten() {
        if at < locator_at {
            let record: [u8; 56] = read_at(jar, at)?;
            if record.starts_with(&ZIP64_SIGNATURE) {
                let (entries, directory_size) = (u8_le(&record[32..]), u8_le(&record[40..]));
                return Ok(Some(EndRecord::Found { entries, directory_size }));
            }
        }
    }
    Ok(None)
}

/// Eight bytes, little endian; `bytes` has as many.
fn u8_le(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn read_at<const N: usize>(jar: &mut (impl Read + Seek), at: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    jar.seek(SeekFrom::Start(at))?;
    // A short read leaves zeros, which are no signature.
    let mut filled = 0;
    while filled < N {
        match jar.read(&mut bytes[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(bytes)
}

fn read_tail(jar: &mut (impl Read + Seek), length: u64, wanted: usize) -> io::Result<Vec<u8>> {
    let wanted = length.min(wanted as u64);
    jar.seek(SeekFrom::Start(length - wanted))?;
    let mut tail = Vec::new();
    jar.by_ref().take(wanted).read_to_end(&mut tail)?;
    Ok(tail)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn of(bytes: &[u8]) -> EndRecord {
        find(&mut Cursor::new(bytes)).unwrap()
    }

    fn record(entries: u16, size: u32, comment: &[u8]) -> Vec<u8> {
        let mut bytes = b"PK\x05\x06\0\0\0\0".to_vec();
        bytes.extend([entries.to_le_bytes(), entries.to_le_bytes()].concat());
        bytes.extend([size.to_le_bytes(), [0; 4]].concat());
        bytes.extend((comment.len() as u16).to_le_bytes());
        bytes.extend(comment);
        bytes
    }

    #[test]
    fn with_and_without_a_comment() {
        let found = EndRecord::Found { entries: 3, directory_size: 150 };
        assert_eq!(of(&record(3, 150, b"")), found);
        assert_eq!(of(&record(3, 150, b"some words")), found);
        assert_eq!(of(&[vec![7; 100], record(3, 150, &[b'x'; 65_535])].concat()), found);
        assert_eq!(of(&record(3, 150, &record(9, 9, b"a record in a comment"))), EndRecord::Ambiguous);
    }

    #[test]
    fn zip64_counts_are_read_through_the_locator() {
        let mut bytes = b"PK\x06\x06".to_vec();
        bytes.resize(32, 0);
        bytes.extend(70_000_u64.to_le_bytes());
        bytes.extend(9_000_000_u64.to_le_bytes());
        bytes.resize(56, 0);
        bytes.extend(b"PK\x06\x07");
        bytes.resize(76, 0);
        bytes.extend(record(0xffff, 0xffff_ffff, b""));
        assert_eq!(of(&bytes), EndRecord::Found { entries: 70_000, directory_size: 9_000_000 });
    }

    #[test]
    fn cut_trailing_and_no_zip() {
        assert_eq!(of(b"PK\x03\x04 and no more"), EndRecord::Truncated);
        assert_eq!(of(&[record(1, 46, b""), vec![0; 30]].concat()), EndRecord::Trailing(30));
        assert_eq!(of(b"hello"), EndRecord::NotZip);
        assert_eq!(of(b""), EndRecord::NotZip);
        assert_eq!(of(&[b'P'; 70_000]), EndRecord::NotZip);
        for length in 0..22 {
            assert_eq!(of(&record(1, 46, b"")[..length]), EndRecord::NotZip);
        }
    }
}
