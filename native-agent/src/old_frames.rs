//! Threads that still run the old version of a method after a redefinition: a frame keeps the code that it began with, until it
//! ends, which a loop at the bottom of a stack may never do.

use jgraft_jvmti::Environment;
use jgraft_jvmti::jni::JavaVM;
use jgraft_jvmti::jni::strings::JNIStr;
use jgraft_protocol::native::{in_force as keys, stage};

use crate::class_name::{ClassName, shown};
use crate::report::Failure;

/// The pairs of the reply: of classes with these names, or of all.
pub(crate) fn answer(
    vm: &JavaVM,
    environment: &Environment,
    names: &[ClassName],
) -> Result<Vec<(String, String)>, Failure> {
    let told = vm.with_top_local_frame(|jni| {
        let is_meant =
            |signature: &JNIStr| names.is_empty() || names.iter().any(|name| name.has_signature(signature));
        let frames = environment.obsolete_frames(jni, keys::MOST_OLD, &is_meant)?;
        let mut pairs = vec![
            (keys::THREADS_SEEN.to_owned(), frames.threads.to_string()),
            (keys::THREADS_UNREAD.to_owned(), frames.unread.to_string()),
        ];
        if frames.found.len() >= keys::MOST_OLD {
            pairs.push((keys::OLD_MORE.to_owned(), true.to_string()));
        }
        for (n, frame) in (1..).zip(&frames.found) {
            let signature = frame.class.signature(environment)?;
            let mut put = |key: &str, value: String| pairs.push((format!("{key}{n}"), value));
            put(keys::OLD_THREAD, frame.thread.clone());
            put(keys::OLD_CLASS, shown(&signature.to_string()));
            put(keys::OLD_LOADER_ID, frame.class.loader(environment, jni)?.1.to_string());
            put(keys::OLD_METHOD, frame.method.clone());
        }
        Ok::<_, jgraft_jvmti::Error>(pairs)
    });
    told.map_err(|error| Failure::call(stage::READ, "the jvm does not tell what its threads run", &error))
}
