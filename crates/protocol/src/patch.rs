//! A patch: what the injector and the bundled Java agent say to each other in a session with the verb [`VERB`].
//!
//! The reply to the session's request tells what is loaded and what is patched. After it a thread of the agent takes steps:
//! the injector writes `request-2`, whose last line is `end=true`, and the agent answers with `reply-2`, which is whole or
//! not there; then `request-3`, and so on until the step [`step::END`]. All that while the injector holds a lock on
//! [`LEASE`]. What was applied and not committed when the lock is gone, or after [`TIME_TO_LIVE`] without a step, is rolled
//! back. The agent knows no class-file format: bytes come in files of the session, whose names are in the pairs and hold
//! letters, digits, `-` and `.` alone.
//!
//! A key that ends in a dot has a number behind it, from 1 on. The Java side has these words in literals; a test of this
//! module looks for each of them there.

/// [`crate::session::request::VERB`]: patch classes.
pub const VERB: &str = "patch";
/// The file that the injector holds a lock on. The agent removes it when it has given the session up, and nothing of it is
/// pending any more.
pub const LEASE: &str = "lease";
/// The name of the file without a name, kept open by the JVM, with the journal that the injector wrote: the link in
/// `/proc/PID/fd` ends in `/jgraft-journal (deleted)`.
pub const JOURNAL: &str = "jgraft-journal";

/// Of the request: a class to look for, its name with dots. Of the reply: a loaded class of such a name, once for each loader
/// that has one. Its number is what steps call it by.
pub const CLASS: &str = "class.";
/// Of the request: `true`: steps follow.
pub const STEPS: &str = "steps";
/// Of the request: for how many milliseconds the injector may be silent.
pub const TIME_TO_LIVE: &str = "ttl.ms";
/// If the request does not say.
pub const DEFAULT_TIME_TO_LIVE_MS: u64 = 60_000;

/// How often something was committed in this JVM, or a class came that was waited for. Of the reply; of the step
/// [`step::APPLY`], which is refused if it is another by then; of the reply to [`step::COMMIT`], as it is after it.
pub const GENERATION: &str = "generation";
/// In the reply: `true` where a class was ever redefined for a patch in this JVM, which the first time costs one of 8 to 22 its
/// compiled code.
pub const REDEFINED: &str = "redefined";

/// The file of a step's request, from 2 on: the session's own request is the first.
pub fn request(n: usize) -> String {
    format!("request-{n}")
}

/// The file of the answer to it.
pub fn reply(n: usize) -> String {
    format!("reply-{n}")
}

/// Keys of the reply to the session's request, beside [`GENERATION`](super::GENERATION) and [`CLASS`](super::CLASS). The
/// keys with one number behind them speak of one class.
pub mod told {
    /// What the keeper (JDK 19 and older, and classes that were waited for) could not do the last time.
    pub const KEEPER_ERROR: &str = "keeper.error";
    /// The classes that could not be put back when a session was abandoned.
    pub const ROLLBACK_ERROR: &str = "rollback.error";

    /// The name of the class of the loader, with dots, or `boot`.
    pub const LOADER: &str = "loader.";
    /// The loader's identity hash code; 0 for the boot loader.
    pub const LOADER_ID: &str = "loader.id.";
    /// Whether the JVM would let the class be changed.
    pub const MODIFIABLE: &str = "modifiable.";
    /// The file with the class as it was before any patch.
    pub const BASE: &str = "base.";
    /// Where that is from: one of the `KIND_` values.
    pub const BASE_KIND: &str = "base.kind.";
    /// The agent has kept it: the class is patched, or was.
    pub const KIND_KEPT: &str = "kept";
    /// What the class's loader gives as its resource. It may be another version than was loaded.
    pub const KIND_RESOURCE: &str = "resource";
    /// A patch has defined this class from it.
    pub const KIND_HELPER: &str = "helper";
    /// Where the resource is.
    pub const BASE_URL: &str = "base.url.";
    /// Why there is no base.
    pub const BASE_ERROR: &str = "base.error.";
    /// The file with the class as it is patched; only there if it is.
    pub const CURRENT: &str = "current.";

