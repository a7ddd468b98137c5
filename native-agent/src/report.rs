//! What it came to, as the pairs of a reply.

use jgraft_jvmti::{Error, Panic};
use jgraft_protocol::native::{reply as keys, stage};
use jgraft_protocol::properties;
use jgraft_protocol::session::reply;

use crate::observer::Observer;

/// Why it was not done.
#[derive(Debug)]
pub(crate) struct Failure {
    stage: &'static str,
    message: String,
    error: Option<String>,
}

impl Failure {
    pub(crate) fn new(stage: &'static str, message: impl Into<String>) -> Failure {
        Failure { stage, message: message.into(), error: None }
    }

    /// A call of the JVM failed.
    pub(crate) fn call(stage: &'static str, message: &str, error: &Error) -> Failure {
        Failure { stage, message: message.to_owned(), error: Some(error.to_string()) }
    }

    pub(crate) fn panic(panic: &Panic) -> Failure {
        let message = "a defect in the native agent, which was caught";
        Failure { stage: stage::PANIC, message: message.to_owned(), error: Some(panic.to_string()) }
    }
}

/// The text of the reply.
pub(crate) fn text(observer: Option<&Observer>, result: &Result<(), Failure>) -> String {
    let mut pairs = Pairs::default();
    match result {
        Ok(()) => {
            pairs.add(reply::OUTCOME, reply::OK);
            pairs.add(reply::STAGE, stage::SEEN);
        }
        Err(failure) => pairs.add_failure(failure),
    }
    if let Some(observer) = observer {
        pairs.add_observer(observer);
    }
    pairs.text()
}

/// The text of a reply that has these pairs beside its outcome.
pub(crate) fn pairs(result: &Result<Vec<(String, String)>, Failure>) -> String {
    let mut pairs = Pairs::default();
    match result {
        Ok(found) => {
            pairs.add(reply::OUTCOME, reply::OK);
            pairs.0.extend_from_slice(found);
        }
        Err(failure) => pairs.add_failure(failure),
    }
    pairs.text()
}

#[derive(Default)]
struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn add(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.push((key.into(), value.into()));
    }

    fn add_failure(&mut self, failure: &Failure) {
        self.add(reply::OUTCOME, reply::FAILED);
        self.add(reply::STAGE, failure.stage);
        self.add(reply::MESSAGE, &failure.message);
        if let Some(error) = &failure.error {
            self.add(keys::ERROR, error);
        }
    }

    fn text(&self) -> String {
        properties::write(self.0.iter().map(|(key, value)| (&**key, &**value)))
    }

    fn add_observer(&mut self, observer: &Observer) {
        self.add(keys::CLASS, observer.class.shown());
        let calls = observer.calls();
        for (number, seen) in (1..).zip(&calls) {
            let key = |key| keys::nth(key, number);
            self.add(key(keys::BYTES), seen.bytes.to_string());
            if let Some(major) = seen.major {
                self.add(key(keys::MAJOR), major.to_string());
            }
            self.add(key(keys::LOADER), &*seen.loader);
            self.add(key(keys::REDEFINED), seen.redefined.to_string());
            self.add(key(keys::HOOK_THREAD), &*seen.thread);
        }
        self.add(keys::HOOK_CALLS, calls.len().to_string());
        self.add(keys::HOOK_OTHER, observer.others().to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class_name::ClassName;
    use crate::observer::Seen;

    fn get<'p>(pairs: &'p [(String, String)], key: &str) -> &'p str {
        properties::get(pairs, key).unwrap_or_default()
    }

    #[test]
    fn two_loaders_have_a_set_of_keys_each() {
        let observer = Observer::new(ClassName::parse("shop.Order").unwrap());
        for loader in ["boot", "shop.Loader"] {
            let (thread, loader) = ("main".to_owned(), loader.to_owned());
            observer.note(Seen { bytes: 100, major: Some(52), loader, redefined: true, thread });
        }
        observer.note_other();
        let pairs = properties::parse(text(Some(&observer), &Ok(())).as_bytes());
        for (key, value) in [
            ("outcome", "ok"),
            ("stage", "seen"),
            ("class", "shop.Order"),
            ("loader", "boot"),
            ("loader.2", "shop.Loader"),
            ("major.2", "52"),
            ("hook.calls", "2"),
            ("hook.other", "1"),
        ] {
            assert_eq!(get(&pairs, key), value, "{key}");
        }
    }

    #[test]
    fn a_failure_has_its_reason() {
        let failure = Failure::new(stage::OPTIONS, "no class=NAME among the options");
        let pairs = properties::parse(text(None, &Err(failure)).as_bytes());
        assert_eq!((get(&pairs, "outcome"), get(&pairs, "stage")), ("failed", "options"));
        assert_eq!(get(&pairs, "message"), "no class=NAME among the options");
        assert_eq!(pairs.len(), 3);
    }
}
