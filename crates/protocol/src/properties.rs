//! The text of `java.util.Properties`: what `load(InputStream)` reads and `store` writes.
//!
//! One pair a line, key and value separated by `=`, `:` or blanks; `\` escapes, `\uXXXX` is a UTF-16 unit, a `\` at the
//! end of a line continues it, `#` and `!` begin comments. The bytes are ISO 8859-1; what is written here is ASCII.

/// Writes pairs so that Java reads back the same.
pub fn write<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        escape(key, true, &mut text);
        text.push('=');
        escape(value, false, &mut text);
        text.push('\n');
    }
    text
}

/// Reads every pair, in order. Like Java it accepts anything: a damaged `\u` stands for itself.
pub fn parse(bytes: &[u8]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = bytes;
    while let Some(line) = logical_line(&mut rest) {
        let (key, value) = split(&line);
        pairs.push((unescape(key), unescape(value)));
    }
    pairs
}

/// The value of the last pair with this key, which is the one that `Properties` would keep.
pub fn get<'a>(pairs: &'a [(String, String)], key: &str) -> Option<&'a str> {
    pairs.iter().rev().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
}

fn escape(text: &str, key: bool, out: &mut String) {
    for (at, c) in text.chars().enumerate() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' | '=' | ':' | '#' | '!' => out.extend(['\\', c]),
            // A blank would end a key, and be lost at the beginning of a value.
            ' ' if key || at == 0 => out.push_str("\\ "),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04X}"));
                }
            }
        }
    }
}

/// The next line that is no comment and not blank, its continuations joined.
fn logical_line(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let mut line: Vec<u8> = Vec::new();
    let mut continued = false;
    while !rest.is_empty() {
        let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len());
        let natural = rest[..end].trim_ascii_start();
        *rest = &rest[(end + 1).min(rest.len())..];
        if !continued && (natural.is_empty() || matches!(natural[0], b'#' | b'!')) {
            continue;
        }
        line.extend_from_slice(natural);
        let backslashes = line.iter().rev().take_while(|&&b| b == b'\\').count();
        if backslashes % 2 == 0 {
            return Some(line);
        }
        line.pop();
        continued = true;
    }
    (!line.is_empty()).then_some(line)
}

/// At the first separator that is not escaped; blanks around it go.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let mut escaped = false;
    let end = line.iter().position(|&b| {
        let here = !escaped && matches!(b, b'=' | b':' | b' ' | b'\t' | b'\x0c');
        escaped = b == b'\\' && !escaped;
        here
    });
    let Some(end) = end else { return (line, b"") };
    let value = line[end..].trim_ascii_start();
    let value = match value.split_first() {
        Some((b'=' | b':', after)) => after.trim_ascii_start(),
        _ => value,
    };
    (&line[..end], value)
}

fn unescape(bytes: &[u8]) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'\\' {
            units.push(u16::from(first));
            continue;
        }
        let Some((&escaped, tail)) = rest.split_first() else { break };
        rest = tail;
        units.push(match escaped {
            b'n' => u16::from(b'\n'),
            b'r' => u16::from(b'\r'),
            b't' => u16::from(b'\t'),
            b'f' => 0x0c,
            b'u' => match rest.split_at_checked(4).and_then(|(hex, tail)| Some((hex_unit(hex)?, tail))) {
                Some((unit, tail)) => {
                    rest = tail;
                    unit
                }
                None => u16::from(b'u'),
            },
            other => u16::from(other),
        });
    }
    String::from_utf16_lossy(&units)
}

fn hex_unit(hex: &[u8]) -> Option<u16> {
    let hex = std::str::from_utf8(hex).ok().filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u16::from_str_radix(hex, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let texts =
            ["", " ", "a b", " lead", "x=1,y:2", "#no", "päö €", "𝄞", "line\nnext\r\t\\", "\\u0041", "end\\"];
        for key in texts {
            for value in texts {
                let written = write([(key, value)]);
                assert!(written.is_ascii());
                assert_eq!(parse(written.as_bytes()), pairs(&[(key, value)]), "{written:?}");
            }
        }
    }

    #[test]
    fn reads_what_java_writes() {
        let text = b"#Sun Nov 22 23:19:54 UTC 2026\r\n! note\n\n  a : 1 \\\n     two\nkey\\ with\\=x value\nempty\n\\u20ac=\xe4\nlast=x\\";
        let expected = [("a", "1 two"), ("key with=x", "value"), ("empty", ""), ("€", "ä"), ("last", "x")];
        assert_eq!(parse(text), pairs(&expected));
    }

    #[test]
    fn damage_is_no_panic() {
        assert_eq!(parse(b"a=\\u00"), pairs(&[("a", "u00")]));
        assert_eq!(parse(b"a=\\uzzzz\\ud800"), pairs(&[("a", "uzzzz\u{fffd}")]));
        assert_eq!(parse(b"\\"), vec![]);
        for byte in 0..=255u8 {
            parse(&[b'a', byte, b'\\', byte, b'=', byte]);
        }
    }

    #[test]
    fn the_last_one_counts() {
        let read = parse(b"a=1\na=2\n");
        assert_eq!(get(&read, "a"), Some("2"));
        assert_eq!(get(&read, "b"), None);
    }
}
