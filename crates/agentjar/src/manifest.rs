//! The manifest as libinstrument reads it: a C parser of its own, that java.util.jar shares nothing with.
//!
//! It stops at the first blank line, so only the main section counts; of two attributes with one name the
//! first that is not empty counts; one line it does not like and the whole jar is refused (return code 100).
//! What java.util.jar makes of the same bytes is in java_manifest.rs.

use std::borrow::Cow;

/// The main section's attributes, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    attributes: Vec<Attribute>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    name: Vec<u8>,
    /// As it stands after the one space that must follow the colon.
    value: Vec<u8>,
    /// Whether its last line has a newline: java.util.jar drops a line without one.
    terminated: bool,
    /// Whether it goes on over lines.
    continued: bool,
}

/// Why libinstrument refuses the manifest as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// No attribute in the main section.
    #[error("has no attribute before its first blank line")]
    Empty,
    /// A header without a colon.
    #[error("has no ':' in the header at line {0}")]
    NoColon(usize),
    /// A colon without the space after it.
    #[error("has no space after the ':' at line {0}")]
    NoSpace(usize),
    /// The bytes end inside a continuation line.
    #[error("ends without a newline in the continuation line {0}")]
    Unterminated(usize),
    /// The main section goes on past what is read of it.
    #[error("has a main section of more than {0} bytes")]
    TooLong(usize),
}

impl Manifest {
    /// Parses the main section of META-INF/MANIFEST.MF.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        // libinstrument takes the bytes for a C string.
        let mut rest = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut line = 1;
        let mut attributes = Vec::new();
        while !matches!(rest.first(), None | Some(b'\n' | b'\r')) {
            attributes.push(header(&mut rest, &mut line)?);
        }
        // Empty attributes are dropped as they are read, and a list of none is taken for a failure.
        if attributes.iter().all(|attribute| attribute.trimmed().is_empty()) {
            return Err(ManifestError::Empty);
        }
        Ok(Self { attributes })
    }

    /// The value that libinstrument finds: names in any case, spaces around the value left out, the first
    /// that is not empty.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.all(name).map(Attribute::trimmed).find(|value| !value.is_empty()).map(String::from_utf8_lossy)
    }

    /// Whether the attribute is "true", in any case: what libinstrument asks of a capability.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// How often the name is there, and whether there are values that differ.
    pub(crate) fn conflicts(&self, name: &str) -> bool {
        let mut values = self.all(name).map(Attribute::trimmed);
        let first = values.next();
        values.any(|value| Some(value) != first)
    }

    /// The value that java.util.jar finds: the last one, unless it is cut off by the end of the file.
    pub(crate) fn java_value(&self, name: &str) -> Option<Cow<'_, str>> {
        let last = self.all(name).filter(|attribute| attribute.terminated).last()?;
        Some(String::from_utf8_lossy(&last.value))
    }

    /// Whether java.util.jar looks into META-INF/versions: it scans for the very bytes "Multi-Release: true"
    /// and a newline, in any case, so neither another space nor a continuation is allowed.
    pub(crate) fn is_multi_release(&self) -> bool {
        self.all("Multi-Release").any(|attribute| {
            attribute.terminated && !attribute.continued && attribute.value.eq_ignore_ascii_case(b"true")
        })
    }

    fn all<'m>(&'m self, name: &str) -> impl Iterator<Item = &'m Attribute> {
        self.attributes.iter().filter(move |attribute| attribute.name.eq_ignore_ascii_case(name.as_bytes()))
    }
}

impl Attribute {
    /// Without the spaces around it; tabs are part of the value.
    fn trimmed(&self) -> &[u8] {
        let start = self.value.iter().position(|byte| *byte != b' ').unwrap_or(self.value.len());
        let end = self.value.iter().rposition(|byte| *byte != b' ').map_or(start, |last| last + 1);
        &self.value[start..end]
    }
}

