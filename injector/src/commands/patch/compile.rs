//! Sources of a patch, compiled against the target's class path by a javac of this host.
//!
//! The target's own javac is not run: it may be anything. Nothing of the target's is run either: plug-ins and annotation
//! processors are looked for on a path of their own, which is empty, or what the command line has where it asks for them. The
//! sources name all that is compiled: no other source is looked for.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use jgraft_attach::Target;

use super::class_path::ClassPath;
use crate::failure::{EXIT_BLOCKED, EXIT_FAILED, EXIT_INTERRUPTED, Failure};
use crate::interrupt::Interrupt;

/// Where packages put JDKs.
const PLACES: [&str; 4] = ["/usr/lib/jvm", "/usr/java", "/opt", "/opt/java"];

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

/// Compiles into a directory, which is new.
pub(super) fn compile(
    sources: &Sources<'_>,
    target: &Target,
    java_class_path: Option<&str>,
    folder: &Path,
    interrupt: &Interrupt,
) -> Result<PathBuf, Failure> {
    let failed = |what: &str, error: String| {
        Failure::new(EXIT_FAILED, "not-compiled", format!("the sources were not compiled: {what}"))
            .evidence(error)
            .remedy("compile them where the service was built, and name the class files")
    };
    let javac = javac(sources.release, target.feature()).ok_or_else(|| no_javac(sources.release, target))?;
    let (unpacked, out) = (folder.join("class-path"), folder.join("classes"));
    let nothing = folder.join("no-processors");
    for path in [&unpacked, &out, &nothing] {
        fs::create_dir(path).map_err(|error| failed("no place for the classes", error.to_string()))?;
    }
    let theirs = java_class_path.map(|paths| ClassPath::open(target, paths, &unpacked)).transpose();
    let theirs =
        theirs.map_err(|error| failed("the target's class path cannot be read", error.to_string()))?;
    let class_path = sources.class_path.iter().chain(theirs.iter().flat_map(ClassPath::entries));
    // To javac, no class path and an empty entry are its working directory, which is nobody's.
    let class_path: Vec<_> = class_path
        .map(|path| path.display().to_string())
        .filter(|path| !path.is_empty())
        .chain([out.display().to_string()])
        .collect();
    let release = sources.release.to_string();
    let mut command = Command::new(&javac.path);
    match javac.feature {
        8 => command.args(["-source", &format!("1.{release}"), "-target", &format!("1.{release}")]),
        _ => command.args(["--release", &release]),
    };
    command.args(["-g", "-nowarn", "-implicit:none", "-encoding", "UTF-8", "-d"]).arg(&out);
    command.args(["-cp", &class_path.join(":")]).arg("-sourcepath").arg(&out);
    // Without a path of their own, plug-ins come from the class path, and run whatever -proc says.
    let mut processor_path = vec![nothing.display().to_string()];
    match sources.processors {
        true => processor_path.extend(sources.class_path.iter().map(|path| path.display().to_string())),
        false => drop(command.arg("-proc:none")),
    }
    command.args(["-processorpath", &processor_path.join(":")]);
    // Options of other commands of this shell are not meant.
    command.env_remove("JDK_JAVAC_OPTIONS").env_remove("JAVA_TOOL_OPTIONS").args(sources.files);
    let said = folder.join("said");
    let (status, interrupted) = File::create(&said)
        .and_then(|file| Ok(command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file)))
        .and_then(|command| wait(command.spawn()?, interrupt))
        .map_err(|error| failed("javac does not start", format!("{}: {error}", javac.path.display())))?;
    if interrupted {
        return Err(Failure::new(EXIT_INTERRUPTED, "interrupted", "the sources were not compiled")
            .evidence("a signal came while javac ran, which was ended")
            .remedy("nothing was changed"));
    }
    if !status.success() {
        let said = fs::read(&said).unwrap_or_default();
        let missing = theirs.iter().flat_map(|theirs| &theirs.missing).next();
        let missing = missing.map_or(String::new(), |entry| format!("; not on its class path: {entry}"));
        return Err(failed(
            "javac refuses them",
            format!("{} ended with {status}{missing}", javac.path.display()),
        )
        .detail(String::from_utf8_lossy(&said).lines().map(str::to_owned)));
    }
    Ok(out)
}

