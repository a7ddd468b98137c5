//! What is done to the bytes of a hostile OpenJ9. See [`crate::hostile`].

use super::answer::interpret;
use super::command::Answer;
use super::properties::value;

/// Reads it as every kind of answer, and as an announcement.
pub(crate) fn answer(bytes: &[u8]) {
    for kind in [Answer::Load, Answer::Diagnostics, Answer::Properties, Answer::Version, Answer::Result] {
        let (header, _) = interpret(kind, bytes);
        assert!((-1..=1).contains(&header));
    }
    for key in ["vmId", "processId", "replyPort", ""] {
        let _ = value(bytes, key);
    }
}
