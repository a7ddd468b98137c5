//! The directory of a session: who writes which file, and how each side knows that it may believe the other.
//!
//! The injector makes `s-<pid>-<serial>-<digest>` in a directory of the target's user, mode 0700, writes `request`,
//! and attaches with the directory's path as the only option. The digest is the first half of the SHA-256 of the
//! request, in hexadecimal: an agent that was handed the path believes no other request. The agent answers by writing
//! `reply.tmp` and renaming it to `reply`, so that a reply is whole or not there. The injector removes the directory.

/// The injector's file.
pub const REQUEST: &str = "request";
/// The agent's file.
pub const REPLY: &str = "reply";

/// Hexadecimal digits of the request's SHA-256 that end the directory's name.
pub const DIGEST_DIGITS: usize = 32;

/// A reply is at most so long, in bytes; a longer one is none. The longest tell of thousands of patched classes.
pub const REPLY_LIMIT: usize = 64 << 20;

/// Keys of a request.
pub mod request {
    /// What is wanted; one of the `VERB_` values.
    pub const VERB: &str = "verb";
    /// Load a Java agent as plain attach would, and report how it went.
    pub const VERB_LOAD: &str = "load";
    /// The bundled agent's own jar: an absolute path in the target's view.
    pub const AGENT_JAR: &str = "agent.jar";
    /// Its SHA-256, 64 hexadecimal digits.
    pub const AGENT_SHA256: &str = "agent.sha256";
    /// [`VERB_LOAD`]: the jar of the agent to load, an absolute path in the target's view.
    pub const JAR: &str = "jar";
    /// [`VERB_LOAD`]: its options; absent means none were given, which agents can tell from empty ones.
    pub const OPTIONS: &str = "options";
}

/// Keys of a reply.
pub mod reply {
    /// [`OK`] or [`FAILED`].
    pub const OUTCOME: &str = "outcome";
    /// It was done.
    pub const OK: &str = "ok";
    /// It was not; the other keys say why.
    pub const FAILED: &str = "failed";
    /// How far it came.
    pub const STAGE: &str = "stage";
    /// The code that plain attach would have given.
    pub const CODE: &str = "code";
    /// The class of the exception, where one was thrown.
    pub const EXCEPTION: &str = "exception";
    /// Its message, or the agent's own sentence.
    pub const MESSAGE: &str = "message";
    /// Its stack trace with all causes, lines separated by newlines.
    pub const STACK: &str = "stack";
    /// With a number behind it, from 1 on: something noticed on the way that did not stop it.
    pub const WARNING: &str = "warning.";
    /// The thread that ran the agent.
    pub const THREAD: &str = "thread";
}

/// The name of a session's directory. `serial` tells sessions of one process apart; `sha256` is the request's digest in
/// hexadecimal.
pub fn directory(pid: u32, serial: u32, sha256: &str) -> String {
    format!("s-{pid}-{serial}-{}", sha256.get(..DIGEST_DIGITS).unwrap_or(sha256))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_name_ends_with_the_digest() {
        let sha256 = "0123456789abcdef".repeat(4);
        assert_eq!(super::directory(7, 1, &sha256), "s-7-1-0123456789abcdef0123456789abcdef");
    }
}
