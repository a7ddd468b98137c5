//! HotSpot's verbs in OpenJ9's words. Pure.
//!
//! A command is UTF-8 text ended by NUL. In `ATTACH_LOADAGENT(NAME,OPTIONS)` the name ends at the first comma and the
//! options at the last parenthesis; a diagnostic command separates its arguments by commas.

use crate::finding::{Finding, FindingKind};
use crate::request::Request;

/// What is sent, and how its answer is to be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// With the NUL at its end.
    pub(super) bytes: Vec<u8>,
    pub(super) answer: Answer,
}

/// The kinds of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// `ATTACH_ACK`, or `ATTACH_ERR` and an exception.
    Load,
    /// Properties that hold one text, or an error.
    Diagnostics,
    /// Properties, as they are.
    Properties,
    /// Properties, of which the version is wanted.
    Version,
    /// `ATTACH_RESULT=` and a text.
    Result,
}

/// Sent last.
pub(super) const DETACH: &[u8] = b"ATTACH_DETACH\0";

/// A request for a HotSpot VM as OpenJ9 is told it. What has no counterpart is refused before anything is sent.
pub(super) fn translate(request: &Request) -> Result<Command, Finding> {
    let arguments: Vec<&[u8]> = request.arguments().collect();
    let argument = |at: usize| arguments.get(at).copied().unwrap_or_default();
    match (request.command(), argument(0)) {
        ("load", library) => load(library, argument(1), argument(2)),
        ("properties", _) => Ok(command(b"ATTACH_GETSYSTEMPROPERTIES", Answer::Properties)),
        ("agentProperties", _) => Ok(command(b"ATTACH_GETAGENTPROPERTIES", Answer::Properties)),
        ("threaddump", flags) if flags.contains(&b'l') => diagnostics(&[b"Thread.print", b"-l"]),
        ("threaddump", _) => diagnostics(&[b"Thread.print"]),
        ("inspectheap", b"-live") => diagnostics(&[b"GC.class_histogram", b"live"]),
        ("inspectheap", _) => diagnostics(&[b"GC.class_histogram", b"all"]),
        ("dumpheap", b"") => Err(no_counterpart("dumpheap without a path", "name the file to write")),
        ("dumpheap", _) if argument(1) == b"-live" => {
            Err(no_counterpart("a dump of live objects alone", "jgraft jcmd PID GC.run, then dump all"))
        }
        ("dumpheap", path) => diagnostics(&[b"Dump.heap", path]),
        ("jcmd", line) => jcmd(line),
        (verb, _) => Err(no_counterpart(verb, "jgraft jcmd PID help lists what it has")),
    }
}

/// `load LIBRARY IS-ABSOLUTE OPTIONS`.
fn load(library: &[u8], absolute: &[u8], options: &[u8]) -> Result<Command, Finding> {
    if library.contains(&b',') {
        return Err(refuse("the library's path holds a comma", "its name ends at the first one: rename it"));
    }
    let verb: &[u8] = match (library, absolute) {
        (b"instrument", _) => b"ATTACH_LOADAGENT(",
        (_, b"true") => b"ATTACH_LOADAGENTPATH(",
        _ => b"ATTACH_LOADAGENTLIBRARY(",
    };
    let options = standard_utf8(options);
    let comma: &[u8] = if options.is_empty() { b"" } else { b"," };
    Ok(command(&[verb, library, comma, &options, b")"].concat(), Answer::Load))
}

fn jcmd(line: &[u8]) -> Result<Command, Finding> {
    let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    match *words.as_slice() {
        [] => diagnostics(&[b"help"]),
        // Not among its diagnostic commands; its properties say the same.
        [b"VM.version"] => Ok(command(b"ATTACH_GETSYSTEMPROPERTIES", Answer::Version)),
        [b"ManagementAgent.start_local"] => {
            Ok(command(b"ATTACH_START_LOCAL_MANAGEMENT_AGENT", Answer::Result))
        }
        ref words => diagnostics(words),
    }
}

fn diagnostics(words: &[&[u8]]) -> Result<Command, Finding> {
    if words.iter().any(|word| word.contains(&b',')) {
        return Err(refuse("an argument holds a comma", "commas separate arguments there: leave it out"));
    }
    Ok(command(&[b"ATTACH_DIAGNOSTICS:", words.join(&b","[..]).as_slice()].concat(), Answer::Diagnostics))
}

fn command(text: &[u8], answer: Answer) -> Command {
    Command { bytes: [text, b"\0"].concat(), answer }
}

