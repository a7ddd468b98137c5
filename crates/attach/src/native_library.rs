//! A native agent before it is sent: will the target's dynamic linker take the file, and is there anything to call?
//!
//! `dlopen` in the target says so only on the target's side, and a library for another libc can take the JVM with it.
//! So the ELF file is compared with the target's executable and with the libc in its memory map. What cannot be read
//! is no reason against loading.

mod elf;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::finding::{Finding, FindingKind};
use crate::target::Target;
use elf::{Ident, Library, SystemLibrary};

/// What a JVM calls in a library that is attached.
const ON_ATTACH: &str = "Agent_OnAttach";

/// The libc that a process runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Glibc,
    Musl,
}

/// What a file is loaded into.
#[derive(Debug, Default)]
struct Surroundings {
    ident: Option<Ident>,
    /// The mapped libc.
    libc: Option<(Family, PathBuf)>,
    /// A layer that gives musl programs what glibc's have.
    has_gcompat: bool,
}

/// Checks the library at `path`, which is ours to read, for `target`. The error is a reason not to send it; the
/// finding, if any, something to know.
pub fn check(target: &Target, path: &Path) -> Result<Option<Finding>, Finding> {
    let shown = path.display();
    let no_library = |evidence: String| {
        Finding::new(
            FindingKind::NotALibrary,
            format!("{shown} is no library that a jvm can load"),
            evidence,
            "name an ELF shared object (a .so file)",
        )
    };
    let file = open(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => Finding::new(
            FindingKind::NotALibrary,
            format!("{shown} is not there"),
            e.to_string(),
            "check the path; a name without / is one that the jvm looks for itself",
        ),
        _ => no_library(e.to_string()),
    })?;
    let library = Library::read(&file).map_err(no_library)?;
    let around = Surroundings::of(target);
    fits(&library, &around, path)?;
    if library.has_symbols && !library.defines(ON_ATTACH) {
        return Err(no_entry_point(&library, path));
    }
    match &around.libc {
        None => Ok(None),
        Some((family, libc)) => {
            let theirs = target.root().ok().and_then(|root| {
                let file = root.open_file(root.as_target_sees(libc)).ok()?;
                SystemLibrary::read(&file, library.imports()).ok()
            });
            libc_verdict(&library, *family, theirs.as_ref(), around.has_gcompat, path)
        }
    }
}

/// A plain file only: a FIFO by that name must not hold us.
fn open(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"));
    }
    File::open(path)
}

impl Surroundings {
    fn of(target: &Target) -> Surroundings {
        let process = target.process();
        let ident = process.open_file("exe").ok().and_then(|exe| {
            let mut head = Vec::new();
            exe.take(elf::HEAD).read_to_end(&mut head).ok()?;
            Ident::parse(&head)
        });
        let maps = process.read("maps").unwrap_or_default();
        let maps = String::from_utf8_lossy(&maps);
        let paths = || maps.lines().filter_map(|line| line.find('/').map(|at| Path::new(&line[at..])));
        let libc = paths().find_map(|path| Some((family(path.file_name()?.to_str()?)?, path.to_owned())));
        let has_gcompat = paths()
            .any(|path| path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"libgcompat")));
        Surroundings { ident, libc, has_gcompat }
    }
}

/// By the name of a mapped file: glibc's is `libc.so.6`, before 2.34 a link to `libc-2.31.so`; musl's is its own
/// dynamic linker, `ld-musl-x86_64.so.1`, which some distributions keep as `libc.so`.
fn family(name: &str) -> Option<Family> {
    if name == "libc.so.6" || (name.starts_with("libc-2.") && name.ends_with(".so")) {
        return Some(Family::Glibc);
    }
    let musl = name.starts_with("ld-musl-") || name.starts_with("libc.musl-") || name == "libc.so";
    musl.then_some(Family::Musl)
}

fn fits(library: &Library, around: &Surroundings, path: &Path) -> Result<(), Finding> {
    match around.ident {
        Some(theirs) if theirs != library.ident => Err(Finding::new(
            FindingKind::WrongArchitecture,
            format!("{} is for another architecture than the jvm", path.display()),
            format!("it is {}, the jvm's executable is {theirs}", library.ident),
            "take the library that was built for the jvm's architecture",
        )),
        _ => Ok(()),
    }
}

fn no_entry_point(library: &Library, path: &Path) -> Finding {
    let cause = format!("{} exports no {ON_ATTACH}: it cannot be attached", path.display());
    if library.defines("Agent_OnLoad") {
        let evidence = "it exports Agent_OnLoad: an agent for the start of a jvm only";
        let remedy = format!("start the jvm with -agentpath:{}", path.display());
        return Finding::new(FindingKind::NoAgentOnAttach, cause, evidence, remedy);
    }
    let evidence = "nor does it export Agent_OnLoad: it is no jvmti agent, or its symbols are hidden";
    Finding::new(FindingKind::NoAgentOnAttach, cause, evidence, "name the agent's own library")
}

/// `theirs` is the target's libc, looked through for what the library wants of it.
fn libc_verdict(
    library: &Library,
    family: Family,
    theirs: Option<&SystemLibrary>,
    has_gcompat: bool,
    path: &Path,
) -> Result<Option<Finding>, Finding> {
    let shown = path.display();
    let wrong = |cause: String, evidence: String, remedy: &str| {
        Err(Finding::new(FindingKind::WrongLibc, cause, evidence, remedy))
    };
    let wanted = library.needed.iter().find_map(|name| Some((self::family(name)?, name)));
    let Some((wanted, name)) = wanted else { return Ok(None) };
    match (wanted, family) {
        (Family::Musl, Family::Musl) => Ok(None),
        (Family::Musl, Family::Glibc) => wrong(
            format!("{shown} was built for musl, and the jvm runs on glibc"),
            format!("it needs {name}; the jvm has glibc's libc mapped"),
            "take the library that was built for glibc",
        ),
        (Family::Glibc, Family::Glibc) => {
            let Some(theirs) = theirs.filter(|theirs| !theirs.versions.is_empty()) else { return Ok(None) };
            let newer = library.glibc.iter().find(|import| !theirs.versions.contains(&import.version));
            match newer {
                None => Ok(None),
                Some(import) => wrong(
                    format!("{shown} was built for a newer glibc than the jvm runs on"),
                    format!(
                        "its {} needs {}; the jvm's libc has no such version",
                        import.symbol, import.version
                    ),
                    "take a library built on an older system",
                ),
            }
        }
        (Family::Glibc, Family::Musl) => {
            let missing = theirs.map(|theirs| {
                let missing = library.glibc.iter().filter(|import| !theirs.found.contains(&import.symbol));
                missing.map(|import| &*import.symbol).collect::<Vec<_>>()
            });
            match missing {
                Some(missing) if !missing.is_empty() && !has_gcompat => wrong(
                    format!("{shown} was built for glibc, and the jvm runs on musl"),
                    format!("musl has no {}", missing.iter().take(5).copied().collect::<Vec<_>>().join(", ")),
                    "take the library that was built for musl (Alpine)",
                ),
                // musl takes a library that asks for libc.so.6, if it has every symbol.
                _ => Ok(Some(Finding::new(
                    FindingKind::WrongLibc,
                    format!("{shown} was built for glibc, and the jvm runs on musl"),
                    "musl has every symbol that it asks of glibc, as far as can be seen",
                    "if it misbehaves, take the library that was built for musl (Alpine)",
                ))),
            }
        }
    }
}

#[cfg(test)]
mod tests;
