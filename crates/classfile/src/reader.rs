//! A cursor over the class file: big-endian u1, u2, u4 (JVMS 4); each read is checked, each error has its
//! offset.

use crate::error::{Error, ErrorKind};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from `offset` on. Offsets past the end are errors at the first read, not here.
    pub(crate) fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self { bytes, offset }
    }

    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// How many bytes are left.
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.offset)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let Some(taken) = rest.get(..count) else {
            return Err(Error::new(ErrorKind::UnexpectedEnd(count - rest.len()), self.offset));
        };
        self.offset += count;
        Ok(taken)
    }

    /// A reader of the next `count` bytes that ends where they do, passed here.
    pub(crate) fn within(&mut self, count: usize) -> Result<Self, Error> {
        let at = self.offset;
        self.take(count)?;
        Ok(Self { bytes: &self.bytes[..at + count], offset: at })
    }

    /// The `before` bytes that stand before this place and the `after` bytes behind it; empty where there are not so
    /// many.
    pub(crate) fn preceded_by(&self, before: usize, after: usize) -> &'a [u8] {
        let start = self.offset.checked_sub(before);
        start.and_then(|start| self.bytes.get(start..self.offset + after)).unwrap_or_default()
    }

    /// Whether the class file whose bytes these are is of a version before 45.3.
    pub(crate) fn is_before_45_3(&self) -> bool {
        // magic, minor_version, major_version
        self.bytes
            .get(4..8)
            .is_some_and(|version| version[2..] == [0, 45] && version[0] == 0 && version[1] < 3)
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), Error> {
        match self.remaining() {
            0 => Ok(()),
            count => Err(Error::new(ErrorKind::TrailingBytes(count), self.offset)),
        }
    }

    pub(crate) fn skip(&mut self, count: usize) -> Result<(), Error> {
        self.take(count).map(drop)
    }

    pub(crate) fn u1(&mut self) -> Result<u8, Error> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u2(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u4(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u8(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_be_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_big_endian_and_names_the_offset_of_a_short_read() {
        let mut reader = Reader::at(&[1, 2, 3, 4, 5, 6, 7, 8], 0);
        assert_eq!(reader.u1(), Ok(1));
        assert_eq!(reader.u2(), Ok(0x0203));
        assert_eq!(reader.u4(), Ok(0x0405_0607));
        let error = reader.u2().unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::UnexpectedEnd(1), 7));
        assert_eq!(reader.remaining(), 1);
    }

    #[test]
    fn an_offset_past_the_end_is_an_error_and_no_panic() {
        let mut reader = Reader::at(&[1], 9);
        assert_eq!(reader.remaining(), 0);
        assert_eq!(reader.u1().unwrap_err().kind(), ErrorKind::UnexpectedEnd(1));
        assert!(reader.skip(usize::MAX).is_err());
    }
}
