//! Threads: those of ours that look into the JVM now and then, and the names of the others, read when the injector asks,
//! since a probe that wrote them down would cost every call.

use std::collections::HashSet;

use jgraft_jvmti::{Environment, Error};
use jni::{Env, JavaVM, jni_sig, jni_str, vm::AttachConfig};

use super::names::NamesFile;

/// Does something in a thread of ours, which the JVM knows for so long and no longer.
pub(super) fn attached<T, E: From<jni::errors::Error>>(
    vm: &JavaVM,
    work: impl FnOnce(&mut Env<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let attach = || AttachConfig::new().thread_name(jni_str!("jgraft-trace")).scoped(true);
    vm.attach_current_thread_with_config(attach, None, work)
}

/// The live threads whose names were written.
#[derive(Debug, Default)]
pub(super) struct Known(HashSet<i64>);

impl Known {
    /// Writes a line for each live platform thread that has none. Where that fails, numbers have to do.
    pub(super) fn tell(&mut self, vm: &JavaVM, environment: &Environment, file: &mut NamesFile) {
        let (mut lines, mut live) = (String::new(), HashSet::new());
        let _ = attached(vm, |jni| {
            environment.each_thread(jni, |jni, thread, name| {
                let id = jni.get_field(thread, jni_str!("tid"), jni_sig!("J")).and_then(|id| id.j());
                if let Some(id) = id.ok().filter(|id| live.insert(*id) && !self.0.contains(id)) {
                    let name: String = name.chars().filter(|c| !c.is_control()).collect();
                    lines.push_str(&format!("{id}\t{name}\n"));
                }
            })?;
            Ok::<_, Error>(())
        });
        file.add(&lines);
        // A number is never used again, so that of one that ended need not be kept.
        self.0 = live;
    }
}
