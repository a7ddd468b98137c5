//! Sources of a patch, compiled by the target's own javac where this host has none.
//!
//! It may be anything, so it is run as the target's user in the target's view, with less than the target has
//! (`jgraft_attach::run_inside`). What it needs is put into a directory of ours there, which goes at once; what it makes is read
//! as the target's user, within limits, plain files alone, and looked at as any other class file that was named. Its words are
//! shown as they are, but for the paths of the sources, which are those that were typed.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jgraft_attach::staging::Needs;
use jgraft_attach::{Ended, InsideProgram, Limits, Patience, RunError, Target, TargetDir, run_inside};

use super::class_path::ClassPath;
use super::compile::{Said, Sources, TIME, failed, was_interrupted};
use super::inputs;
use super::javac::{self, Javac, Places};
use crate::failure::{EXIT_BLOCKED, Failure};
use crate::interrupt::Interrupt;
use crate::session;

/// Bytes of what it writes: javac stops at a hundred errors.
const MOST_WORDS: usize = 1 << 20;
/// What it makes is not more than a patch may be, and no file is larger than a class file may be.
const MADE: Limits = Limits {
    entries: inputs::MOST_CLASSES,
    file: inputs::CLASS_LIMIT as usize,
    bytes: inputs::LIMIT as usize,
};
/// Files and directories that are put there.
const MOST_FILES: usize = 150_000;
/// It is small beside the service: its compiler compiles little, for a short time, with one thread.
/// It has a low pid of its own, by which HotSpot names files in the `/tmp` that it shares with the service: were attach on, it
/// would begin with removing `.java_pid1`, which is the socket of a service in a container.
const VM: [&str; 5] = [
    "-J-XX:+DisableAttachMechanism",
    "-J-XX:-UsePerfData",
    "-J-Xmx512m",
    "-J-XX:+UseSerialGC",
    "-J-XX:TieredStopAtLevel=1",
];
/// Else names and messages that are not ASCII are spoilt.
const ENVIRONMENT: [&str; 1] = ["LANG=C.UTF-8"];

/// The target's, where it has one that will do.
pub(super) fn javac(release: u32, target: &Target) -> Result<Javac, Failure> {
    let needed = javac::needed(release, target.feature());
    let home = target.java_home().map(Path::to_owned);
    // On 8, java.home is the runtime in the JDK.
    let above =
        home.as_deref().filter(|home| home.ends_with("jre")).and_then(Path::parent).map(Path::to_owned);
    let is_there = |path: &PathBuf| target.root().is_ok_and(|root| root.open_file(path).is_ok());
    // Where nothing tells its release: until 8 there was this file; a later one says so itself where it is too old.
    let until_8 = home.as_ref().is_some_and(|home| is_there(&home.join("lib/rt.jar")));
    let feature = target.feature().unwrap_or(if until_8 { 8 } else { needed.max(9) });
    let path = home.into_iter().chain(above).map(|home| home.join("bin/javac")).find(is_there);
    match path {
        Some(path) if feature >= needed => Ok(Javac { path, feature }),
        _ => Err(no_javac(needed, &format!("nor has pid {} in its java.home", target.pid()))
            .remedy("install a JDK, or compile them where the service was built and name the class files")),
    }
}

fn no_javac(needed: u32, of_theirs: &str) -> Failure {
    let places = javac::PLACES.join(", ");
    Failure::new(EXIT_BLOCKED, "no-javac", "there is no javac on this host for these sources").evidence(
        format!("none of JAVA_HOME, PATH and {places} has one of JDK {needed} or later; {of_theirs}"),
    )
}

/// Where it is run, and for whom.
pub(super) struct Inside<'a> {
    pub(super) target: &'a Target,
    pub(super) javac: &'a Javac,
    /// What was unpacked of its class path, on our side.
    pub(super) unpacked: &'a Path,
    pub(super) timeout: Duration,
    pub(super) interrupt: &'a Interrupt,
}

