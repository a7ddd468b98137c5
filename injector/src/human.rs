//! Output for people: colours only on a terminal that wants them, and nothing of a target's text that could steer one.

use std::io::{IsTerminal, Write};
use std::time::Duration;

/// stdout or stderr, knowing whether it may be coloured.
pub(crate) struct Stream {
    is_stderr: bool,
    colour: bool,
}

impl Stream {
    pub(crate) fn stdout() -> Stream {
        Stream { is_stderr: false, colour: std::io::stdout().is_terminal() && wants_colour() }
    }

    pub(crate) fn stderr() -> Stream {
        Stream { is_stderr: true, colour: std::io::stderr().is_terminal() && wants_colour() }
    }

    /// One line. What stderr does not take is talk that nobody hears.
    pub(crate) fn line(&self, text: &str) {
        match self.is_stderr {
            true => drop(writeln!(std::io::stderr(), "{text}")),
            false => crate::output::line(text),
        }
    }

    /// Something that the user should know, and that stops nothing.
    pub(crate) fn warning(&self, text: &str) {
        self.line(&format!("{}: {text}", self.yellow("warning")));
    }

    pub(crate) fn red(&self, text: &str) -> String {
        self.paint("31;1", text)
    }

    pub(crate) fn yellow(&self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(crate) fn green(&self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// <https://no-color.org>: set and not empty means none.
fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// A target chooses its command line, its counters and its messages: control characters in them are shown, not obeyed.
pub(crate) fn clean(text: &str) -> String {
    let show = |c: char| match c {
        '\t' => "    ".to_owned(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(show).collect()
}

/// `1 call`, `2 calls`, `2 classes`.
pub(crate) fn count(number: u64, what: &str) -> String {
    let ending = match what {
        _ if number == 1 => "",
        what if what.ends_with('s') => "es",
        _ => "s",
    };
    format!("{number} {what}{ending}")
}

/// `12s`, `3m 4s`, `5h 6m`, `7d 8h`.
pub(crate) fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, s) => format!("{s}s"),
        (0, 0, m, s) => format!("{m}m {s}s"),
        (0, h, m, _) => format!("{h}h {m}m"),
        (d, h, _, _) => format!("{d}d {h}h"),
    }
}

/// Who we are, for whoever finds what we have put into a JVM: the user that logged in, where sudo tells.
pub(crate) fn by() -> String {
    let uid = nix::unistd::geteuid();
    let name = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let known = || nix::unistd::User::from_uid(uid).ok().flatten().map(|user| user.name);
    let name =
        name.filter(|name| !name.is_empty()).or_else(known).unwrap_or_else(|| "an unknown user".to_owned());
    format!("{name} (uid {uid}, jgraft pid {})", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(clean("a\x1b[2Jb\tü\u{9b}"), "a\\u{1b}[2Jb    ü\\u{9b}");
    }

    #[test]
    fn counts() {
        assert_eq!([0, 1, 2].map(|n| count(n, "call")), ["0 calls", "1 call", "2 calls"]);
        assert_eq!([1, 2].map(|n| count(n, "class")), ["1 class", "2 classes"]);
    }

    #[test]
    fn ages() {
        let cases =
            [(5, "5s"), (184, "3m 4s"), (3600 * 5 + 60 * 6, "5h 6m"), (86_400 * 7 + 3600 * 8, "7d 8h")];
        for (seconds, expected) in cases {
            assert_eq!(age(Duration::from_secs(seconds)), expected);
        }
    }
}