/// Where the target has one that would do, it is named: whoever trusts it can run it there.
fn no_javac(release: u32, target: &Target) -> Failure {
    let evidence = format!(
        "none of JAVA_HOME, PATH and {} has one of JDK {} or later",
        PLACES.join(", "),
        needed(release, target.feature())
    );
    let theirs = target.java_home().map(|home| home.join("bin/javac"));
    let theirs = theirs.filter(|path| target.root().is_ok_and(|root| root.open_file(path).is_ok()));
    let failure = Failure::new(EXIT_BLOCKED, "no-javac", "there is no javac on this host for these sources");
    match theirs.map(|path| path.display().to_string()) {
        Some(path) => failure
            .evidence(format!(
                "{evidence}; {path}, which pid {} sees, is not run from here: it may be anything",
                target.pid()
            ))
            .remedy(format!(
                "install a JDK; or run {path} where pid {} runs, as its user, and name the class files",
                target.pid()
            )),
        None => failure
            .evidence(evidence)
            .remedy("install a JDK, or compile them where the service was built and name the class files"),
    }
}

/// Its end, or that the user has asked to stop: then it is killed. It has our signal mask, so it would not end by itself.
fn wait(mut javac: Child, interrupt: &Interrupt) -> io::Result<(ExitStatus, bool)> {
    loop {
        if let Some(status) = javac.try_wait()? {
            return Ok((status, false));
        }
        if interrupt.wait(LOOK) {
            javac.kill()?;
            return Ok((javac.wait()?, true));
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

/// A compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Javac {
    path: PathBuf,
    feature: u32,
}

/// It reads the target's classes, of its JDK at most, and writes the release that is wanted.
fn needed(release: u32, target: Option<u32>) -> u32 {
    release.max(target.unwrap_or(release))
}

/// That of the target's release if there is one, since it was most likely compiled with that; else the next later one.
fn javac(release: u32, target: Option<u32>) -> Option<Javac> {
    let mut homes: Vec<PathBuf> = env::var_os("JAVA_HOME").map(PathBuf::from).into_iter().collect();
    let on_path = env::var_os("PATH").unwrap_or_default();
    homes.extend(env::split_paths(&on_path).filter_map(|folder| {
        let javac = fs::canonicalize(folder.join("javac")).ok()?;
        Some(javac.parent()?.parent()?.to_owned())
    }));
    for place in PLACES {
        homes.extend(fs::read_dir(place).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())));
    }
    homes
        .iter()
        .filter_map(|home| Javac::of(home))
        .filter(|javac| javac.feature >= needed(release, target))
        .min_by_key(|javac| javac.feature)
}

impl Javac {
    fn of(home: &Path) -> Option<Javac> {
        let path = home.join("bin/javac");
        path.is_file().then_some(())?;
        Some(Javac { path, feature: feature(&fs::read_to_string(home.join("release")).ok()?)? })
    }
}

/// The feature version in a JDK's file `release`.
fn feature(release: &str) -> Option<u32> {
    let version = release.lines().find_map(|line| line.strip_prefix("JAVA_VERSION="))?.trim_matches('"');
    let version = version.strip_prefix("1.").unwrap_or(version);
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_of_jdks() {
        let of = |version| feature(&format!("IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"{version}\"\n"));
        assert_eq!([of("1.8.0_504"), of("17.0.15"), of("26")], [Some(8), Some(17), Some(26)]);
        assert_eq!(feature("nothing"), None);
    }

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

    #[test]
    fn it_has_to_read_the_target_s_classes() {
        assert_eq!((needed(8, Some(17)), needed(17, None), needed(11, Some(11))), (17, 17, 11));
    }
}