/// Agent options come in JNI's modified UTF-8, where a character beyond the BMP is two surrogates of three bytes each;
/// OpenJ9 decodes the standard form.
fn standard_utf8(modified: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(modified.len());
    let mut rest = modified;
    while let Some((&first, tail)) = rest.split_first() {
        if let [0xed, a @ 0xa0..=0xaf, b, 0xed, c @ 0xb0..=0xbf, d, tail @ ..] = rest {
            let part = |byte: &u8, bits: u32| u32::from(*byte) & ((1 << bits) - 1);
            let high = part(a, 4) << 6 | part(b, 6);
            let code = 0x10000 + (high << 10 | part(c, 4) << 6 | part(d, 6));
            let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            rest = tail;
        } else {
            out.push(first);
            rest = tail;
        }
    }
    out
}

fn no_counterpart(what: &str, remedy: &str) -> Finding {
    Finding::new(
        FindingKind::OpenJ9,
        format!("an openj9 vm has no counterpart to {what}"),
        "its attach api has other commands than hotspot's",
        remedy,
    )
}

fn refuse(cause: &str, remedy: &str) -> Finding {
    Finding::new(FindingKind::OpenJ9, cause, "the attach api of openj9 cannot carry it", remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(command: &str, arguments: &[&[u8]]) -> Result<String, String> {
        let request = Request::new(command, arguments).unwrap();
        match translate(&request) {
            Ok(command) => Ok(String::from_utf8(command.bytes).unwrap()),
            Err(finding) => Err(finding.cause),
        }
    }

    #[test]
    fn every_verb() {
        for (command, arguments, expected) in [
            (
                "load",
                &["instrument", "false", "/a.jar=x,(y)"][..],
                "ATTACH_LOADAGENT(instrument,/a.jar=x,(y))",
            ),
            ("load", &["/a.so", "true", "x"], "ATTACH_LOADAGENTPATH(/a.so,x)"),
            ("load", &["/a.so", "true", ""], "ATTACH_LOADAGENTPATH(/a.so)"),
            ("load", &["jdwp", "false", "a=b"], "ATTACH_LOADAGENTLIBRARY(jdwp,a=b)"),
            ("properties", &[], "ATTACH_GETSYSTEMPROPERTIES"),
            ("agentProperties", &[], "ATTACH_GETAGENTPROPERTIES"),
            ("threaddump", &["-l"], "ATTACH_DIAGNOSTICS:Thread.print,-l"),
            ("threaddump", &[], "ATTACH_DIAGNOSTICS:Thread.print"),
            ("inspectheap", &["-live"], "ATTACH_DIAGNOSTICS:GC.class_histogram,live"),
            ("inspectheap", &["-all"], "ATTACH_DIAGNOSTICS:GC.class_histogram,all"),
            ("dumpheap", &["/d.phd", "-all"], "ATTACH_DIAGNOSTICS:Dump.heap,/d.phd"),
            ("jcmd", &["GC.class_histogram  live"], "ATTACH_DIAGNOSTICS:GC.class_histogram,live"),
            ("jcmd", &["help"], "ATTACH_DIAGNOSTICS:help"),
            ("jcmd", &["VM.version"], "ATTACH_GETSYSTEMPROPERTIES"),
            ("jcmd", &["ManagementAgent.start_local"], "ATTACH_START_LOCAL_MANAGEMENT_AGENT"),
        ] {
            let arguments: Vec<&[u8]> = arguments.iter().map(|a| a.as_bytes()).collect();
            assert_eq!(sent(command, &arguments).as_deref(), Ok(&*format!("{expected}\0")));
        }
    }

    #[test]
    fn what_it_cannot_do_is_refused() {
        for (command, arguments) in [
            ("setflag", &["x", "1"][..]),
            ("printflag", &["x"]),
            ("datadump", &[]),
            ("dumpheap", &[]),
            ("dumpheap", &["/d", "-live"]),
            ("dumpheap", &["/a,b"]),
            ("load", &["/a,b.so", "true", ""]),
        ] {
            let arguments: Vec<&[u8]> = arguments.iter().map(|a| a.as_bytes()).collect();
            assert!(sent(command, &arguments).is_err(), "{command}");
        }
    }

    #[test]
    fn options_arrive_as_standard_utf8() {
        let request = Request::load_java_agent("/a.jar", Some("\u{1d11e}\u{fc}\u{d7ff}")).unwrap();
        let command = translate(&request).unwrap();
        let text = String::from_utf8(command.bytes).unwrap();
        assert_eq!(text, "ATTACH_LOADAGENT(instrument,/a.jar=\u{1d11e}\u{fc}\u{d7ff})\0");
    }
}
