//! What the user wants loaded: `AGENT.jar[=OPTIONS]` or, with `--native`, `LIB[=OPTIONS]`.

use std::path::{Path, PathBuf};

use crate::cli::Load;
use crate::failure::Failure;
use crate::next_start::next_start;

/// Longer options do not fit any protocol; a file given by mistake (a core dump) is not read to its end.
const OPTIONS_LIMIT: u64 = 1 << 20;

/// An agent and its options.
pub(crate) struct Agent {
    /// Absolute, or the bare name of a library that the JVM looks for itself.
    path: String,
    pub(crate) options: Option<String>,
    pub(crate) native: bool,
}

impl Agent {
    pub(crate) fn parse(typed: &Load) -> Result<Agent, Failure> {
        Agent::from_words(&typed.agent, typed.options_file.as_deref(), typed.native)
    }

    pub(crate) fn from_words(
        words: &str,
        options_file: Option<&Path>,
        native: bool,
    ) -> Result<Agent, Failure> {
        let (path, options) = split(words);
        let mut options = options.map(str::to_owned);
        if let Some(file) = options_file {
            if options.is_some() {
                let evidence = format!("{words} and --options-file {}", file.display());
                return Err(Failure::usage("options were given twice", evidence, "leave one of them out"));
            }
            options = Some(read_options(file)?);
        }
        let path = match native && !path.contains('/') && !Path::new(path).exists() {
            // A library on the JVM's own path, such as jdwp.
            true => path.to_owned(),
            false => absolute(path)?,
        };
        Ok(Agent { path, options, native })
    }

    /// As the JVM will be told.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// A library that the JVM is to look for by name.
    pub(crate) fn is_bare_name(&self) -> bool {
        !self.path.starts_with('/')
    }

    /// The native agent that comes with jgraft, whose codes have a meaning here.
    pub(crate) fn is_ours(&self) -> bool {
        self.native && self.path.ends_with("/libjgraft_agent.so")
    }

    /// How to have it at the next start, whatever stands against loading it now. `path` is in the view of that JVM.
    pub(crate) fn next_start(&self, path: &str) -> Option<[String; 2]> {
        let kind = match (self.native, self.is_bare_name()) {
            (false, _) => "-javaagent:",
            (true, false) => "-agentpath:",
            (true, true) => "-agentlib:",
        };
        next_start(kind, path, self.options.as_deref())
    }
}

/// At the first `=`, as the JVM will split it; but a file whose own name holds one is taken as it is, so that the
/// check can say what is wrong with it.
fn split(typed: &str) -> (&str, Option<&str>) {
    let first = typed.split_once('=');
    match first {
        None => (typed, None),
        Some((path, options)) if Path::new(path).is_file() => (path, Some(options)),
        Some((path, options)) => {
            let longer = typed.match_indices('=').skip(1).map(|(at, _)| at).chain([typed.len()]);
            let existing = longer.into_iter().find(|&at| Path::new(&typed[..at]).is_file());
            match existing {
                Some(at) => (&typed[..at], typed.get(at + 1..)),
                None => (path, Some(options)),
            }
        }
    }
}

/// A relative path means ours, never the target's working directory. Links are left as they are: what the user names
/// is what agents see as their own path.
fn absolute(path: &str) -> Result<String, Failure> {
    let full: PathBuf = std::path::absolute(path).map_err(|e| {
        Failure::usage(format!("{path:?} is no path"), e.to_string(), "name the agent's file")
    })?;
    match full.into_os_string().into_string() {
        Ok(full) => Ok(full),
        Err(full) => Err(Failure::usage(
            "the agent's path is not UTF-8",
            full.to_string_lossy(),
            "rename it: the attach protocol carries UTF-8",
        )),
    }
}

/// The whole file, less the newline that editors put at its end.
fn read_options(file: &Path) -> Result<String, Failure> {
    use std::io::Read;
    let failure = |e: std::io::Error| {
        Failure::usage(
            format!("cannot read options from {}", file.display()),
            e.to_string(),
            "name a readable text file",
        )
    };
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(failure)?;
    opened.take(OPTIONS_LIMIT).read_to_string(&mut text).map_err(failure)?;
    let end = text.strip_suffix('\n').map_or(text.len(), |t| t.strip_suffix('\r').unwrap_or(t).len());
    text.truncate(end);
    match text.find('\0') {
        None => Ok(text),
        Some(at) => Err(Failure::usage(
            format!("the options in {} hold a NUL, which would end them", file.display()),
            format!("byte {at} is 0"),
            "name a text file",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_first_equals_sign_unless_a_file_says_otherwise() {
        assert_eq!(split("/no/a.jar"), ("/no/a.jar", None));
        assert_eq!(split("/no/a.jar="), ("/no/a.jar", Some("")));
        assert_eq!(split("/no/a.jar=x=1,y"), ("/no/a.jar", Some("x=1,y")));
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join("a=b.jar");
        std::fs::write(&odd, "").unwrap();
        let odd = odd.to_str().unwrap();
        assert_eq!(split(odd), (odd, None));
        assert_eq!(split(&format!("{odd}=x=y")), (odd, Some("x=y")));
    }

    #[test]
    fn an_options_file_loses_one_newline() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a=1,\n b\r\n").unwrap();
        assert_eq!(read_options(file.path()).unwrap(), "a=1,\n b");
        std::fs::write(file.path(), "a=1\0b\n").unwrap();
        assert!(read_options(file.path()).is_err());
    }
}
