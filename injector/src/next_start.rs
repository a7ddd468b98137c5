//! How to start a JVM with an agent from the beginning: the way that always works, and the only one that reaches
//! classes before they are used.

/// The launcher's option and the variable, each ready to be pasted into a shell.
pub(crate) fn next_start(option: &str) -> [String; 2] {
    [
        format!("java {} …", shell(option)),
        format!("JAVA_TOOL_OPTIONS={}", always_quoted(&variable_word(option))),
    ]
}

/// As one word of JAVA_TOOL_OPTIONS, which blanks separate and quotes of either kind join (no escapes there).
fn variable_word(option: &str) -> String {
    match (option.contains(char::is_whitespace), option.contains('"')) {
        (false, _) => option.to_owned(),
        (true, false) => format!("\"{option}\""),
        (true, true) => format!("'{option}'"),
    }
}

fn shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,+@%".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { always_quoted(word) }
}

fn always_quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_can_be_pasted() {
        let plain = next_start("-javaagent:/a.jar=x=1,y");
        assert_eq!(plain, ["java -javaagent:/a.jar=x=1,y …", "JAVA_TOOL_OPTIONS='-javaagent:/a.jar=x=1,y'"]);
        let blanks = next_start("-javaagent:/a.jar=a b");
        assert_eq!(
            blanks,
            ["java '-javaagent:/a.jar=a b' …", "JAVA_TOOL_OPTIONS='\"-javaagent:/a.jar=a b\"'"]
        );
        let quote = next_start("-javaagent:/a.jar=it's");
        assert_eq!(quote[0], r"java '-javaagent:/a.jar=it'\''s' …");
    }
}
