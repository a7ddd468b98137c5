//! Attach protocol version 1: one command and three arguments, all of them NUL-terminated, in one write.
//!
//! Pure. A listener that gets fewer than three arguments waits for the rest and serves nobody else meanwhile, so what
//! leaves here is always whole.

use crate::finding::{Finding, FindingKind};

/// Longest command name a listener takes, in bytes.
const COMMAND_LIMIT: usize = 16;
/// Longest argument a listener takes, in bytes; one more and it hangs up without a word (JDK 8 to 26).
pub const ARGUMENT_LIMIT: usize = 1024;
/// Version 1 carries exactly so many.
const ARGUMENTS: usize = 3;

/// A request that keeps the protocol's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    command: String,
    bytes: Vec<u8>,
}

impl Request {
    /// Builds `command` with up to three arguments; the missing ones are sent empty. Keep arguments packed to the
    /// left: on JDK 8 an empty one in front of another can swallow it.
    pub fn new(command: &str, arguments: &[&[u8]]) -> Result<Request, Finding> {
        if command.is_empty() || command.len() > COMMAND_LIMIT || command.contains('\0') {
            return Err(refuse(
                format!("\"{command}\" is no attach command"),
                format!("1 to {COMMAND_LIMIT} bytes, no NUL"),
            ));
        }
        if arguments.len() > ARGUMENTS {
            return Err(refuse(
                "too many arguments for the attach protocol".to_owned(),
                format!("{} given, version 1 carries {ARGUMENTS}", arguments.len()),
            ));
        }
        let mut bytes = b"1\0".to_vec();
        bytes.extend_from_slice(command.as_bytes());
        bytes.push(0);
        for argument in arguments.iter().copied().chain([&b""[..]; ARGUMENTS]).take(ARGUMENTS) {
            if argument.len() > ARGUMENT_LIMIT {
                return Err(refuse(
                    "an argument is too long for the attach protocol".to_owned(),
                    format!("{} bytes, the listener takes {ARGUMENT_LIMIT}", argument.len()),
                ));
            }
            if argument.contains(&0) {
                return Err(refuse(
                    "an argument holds a NUL byte".to_owned(),
                    "the protocol ends arguments with NUL".to_owned(),
                ));
            }
            bytes.extend_from_slice(argument);
            bytes.push(0);
        }
        Ok(Request { command: command.to_owned(), bytes })
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

    /// Its arguments, the empty ones at the end included.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        // Version, command, arguments, each ended by NUL: the last piece is what comes after the last NUL.
        self.bytes.split(|&byte| byte == 0).skip(2).take(ARGUMENTS)
    }

    /// What goes over the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
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

fn refuse(cause: String, evidence: String) -> Finding {
    Finding::new(
        FindingKind::RequestTooLong,
        cause,
        evidence,
        "shorten it: move long options into a file the agent reads",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn always_three_arguments() {
        let request = Request::jcmd("VM.version").unwrap();
        assert_eq!(request.as_bytes(), b"1\0jcmd\0VM.version\0\0\0");
        let request = Request::load_java_agent("/a.jar", Some("x=1,y")).unwrap();
        assert_eq!(request.as_bytes(), b"1\0load\0instrument\0false\0/a.jar=x=1,y\0");
        let request = Request::load_java_agent("/a.jar", None).unwrap();
        assert_eq!(request.as_bytes(), b"1\0load\0instrument\0false\0/a.jar\0");
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
        let fits = "x".repeat(ARGUMENT_LIMIT);
        assert!(Request::jcmd(&fits).is_ok());
        assert_eq!(Request::jcmd(&(fits + "x")).unwrap_err().kind, FindingKind::RequestTooLong);
        assert!(Request::new("getversion", &[b"", b"", b""]).is_ok());
        assert!(Request::new("x", &[b"", b"", b"", b""]).is_err());
        assert!(Request::new("a-command-of-17by", &[]).is_err());
        assert!(Request::jcmd("a\0b").is_err());
    }
}
