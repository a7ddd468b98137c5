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

/// A time as RFC 3339 has it, in UTC: `2026-03-01T09:41:07.123Z`.
pub(crate) fn rfc_3339(since_1970: Duration) -> String {
    let (seconds, millis) = (since_1970.as_secs(), since_1970.subsec_millis());
    let (year, month, day) = date(seconds / 86_400);
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{:02}.{millis:03}Z", seconds % 60)
}

/// Year, month and day so many days after the first of 1970.
fn date(mut days: u64) -> (u64, u64, u64) {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    // 400 years are 146,097 days: no clock makes this go round for long.
    let mut year = 1970 + days / 146_097 * 400;
    days %= 146_097;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
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
    fn times() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_868_799, "2000-02-29T23:59:59.000Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000Z"),
            (1_798_761_599, "2026-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
            (13_574_563_200, "2400-02-29T00:00:00.000Z"),
        ] {
            assert_eq!(rfc_3339(Duration::from_secs(seconds)), text);
        }
        assert_eq!(rfc_3339(Duration::from_millis(1_709_251_199_087)), "2024-02-29T23:59:59.087Z");
        assert!(rfc_3339(Duration::MAX).ends_with('Z'));
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
