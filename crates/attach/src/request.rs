//! Requests of the attach protocol: a command and its arguments, and what they look like on the wire in version 1 (all
//! releases) and version 2 (24 and newer).
//!
//! Pure. A listener that gets less than it was promised waits for the rest and serves nobody else meanwhile, so what
//! leaves here is always whole. Limits belong to a version, so they are checked when it is known, before sending.

use crate::finding::{Finding, FindingKind};

/// Longest command name a listener takes, in bytes.
const COMMAND_LIMIT: usize = 16;
/// Longest argument of version 1, in bytes; one more and the listener hangs up without a word (JDK 8 to 26).
pub const ARGUMENT_LIMIT: usize = 1024;
/// Version 1 carries exactly so many.
const ARGUMENTS: usize = 3;
/// Longest body of version 2, in bytes: command and arguments, each with its NUL.
const BODY_LIMIT: usize = 256 << 10;

/// A command and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    command: String,
    arguments: Vec<Vec<u8>>,
}

impl Request {
    /// Keep arguments packed to the left: on JDK 8 an empty one in front of another can swallow it.
    pub fn new(command: &str, arguments: &[&[u8]]) -> Result<Request, Finding> {
        if command.is_empty() || command.len() > COMMAND_LIMIT || command.contains(['\0', ' ']) {
            return Err(refuse(
                format!("\"{command}\" is no attach command"),
                format!("1 to {COMMAND_LIMIT} bytes, no NUL, no blank"),
                "a command such as jcmd or threaddump",
            ));
        }
        if arguments.iter().any(|argument| argument.contains(&0)) {
            return Err(refuse(
                "an argument holds a NUL byte".to_owned(),
                "the protocol ends arguments with NUL".to_owned(),
                "leave the NUL out",
            ));
        }
        let arguments = arguments.iter().map(|argument| argument.to_vec()).collect();
        Ok(Request { command: command.to_owned(), arguments })
    }

    /// `load instrument false JAR[=OPTIONS]`: what `VirtualMachine.loadAgent` sends.
    pub fn load_java_agent(jar: &str, options: Option<&str>) -> Result<Request, Finding> {
        let mut argument = jar.as_bytes().to_vec();
        if let Some(options) = options {
            argument.push(b'=');
            argument.extend(modified_utf8(options));
        }
        Request::new("load", &[b"instrument", b"false", &argument])
    }

    /// `load LIBRARY true OPTIONS`: a native agent by its absolute path (`VirtualMachine.loadAgentPath`).
    pub fn load_native_agent(library: &str, options: Option<&str>) -> Result<Request, Finding> {
        Request::new("load", &[library.as_bytes(), b"true", options.unwrap_or("").as_bytes()])
    }

    /// `load NAME false OPTIONS`: a native agent by its bare name, from the JVM's own library path
    /// (`VirtualMachine.loadAgentLibrary`).
    pub fn load_native_library(name: &str, options: Option<&str>) -> Result<Request, Finding> {
        Request::new("load", &[name.as_bytes(), b"false", options.unwrap_or("").as_bytes()])
    }

    /// `jcmd LINE`: a diagnostic command with its arguments, as one line.
    pub fn jcmd(line: &str) -> Result<Request, Finding> {
        Request::new("jcmd", &[line.as_bytes()])
    }

    /// The command's name.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// Its arguments, as they were given.
    pub fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        self.arguments.iter().map(Vec::as_slice)
    }

    /// `1 command a1 a2 a3`, each ended by NUL; arguments that were not given are sent empty. An error where it does not
    /// fit: then only version 2 can carry it.
    pub fn version_1(&self) -> Result<Vec<u8>, Finding> {
        if self.arguments.len() > ARGUMENTS {
            return Err(refuse(
                "too many arguments for version 1 of the attach protocol".to_owned(),
                format!("{} given, it carries {ARGUMENTS}", self.arguments.len()),
                "leave some out",
            ));
        }
        if let Some(long) = self.arguments.iter().find(|argument| argument.len() > ARGUMENT_LIMIT) {
            return Err(refuse(
                "an argument is too long for version 1 of the attach protocol".to_owned(),
                format!("{} bytes, the listener takes {ARGUMENT_LIMIT}", long.len()),
                match &*self.command {
                    "load" => {
                        "shorten it: move long options into a file that the agent reads, or load --supervised"
                    }
                    _ => "shorten it; a jvm of release 24 and newer takes longer ones",
                },
            ));
        }
        let mut bytes = b"1\0".to_vec();
        let missing = [&b""[..]; ARGUMENTS];
        let words = [self.command.as_bytes()].into_iter().chain(self.arguments()).chain(missing);
        push_all(&mut bytes, words.take(1 + ARGUMENTS));
        Ok(bytes)
    }

    /// `2`, the length of the rest in digits, command and arguments, each ended by NUL.
    pub fn version_2(&self) -> Result<Vec<u8>, Finding> {
        let mut body = Vec::new();
        push_all(&mut body, [self.command.as_bytes()].into_iter().chain(self.arguments()));
        if body.len() > BODY_LIMIT {
            return Err(refuse(
                "the request is too long for version 2 of the attach protocol".to_owned(),
                format!("{} bytes, the listener takes {BODY_LIMIT}", body.len()),
                match &*self.command {
                    "load" => "move long options into a file that the agent reads",
                    _ => "shorten it",
                },
            ));
        }
        Ok([b"2\0", body.len().to_string().as_bytes(), b"\0", &body].concat())
    }
}

