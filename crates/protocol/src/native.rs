//! The native agent's part: its options, what its entry points return, and its keys in a reply.
//!
//! It is loaded with `session=DIR,class=NAME`. DIR is the session's directory, an absolute path in the target's view; it
//! holds no comma. NAME is one class, with dots or slashes between packages and `$` before a nested class. Without a class,
//! what is wanted is in the session's request: a [`trace`], or classes as they are [`in_force`].

/// The option with the session's directory.
pub const OPTION_SESSION: &str = "session";
/// The option with the name of the class to look at.
pub const OPTION_CLASS: &str = "class";

/// What `Agent_OnAttach` returns. `Agent_OnLoad` returns 0 whatever happens: anything else would keep the JVM from
/// starting. 100 to 102 are libinstrument's.
pub mod code {
    /// It was done; there is a reply.
    pub const DONE: i32 = 0;
    /// The options name no session. Nothing was done or written.
    pub const NO_SESSION: i32 = 110;
    /// The session's directory is missing, a symbolic link, somebody else's, or open for others to write. Nothing was
    /// done or written.
    pub const BAD_SESSION: i32 = 111;
    /// It was not done; the reply says why.
    pub const FAILED: i32 = 112;
    /// The reply could not be written: whether it was done is not known.
    pub const NO_REPLY: i32 = 113;
    /// A defect of the agent, caught before it could harm the JVM.
    pub const PANICKED: i32 = 114;

    /// What a code means, as a fragment; none for a code that is not the native agent's.
    pub fn explain(code: i32) -> Option<&'static str> {
        Some(match code {
            NO_SESSION => "its options name no session",
            BAD_SESSION => {
                "the session's directory is not there, or not a directory that only the jvm's user can write"
            }
            FAILED => "it was not done; the reply in the session's directory says why",
            NO_REPLY => "it could not write its reply into the session's directory",
            PANICKED => "a defect in the agent, which was caught",
            _ => return None,
        })
    }
}

/// The stages of [`crate::session::reply::STAGE`].
pub mod stage {
    /// Reading the options.
    pub const OPTIONS: &str = "options";
    /// Getting an environment with its capabilities and its hook.
    pub const ENVIRONMENT: &str = "environment";
    /// Looking for the class among the loaded ones, or waiting until it is loaded.
    pub const FIND: &str = "find";
    /// None of the classes is loaded whose code was asked for.
    pub const NOT_LOADED: &str = "not-loaded";
    /// Looking for a method in the class that is named with it.
    pub const FIND_METHOD: &str = "find-method";
    /// The request does not agree to what it would cost.
    pub const CONSENT: &str = "consent";
    /// Sending the class through the hook.
    pub const RETRANSFORM: &str = "retransform";
    /// Reading the class and writing what was read.
    pub const READ: &str = "read";
    /// The hook has seen it.
    pub const SEEN: &str = "seen";
    /// A panic of the agent.
    pub const PANIC: &str = "panic";
}

/// Keys of a reply beside those of [`crate::session::reply`]. Where several loaders have a class of that name, the keys
/// of the second end in `.2`, and so on ([`nth`](reply::nth)).
pub mod reply {
    /// The name of the class, with dots.
    pub const CLASS: &str = "class";
    /// The size of its class file, in bytes.
    pub const BYTES: &str = "bytes";
    /// The major version of its class file.
    pub const MAJOR: &str = "major";
    /// The name of its loader's class, with dots, or [`LOADER_BOOT`].
    pub const LOADER: &str = "loader";
    /// The boot loader, which is no object.
    pub const LOADER_BOOT: &str = "boot";
    /// `true` if the hook was called for a class that existed already, `false` if it was being loaded.
    pub const REDEFINED: &str = "redefined";
    /// The native name of the thread that the hook was called in, cut to 15 bytes.
    pub const HOOK_THREAD: &str = "hook.thread";
    /// How many times the hook was called for the class.
    pub const HOOK_CALLS: &str = "hook.calls";
    /// How many times the hook was called for others meanwhile.
    pub const HOOK_OTHER: &str = "hook.other";
    /// The failed call with the JVM's name for the error.
    pub const ERROR: &str = "error";

    /// The key for the class number `n`, from 1.
    pub fn nth(key: &str, n: usize) -> String {
        match n {
            0 | 1 => key.to_owned(),
            n => format!("{key}.{n}"),
        }
    }
}

