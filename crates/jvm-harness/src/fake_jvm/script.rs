//! Scripts: what a fake JVM is told to be and to do, one statement a line. Pure: text in, statements out.
//!
//! `fakes/README` explains the language by using all of it; it is run as a test like every other file there.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

/// One line of a script, or of a running fake's stdin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// `play VM FEATURE`: whose replies, limits and manners.
    Play(Vm, u32),
    /// `counters off`: no hsperfdata file.
    Counters(Switch),
    /// `listen WHEN`.
    Listen(Listen),
    /// `socket WHAT`: what lies at the socket's path already.
    Socket(Socket),
    /// `answer VERB "TEXT"`: instead of the release's own answer; `*` stands for every verb.
    Answer(String, Vec<u8>),
    /// `fault WHAT`: how answers go wrong from now on.
    Fault(Fault),
    /// `option WORD`: on the fake's command line, where a JVM's options are looked for.
    Option(String),
    /// `variable NAME=VALUE`: in the fake's environment.
    Variable(String),
    /// `lend PID`: listens at the socket's path of another process.
    Lend(u32),
    /// `quit`.
    Quit,
}

/// What is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vm {
    /// HotSpot 8 to 26.
    HotSpot,
    /// OpenJ9, whose attach API is its own.
    OpenJ9,
}

/// `on` or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// As a JVM has it.
    On,
    /// Turned off.
    Off,
}

/// When a HotSpot listener comes up, or an OpenJ9 VM announces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// When SIGQUIT finds a trigger file that it trusts.
    AtSignal,
    /// Before it says ready.
    AtStart,
    /// When told `listen now`.
    AtWord,
    /// Now.
    Now,
}

/// What lies at the path of the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Socket {
    /// A socket on which nobody listens.
    Stale,
    /// A plain file.
    File,
    /// A good listener's socket, given to this uid.
    Owner(u32),
    /// The listener's thread without its socket.
    Deleted,
}

/// How an answer goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    None,
    /// The request is read and never answered.
    Mute,
    /// Connections are closed at once.
    HangUp,
    /// One byte, a pause, the next byte.
    Slow(Duration),
    /// Only so many bytes of the answer, then the end.
    Cut(usize),
    /// Only so many bytes of the answer, then the process dies.
    Die(usize),
    /// So many bytes more at the end of the answer.
    Huge(usize),
    /// Protocol version 2 is refused (`-Djdk.attach.compat=true`).
    NoVersion2,
    /// OpenJ9: so many notifications are slept through.
    Asleep(u32),
    /// OpenJ9: connects to the attacher with a key that is not its.
    WrongKey,
}

/// One run of a client in a script, and what it must come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// The words after `try`; `{pid}` stands for the fake's pid.
    pub words: Vec<String>,
    /// `exit N`.
    pub exit: i32,
    /// `prints "TEXT"`: all of stdout.
    pub prints: Option<String>,
    /// `says "TEXT"`: parts of stdout or stderr.
    pub says: Vec<String>,
    /// `seen "TEXT"`: beginnings of lines that the fake prints, in this order.
    pub seen: Vec<String>,
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// What the fake is told.
    pub statements: Vec<Statement>,
    /// What a test does with it.
    pub trials: Vec<Trial>,
}

impl FromStr for Script {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Script> {
        let mut script = Script::default();
        for (at, line) in text.lines().enumerate() {
            script.take(line).with_context(|| format!("line {}: {line}", at + 1))?;
        }
        Ok(script)
    }
}

impl Script {
    fn take(&mut self, line: &str) -> Result<()> {
        let words = words(line)?;
        let Some((first, rest)) = words.split_first() else { return Ok(()) };
        let first = text(first)?;
        if first == "try" {
            let words = rest.iter().map(|word| text(word)).collect::<Result<_>>()?;
            self.trials.push(Trial { words, ..Trial::default() });
            return Ok(());
        }
        if !["exit", "prints", "says", "seen"].contains(&&*first) {
            self.statements.extend(statement(&words)?);
            return Ok(());
        }
        let trial = self.trials.last_mut().context("no try before it")?;
        let [value] = rest else { bail!("one word after it is wanted") };
        let value = text(value)?;
        match &*first {
            "exit" => trial.exit = value.parse()?,
            "prints" => trial.prints = Some(value),
            "says" => trial.says.push(value),
            _ => trial.seen.push(value),
        }
        Ok(())
    }
}

impl FromStr for Statement {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> Result<Statement> {
        statement(&words(line)?)?.context("an empty line")
    }
}