    /// A name of which no class is loaded.
    pub const UNLOADED: &str = "unloaded.";
    /// With the number of the name, a dot, the number of the loader, and one of the ends below: a loader that would load it.
    pub const CANDIDATE: &str = "candidate.";
    /// The file with what it would load.
    pub const END_FILE: &str = ".file";
    /// As [`LOADER`].
    pub const END_LOADER: &str = ".loader";
    /// As [`LOADER_ID`].
    pub const END_LOADER_ID: &str = ".loader.id";

    /// A class that is patched when it is loaded; numbers may be missing. All of them are told, whatever was asked for.
    pub const WANTED: &str = "wanted.";
    /// As [`LOADER`].
    pub const WANTED_LOADER: &str = "wanted.loader.";
    /// As [`LOADER_ID`].
    pub const WANTED_LOADER_ID: &str = "wanted.loader.id.";
    /// The file with what is expected to be loaded.
    pub const WANTED_BASE: &str = "wanted.base.";
    /// The file with what it will be then.
    pub const WANTED_CURRENT: &str = "wanted.current.";

    /// The name of a blob. All are told.
    pub const BLOB: &str = "blob.";
    /// With the number in between: `blob.1.file` is the file with its bytes.
    pub const BLOB_FILE: &str = ".file";
}

/// Steps, and the keys of each. A class is meant by its number in the reply to the session's request.
pub mod step {
    /// Which step it is.
    pub const STEP: &str = "step";
    /// Write the bytes that a retransformation hands out. Costs what a retransformation costs.
    pub const HAND: &str = "hand";
    /// Redefine, pending until [`COMMIT`].
    pub const APPLY: &str = "apply";
    /// What was applied is to stay.
    pub const COMMIT: &str = "commit";
    /// What was applied goes back.
    pub const ROLLBACK: &str = "rollback";
    /// The session is over. What is pending goes back.
    pub const END: &str = "end";

    /// [`HAND`]: the number of a class. Not one that is patched.
    pub const HAND_CLASS: &str = "hand.";
    /// The reply to it, with the number of the class behind it: the file.
    pub const HANDED: &str = "handed.";
    /// Instead of [`HANDED`]: why there are no bytes that could be the class's base. Another agent may edit the class.
    pub const HANDED_ERROR: &str = "handed.error.";

    /// [`APPLY`]: the number of a class that is redefined. Its file is `set.1.file`, with [`FILE`] behind.
    pub const SET: &str = "set.";
    /// [`SET`]: what to keep as the class's base. Needed for a class that was never patched.
    pub const SET_BASE: &str = ".base";
    /// [`SET`]: `true`: the class is not patched after this.
    pub const SET_CLEAR: &str = ".clear";
    /// [`APPLY`]: the name of a new class, with dots, and its [`FILE`].
    pub const DEFINE: &str = "define.";
    /// [`DEFINE`]: the number of a class in whose loader, and with whose origin, it is defined; or a candidate (`2.1`), which is
    /// to be loaded by it.
    pub const DEFINE_LOADER: &str = ".loader";
    /// [`APPLY`]: a candidate (`2.1`) to be patched when it is loaded; its [`FILE`] is what it will be, and
    /// [`LOAD_BASE`] what is expected.
    pub const LOAD: &str = "load.";
    /// [`LOAD`]: the file of what is expected to be loaded, which is the base.
    pub const LOAD_BASE: &str = ".base";
    /// [`APPLY`]: the number of a class in [`WANTED`](super::told::WANTED) that is not to be waited for any more.
    pub const FORGET: &str = "forget.";
    /// Behind a key with its number: the file with the bytes.
    pub const FILE: &str = ".file";

    /// [`COMMIT`]: the name of a blob to keep, and its [`FILE`].
    pub const PUT: &str = "put.";
    /// [`COMMIT`]: the name of a blob to forget, before those of [`PUT`] are kept.
    pub const DROP: &str = "drop.";
    /// [`COMMIT`]: the file with the journal's text; without it none is left, which is refused while patches are.
    pub const JOURNAL_FILE: &str = "journal.file";

