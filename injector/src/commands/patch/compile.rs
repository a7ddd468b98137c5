//! Sources of a patch, compiled against the target's class path: by a javac of this host, or, where it has none that will do,
//! by the target's own in the target's view (`compile_inside.rs`), since that may be anything.
//!
//! Nothing of the target's is run by a javac of ours: plug-ins and annotation processors are looked for on a path of their own,
//! which is empty, or what the command line has where it asks for them. The sources name all that is compiled: no other source
//! is looked for.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use jgraft_attach::Target;

use super::class_path::{ClassPath, Compiler};
use super::compile_inside;
use super::javac::{self, Javac, Places};
use crate::failure::{EXIT_FAILED, EXIT_INTERRUPTED, Failure};
use crate::interrupt::Interrupt;

/// A patch is compiled in some seconds.
pub(super) const TIME: Duration = Duration::from_secs(120);
/// How often is looked whether javac has ended.
const LOOK: Duration = Duration::from_millis(5);

/// What is to be compiled, and how.
pub(super) struct Sources<'a> {
    pub(super) files: &'a [PathBuf],
    /// 8, 11, 17, …: of the class in force, so that javac writes what its javac wrote.
    pub(super) release: u32,
    pub(super) processors: bool,
    /// Further entries of the class path, on our side.
    pub(super) class_path: &'a [PathBuf],
}

/// What a compiler came to.
pub(super) struct Said {
    /// Which it was, for people.
    pub(super) javac: String,
    pub(super) status: ExitStatus,
    /// What it wrote.
    pub(super) text: Vec<u8>,
}

/// Compiles into a directory, which is new. Another of ours that works where the target sees it is waited for at most so long.
pub(super) fn compile(
    sources: &Sources<'_>,
    target: &Target,
    java_class_path: Option<&str>,
    folder: &Path,
    timeout: Duration,
    interrupt: &Interrupt,
) -> Result<PathBuf, Failure> {
    let ours = javac::of_this_host(sources.release, target.feature());
    let (javac, compiler) = match &ours {
        Some(javac) => (javac.clone(), Compiler::Here),
        None => (compile_inside::javac(sources.release, target)?, Compiler::There),
    };
    let (unpacked, out) = (folder.join("class-path"), folder.join("classes"));
    for path in [&unpacked, &out] {
        fs::create_dir(path).map_err(|error| failed("no place for the classes", error.to_string()))?;
    }
    let theirs = java_class_path.map(|paths| ClassPath::open(target, paths, &unpacked, compiler)).transpose();
    let theirs =
        theirs.map_err(|error| failed("the target's class path cannot be read", error.to_string()))?;
    let said = match ours {
        Some(_) => here(&javac, sources, theirs.as_ref(), folder, &out, interrupt)?,
        None => {
            let inside =
                compile_inside::Inside { target, javac: &javac, unpacked: &unpacked, timeout, interrupt };
            inside.compile(sources, theirs.as_ref(), &out)?
        }
    };
    if !said.status.success() {
        let missing = theirs.iter().flat_map(|theirs| &theirs.missing).next();
        let missing = missing.map_or(String::new(), |entry| format!("; not on its class path: {entry}"));
        let evidence = format!("{} ended with {}{missing}", said.javac, said.status);
        let lines = String::from_utf8_lossy(&said.text);
        return Err(failed("javac refuses them", evidence).detail(lines.lines().map(str::to_owned)));
    }
    // A source may be nothing but comments.
    if fs::read_dir(&out).is_ok_and(|mut made| made.next().is_none()) {
        let lines = String::from_utf8_lossy(&said.text);
        let evidence = format!("{} ended well, and has made none", said.javac);
        return Err(failed("there is no class in them", evidence)
            .remedy("name sources that declare classes")
            .detail(lines.lines().map(str::to_owned)));
    }
    Ok(out)
}

