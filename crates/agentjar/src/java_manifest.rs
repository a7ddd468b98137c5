//! What java.util.jar refuses in a manifest that libinstrument takes.
//!
//! The class loader asks java.util.jar for the manifest of a jar before it defines the first class of a
//! package, and reports a manifest that does not parse as a class that is not there: return code 102, with no
//! word of the manifest. It reads every section, not just the first.

/// java.util.jar's line buffer, newline included.
const LINE_LIMIT: usize = 512;
/// The longest name of an attribute.
const NAME_LIMIT: usize = 70;

/// Where and why java.util.jar gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("line {0} is longer than 512 bytes")]
    LineTooLong(usize),
    #[error("line {0} is no 'name: value'")]
    InvalidHeader(usize),
    #[error("line {0} begins with a space but continues nothing")]
    Misplaced(usize),
    #[error("the name at line {0} has over 70 characters, or others than letters, digits, '-' and '_'")]
    InvalidName(usize),
    #[error("line {0} begins a section but is no 'Name: …'")]
    NoSectionName(usize),
}

/// The first thing that java.util.jar refuses. A last line without a newline is no fault: it is dropped.
pub(crate) fn refusal(bytes: &[u8]) -> Option<Refusal> {
    let mut lines = Lines { rest: bytes, number: 0 };
    read_sections(&mut lines).err()
}

fn read_sections(lines: &mut Lines<'_>) -> Result<(), Refusal> {
    read_attributes(lines)?;
    while let Some(line) = lines.next()? {
        if line.is_empty() {
            continue;
        }
        if !line.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"name: ")) {
            return Err(Refusal::NoSectionName(lines.number));
        }
        while lines.rest.first() == Some(&b' ') {
            if lines.next()?.is_none() {
                return Ok(());
            }
        }
        read_attributes(lines)?;
    }
    Ok(())
}

/// Reads attributes up to a blank line. The name ends at the colon of its first line: unlike in libinstrument
/// it can't be continued.
fn read_attributes(lines: &mut Lines<'_>) -> Result<(), Refusal> {
    let mut seen_header = false;
    while let Some(line) = lines.next()? {
        if line.is_empty() {
            break;
        }
        if line[0] == b' ' {
            if !seen_header {
                return Err(Refusal::Misplaced(lines.number));
            }
            continue;
        }
        let name = line.iter().position(|byte| *byte == b':').map(|colon| line.split_at(colon));
        let Some((name, [b':', b' ', ..])) = name else {
            return Err(Refusal::InvalidHeader(lines.number));
        };
        let valid = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.is_empty() || name.len() > NAME_LIMIT || !name.iter().all(valid) {
            return Err(Refusal::InvalidName(lines.number));
        }
        seen_header = true;
    }
    Ok(())
}

struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    /// The next line without its newline; none at the end, nor for a last line without a newline.
    fn next(&mut self) -> Result<Option<&'a [u8]>, Refusal> {
        let all = self.rest;
        let Some(end) = all.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            self.rest = &[];
            return match all.len() {
                0..LINE_LIMIT => Ok(None),
                _ => Err(Refusal::LineTooLong(self.number + 1)),
            };
        };
        self.number += 1;
        if end >= LINE_LIMIT {
            return Err(Refusal::LineTooLong(self.number));
        }
        let newline = if all[end..].starts_with(b"\r\n") && end + 2 <= LINE_LIMIT { 2 } else { 1 };
        self.rest = &all[end + newline..];
        Ok(Some(&all[..end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_or_tolerated() {
        for text in [
            "A: b\n\n",
            "A: b\r\n c\r\n\r\nName: x\r\n y\r\nB: c\r\n\r\n",
            "A: b\rC: d\r\r",
            "A: b\nC",
            "",
            "\n\n",
            "A: b\n\nName: x\nB: y",
        ] {
            assert_eq!(refusal(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(refusal(format!("A: {}\n", "x".repeat(508)).as_bytes()), None);
    }

    #[test]
    fn refused() {
        let long = format!("A: b\nC: {}\n", "x".repeat(509));
        for (text, expected) in [
            (" A: b\n", Refusal::Misplaced(1)),
            ("A\n b: c\n", Refusal::InvalidHeader(1)),
            ("A: b\nA b: c\n", Refusal::InvalidName(2)),
            ("\u{feff}A: b\n", Refusal::InvalidName(1)),
            ("A: b\n\nC: d\n", Refusal::NoSectionName(3)),
            ("A: b\n\nName: x\nC:d\n", Refusal::InvalidHeader(4)),
            (long.as_str(), Refusal::LineTooLong(2)),
        ] {
            assert_eq!(refusal(text.as_bytes()), Some(expected), "{text:?}");
        }
        assert_eq!(refusal(format!("{}: b\n", "x".repeat(71)).as_bytes()), Some(Refusal::InvalidName(1)));
    }
}
