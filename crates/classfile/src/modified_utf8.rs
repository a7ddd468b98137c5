//! Modified UTF-8 (JVMS 4.4.7), the encoding of every name and string in a class file.
//!
//! It differs from UTF-8 in two ways: NUL is C0 80, and a character past U+FFFF is a surrogate pair of three
//! bytes each. A class file may hold half a pair, which no `str` can: comparing is exact, decoding may fail.

use std::borrow::Cow;
use std::fmt;

/// Borrowed bytes in modified UTF-8, well-formed or not.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModifiedUtf8<'a>(&'a [u8]);

impl<'a> ModifiedUtf8<'a> {
    /// Wraps bytes as they are.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes as they stand in the class file.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The text; borrowed unless it holds a NUL or a character past U+FFFF. `None` where the bytes are
    /// malformed or hold half a surrogate pair.
    pub fn to_str(&self) -> Option<Cow<'a, str>> {
        if let Some(text) = self.plain() {
            return Some(Cow::Borrowed(text));
        }
        let units = self.units().collect::<Option<Vec<u16>>>()?;
        String::from_utf16(&units).ok().map(Cow::Owned)
    }

    /// The text, with U+FFFD where [`to_str`](Self::to_str) would give up.
    pub fn to_str_lossy(&self) -> Cow<'a, str> {
        if let Some(text) = self.plain() {
            return Cow::Borrowed(text);
        }
        let units: Vec<u16> = self.units().map(|unit| unit.unwrap_or(0xfffd)).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    }

    /// The bytes as text where both encodings agree.
    fn plain(&self) -> Option<&'a str> {
        let differs = |byte: &u8| *byte == 0 || *byte >= 0xf0;
        std::str::from_utf8(self.0).ok().filter(|_| !self.0.iter().any(differs))
    }

    /// UTF-16 code units; `None` for each byte that begins no unit.
    fn units(&self) -> impl Iterator<Item = Option<u16>> + 'a {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (unit, length) = match *rest {
                [] => return None,
                [a @ 0x01..=0x7f, ..] => (Some(u16::from(a)), 1),
                [a @ 0xc0..=0xdf, b @ 0x80..=0xbf, ..] => (Some(low(a, 0x1f) << 6 | low(b, 0x3f)), 2),
                [a @ 0xe0..=0xef, b @ 0x80..=0xbf, c @ 0x80..=0xbf, ..] => {
                    (Some(low(a, 0x0f) << 12 | low(b, 0x3f) << 6 | low(c, 0x3f)), 3)
                }
                _ => (None, 1),
            };
            rest = rest.get(length..).unwrap_or_default();
            Some(unit)
        })
    }
}

fn low(byte: u8, mask: u8) -> u16 {
    u16::from(byte & mask)
}

/// Text in modified UTF-8: the same bytes unless it holds a NUL or a character past U+FFFF.
pub fn encode(text: &str) -> Cow<'_, [u8]> {
    if encoded_len(text) == text.len() {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(encoded_len(text));
    for unit in text.encode_utf16() {
        // Each takes one to three bytes; only NUL is longer than in UTF-8.
        match unit {
            0x01..=0x7f => bytes.push(unit as u8),
            0 | 0x80..=0x7ff => bytes.extend([0xc0 | (unit >> 6) as u8, continuation(unit)]),
            _ => bytes.extend([0xe0 | (unit >> 12) as u8, continuation(unit >> 6), continuation(unit)]),
        }
    }
    Cow::Owned(bytes)
}

/// How many bytes `text` takes in modified UTF-8. A name of more than 65,535 fits no class file.
pub fn encoded_len(text: &str) -> usize {
    let length = |c: char| match c {
        '\0' => 2,
        '\u{10000}'.. => 6,
        c => c.len_utf8(),
    };
    text.chars().map(length).sum()
}

fn continuation(bits: u16) -> u8 {
    0x80 | (bits & 0x3f) as u8
}

impl PartialEq<str> for ModifiedUtf8<'_> {
    fn eq(&self, other: &str) -> bool {
        self.plain().map_or_else(|| self.units().eq(other.encode_utf16().map(Some)), |text| text == other)
    }
}

impl PartialEq<&str> for ModifiedUtf8<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for ModifiedUtf8<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_str_lossy())
    }
}

impl fmt::Debug for ModifiedUtf8<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_str_lossy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed() {
        let name = ModifiedUtf8::new("com/exämple/Agent".as_bytes());
        assert!(matches!(name.to_str(), Some(Cow::Borrowed("com/exämple/Agent"))));
        assert_eq!(name, "com/exämple/Agent");
        assert_ne!(name, "com/exämple/Agen");
        assert_eq!(name.to_string(), "com/exämple/Agent");
    }

    #[test]
    fn nul_and_pairs_decode_and_compare() {
        // "a", NUL, U+1F600 as Java writes them.
        let bytes = [b'a', 0xc0, 0x80, 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80];
        let text = ModifiedUtf8::new(&bytes);
        assert_eq!(text.to_str().as_deref(), Some("a\0\u{1f600}"));
        assert_eq!(text, "a\0\u{1f600}");
        assert_ne!(text, "a\0");
        assert_eq!(encode("a\0\u{1f600}"), &bytes[..]);
    }

    #[test]
    fn encoding_is_the_inverse_of_decoding() {
        for c in ('\0'..=char::MAX).step_by(7) {
            let text = c.to_string();
            let bytes = encode(&text);
            assert_eq!(bytes.len(), encoded_len(&text), "{c:?}");
            assert_eq!(ModifiedUtf8::new(&bytes).to_str().as_deref(), Some(&*text), "{c:?}");
            assert_eq!(ModifiedUtf8::new(&bytes), text.as_str(), "{c:?}");
        }
    }

    #[test]
    fn half_a_pair_and_malformed_bytes_equal_no_text() {
        for bytes in [&[0xed, 0xa0, 0xbd][..], &[0xf0, 0x9f, 0x98, 0x80], &[0x00], &[0xc3], &[0xff, b'a']] {
            let text = ModifiedUtf8::new(bytes);
            assert_eq!(text.to_str(), None, "{bytes:x?}");
            assert!(text.to_str_lossy().contains('\u{fffd}'), "{bytes:x?}");
            assert_ne!(text, "\u{1f600}");
            assert_ne!(text, text.to_str_lossy().as_ref(), "{bytes:x?}");
        }
    }
}
