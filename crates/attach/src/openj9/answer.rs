//! OpenJ9's answers in HotSpot's form: a number and a text, so that every caller reads one grammar. Pure.

use super::command::Answer;
use super::properties;

/// Number and text of an answer without its NUL.
pub(super) fn interpret(kind: Answer, bytes: &[u8]) -> (i32, String) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(error) = text.strip_prefix("ATTACH_ERR") {
        return refused(kind, error.trim_start_matches(':').trim());
    }
    match kind {
        Answer::Load if text.trim() == "ATTACH_ACK" => (0, "return code: 0".to_owned()),
        // Anything else is no success, whatever it says.
        Answer::Load => (-1, text.into_owned()),
        Answer::Diagnostics => diagnostics(bytes),
        Answer::Properties => (0, text.into_owned()),
        Answer::Version => version(bytes),
        Answer::Result => {
            match text.strip_prefix("ATTACH_RESULT=").or_else(|| text.strip_prefix("ATTACH_ACK")) {
                Some(result) => (0, ended(result)),
                None => (1, text.into_owned()),
            }
        }
    }
}

/// `AgentInitializationException` with the agent's own code at its end; everything else is words.
fn refused(kind: Answer, error: &str) -> (i32, String) {
    let code = error.rsplit_once("AgentInitializationException").map(|(_, code)| code.trim().parse::<i32>());
    match (kind, code) {
        (Answer::Load, Some(Ok(code))) if code != 0 => (0, format!("return code: {code}")),
        (Answer::Load, _) => (-1, error.to_owned()),
        _ => (1, error.to_owned()),
    }
}

fn diagnostics(bytes: &[u8]) -> (i32, String) {
    let value = |key: &str| properties::value(bytes, &format!("openj9_diagnostics.{key}"));
    if value("error").is_some_and(|error| error == "true") {
        let words = value("errormsg").or_else(|| value("errortype"));
        return (1, words.unwrap_or_else(|| "no reason given".to_owned()));
    }
    match value("string_result") {
        Some(result) => (0, ended(&result)),
        None => (1, "the answer holds no result".to_owned()),
    }
}

/// The two lines that HotSpot gives for `VM.version`.
fn version(bytes: &[u8]) -> (i32, String) {
    let value = |key: &str| properties::value(bytes, key).unwrap_or_else(|| "?".to_owned());
    let (name, vm, java) = (value("java.vm.name"), value("java.vm.version"), value("java.version"));
    (0, format!("{name} version {vm}\nJDK {java}\n"))
}

fn ended(text: &str) -> String {
    if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::LoadOutcome;

    #[test]
    fn loads() {
        let outcome = |bytes: &[u8]| {
            let (header, text) = interpret(Answer::Load, bytes);
            LoadOutcome::parse(header, &text)
        };
        assert_eq!(outcome(b"ATTACH_ACK"), LoadOutcome::Loaded);
        assert_eq!(outcome(b"ATTACH_ERR AgentInitializationException102"), LoadOutcome::AgentFailed(102));
        assert_eq!(outcome(b"ATTACH_ERR AgentInitializationException -1"), LoadOutcome::AgentFailed(-1));
        for words in ["AgentLoadException /x.so:", "syntax error", "AgentInitializationException0", "0", ""] {
            let answer = format!("ATTACH_ERR {words}");
            assert_eq!(outcome(answer.as_bytes()), LoadOutcome::NotLoaded(words.to_owned()));
        }
        assert!(matches!(outcome(b""), LoadOutcome::NotLoaded(_)));
        assert!(matches!(outcome(b"0"), LoadOutcome::NotLoaded(_)));
    }

    #[test]
    fn texts() {
        let good = b"#x\nopenj9_diagnostics.error=false\nopenj9_diagnostics.string_result=a\\nb\\u00fc\n";
        assert_eq!(interpret(Answer::Diagnostics, good), (0, "a\nb\u{fc}\n".to_owned()));
        let bad = b"openj9_diagnostics.error=true\nopenj9_diagnostics.errormsg=Command x not recognized\n";
        assert_eq!(interpret(Answer::Diagnostics, bad), (1, "Command x not recognized".to_owned()));
        assert_eq!(interpret(Answer::Diagnostics, b"rubbish").0, 1);
        assert_eq!(interpret(Answer::Diagnostics, b"ATTACH_ERR command invalid: x").0, 1);
        let properties = b"java.version=17.0.1\njava.vm.name=Eclipse OpenJ9 VM\njava.vm.version=openj9-0.1\n";
        let version = "Eclipse OpenJ9 VM version openj9-0.1\nJDK 17.0.1\n".to_owned();
        assert_eq!(interpret(Answer::Version, properties), (0, version));
        assert_eq!(interpret(Answer::Properties, properties).1.as_bytes(), properties);
        assert_eq!(interpret(Answer::Result, b"ATTACH_RESULT=service:x"), (0, "service:x\n".to_owned()));
    }
}
