//! What a listener answers: a number, a newline, text, and the end of the stream, which is the only mark of its end.
//!
//! The number alone proves nothing: since 21 a `load` that failed is answered "0" and a sentence.

use crate::request::Request;

/// What a `load` came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadOutcome {
    /// The agent's entry point ran and returned 0.
    Loaded,
    /// The agent was found, and its start failed with this code; see [`explain_code`].
    AgentFailed(i32),
    /// The library or module was not loaded at all; the JVM's own words, perhaps none (JDK 8).
    NotLoaded(String),
}

impl LoadOutcome {
    /// Reads header and text of a reply to `load` by the grammar of all releases:
    ///
    /// | JDK | success | agent failed | not loaded |
    /// |---|---|---|---|
    /// | 8 | `0`, bare `0` | `0`, bare `N` | `-1`, no text |
    /// | 9 to 20 | `0`, `return code: 0` | `0`, `return code: N` | `-1` and text |
    /// | 21 and newer | `0`, `return code: 0` | `0`, `return code: N` | `0` and free text |
    pub fn parse(header: i32, text: &str) -> LoadOutcome {
        let text = text.trim();
        let code = text.strip_prefix("return code:").unwrap_or(text).trim();
        match (header, code.parse()) {
            (0, Ok(0)) => LoadOutcome::Loaded,
            (0, Ok(code)) => LoadOutcome::AgentFailed(code),
            _ => LoadOutcome::NotLoaded(text.to_owned()),
        }
    }
}

/// What libinstrument and JNI mean by a code: cause and remedy.
pub fn explain_code(code: i32) -> Option<(&'static str, &'static str)> {
    Some(match code {
        100 => (
            "the jvm found no jar there, no manifest in it, or no Agent-Class in that",
            "run jgraft check on the jar; look at it as the jvm's user does",
        ),
        101 => (
            "the jar cannot be added to the class path",
            "the jvm must be able to read it for as long as it lives",
        ),
        102 => (
            "the agent class was not found, has no agentmain, or agentmain threw an exception",
            "the stack trace is on the jvm's stderr; load --supervised brings it back",
        ),
        -1 => ("the agent gave up (JNI_ERR)", "its reason, if any, is on the jvm's stderr"),
        -4 => ("no memory for the agent (JNI_ENOMEM)", "give the jvm or its container more memory"),
        _ => return None,
    })
}

/// What a text says went wrong although the number in front of it is 0; `None` where it says nothing of the kind. `text`
/// is the answer to `request`, at least its first kilobytes. Measured on 8 to 26.
pub fn error_in<'t>(request: &Request, text: &'t str) -> Option<&'t str> {
    let text = text.trim();
    let line = request.arguments().next().unwrap_or_default();
    let name = line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty()).unwrap_or_default();
    let wrong = match (request.command(), name) {
        // The only sign of success; OpenJ9 has another.
        ("dumpheap", _) | ("jcmd", b"GC.heap_dump" | b"Dump.heap") => {
            !text.contains("Heap dump file created") && !text.contains("Dump written")
        }
        ("printflag", _) => text.starts_with("no such flag"),
        ("jcmd", b"JVMTI.agent_load") => LoadOutcome::parse(0, text) != LoadOutcome::Loaded,
        // Silence is success.
        ("jcmd", b"VM.set_flag") => !text.is_empty(),
        ("jcmd", name) => {
            ERRORS.iter().any(|(command, start)| command.as_bytes() == name && text.starts_with(start))
        }
        _ => false,
    };
    wrong.then_some(text)
}

/// How the errors of diagnostic commands begin that are answered with 0.
const ERRORS: [(&str, &str); 10] = [
    ("help", "Help unavailable"),
    ("JFR.dump", "No recordings to dump"),
    ("JFR.dump", "No available recordings"),
    ("JFR.dump", "Could not"),
    ("JFR.stop", "No available recordings"),
    ("JFR.stop", "Could not"),
    ("Thread.dump_to_file", "Failed"),
    ("Compiler.directives_add", "Could not"),
    ("VM.log", "Invalid"),
    ("Compiler.perfmap", "Warning: Failed"),
];

