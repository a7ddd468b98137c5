//! The border that no panic crosses: run, catch, say what it was.
//!
//! A panic that unwound into the JVM would abort the process, and one that is reported the usual way would print to the
//! host's stderr.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

/// A panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    message: String,
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Runs `work`. A panic in it ends here, and nothing is printed.
///
/// What `work` shares with others may be half done afterwards: that is for the caller to judge.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Panic> {
    static HOOK: Once = Once::new();
    HOOK.call_once(note_instead_of_printing);
    let outer = CATCHING.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(outer);
    result.map_err(|payload| {
        let noted = NOTED.try_with(|noted| noted.take()).ok().filter(|noted| !noted.is_empty());
        let message = noted.unwrap_or_else(|| text(&*payload).to_owned());
        // A payload whose destructor panics has nowhere to go; panics here carry text.
        std::mem::forget(payload);
        Panic { message }
    })
}

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static NOTED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Panics outside of [`catch`] are reported as before; the hook is that of the Rust runtime inside this library.
fn note_instead_of_printing() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| match CATCHING.get() {
        true => note(info),
        false => before(info),
    }));
}

fn note(info: &PanicHookInfo<'_>) {
    let mut message = text(info.payload()).to_owned();
    if let Some(location) = info.location() {
        message.push_str(&format!(" at {location}"));
    }
    // During the end of a thread there may be no place for it; then the payload's text has to do.
    let _ = NOTED.try_with(|noted| noted.replace(message));
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic without words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_sentence_with_its_place() {
        let number = 7;
        let panic = catch(|| assert_eq!(number, 8, "seven ate it")).unwrap_err().to_string();
        assert!(panic.contains("seven ate it") && panic.contains("guard.rs:"), "{panic}");
        assert_eq!(catch(|| number), Ok(7));
    }

    #[test]
    fn catches_inside_of_each_other() {
        let outer = catch(|| {
            let inner = catch(|| panic!("inner")).unwrap_err().to_string();
            panic!("outer after {inner}");
        });
        let text = outer.unwrap_err().to_string();
        assert!(text.starts_with("outer after inner at "), "{text}");
    }
}