fn statement(words: &[Vec<u8>]) -> Result<Option<Statement>> {
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    Ok(Some(match *words.as_slice() {
        [] => return Ok(None),
        [b"play", vm, feature] => {
            let vm = match vm {
                b"hotspot" => Vm::HotSpot,
                b"openj9" => Vm::OpenJ9,
                _ => bail!("hotspot or openj9 can be played"),
            };
            Statement::Play(vm, number(feature)?)
        }
        [b"counters", b"on"] => Statement::Counters(Switch::On),
        [b"counters", b"off"] => Statement::Counters(Switch::Off),
        [b"listen", when] => Statement::Listen(match when {
            b"at-signal" => Listen::AtSignal,
            b"at-start" => Listen::AtStart,
            b"at-word" => Listen::AtWord,
            b"now" => Listen::Now,
            _ => bail!("at-signal, at-start, at-word or now"),
        }),
        [b"socket", b"stale"] => Statement::Socket(Socket::Stale),
        [b"socket", b"file"] => Statement::Socket(Socket::File),
        [b"socket", b"deleted"] => Statement::Socket(Socket::Deleted),
        [b"socket", b"owner", uid] => Statement::Socket(Socket::Owner(number(uid)?)),
        [b"answer", verb, answer] => Statement::Answer(text(verb)?, answer.to_vec()),
        [b"option", word] => Statement::Option(text(word)?),
        [b"variable", word] => Statement::Variable(text(word)?),
        [b"lend", pid] => Statement::Lend(number(pid)?),
        [b"quit"] => Statement::Quit,
        [b"fault", ref fault @ ..] => Statement::Fault(self::fault(fault)?),
        [other, ..] => bail!("unknown statement {:?}", String::from_utf8_lossy(other)),
    }))
}

fn fault(words: &[&[u8]]) -> Result<Fault> {
    Ok(match *words {
        [b"none"] => Fault::None,
        [b"mute"] => Fault::Mute,
        [b"hang-up"] => Fault::HangUp,
        [b"slow", millis] => Fault::Slow(Duration::from_millis(number(millis)?)),
        [b"cut", bytes] => Fault::Cut(number(bytes)?),
        [b"die", bytes] => Fault::Die(number(bytes)?),
        [b"huge", bytes] => Fault::Huge(number(bytes)?),
        [b"no-version-2"] => Fault::NoVersion2,
        [b"asleep", times] => Fault::Asleep(number(times)?),
        [b"wrong-key"] => Fault::WrongKey,
        _ => bail!("no such fault"),
    })
}

fn number<T: FromStr>(word: &[u8]) -> Result<T> {
    let word = text(word)?;
    word.parse().map_err(|_| anyhow!("{word:?} is no number that fits"))
}

fn text(word: &[u8]) -> Result<String> {
    Ok(std::str::from_utf8(word).context("not UTF-8")?.to_owned())
}

/// Blanks separate, `"…"` groups, `#` in front of a word ends the line. In quotes `\n`, `\r`, `\t`, `\0`, `\xHH` and a
/// backslash in front of any other character, which then stands for itself.
fn words(line: &str) -> Result<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let mut word = Vec::new();
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = unquote(quoted, &mut word)?;
            ensure!(rest.is_empty() || rest.starts_with([' ', '\t']), "a blank belongs after a quoted word");
        } else {
            let end = rest.find([' ', '\t']).unwrap_or(rest.len());
            word.extend_from_slice(&rest.as_bytes()[..end]);
            rest = &rest[end..];
        }
        words.push(word);
        rest = rest.trim_ascii_start();
    }
    Ok(words)
}

/// The text up to the closing quote into `word`; what comes after it.
fn unquote<'a>(quoted: &'a str, word: &mut Vec<u8>) -> Result<&'a str> {
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Ok(chars.as_str()),
            '\\' => match chars.next().context("a backslash at the end")? {
                'n' => word.push(b'\n'),
                'r' => word.push(b'\r'),
                't' => word.push(b'\t'),
                '0' => word.push(0),
                'x' => {
                    let hex = chars.as_str().get(..2).context("two digits belong after \\x")?;
                    word.push(u8::from_str_radix(hex, 16)?);
                    chars = chars.as_str()[2..].chars();
                }
                other => word.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            },
            other => word.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bail!("the quote is not closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_statements_and_trials() {
        let script: Script = "# a JVM\nplay hotspot 17\n\nanswer * \"0\\nx\\x00\\\"\"  # so\n\
            fault slow 5\ntry jcmd {pid} \"a b\"\nexit 1\nsays \"no\"\n"
            .parse()
            .unwrap();
        assert_eq!(
            script.statements,
            [
                Statement::Play(Vm::HotSpot, 17),
                Statement::Answer("*".into(), b"0\nx\0\"".to_vec()),
                Statement::Fault(Fault::Slow(Duration::from_millis(5))),
            ]
        );
        let [trial] = &script.trials[..] else { panic!("{script:?}") };
        assert_eq!(trial.words, ["jcmd", "{pid}", "a b"]);
        assert_eq!((trial.exit, &*trial.says), (1, &["no".to_owned()][..]));
    }

    #[test]
    fn says_where_a_script_is_wrong() {
        for (text, words) in [
            ("\nplay jrockit 6", "line 2"),
            ("answer * \"0", "not closed"),
            ("exit 1", "no try before it"),
            ("dance", "unknown statement"),
            ("fault slow soon", "no number"),
        ] {
            let error = format!("{:#}", text.parse::<Script>().unwrap_err());
            assert!(error.contains(words), "{error}");
        }
    }
}