/// A trace: files of the session, and keys of its request and its replies.
pub mod trace {
    /// [`crate::session::request::VERB`]: trace methods.
    pub const VERB: &str = "trace";
    /// With a number behind it, from 1 on: a [`crate::pattern::Pattern`].
    pub const PATTERN: &str = "pattern.";
    /// `true`: more than [`FEW_CLASSES`], and classes of `java.…`, are woven too.
    pub const CONSENT: &str = "consent";
    /// `true`: nothing is changed; what would be is written into [`PLAN`].
    pub const DRY_RUN: &str = "dry-run";
    /// Who wants it, for whoever looks later.
    pub const BY: &str = "by";
    /// So many classes are woven without being asked.
    pub const FEW_CLASSES: usize = 50;
    /// For how many milliseconds the injector may be silent.
    pub const TIME_TO_LIVE: &str = "ttl.ms";
    /// If the request does not say.
    pub const DEFAULT_TIME_TO_LIVE_MS: u64 = 60_000;
    /// The injector's file, on which it holds a lock of its open file description as long as it wants events.
    pub const LEASE: &str = "lease";
    /// So many bytes of a file of names are written, and read.
    pub const NAMES_LIMIT: u64 = 32 << 20;
    /// The agent's file: lines that say which method a probe's id means, `ID\tCLASS::METHODDESCRIPTOR`. It grows.
    pub const NAMES: &str = "names";
    /// The agent's file: lines with the names of threads, `ID\tNAME`. It grows when the injector asks.
    pub const THREADS: &str = "threads";
    /// The agent's file of a dry run: lines `CLASS\tBYTES\tMETHODDESCRIPTOR METHODDESCRIPTOR …`. Bytes are those of code and
    /// constants.
    pub const PLAN: &str = "plan";
    /// The agent's file: the pairs of the end, once the classes are as they were.
    pub const ENDED: &str = "ended";
    /// The number of the descriptor of the event memory, in the target.
    pub const MEMORY: &str = "memory.fd";
    /// How many classes are woven.
    pub const CLASSES: &str = "classes";
    /// The numbers of patterns that mean no method with code, blanks between; at the end, of no class that was loaded by then.
    pub const UNMATCHED: &str = "unmatched";
    /// How many methods are woven.
    pub const METHODS: &str = "methods";
    /// Bytes of code and constants of the classes.
    pub const BYTES: &str = "bytes";
    /// Microseconds that the longest batch of a retransformation took.
    pub const LONGEST: &str = "longest.us";
    /// With a number behind it, from 1 on: a method or class that was left alone, and why.
    pub const LEFT_ALONE: &str = "left.";
    /// At the end: how many classes were sent through the hook again, or why that failed.
    pub const RESTORED: &str = "restored";
    /// At the end: in how many classes the code that is in force now was seen to be what it was before.
    pub const PROVED: &str = "proved";
    /// At the end: how many classes have no probe, where what was before cannot be known: they were loaded or linked meanwhile.
    pub const CLEAN: &str = "clean";
    /// At the end: in how many classes there is no probe, but other code than before: another agent has changed it.
    pub const CHANGED: &str = "changed";
    /// At the end: how many classes have probes of another trace.
    pub const SHARED: &str = "shared";
    /// At the end: `wanted`, `lost` or `silent`.
    pub const WHY: &str = "why";

    // Keys of the status in the event memory, beside some of the above.

    /// `beginning`, `tracing`, `ending` or `ended`.
    pub const STATE: &str = "state";
    /// The version of the agent.
    pub const VERSION: &str = "version";
    /// The session's directory, by which the injector knows its own.
    pub const SESSION: &str = "session";
    /// When it began, in milliseconds since 1970.
    pub const SINCE: &str = "since.ms";
    /// What is traced, cut if it is long.
    pub const PATTERNS: &str = "patterns";
}

/// Classes as they are in force, read without a retransformation: keys of the request and of its reply. Each key has a
/// number behind it, from 1 on; in the reply the keys of one number speak of one class of one loader.
pub mod in_force {
    /// [`crate::session::request::VERB`]: read classes.
    pub const VERB: &str = "in-force";
    /// The name of a class, with dots. In the reply once for each loader that has it.
    pub const CLASS: &str = "class.";
    /// The file of the session with what the JVM tells of the class, as a class file; not there where [`ERROR`] is.
    pub const FILE: &str = "file.";
    /// The name of its loader's class, with dots, or [`super::reply::LOADER_BOOT`].
    pub const LOADER: &str = "loader.";
    /// The loader's identity hash code, as `System.identityHashCode` has it; 0 for the boot loader.
    pub const LOADER_ID: &str = "loader.id.";
    /// Whether the JVM would let it be changed.
    pub const MODIFIABLE: &str = "modifiable.";
    /// Why the class could not be read: it may not be linked yet.
    pub const ERROR: &str = "error.";
    /// `true` in the request: threads with frames in old versions of methods are told too, of the classes named or, where none
    /// is, of all. The keys of the reply from [`THREADS_SEEN`] on.
    pub const THREADS: &str = "threads";
    /// How many threads were looked at: platform threads. Virtual threads are not seen.
    pub const THREADS_SEEN: &str = "threads.seen";
    /// How many were not, or not to the bottom of their stacks.
    pub const THREADS_UNREAD: &str = "threads.unread";
    /// A thread's name; once for each old method that it runs.
    pub const OLD_THREAD: &str = "old.thread.";
    /// The class of the method, with dots.
    pub const OLD_CLASS: &str = "old.class.";
    /// As [`LOADER_ID`].
    pub const OLD_LOADER_ID: &str = "old.loader.id.";
    /// Its name and descriptor.
    pub const OLD_METHOD: &str = "old.method.";
    /// `true` where [`MOST_OLD`] were found, and there may be more.
    pub const OLD_MORE: &str = "old.more";
    /// So many are looked for.
    pub const MOST_OLD: usize = 1_000;
    /// So many classes are read at once, and not more.
    pub const MOST_CLASSES: usize = 4_000;

    /// The name of the file of the class number `n`.
    pub fn file(n: usize) -> String {
        format!("class-{n}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_words() {
        let codes = [code::NO_SESSION, code::BAD_SESSION, code::FAILED, code::NO_REPLY, code::PANICKED];
        assert!(codes.iter().all(|code| code::explain(*code).is_some()));
        assert_eq!([code::DONE, 100, 102, -1].map(code::explain), [None; 4]);
    }

    #[test]
    fn the_first_class_has_the_plain_keys() {
        assert_eq!([1, 2, 12].map(|n| reply::nth(reply::BYTES, n)), ["bytes", "bytes.2", "bytes.12"]);
    }
}