/// By a javac of ours.
fn here(
    javac: &Javac,
    sources: &Sources<'_>,
    theirs: Option<&ClassPath>,
    folder: &Path,
    out: &Path,
    interrupt: &Interrupt,
) -> Result<Said, Failure> {
    let nothing = folder.join("no-processors");
    fs::create_dir(&nothing).map_err(|error| failed("no place for the classes", error.to_string()))?;
    let class_path = sources.class_path.iter().cloned();
    let places = Places {
        class_path: class_path.chain(theirs.into_iter().flat_map(ClassPath::here)).collect(),
        given: sources.class_path.to_vec(),
        files: sources.files.to_vec(),
        out: out.to_owned(),
        nothing,
    };
    let mut command = Command::new(&javac.path);
    let arguments: Vec<OsString> = javac.arguments(sources, &places);
    // Options of other commands of this shell are not meant.
    command.env_remove("JDK_JAVAC_OPTIONS").env_remove("JAVA_TOOL_OPTIONS").args(arguments);
    let said = folder.join("said");
    let ended = File::create(&said)
        .and_then(|file| Ok(command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file)))
        .and_then(|command| wait(command.spawn()?, interrupt))
        .map_err(|error| failed("javac does not start", format!("{}: {error}", javac.path.display())))?;
    let status = match ended {
        Wait::Ended(status) => status,
        Wait::Interrupted => return Err(was_interrupted()),
        Wait::TooLong => {
            let evidence = format!("{} had not ended within {} s", javac.path.display(), TIME.as_secs());
            return Err(failed("javac does not end as it should", evidence));
        }
    };
    let text = fs::read(&said).unwrap_or_default();
    Ok(Said { javac: javac.path.display().to_string(), status, text })
}

pub(super) fn failed(what: &str, error: String) -> Failure {
    Failure::new(EXIT_FAILED, "not-compiled", format!("the sources were not compiled: {what}"))
        .evidence(error)
        .remedy("compile them where the service was built, and name the class files")
}

pub(super) fn was_interrupted() -> Failure {
    Failure::new(EXIT_INTERRUPTED, "interrupted", "the sources were not compiled")
        .evidence("a signal came while javac ran, which was ended")
        .remedy("nothing was changed")
}

enum Wait {
    Ended(ExitStatus),
    Interrupted,
    TooLong,
}

/// Its end; or that the user has asked to stop, or that it takes too long: then it is killed. It has our signal mask, so it would
/// not end by itself.
fn wait(mut javac: Child, interrupt: &Interrupt) -> io::Result<Wait> {
    let start = Instant::now();
    loop {
        if let Some(status) = javac.try_wait()? {
            return Ok(Wait::Ended(status));
        }
        let interrupted = interrupt.wait(LOOK);
        if interrupted || start.elapsed() > TIME {
            javac.kill()?;
            javac.wait()?;
            return Ok(if interrupted { Wait::Interrupted } else { Wait::TooLong });
        }
    }
}

/// The internal name of the class that a source is named for, by its package; none where it cannot be read.
pub(super) fn class_of(path: &Path) -> Option<String> {
    // Whatever javac takes for letters: it says so itself.
    let text = fs::read(path).ok()?;
    let stem = path.file_stem()?.to_str()?;
    Some(match package_of(&String::from_utf8_lossy(&text)) {
        Some(package) => format!("{package}/{stem}"),
        None => stem.to_owned(),
    })
}

/// The package that a source declares, with slashes: it comes first but for comments (JLS 7.3, 7.4.1).
fn package_of(source: &str) -> Option<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut rest =
        after_comments(source).strip_prefix("package").filter(|rest| !rest.starts_with(is_name))?;
    let mut package = String::new();
    loop {
        rest = after_comments(rest);
        let (name, after) = rest.split_at(rest.find(|c| !is_name(c)).unwrap_or(rest.len()));
        package.push_str(name);
        rest = after_comments(after);
        if rest.starts_with(';') {
            return (!package.is_empty()).then_some(package);
        }
        rest = rest.strip_prefix('.')?;
        package.push('/');
    }
}

fn after_comments(source: &str) -> &str {
    let mut rest = source.trim_start();
    loop {
        rest = if let Some(line) = rest.strip_prefix("//") {
            line.find(['\n', '\r']).map_or("", |end| &line[end..])
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, after)| after)
        } else {
            return rest;
        };
        rest = rest.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_sources() {
        for source in [
            "package shop.cart;\nclass A {}",
            "/* licence */ package shop.cart; class A {}",
            "// package not.this;\r\n/** package nor.this; */\n\tpackage/**/shop . /* of */ cart\n;",
        ] {
            assert_eq!(package_of(source).as_deref(), Some("shop/cart"), "{source}");
        }
        for source in [
            "",
            "class A {}",
            "packages.of x;",
            "/* package a;",
            "// package a;",
            "import a.B;\npackage a;",
            "package a",
        ] {
            assert_eq!(package_of(source), None, "{source}");
        }
    }
}
