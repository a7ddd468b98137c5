//! The option string: `session=DIR,class=NAME`, or `session=DIR` where the session's request says what is wanted.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use jgraft_protocol::native::{OPTION_CLASS, OPTION_SESSION};

use crate::class_name::ClassName;

/// What is asked for. The class is an error of its own, since with a session there is somewhere to report it.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) session: PathBuf,
    pub(crate) class: Result<Option<ClassName>, String>,
}

impl Options {
    /// None where no session is named.
    pub(crate) fn parse(text: &[u8]) -> Option<Options> {
        let mut session = None;
        let mut class = Ok(None);
        let mut complaint = None;
        for option in text.split(|byte| *byte == b',') {
            let end = option.iter().position(|byte| *byte == b'=').unwrap_or(option.len());
            let (key, value) = (&option[..end], option.get(end + 1..).unwrap_or_default());
            if key == OPTION_SESSION.as_bytes() && session.is_none() {
                session = Some(PathBuf::from(OsStr::from_bytes(value)));
            } else if key == OPTION_CLASS.as_bytes() && matches!(class, Ok(None)) {
                let name = std::str::from_utf8(value).ok().and_then(ClassName::parse);
                let no_name = || format!("{:?} is no name of a class", String::from_utf8_lossy(value));
                class = name.map(Some).ok_or_else(no_name);
            } else {
                let option = String::from_utf8_lossy(option);
                complaint = Some(format!("option {option:?} is unknown, or there twice"));
            }
        }
        let class = complaint.map_or(class, Err);
        Some(Options { session: session?, class })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn session_and_class_in_any_order() {
        for text in ["session=/tmp/a b=c,class=shop.Order", "class=shop.Order,session=/tmp/a b=c"] {
            let options = Options::parse(text.as_bytes()).unwrap();
            assert_eq!(options.session, Path::new("/tmp/a b=c"));
            assert_eq!(options.class.unwrap().unwrap().shown(), "shop.Order");
        }
    }

    #[test]
    fn no_session_is_nothing() {
        for text in ["", "class=A", "session", "sessions=/tmp"] {
            assert!(Options::parse(text.as_bytes()).is_none_or(|o| o.session == Path::new("")), "{text}");
        }
    }

    #[test]
    fn with_a_session_the_rest_can_be_reported() {
        for (text, word) in [
            ("session=/s,class=[I", "\"[I\" is no name"),
            ("session=/s,class=A,class=B", "there twice"),
            ("session=/s,class=A,colour=red", "\"colour=red\" is unknown"),
            ("session=/s,class=A,", "\"\" is unknown"),
        ] {
            let message = Options::parse(text.as_bytes()).unwrap().class.unwrap_err();
            assert!(message.contains(word), "{text}: {message}");
        }
        assert!(Options::parse(b"session=/s,class=\xff").unwrap().class.is_err());
        assert!(Options::parse(b"session=/s").unwrap().class.unwrap().is_none());
    }
}