/// The number in front of a reply. `None` for anything else: then no attach listener has spoken.
pub(crate) fn parse_header(line: &[u8]) -> Option<i32> {
    std::str::from_utf8(line).ok()?.trim_end_matches('\r').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_of_every_release() {
        use LoadOutcome::*;
        let no_lib = "/x.so was not loaded.\n/x.so: cannot open shared object file";
        let refused = "Dynamic agent loading is not enabled. Use -XX:+EnableDynamicAgentLoading";
        for (header, text, expected) in [
            (0, "0", Loaded),
            (0, "0\n", Loaded),
            (0, "102\n", AgentFailed(102)),
            (-1, "", NotLoaded(String::new())),
            (0, "return code: 0", Loaded),
            (0, "return code: 0\n", Loaded),
            (0, "return code: 100", AgentFailed(100)),
            (0, "return code: -1", AgentFailed(-1)),
            (-1, no_lib, NotLoaded(no_lib.into())),
            (0, no_lib, NotLoaded(no_lib.into())),
            (0, refused, NotLoaded(refused.into())),
            // An empty reply with header 0 is no success.
            (0, "", NotLoaded(String::new())),
            // 101 as header is "bad protocol version", not a code of libinstrument.
            (101, "", NotLoaded(String::new())),
            (100, "return code: 0", NotLoaded("return code: 0".into())),
        ] {
            assert_eq!(LoadOutcome::parse(header, text), expected, "{header} {text:?}");
        }
    }

    #[test]
    fn errors_with_a_zero_in_front() {
        let said = |command: &str, argument: &str, text: &str| {
            let request = Request::new(command, &[argument.as_bytes()]).unwrap();
            error_in(&request, text).map(str::to_owned)
        };
        let no_file = "Dumping heap to /x ...\nUnable to create /x: No such file or directory\n";
        for (command, argument, text) in [
            ("dumpheap", "/x", no_file),
            ("dumpheap", "/x", "No such file or directory\n"),
            ("dumpheap", "", "No dump file specified\n"),
            ("printflag", "X", "no such flag 'X'\n"),
            ("jcmd", " GC.heap_dump /x", no_file),
            ("jcmd", "JVMTI.agent_load /x.so", "/x.so was not loaded.\n/x.so: cannot open"),
            ("jcmd", "VM.set_flag X 1", "only 'writeable' flags can be set\n"),
            ("jcmd", "help X", "Help unavailable : 'X' : No such command\n"),
            ("jcmd", "JFR.dump name=x", "No recordings to dump from. Use JFR.start to start a recording.\n"),
            ("jcmd", "Thread.dump_to_file /x", "Failed: java.nio.file.NoSuchFileException: /x\n"),
        ] {
            assert_eq!(said(command, argument, text).as_deref(), Some(text.trim()), "{command} {argument}");
        }
        for (command, argument, text) in [
            ("dumpheap", "/x", "Heap dump file created\n"),
            ("jcmd", "Dump.heap /x", "Dump written to /x\n"),
            ("printflag", "X", "-XX:+X\n"),
            ("jcmd", "JVMTI.agent_load /x.so", "return code: 0\n"),
            ("jcmd", "VM.set_flag X 1", ""),
            ("jcmd", "Thread.print", "Failed threads are not shown\n"),
            ("jcmd", "", ""),
        ] {
            assert_eq!(said(command, argument, text), None, "{command} {argument}");
        }
    }

    #[test]
    fn headers() {
        assert_eq!(parse_header(b"0"), Some(0));
        assert_eq!(parse_header(b"-1"), Some(-1));
        assert_eq!(parse_header(b"HTTP/1.1 400"), None);
        assert_eq!(parse_header(b""), None);
    }
}
