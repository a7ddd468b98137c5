//! What a JVM says, on its way to stdout: a terminal gets no control character of a target but line end and tab; a pipe or
//! a file gets every byte as it came.

use std::borrow::Cow;
use std::fmt::Write;
use std::io::{self, IsTerminal};

/// Passes on one answer, piece by piece.
pub(crate) enum Passage {
    Raw,
    /// With the beginning of a character that the last piece ended in: three bytes at most.
    Shown(Vec<u8>),
}

impl Passage {
    pub(crate) fn to_stdout() -> Passage {
        if io::stdout().is_terminal() { Passage::Shown(Vec::new()) } else { Passage::Raw }
    }

    /// The piece as it may be printed.
    pub(crate) fn pass<'p>(&mut self, piece: &'p [u8]) -> Cow<'p, [u8]> {
        let Passage::Shown(held) = self else { return Cow::Borrowed(piece) };
        held.extend_from_slice(piece);
        let whole = held.len() - unfinished(held);
        let rest = held.split_off(whole);
        Cow::Owned(shown(&std::mem::replace(held, rest)))
    }

    /// What was held back for its other half, at the end.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        match self {
            Passage::Raw => Vec::new(),
            Passage::Shown(held) => shown(&std::mem::take(held)),
        }
    }
}

/// How many bytes at the end begin a character that is not there yet.
fn unfinished(bytes: &[u8]) -> usize {
    let last = bytes.utf8_chunks().last().map_or(&b""[..], |chunk| chunk.invalid());
    match std::str::from_utf8(last) {
        Err(e) if e.error_len().is_none() => last.len(),
        _ => 0,
    }
}

fn shown(bytes: &[u8]) -> Vec<u8> {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' | '\t' => text.push(c),
                c if c.is_control() => text.extend(c.escape_default()),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\x1b]0;you\x07 \"a\tb\"\r\n\u{9b}2Jü€𝄞\n\u{7f}";
    const WANTED: &str = "\\u{1b}]0;you\\u{7} \"a\tb\"\\r\n\\u{9b}2Jü€𝄞\n\\u{7f}";

    #[test]
    fn control_characters_are_shown_wherever_the_pieces_end() {
        for size in 1..SAID.len() {
            let mut passage = Passage::Shown(Vec::new());
            let mut printed = Vec::new();
            for piece in SAID.as_bytes().chunks(size) {
                printed.extend_from_slice(&passage.pass(piece));
            }
            printed.extend(passage.rest());
            assert_eq!(String::from_utf8(printed).unwrap(), WANTED, "in pieces of {size}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_too() {
        let mut passage = Passage::Shown(Vec::new());
        assert_eq!(*passage.pass(b"a\x9b2J\xff\xe2\x82"), *b"a\\x9b2J\\xff");
        assert_eq!(passage.rest(), b"\\xe2\\x82");
        assert_eq!(passage.rest(), b"");
    }

    #[test]
    fn a_pipe_gets_every_byte() {
        let mut passage = Passage::Raw;
        assert_eq!(*passage.pass(b"\x1b[2J\xff\xe2"), *b"\x1b[2J\xff\xe2");
        assert_eq!(passage.rest(), b"");
    }
}
