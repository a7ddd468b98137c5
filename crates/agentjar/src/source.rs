//! The bytes of a jar on their way to the zip crate: buffered, bounded while the directory of entries is read,
//! and with what the JDK would not see hidden.
//!
//! Of two entries of one name the zip crate keeps the last, as java.util.zip does for classes; libjli takes the
//! first manifest. Build tools that merge jars do write two. So the names of all but the first are hidden.

use std::cell::Cell;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use crate::jar::MANIFEST;

/// Bytes read at once: the zip crate reads header by header, else two system calls an entry.
const BUFFER: usize = 8 << 10;
const CENTRAL_HEADER: [u8; 4] = *b"PK\x01\x02";
const CENTRAL_HEADER_LENGTH: u64 = 46;
/// Stands for the first letter of a hidden name.
const HIDDEN: u8 = 0xff;

/// A reader of a jar.
#[derive(Debug)]
pub(crate) struct Source<R> {
    inner: BufReader<R>,
    position: u64,
    /// Bytes that may still be read.
    left: Rc<Cell<u64>>,
    /// Offsets of names that are not to be seen, in ascending order: a hostile jar has as many as it has entries.
    hidden: Vec<u64>,
}

impl<R: Read + Seek> Source<R> {
    /// Gives up, with [`io::ErrorKind::QuotaExceeded`], once `left` bytes were read.
    pub(crate) fn new(jar: R, left: Rc<Cell<u64>>) -> io::Result<Self> {
        let mut inner = BufReader::with_capacity(BUFFER, jar);
        inner.seek(SeekFrom::Start(0))?;
        Ok(Self { inner, position: 0, left, hidden: Vec::new() })
    }

    /// Hides all manifests but the first of the directory that begins at `directory`.
    pub(crate) fn hide_later_manifests(&mut self, directory: u64) -> io::Result<()> {
        let mut at = directory;
        let mut seen = false;
        loop {
            let mut header = [0; CENTRAL_HEADER_LENGTH as usize];
            self.seek(SeekFrom::Start(at))?;
            if self.read_exact(&mut header).is_err() || !header.starts_with(&CENTRAL_HEADER) {
                return Ok(());
            }
            let u2 = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
            let (name_length, rest) = (u2(28), u2(30) + u2(32));
            if name_length == MANIFEST.len() as u64 {
                let mut name = [0; MANIFEST.len()];
                self.read_exact(&mut name)?;
                if name == MANIFEST.as_bytes() {
                    if seen {
                        self.hidden.push(at + CENTRAL_HEADER_LENGTH);
                    }
                    seen = true;
                }
            }
            at += CENTRAL_HEADER_LENGTH + name_length + rest;
        }
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let Some(left) = self.left.get().checked_sub(read as u64) else {
            let message = "its directory of entries goes on without end";
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, message));
        };
        self.left.set(left);
        let end = self.position + read as u64;
        let first = self.hidden.partition_point(|hidden| *hidden < self.position);
        for hidden in self.hidden[first..].iter().take_while(|hidden| **hidden < end) {
            if let Some(byte) = usize::try_from(hidden - self.position).ok().and_then(|at| buffer.get_mut(at))
            {
                *byte = HIDDEN;
            }
        }
        self.position = end;
        Ok(read)
    }
}

impl<R: Seek> Seek for Source<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.inner.seek(to)?;
        Ok(self.position)
    }
}