fn push_all<'w>(bytes: &mut Vec<u8>, words: impl Iterator<Item = &'w [u8]>) {
    for word in words {
        bytes.extend_from_slice(word);
        bytes.push(0);
    }
}

/// JNI's modified UTF-8, in which libinstrument reads an agent's options (`NewStringUTF`): a character beyond the BMP is
/// its two surrogates, three bytes each, and NUL is two bytes.
pub fn modified_utf8(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => bytes.extend([0xc0, 0x80]),
            '\u{10000}'.. => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let unit = *unit;
                    bytes.extend([
                        0xe0 | (unit >> 12) as u8,
                        0x80 | (unit >> 6) as u8 & 0x3f,
                        0x80 | unit as u8 & 0x3f,
                    ]);
                }
            }
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

fn refuse(cause: String, evidence: String, remedy: &str) -> Finding {
    Finding::new(FindingKind::RequestTooLong, cause, evidence, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_has_always_three_arguments() {
        let sent = |request: Result<Request, Finding>| request.unwrap().version_1().unwrap();
        assert_eq!(sent(Request::jcmd("VM.version")), b"1\0jcmd\0VM.version\0\0\0");
        let request = Request::load_java_agent("/a.jar", Some("x=1,y"));
        assert_eq!(sent(request), b"1\0load\0instrument\0false\0/a.jar=x=1,y\0");
        let request = Request::load_java_agent("/a.jar", None);
        assert_eq!(sent(request), b"1\0load\0instrument\0false\0/a.jar\0");
    }

    #[test]
    fn version_2_has_as_many_as_there_are() {
        let sent = |arguments: &[&[u8]]| Request::new("x", arguments).unwrap().version_2().unwrap();
        assert_eq!(sent(&[]), b"2\x002\0x\0");
        assert_eq!(sent(&[b"a", b"", b"bc", b"d"]), b"2\x0010\0x\0a\0\0bc\0d\0");
    }

    #[test]
    fn options_travel_as_jni_wants_them() {
        assert_eq!(modified_utf8("aü€"), "aü€".as_bytes());
        assert_eq!(modified_utf8("\0"), [0xc0, 0x80]);
        // U+1D11E is D834 DD1E in UTF-16.
        assert_eq!(modified_utf8("𝄞"), [0xed, 0xa0, 0xb4, 0xed, 0xb4, 0x9e]);
    }

    #[test]
    fn the_limits_are_exact() {
        let jcmd = |length: usize| Request::jcmd(&"x".repeat(length)).unwrap();
        assert!(jcmd(ARGUMENT_LIMIT).version_1().is_ok());
        assert_eq!(jcmd(ARGUMENT_LIMIT + 1).version_1().unwrap_err().kind, FindingKind::RequestTooLong);
        // Beside the argument: "jcmd", and two NULs.
        assert!(jcmd(BODY_LIMIT - 6).version_2().unwrap().starts_with(b"2\x00262144\0jcmd\0x"));
        assert_eq!(jcmd(BODY_LIMIT - 5).version_2().unwrap_err().kind, FindingKind::RequestTooLong);
        let remedy = |command: &str| {
            let request = Request::new(command, &["x".repeat(BODY_LIMIT).as_bytes()]).unwrap();
            [request.version_1().unwrap_err().remedy, request.version_2().unwrap_err().remedy]
        };
        assert!(remedy("load").iter().all(|remedy| remedy.contains("options")));
        assert!(remedy("jcmd").iter().all(|remedy| !remedy.contains("agent")));
        assert!(Request::new("getversion", &[b"", b"", b""]).unwrap().version_1().is_ok());
        assert!(Request::new("x", &[b"", b"", b"", b""]).unwrap().version_1().is_err());
        assert!(Request::new("a-command-of-17by", &[]).is_err());
        assert!(Request::jcmd("a\0b").is_err());
    }
}
