//! Names and descriptors (JVMS 4.2, 4.3), and the bytes of a CONSTANT_Utf8 (4.4.7). Up to version 48 a name has to be one
//! of the Java language; from 49 on it may hold all but what has a meaning in descriptors.

/// By which version's rules.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) major: u16,
}

/// What of a name of one segment is forbidden beyond `. ; [ /`.
#[derive(Clone, Copy, PartialEq)]
enum Unqualified {
    Field,
    Method,
}

impl Names {
    /// The name of a CONSTANT_Class: in internal form, or an array as a descriptor.
    pub(super) fn is_class(self, name: &[u8]) -> bool {
        match name.first() {
            None => false,
            Some(b'[') => self.is_field_descriptor(name),
            Some(b'<') if self.of_language() => false,
            Some(_) if self.of_language() => {
                past_identifiers(name, true) == Some(name.len()) && name.last() != Some(&b'/')
            }
            Some(_) => is_binary_name(name),
        }
    }

    pub(super) fn is_field(self, name: &[u8]) -> bool {
        match self.of_language() {
            true => past_identifiers(name, false) == Some(name.len()),
            false => is_unqualified(name, Unqualified::Field),
        }
    }

    /// `<init>` and `<clinit>` among them.
    pub(super) fn is_method(self, name: &[u8]) -> bool {
        match name {
            b"<init>" | b"<clinit>" => true,
            [b'<', ..] => false,
            _ if self.of_language() => past_identifiers(name, false) == Some(name.len()),
            _ => is_unqualified(name, Unqualified::Method),
        }
    }

    pub(super) fn is_field_descriptor(self, descriptor: &[u8]) -> bool {
        self.past_type(descriptor) == Some(&[])
    }

    /// The slots of the parameters; none if it is no method descriptor.
    pub(super) fn parameter_slots(self, descriptor: &[u8]) -> Option<usize> {
        let mut rest = descriptor.strip_prefix(b"(")?;
        let mut slots = 0;
        while *rest.first()? != b')' {
            slots += if matches!(rest[0], b'J' | b'D') { 2 } else { 1 };
            rest = self.past_type(rest)?;
        }
        let result = &rest[1..];
        (result == b"V" || self.is_field_descriptor(result)).then_some(slots)
    }

    /// What stands behind the field type at the front.
    fn past_type(self, descriptor: &[u8]) -> Option<&[u8]> {
        let dimensions = descriptor.iter().take_while(|byte| **byte == b'[').count();
        let (first, rest) = descriptor[dimensions..].split_first().filter(|_| dimensions <= 255)?;
        match first {
            b'B' | b'C' | b'D' | b'F' | b'I' | b'J' | b'S' | b'Z' => Some(rest),
            b'L' if self.of_language() => {
                let end = past_identifiers(rest, true).filter(|end| *end > 0)?;
                rest[end..].strip_prefix(b";")
            }
            b'L' => {
                let end = rest.iter().position(|byte| *byte == b';')?;
                is_binary_name(&rest[..end]).then_some(&rest[end + 1..])
            }
            _ => None,
        }
    }

    fn of_language(self) -> bool {
        self.major < 49
    }

    /// Whether bytes are modified UTF-8; up to version 47 a character need not be told in the shortest way.
    pub(super) fn is_utf8(self, bytes: &[u8]) -> bool {
        // A NUL is two bytes, so that nothing below 1 and above 127 is a character by itself.
        let mut rest = match bytes.iter().position(|byte| byte.wrapping_sub(1) >= 127) {
            None => return true,
            Some(at) => &bytes[at..],
        };
        let shortest = self.major > 47;
        while let Some((first, behind)) = rest.split_first() {
            let continued = |at: usize| {
                behind.get(at).filter(|byte| **byte & 0xc0 == 0x80).map(|byte| u32::from(byte & 0x3f))
            };
            let (length, character, least) = match first {
                1..=0x7f => (0, u32::from(*first), 0),
                0xc0..=0xdf => match continued(0) {
                    Some(low) => (1, u32::from(first & 0x1f) << 6 | low, 0x80),
                    None => return false,
                },
                0xe0..=0xef => match continued(0).zip(continued(1)) {
                    Some((middle, low)) => (2, u32::from(first & 0xf) << 12 | middle << 6 | low, 0x800),
                    None => return false,
                },
                _ => return false,
            };
            if shortest && character < least && !(character == 0 && length == 1) {
                return false;
            }
            rest = &behind[length..];
        }
        true
    }
}

/// 4.2.1: segments with slashes between them.
fn is_binary_name(name: &[u8]) -> bool {
    let forbidden = |byte: &u8| matches!(byte, b'.' | b';' | b'[');
    !name.iter().any(forbidden) && name.split(|byte| *byte == b'/').all(|segment| !segment.is_empty())
}

