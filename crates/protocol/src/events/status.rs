//! A text in the event memory that says what is going on: whoever may read the target's descriptors can read it, and nothing
//! has to be asked of the JVM. Pairs as in [`crate::properties`].

use std::sync::atomic::{AtomicU64, Ordering, fence};

use super::layout::{STATUS, WORD, WORD_STATUS_CHANGES, WORD_STATUS_LENGTH};

/// The longest, in bytes.
pub const STATUS_LIMIT: usize = (STATUS.end - STATUS.start) * WORD;

/// A reader that finds the text being written looks again so often.
const TRIES: usize = 1000;

/// Replaces the text; what is too long is cut. One thread at a time.
pub fn put_status(words: &[AtomicU64], text: &str) -> Option<()> {
    let changes = words.get(WORD_STATUS_CHANGES)?;
    let count = changes.load(Ordering::Relaxed) | 1;
    changes.store(count, Ordering::Relaxed);
    // Whoever sees a new word sees the odd number.
    fence(Ordering::Release);
    let bytes = text.as_bytes().get(..STATUS_LIMIT).unwrap_or(text.as_bytes());
    words.get(WORD_STATUS_LENGTH)?.store(bytes.len() as u64, Ordering::Relaxed);
    for (word, chunk) in words.get(STATUS)?.iter().zip(bytes.chunks(WORD)) {
        let mut value = [0; WORD];
        value.get_mut(..chunk.len())?.copy_from_slice(chunk);
        word.store(u64::from_ne_bytes(value), Ordering::Relaxed);
    }
    changes.store(count.wrapping_add(1), Ordering::Release);
    Some(())
}

/// The text; none where it is never at rest, or is none.
pub fn status(words: &[AtomicU64]) -> Option<Vec<u8>> {
    let changes = words.get(WORD_STATUS_CHANGES)?;
    for _ in 0..TRIES {
        let before = changes.load(Ordering::Acquire);
        let length = words.get(WORD_STATUS_LENGTH)?.load(Ordering::Relaxed);
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(STATUS_LIMIT);
        let text = words.get(STATUS)?.iter().flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes());
        let text: Vec<u8> = text.take(length).collect();
        fence(Ordering::Acquire);
        if before % 2 == 0 && changes.load(Ordering::Relaxed) == before {
            return (before != 0).then_some(text);
        }
        std::hint::spin_loop();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Vec<AtomicU64> {
        (0..super::super::PAGE).map(|_| AtomicU64::new(0)).collect()
    }

    #[test]
    fn a_text_is_read_as_it_was_put() {
        let words = memory();
        assert_eq!(status(&words), None);
        for text in ["", "a", "state=tracing\nby=root\n", "12345678", &"x".repeat(STATUS_LIMIT)] {
            put_status(&words, text).unwrap();
            assert_eq!(status(&words).unwrap(), text.as_bytes());
        }
        put_status(&words, &"y".repeat(STATUS_LIMIT + 1)).unwrap();
        assert_eq!(status(&words).unwrap(), "y".repeat(STATUS_LIMIT).as_bytes());
    }

    #[test]
    fn never_half_of_one_and_half_of_another() {
        let words = memory();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..20_000 {
                    let letter = char::from(b'a' + n as u8 % 26);
                    put_status(&words, &String::from(letter).repeat(n % 200 + 1)).unwrap();
                }
            });
            for _ in 0..20_000 {
                let Some(text) = status(&words) else { continue };
                assert!(text.windows(2).all(|pair| pair[0] == pair[1]), "{text:?}");
            }
        });
    }

    #[test]
    fn a_target_that_lies_ends_nothing() {
        let words = memory();
        words[WORD_STATUS_CHANGES].store(3, Ordering::Relaxed);
        assert_eq!(status(&words), None, "written for ever");
        words[WORD_STATUS_CHANGES].store(2, Ordering::Relaxed);
        words[WORD_STATUS_LENGTH].store(u64::MAX, Ordering::Relaxed);
        assert_eq!(status(&words).map(|text| text.len()), Some(STATUS_LIMIT));
        assert_eq!(status(&words[..40]), None);
    }
}