/// Reads one header with its continuation lines. Lines are joined before the colon is looked for, so a name
/// may be cut as well as a value, and a character in the middle.
fn header(rest: &mut &[u8], line: &mut usize) -> Result<Attribute, ManifestError> {
    let first_line = *line;
    let (text, mut terminated) = take_line(rest);
    let mut text = text.to_vec();
    *line += 1;
    let mut continued = false;
    while terminated && rest.first() == Some(&b' ') {
        *rest = &rest[1..];
        let (more, newline) = take_line(rest);
        if !newline {
            return Err(ManifestError::Unterminated(*line));
        }
        text.extend_from_slice(more);
        terminated = newline;
        continued = true;
        *line += 1;
    }
    let colon = text.iter().position(|byte| *byte == b':').ok_or(ManifestError::NoColon(first_line))?;
    let Some((b' ', value)) = text[colon + 1..].split_first() else {
        return Err(ManifestError::NoSpace(first_line));
    };
    Ok(Attribute { name: text[..colon].to_vec(), value: value.to_vec(), terminated, continued })
}

/// The bytes up to the next CRLF, LF or CR, and whether there was one.
fn take_line<'a>(rest: &mut &'a [u8]) -> (&'a [u8], bool) {
    let all = *rest;
    let end = all.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(all.len());
    let newline = match all[end..] {
        [b'\r', b'\n', ..] => 2,
        [] => 0,
        _ => 1,
    };
    *rest = &all[end + newline..];
    (&all[..end], newline > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent_class(text: &[u8]) -> Option<String> {
        Manifest::parse(text).ok()?.get("Agent-Class").map(Cow::into_owned)
    }

    #[test]
    fn newlines_continuations_and_case() {
        for text in [
            &b"Manifest-Version: 1.0\nAgent-Class: a.B\n\n"[..],
            b"Manifest-Version: 1.0\r\nAgent-Class: a.B\r\n\r\n",
            b"Manifest-Version: 1.0\rAgent-Class: a.B\r\r",
            b"agent-CLASS:   a.B  \n",
            b"Agent-Class: a.\n B\n",
            b"Agent-Class: a.\r\n B\r\n",
            b"Agent-Cl\n ass: \n a.\r B\n",
            b"Agent-Class: a.B",
            b"Agent-Class: \nAgent-Class: a.B\nAgent-Class: c.D\n",
        ] {
            assert_eq!(agent_class(text).as_deref(), Some("a.B"), "{:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_character_cut_in_the_middle() {
        assert_eq!(agent_class(b"Agent-Class: \xc3\n \xa4.B\n").as_deref(), Some("ä.B"));
    }

    #[test]
    fn what_ends_the_main_section() {
        for text in [
            &b"X: y\n\nAgent-Class: a.B\n"[..],
            b"X: y\n\0Agent-Class: a.B\n",
            b"X: y\r\n\r\nAgent-Class: a.B",
        ] {
            assert_eq!(Manifest::parse(text).unwrap().get("Agent-Class"), None);
        }
    }

    #[test]
    fn what_is_refused() {
        let refusal = |text: &[u8]| Manifest::parse(text).unwrap_err();
        assert_eq!(refusal(b""), ManifestError::Empty);
        assert_eq!(refusal(b"\nAgent-Class: a.B\n"), ManifestError::Empty);
        assert_eq!(refusal(b"Agent-Class: \n"), ManifestError::Empty);
        assert_eq!(refusal(b"A: b\n c\nAgent-Class:a.B\n"), ManifestError::NoSpace(3));
        assert_eq!(refusal(b"Agent-Class:\n"), ManifestError::NoSpace(1));
        assert_eq!(refusal(b"A: b\ngarbage\n"), ManifestError::NoColon(2));
        assert_eq!(refusal(b"Agent-Class: a.\n B"), ManifestError::Unterminated(2));
    }

    #[test]
    fn multi_release_is_exact() {
        let multi = |text: &[u8]| Manifest::parse(text).unwrap().is_multi_release();
        assert!(multi(b"Multi-Release: true\n"));
        assert!(multi(b"multi-release: TRUE\r\n\r\n"));
        for text in [
            "Multi-Release: true",
            "Multi-Release:  true\n",
            "Multi-Release: true \n",
            "Multi-Release: tr\n ue\n",
        ] {
            assert!(!multi(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn no_input_panics() {
        let alphabet = b"\n\r :\0Ab\xc3";
        // Every string of up to six of these bytes.
        for length in 0..=6_u32 {
            for mut number in 0..8_usize.pow(length) {
                let mut text = Vec::new();
                for _ in 0..length {
                    text.push(alphabet[number % 8]);
                    number /= 8;
                }
                let _ = Manifest::parse(&text).map(|manifest| manifest.get("Ab").is_some());
            }
        }
    }
}