/// 4.2.2.
fn is_unqualified(name: &[u8], kind: Unqualified) -> bool {
    let forbidden = |byte: &u8| match byte {
        b'.' | b';' | b'[' | b'/' => true,
        b'<' | b'>' => kind == Unqualified::Method,
        _ => false,
    };
    !name.is_empty() && !name.iter().any(forbidden)
}

/// Where the longest identifier at the front ends, or identifiers with slashes between them; none if there is no such, or
/// two slashes in a row.
fn past_identifiers(name: &[u8], slashes: bool) -> Option<usize> {
    let mut at = 0;
    let mut after_slash = false;
    while let Some(byte) = name.get(at) {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => {}
            b'0'..=b'9' if at > 0 => {}
            b'/' if slashes => {
                if after_slash {
                    return None;
                }
                after_slash = true;
                at += 1;
                continue;
            }
            0x80.. => match other_identifier(&name[at..], at == 0) {
                Some(length) => at += length - 1,
                None => break,
            },
            _ => break,
        }
        after_slash = false;
        at += 1;
    }
    (at > 0).then_some(at)
}

/// The length of a character beyond ASCII of which an identifier may be made. The JVM asks java.lang.Character; this says
/// no only where that is certain.
fn other_identifier(bytes: &[u8], first: bool) -> Option<usize> {
    let [lead, low, ..] = bytes else { return None };
    let length = if *lead >= 0xe0 { 3 } else { 2 };
    if bytes.len() < length {
        return None;
    }
    let character = u32::from(lead & 0x1f) << 6 | u32::from(low & 0x3f);
    let is_symbol = length == 2
        && matches!(character, 0xa0 | 0xa1 | 0xa6..=0xa9 | 0xab | 0xac | 0xae..=0xb4 | 0xb6..=0xb9 | 0xbb..=0xbf | 0xd7 | 0xf7);
    let is_control = length == 2 && character < 0xa0;
    (!(is_symbol || is_control && first)).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Names = Names { major: 48 };
    const NEW: Names = Names { major: 49 };

    #[test]
    fn names_are_of_the_language_up_to_48_and_nearly_anything_from_49_on() {
        for name in ["a/B", "a$1", "_", "[I", "[[La/B;"] {
            assert!(OLD.is_class(name.as_bytes()) && NEW.is_class(name.as_bytes()), "{name}");
        }
        for name in ["a-b", "1", "a/package-info", "a b", "<x"] {
            assert!(!OLD.is_class(name.as_bytes()) && NEW.is_class(name.as_bytes()), "{name}");
        }
        for name in ["", "a//b", "a/", "a.b", "a;", "[", "[V", "[La", "[Q"] {
            assert!(!OLD.is_class(name.as_bytes()) && !NEW.is_class(name.as_bytes()), "{name}");
        }
        assert!(
            NEW.is_field(b"<a>")
                && !NEW.is_method(b"a>")
                && !NEW.is_method(b"<a>")
                && NEW.is_method(b"<init>")
        );
        assert!(!OLD.is_field(b"a-b") && NEW.is_field(b"a-b") && !NEW.is_field(b"a/b"));
    }

    #[test]
    fn descriptors_and_their_slots() {
        assert_eq!(NEW.parameter_slots(b"(IJ[DLa/B;)V"), Some(5));
        for bad in ["", "()", "(V)V", "I", "()VV", "(L;)V", "(La;", "([)V", "()La.b;"] {
            assert_eq!(NEW.parameter_slots(bad.as_bytes()), None, "{bad}");
        }
        let deep = |count: usize| [vec![b'['; count], vec![b'I']].concat();
        assert!(NEW.is_field_descriptor(&deep(255)) && !NEW.is_field_descriptor(&deep(256)));
    }

    #[test]
    fn utf8_is_shortest_from_48_on() {
        let long_a: [&[u8]; 2] = [&[0xc1, 0x81], &[0xe0, 0x81, 0x81]];
        for bytes in long_a {
            assert!(Names { major: 47 }.is_utf8(bytes) && !OLD.is_utf8(bytes));
        }
        for bytes in [&[0xc0, 0x80][..], &[0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80], "é".as_bytes(), b"abc"] {
            assert!(OLD.is_utf8(bytes));
        }
        for bytes in [&[0][..], &[0x80], &[0xc3], &[0xf0, 0x9f, 0x98, 0x80], &[0xe0, 0xa0], &[0xff]] {
            assert!(!OLD.is_utf8(bytes) && !Names { major: 45 }.is_utf8(bytes), "{bytes:?}");
        }
    }
}
