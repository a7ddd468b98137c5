//! What stands against attaching, or should be known before it: a closed list, each with evidence and remedy.

/// One thing found: in [`crate::Preflight`] a blocker or a warning, in [`crate::AttachError`] what went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct Finding {
    /// Which of the known reasons.
    pub kind: FindingKind,
    /// The matter, as a sentence without a full stop.
    pub cause: String,
    /// What was seen that says so.
    pub evidence: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    pub(crate) fn new(
        kind: FindingKind,
        cause: impl Into<String>,
        evidence: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding { kind, cause: cause.into(), evidence: evidence.into(), remedy: remedy.into() }
    }
}

/// The explanation of an error of kind `Unsupported`, which `ENOSYS` is; `None` for any other.
pub fn kernel_too_old(error: &std::io::Error) -> Option<Finding> {
    let lacks = error.kind() == std::io::ErrorKind::Unsupported;
    lacks.then(|| {
        Finding::new(
            FindingKind::KernelTooOld,
            "this kernel lacks a system call without which no process can be held safely",
            error.to_string(),
            "run it on linux 5.6 or newer; in a container, under a seccomp profile that lets openat2, pidfd_open and pidfd_send_signal through",
        )
    })
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// The known reasons. The code is part of the JSON output and never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum FindingKind { $($(#[$doc])* $name,)* }

        impl FindingKind {
            /// The stable name of this reason, for machines.
            pub fn code(self) -> &'static str {
                match self { $(FindingKind::$name => $code,)* }
            }
        }
    };
}

kinds! {
    /// No process has this pid, or it ended meanwhile.
    NoSuchProcess = "no-such-process",
    /// No libjvm is mapped: SIGQUIT would kill it, or do whatever its own handler does.
    NotAJvm = "not-a-jvm",
    /// An OpenJ9 VM, whose attach API has no counterpart to what was asked.
    OpenJ9 = "openj9",
    /// An OpenJ9 VM without an entry in the attach directory: nobody can reach it.
    NotAnnounced = "openj9-not-announced",
    /// The target belongs to another user, and we may not act as that user.
    OtherUser = "other-user",
    /// `/proc/PID/root` or `maps` is closed to us.
    NoAccess = "no-access",
    /// Stopped by a signal or a tracer.
    Stopped = "stopped",
    /// Its cgroup is frozen.
    Frozen = "frozen",
    /// The operator turned attach off: `-XX:+DisableAttachMechanism`.
    AttachDisabled = "attach-disabled",
    /// Its counters are off, and a file that may hold `-XX:+DisableAttachMechanism` cannot be read.
    OptionsUnread = "options-unread",
    /// The operator turned loading agents off: `-XX:-EnableDynamicAgentLoading`.
    AgentLoadingDisabled = "agent-loading-disabled",
    /// The runtime image has no module java.instrument.
    NoInstrumentModule = "no-instrument-module",
    /// SIGQUIT is ignored.
    SigquitIgnored = "sigquit-ignored",
    /// SIGQUIT is not caught: sending it would kill the JVM.
    SigquitNotCaught = "sigquit-not-caught",
    /// The JVM is still initialising itself.
    Starting = "starting",
    /// The listener runs, but its socket is gone, and this JDK never makes another.
    SocketLost = "socket-lost",
    /// A socket is there, and nobody in the target listens on it.
    StaleSocket = "stale-socket",
    /// A file by the name of the trigger that the JVM will not trust.
    ForeignTrigger = "foreign-trigger-file",
    /// What lies at the socket's path is not the JVM's socket, or leads to another process.
    ForeignSocket = "foreign-socket",
    /// No directory takes the trigger file.
    TmpUnusable = "tmp-unusable",
    /// The kernel lacks a system call that safety needs.
    KernelTooOld = "kernel-too-old",
    /// The path is not the same file in the target's view.
    FileNotVisible = "file-not-visible",
    /// No directory that the target sees can take what has to be put there.
    NoStagingPlace = "no-staging-place",
    /// Something could not be put into the target's view.
    StagingFailed = "staging-failed",
    /// It is no ELF shared object.
    NotALibrary = "not-a-library",
    /// The library is for another machine than the target's executable.
    WrongArchitecture = "wrong-architecture",
    /// The library is for another libc than the target's, or a newer one.
    WrongLibc = "wrong-libc",
    /// The library exports no `Agent_OnAttach`.
    NoAgentOnAttach = "no-agent-onattach",
    /// The request does not fit the protocol.
    RequestTooLong = "request-too-long",
    /// No directory that the target sees can take a heap dump.
    NoDumpPlace = "no-dump-place",
    /// The first retransformation throws away all compiled code (8 to 22).
    CodeFlush = "first-retransform-cost",
    /// A JVM of 21 or newer will announce the agent on its stderr (JEP 451).
    Jep451 = "jep-451-warning",
    /// The JDK's files changed since the JVM started.
    JdkReplaced = "jdk-replaced",
    /// SIGQUIT was sent, and no listener came up in time.
    NoListener = "no-listener",
    /// The listener hung up without a reply.
    Refused = "refused",
    /// The request was sent, and no whole reply came.
    Unanswered = "unanswered",
    /// The target ended in the middle.
    Ended = "target-ended",
    /// The user ended it.
    Interrupted = "interrupted",
    /// A system call failed that has no business to.
    System = "system-call-failed",
}
