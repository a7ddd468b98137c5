//! How to start a JVM with an agent from the beginning: the way that always works, and the only one that reaches
//! classes before they are used.

/// The launcher's option and the variable, each ready to be pasted into a shell. `None` where no line can be written:
/// the JVM takes everything after the first `=` of a path for options.
pub(crate) fn next_start(kind: &str, path: &str, options: Option<&str>) -> Option<[String; 2]> {
    if path.contains('=') {
        return None;
    }
    let option = match options {
        Some(options) => format!("{kind}{path}={options}"),
        None => format!("{kind}{path}"),
    };
    Some([
        format!("java {} …", shell(&option)),
        format!("JAVA_TOOL_OPTIONS={}", always_quoted(&variable_word(&option))),
    ])
}

/// The pattern of a Java agent's lines.
pub(crate) fn of_any_agent() -> Option<[String; 2]> {
    next_start("-javaagent:", "AGENT.jar", Some("OPTIONS"))
}

/// As one word of JAVA_TOOL_OPTIONS: blanks separate words there, quotes of either kind keep what is between them as it
/// is, nothing escapes, and quoted runs that adjoin are one word.
fn variable_word(option: &str) -> String {
    let (single, double) = (option.contains('\''), option.contains('"'));
    if !single && !double && !option.contains(char::is_whitespace) {
        return option.to_owned();
    }
    if !double {
        return format!("\"{option}\"");
    }
    let runs = option.split_inclusive('\'').map(|run| match run.strip_suffix('\'') {
        Some("") => "\"'\"".to_owned(),
        Some(run) => format!("'{run}'\"'\""),
        None => format!("'{run}'"),
    });
    runs.collect()
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

    fn lines(options: &str) -> [String; 2] {
        next_start("-javaagent:", "/a.jar", Some(options)).unwrap()
    }

    #[test]
    fn lines_can_be_pasted() {
        let plain = ["java -javaagent:/a.jar=x=1,y …", "JAVA_TOOL_OPTIONS='-javaagent:/a.jar=x=1,y'"];
        assert_eq!(lines("x=1,y"), plain);
        let blanks = ["java '-javaagent:/a.jar=a b' …", "JAVA_TOOL_OPTIONS='\"-javaagent:/a.jar=a b\"'"];
        assert_eq!(lines("a b"), blanks);
        assert_eq!(lines("it's")[0], r"java '-javaagent:/a.jar=it'\''s' …");
    }

    #[test]
    fn quotes_are_quoted_by_the_other_kind() {
        assert_eq!(variable_word("x"), "x");
        assert_eq!(variable_word("it's"), r#""it's""#);
        assert_eq!(variable_word(r#""q""#), r#"'"q"'"#);
        assert_eq!(variable_word(r#"it's "q""#), r#"'it'"'"'s "q"'"#);
        assert_eq!(variable_word(r#"''"'"#), r#""'""'"'"'"'""#);
    }

    #[test]
    fn no_line_for_a_path_that_the_jvm_would_cut() {
        assert_eq!(next_start("-javaagent:", "/a=b.jar", None), None);
    }
}
