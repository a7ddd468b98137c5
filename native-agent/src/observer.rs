//! What the class file load hook saw of the class that is looked at, and how often it was called for others.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jgraft_jvmti::{ClassFile, Loader, Panic};
use jgraft_protocol::native::reply::LOADER_BOOT;

use crate::class_name::{ClassName, shown};

/// One call of the hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) bytes: usize,
    pub(crate) major: Option<u16>,
    pub(crate) loader: String,
    pub(crate) redefined: bool,
    pub(crate) thread: String,
}

impl Seen {
    pub(crate) fn of(class: &ClassFile<'_>) -> Seen {
        Seen {
            bytes: class.bytes().len(),
            major: major_version(class.bytes()),
            loader: match class.loader_class() {
                Ok(Loader::Boot) => LOADER_BOOT.to_owned(),
                Ok(Loader::Class(signature)) => shown(&signature),
                Err(error) => format!("unknown: {error}"),
            },
            redefined: class.is_redefinition(),
            thread: thread_name(),
        }
    }
}

/// The notes that callbacks make in whatever thread they are called.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) class: ClassName,
    calls: Mutex<Vec<Seen>>,
    others: AtomicUsize,
    panic: Mutex<Option<Panic>>,
}

impl Observer {
    pub(crate) fn new(class: ClassName) -> Observer {
        Observer { class, calls: Mutex::default(), others: AtomicUsize::new(0), panic: Mutex::default() }
    }

    pub(crate) fn is_about(&self, class: &ClassFile<'_>) -> bool {
        class.name().is_some_and(|name| self.class.is(name))
    }

    pub(crate) fn note(&self, seen: Seen) {
        lock(&self.calls).push(seen);
    }

    pub(crate) fn note_other(&self) {
        self.others.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn note_panic(&self, panic: &Panic) {
        *lock(&self.panic) = Some(panic.clone());
    }

    pub(crate) fn calls(&self) -> Vec<Seen> {
        lock(&self.calls).clone()
    }

    pub(crate) fn others(&self) -> usize {
        self.others.load(Ordering::Relaxed)
    }

    pub(crate) fn panic(&self) -> Option<Panic> {
        lock(&self.panic).clone()
    }
}

/// None of these values can be half written, so a panic elsewhere does not spoil them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// JVMS 4.1: u4 magic, u2 minor_version, u2 major_version.
fn major_version(class_file: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes([*class_file.get(6)?, *class_file.get(7)?]))
}

/// As the kernel knows it: asking the JVM would call Java in the midst of a class load.
fn thread_name() -> String {
    let name = fs::read_to_string("/proc/thread-self/comm").unwrap_or_default();
    name.trim_end_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_major_version_is_in_bytes_6_and_7() {
        assert_eq!(super::major_version(&[0xca, 0xfe, 0xba, 0xbe, 0, 3, 0, 52, 9]), Some(52));
        assert_eq!(super::major_version(&[0xca, 0xfe, 0xba, 0xbe, 0, 3, 0]), None);
    }
}