impl Inside<'_> {
    /// Compiles into a directory on our side, where it ended well.
    pub(super) fn compile(
        &self,
        sources: &Sources<'_>,
        theirs: Option<&ClassPath>,
        out: &Path,
    ) -> Result<Said, Failure> {
        let no_place =
            |error: io::Error| failed("nothing can be put where its javac sees it", error.to_string());
        let mut luggage = Luggage::default();
        let packed = luggage.pack(sources, self.unpacked).map_err(no_place)?;
        let needs =
            Needs { bytes: luggage.bytes, files: 2 * luggage.files.len() as u64 + 8, ..Needs::default() };
        let workshop = session::workshop(self.target, needs, self.timeout)?;
        let dir = workshop.dir();
        luggage.unpack(dir).map_err(no_place)?;
        let there = |path: &PathBuf| dir.path().join(path);
        let given: Vec<PathBuf> = packed.given.iter().map(there).collect();
        let unpacked = dir.path().join(UNPACKED);
        let theirs = theirs.into_iter().flat_map(|theirs| theirs.there(&unpacked));
        let made = dir.subdir("classes").map_err(no_place)?;
        let nothing = dir.subdir("no-processors").map_err(no_place)?;
        let places = Places {
            class_path: given.iter().cloned().chain(theirs).collect(),
            given,
            files: packed.files.iter().map(there).collect(),
            out: made.path().to_owned(),
            nothing: nothing.path().to_owned(),
        };
        let arguments = quoted(&self.javac.arguments(sources, &places));
        dir.write_new("options", &arguments).map_err(no_place)?;
        let ended = self.run(dir).map_err(|error| self.explain(error, sources))?;
        if ended.status.success() {
            let spoilt = |error: io::Error| failed("what its javac made cannot be read", error.to_string());
            for (path, bytes) in made.read_below(".class", MADE).map_err(spoilt)? {
                let path = out.join(path);
                let parent = path.parent().unwrap_or(out);
                fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes)).map_err(spoilt)?;
            }
        }
        let mut text = ended.output;
        for (typed, staged) in sources.files.iter().zip(&places.files) {
            text = replaced(&text, staged.as_os_str().as_bytes(), typed.as_os_str().as_bytes());
        }
        Ok(Said { javac: self.name(), status: ended.status, text })
    }

    fn run(&self, dir: &TargetDir) -> Result<Ended, RunError> {
        let mut arguments: Vec<String> = VM.map(str::to_owned).into();
        arguments.push(format!("-J-XX:ErrorFile={}", dir.path().join("crash").display()));
        arguments.push(format!("-J-Djava.io.tmpdir={}", dir.path().display()));
        arguments.push(format!("@{}", dir.path().join("options").display()));
        let program =
            InsideProgram { path: &self.javac.path, arguments: &arguments, environment: &ENVIRONMENT };
        let patience = Patience { deadline: Instant::now().checked_add(TIME), cancel: self.interrupt.fd() };
        run_inside(self.target, &program, MOST_WORDS, &patience)
    }

    fn explain(&self, error: RunError, sources: &Sources<'_>) -> Failure {
        let (path, pid) = (self.javac.path.display(), self.target.pid());
        match error {
            RunError::Interrupted => was_interrupted(),
            RunError::Root { .. } => {
                let of_theirs = format!("{path}, which pid {pid} sees, is not run from here: {error}");
                no_javac(javac::needed(sources.release, self.target.feature()), &of_theirs).remedy(format!(
                    "install a JDK; or run {path} where pid {pid} runs, and name the class files"
                ))
            }
            RunError::Lacking { .. } | RunError::NotStarted { .. } => {
                let of_theirs = format!("{path}, which pid {pid} sees, could not be run from here: {error}");
                no_javac(javac::needed(sources.release, self.target.feature()), &of_theirs).remedy(format!(
                    "run jgraft as root; or install a JDK; or run {path} where pid {pid} runs, as its user, and name the class files"
                ))
            }
            RunError::TooLong | RunError::TooMuch(_) | RunError::Stuck => {
                failed("javac does not end as it should", format!("{}: {error}", self.name()))
            }
        }
    }

    fn name(&self) -> String {
        format!("{}, run where pid {} sees it,", self.javac.path.display(), self.target.pid())
    }
}

/// What was unpacked of the class path lies here, in our directory there.
const UNPACKED: &str = "class-path";

/// Files of our side that a compiler in the target's view needs.
#[derive(Debug, Default)]
struct Luggage {
    /// Where they are, and where they will be below our directory there.
    files: Vec<(PathBuf, PathBuf)>,
    bytes: u64,
}