    /// The reply to [`APPLY`] and [`ROLLBACK`]: how many microseconds the redefinition took.
    pub const MICROSECONDS: &str = "us";
    /// The reply to [`APPLY`], with the number of a [`DEFINE`]: `false` where a patch had defined the same before.
    pub const DEFINED: &str = "defined.";
    /// In a reply that something failed: the words of the exception alone.
    pub const EXCEPTION_MESSAGE: &str = "exception.message";
}

/// The stages of [`crate::session::reply::STAGE`]. All is as it was before, but after [`ROLLBACK`](stage::ROLLBACK).
pub mod stage {
    /// The stub of this JVM keeps no state.
    pub const STATE: &str = "state";
    /// The request or the step says nothing that can be done.
    pub const REQUEST: &str = "request";
    /// A file of the session could not be written.
    pub const FILES: &str = "files";
    /// Nobody holds the lock on the lease.
    pub const LEASE: &str = "lease";
    /// What is patched has changed since the session began: begin another.
    pub const GENERATION: &str = "generation";
    /// Another session has not ended, and one at a time has its turn; or something applied is pending in this one.
    pub const BUSY: &str = "busy";
    /// A class loader of the application has not said in time what it has.
    pub const LOOK: &str = "look";
    /// A new class could not be defined. Those that could stay defined, and nobody uses them.
    pub const DEFINE: &str = "define";
    /// The JVM refused the redefinition.
    pub const REDEFINE: &str = "redefine";
    /// The JVM refused the retransformation of [`step::HAND`](super::step::HAND).
    pub const HAND: &str = "hand";
    /// The journal could not be written; the step is still pending.
    pub const JOURNAL: &str = "journal";
    /// The JVM refused to take classes back; the message names them.
    pub const ROLLBACK: &str = "rollback";
    /// A defect of the agent.
    pub const AGENT: &str = "agent";
}

#[cfg(test)]
mod tests {
    /// The Java side, as far as it knows these words.
    const JAVA: &str = concat!(
        include_str!("../../../agent-java/src/io/jgraft/agent/impl/HandedBytes.java"),
        include_str!("../../../agent-java/src/io/jgraft/agent/impl/HelperClasses.java"),
        include_str!("../../../agent-java/src/io/jgraft/agent/impl/Journal.java"),
        include_str!("../../../agent-java/src/io/jgraft/agent/impl/Lease.java"),
        include_str!("../../../agent-java/src/io/jgraft/agent/impl/Main.java"),
        include_str!("../../../agent-java/src/io/jgraft/agent/impl/PatchFailure.java"),
        include_str!("../../../agent-java/src/io/jgraft/agent/impl/PatchPlan.java"),
        include_str!("../../../agent-java/src/io/jgraft/agent/impl/PatchSession.java"),
        include_str!("../../../agent-java/src/io/jgraft/agent/impl/PatchState.java"),
        include_str!("../../../agent-java/src/io/jgraft/agent/impl/PatchStep.java"),
        include_str!("../../../agent-java/src/io/jgraft/agent/impl/PatchSteps.java"),
        include_str!("../../../agent-java/src/io/jgraft/agent/impl/PatchTargets.java"),
        include_str!("../../../agent-java/src/io/jgraft/agent/impl/SessionFiles.java"),
    );

    /// Each word is a literal there: whole, or with its dot at either end where a number joins it.
    #[test]
    fn the_java_side_says_the_same_words() {
        let source = include_str!("patch.rs").split("#[cfg(test)]").next().unwrap_or_default();
        let words: Vec<&str> = source
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("pub const "))
            .filter_map(|line| line.split('"').nth(1))
            .collect();
        assert!(words.len() > 60, "{words:?}");
        let missing: Vec<&str> =
            words.into_iter().filter(|word| !JAVA.contains(&format!("\"{word}\""))).collect();
        assert!(missing.is_empty(), "not in agent-java: {missing:?}");
        let silence = format!("SILENCE_MS = {};", super::DEFAULT_TIME_TO_LIVE_MS);
        assert!(JAVA.contains(&silence), "{silence}");
    }
}
