//! The text of `java.util.Properties`, in which OpenJ9 announces its VMs and answers. Pure.
//!
//! Read as `load(InputStream)` reads it: ISO 8859-1, `\uXXXX` for UTF-16 units, a `\` at a line's end continues it.

/// The value of a key; the last one counts.
pub(super) fn value(text: &[u8], key: &str) -> Option<String> {
    let mut found = None;
    let mut rest = text;
    while let Some((name, value)) = next_pair(&mut rest) {
        if name == key {
            found = Some(value);
        }
    }
    found
}

fn next_pair(rest: &mut &[u8]) -> Option<(String, String)> {
    let line = next_line(rest)?;
    let mut escaped = false;
    let end = line.iter().position(|&b| {
        let here = !escaped && matches!(b, b'=' | b':' | b' ' | b'\t' | b'\x0c');
        escaped = b == b'\\' && !escaped;
        here
    });
    let (name, value) = line.split_at(end.unwrap_or(line.len()));
    let value = value.trim_ascii_start();
    let value = value.strip_prefix(b"=").or_else(|| value.strip_prefix(b":")).unwrap_or(value);
    Some((unescape(name), unescape(value.trim_ascii_start())))
}

/// The next line that is neither blank nor a comment, its continuations joined.
fn next_line(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let mut line: Vec<u8> = Vec::new();
    let mut continued = false;
    while !rest.is_empty() {
        let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len());
        let (natural, after) = rest.split_at(end);
        *rest = after.get(1..).unwrap_or_default();
        let natural = natural.trim_ascii_start();
        if !continued && matches!(natural.first(), None | Some(b'#' | b'!')) {
            continue;
        }
        line.extend_from_slice(natural);
        if line.iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 0 {
            return Some(line);
        }
        line.pop();
        continued = true;
    }
    (!line.is_empty()).then_some(line)
}

fn unescape(bytes: &[u8]) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'\\' {
            units.push(first.into());
            continue;
        }
        let Some((&escaped, tail)) = rest.split_first() else { break };
        rest = tail;
        let unit = match escaped {
            b'n' => b'\n'.into(),
            b'r' => b'\r'.into(),
            b't' => b'\t'.into(),
            b'f' => 0x0c,
            b'u' => match unicode(rest) {
                Some(unit) => {
                    rest = rest.get(4..).unwrap_or_default();
                    unit
                }
                None => b'u'.into(),
            },
            other => other.into(),
        };
        units.push(unit);
    }
    String::from_utf16_lossy(&units)
}

fn unicode(rest: &[u8]) -> Option<u16> {
    let digits = rest.get(..4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_java_writes() {
        let text = b"#Thu Jan 01\n\na=1\nb\\ c : two \\u00fc\\\n   more\na=3\nlast=\\uD834\\uDD1E\\n\\x\\";
        assert_eq!(value(text, "a").as_deref(), Some("3"));
        assert_eq!(value(text, "b c").as_deref(), Some("two \u{fc}more"));
        assert_eq!(value(text, "last").as_deref(), Some("\u{1d11e}\nx"));
        assert_eq!(value(text, "none"), None);
    }

    #[test]
    fn no_text_panics() {
        for text in [&b"\\"[..], b"=", b"\\u12", b"a=\\u\xff\xff\xff\xff", b"a\\\n", b"\r\r#", b"k=\\\\"] {
            value(text, "a");
        }
    }
}