/// Where they will be, in their order.
struct Packed {
    files: Vec<PathBuf>,
    given: Vec<PathBuf>,
}

impl Luggage {
    fn pack(&mut self, sources: &Sources<'_>, unpacked: &Path) -> io::Result<Packed> {
        // A folder each: sources of several packages may have one name.
        let files = self.pack_all("source", sources.files)?;
        let given = self.pack_all("given", sources.class_path)?;
        self.add(unpacked, Path::new(UNPACKED))?;
        Ok(Packed { files, given })
    }

    fn pack_all(&mut self, folder: &str, paths: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
        let pack = |(n, path): (usize, &PathBuf)| {
            let name = path.file_name().unwrap_or(OsStr::new("entry"));
            let at = Path::new(folder).join(n.to_string()).join(name);
            // An entry of a class path that is not there is passed over by javac too.
            if folder == "source" || path.exists() {
                self.add(path, &at)?;
            }
            Ok(at)
        };
        paths.iter().enumerate().map(pack).collect()
    }

    /// A file or a directory with what is in it. Links to directories inside are not followed: they may lead round in a circle.
    fn add(&mut self, path: &Path, at: &Path) -> io::Result<()> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let facts = fs::metadata(path).map_err(named)?;
        if facts.is_dir() {
            for entry in fs::read_dir(path).map_err(named)? {
                let entry = entry.map_err(named)?;
                let is_link = entry.file_type().map_err(named)?.is_symlink();
                // What was unpacked has links to files of the target beside it, which it sees itself.
                if !is_link || (at != Path::new(UNPACKED) && entry.path().is_file()) {
                    self.add(&entry.path(), &at.join(entry.file_name()))?;
                }
            }
        } else if facts.is_file() {
            self.bytes = self.bytes.saturating_add(facts.len());
            self.files.push((path.to_owned(), at.to_owned()));
        }
        match self.files.len() > MOST_FILES {
            true => Err(named(io::Error::other(format!("more than {MOST_FILES} files")))),
            false => Ok(()),
        }
    }

    fn unpack(&self, dir: &TargetDir) -> io::Result<()> {
        let mut last: Option<(PathBuf, TargetDir)> = None;
        for (path, at) in &self.files {
            let (folder, name) = (at.parent().unwrap_or(Path::new("")), at.file_name().unwrap_or_default());
            if last.as_ref().is_none_or(|(opened, _)| opened != folder) {
                // Each lies in a folder.
                let mut opened: Option<TargetDir> = None;
                for part in folder.components() {
                    opened = Some(opened.as_ref().unwrap_or(dir).subdir(part)?);
                }
                last = opened.map(|opened| (folder.to_owned(), opened));
            }
            let Some((_, opened)) = &last else { continue };
            let named =
                |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            opened.copy_new(name, &mut File::open(path).map_err(named)?).map_err(named)?;
        }
        Ok(())
    }
}

/// As a file of options has them: words in quotation marks, escapes as in Java.
fn quoted(words: &[OsString]) -> Vec<u8> {
    let mut text = Vec::new();
    for word in words {
        text.push(b'"');
        for byte in word.as_bytes() {
            match byte {
                b'\n' => text.extend(b"\\n"),
                b'\r' => text.extend(b"\\r"),
                b'"' | b'\\' => text.extend([b'\\', *byte]),
                _ => text.push(*byte),
            }
        }
        text.extend(b"\"\n");
    }
    text
}

fn replaced(text: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut made = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(what.len()).position(|found| found == what) {
        made.extend(&rest[..at]);
        made.extend(with);
        rest = &rest[at + what.len()..];
    }
    made.extend(rest);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_quoted() {
        let words = ["-d", "a b", "c\"d\\e\nf", "ü"].map(OsString::from);
        let text = String::from_utf8(quoted(&words)).unwrap();
        assert_eq!(text, "\"-d\"\n\"a b\"\n\"c\\\"d\\\\e\\nf\"\n\"ü\"\n");
    }

    #[test]
    fn what_was_typed_is_shown() {
        let shown = replaced(b"/s/0/A.java:1: x\n/s/0/A.java:2: y\n", b"/s/0/A.java", b"fix/A.java");
        assert_eq!(shown, b"fix/A.java:1: x\nfix/A.java:2: y\n");
    }
}
