//! How texts are split into options: the JVM's variables and option files, and the launcher's @argfiles.

/// Which rules a text follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// HotSpot's own: blanks separate, quotes of either kind group.
    Variable,
    /// HotSpot's `-XX:Flags=` file: `#` starts a comment besides.
    Flags,
    /// The launcher's: `#` starts a comment, and between quotes a backslash takes the next character as it is, or
    /// continues the line.
    ArgFile,
}

pub(super) fn words(text: &str, syntax: Syntax) -> Vec<String> {
    let (mut words, mut word, mut started, mut quote) = (Vec::new(), String::new(), false, None);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (q, Some(open)) if q == open => quote = None,
            ('"' | '\'', None) => (quote, started) = (Some(c), true),
            ('\\', Some(_)) if syntax == Syntax::ArgFile => match chars.next() {
                Some('\r' | '\n') => while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {},
                Some('n') => word.push('\n'),
                Some('t') => word.push('\t'),
                Some(c) => word.push(c),
                None => {}
            },
            ('#', None) if !started && syntax != Syntax::Variable => {
                while chars.next().is_some_and(|skipped| skipped != '\n') {}
            }
            (c, None) if c.is_ascii_whitespace() => {
                if started {
                    words.push(std::mem::take(&mut word));
                    started = false;
                }
            }
            (c, _) => {
                word.push(c);
                started = true;
            }
        }
    }
    if started {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_syntax_has_its_own_rules() {
        let text = "-a '-b c'd # e\n\"-f\\\n   g\\\\h\"";
        assert_eq!(words(text, Syntax::ArgFile), ["-a", "-b cd", "-fg\\h"]);
        assert_eq!(words(text, Syntax::Flags), ["-a", "-b cd", "-f\\\n   g\\\\h"]);
        assert_eq!(words(text, Syntax::Variable), ["-a", "-b cd", "#", "e", "-f\\\n   g\\\\h"]);
        assert_eq!(words(" ''", Syntax::Variable), [""]);
    }
}
