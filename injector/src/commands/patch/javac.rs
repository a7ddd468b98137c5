//! javac: which one of this host will do, and its options, wherever it runs.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::compile::Sources;

/// Where packages put JDKs.
pub(super) const PLACES: [&str; 4] = ["/usr/lib/jvm", "/usr/java", "/opt", "/opt/java"];

/// Where it finds everything and puts its classes, as it sees it.
#[derive(Debug)]
pub(super) struct Places {
    /// What was given first, then the target's.
    pub(super) class_path: Vec<PathBuf>,
    /// What was given for the class path: processors are looked for in there.
    pub(super) given: Vec<PathBuf>,
    pub(super) files: Vec<PathBuf>,
    pub(super) out: PathBuf,
    /// An empty directory.
    pub(super) nothing: PathBuf,
}

/// A compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Javac {
    pub(super) path: PathBuf,
    pub(super) feature: u32,
}

/// It reads the target's classes, of its JDK at most, and writes the release that is wanted.
pub(super) fn needed(release: u32, target: Option<u32>) -> u32 {
    release.max(target.unwrap_or(release))
}

/// That of the target's release if there is one, since it was most likely compiled with that; else the next later one.
pub(super) fn of_this_host(release: u32, target: Option<u32>) -> Option<Javac> {
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
    /// All that it is told.
    pub(super) fn arguments(&self, sources: &Sources<'_>, places: &Places) -> Vec<OsString> {
        let release = sources.release.to_string();
        let mut arguments: Vec<OsString> = match self.feature {
            8 => ["-source", &format!("1.{release}"), "-target", &format!("1.{release}")]
                .map(OsString::from)
                .into(),
            _ => ["--release", &release].map(OsString::from).into(),
        };
        let mut add = |words: &[&OsString]| arguments.extend(words.iter().map(|&word| word.clone()));
        let out = places.out.clone().into_os_string();
        let word = |text: &str| OsString::from(text);
        add(&[&word("-g"), &word("-nowarn"), &word("-implicit:none"), &word("-encoding"), &word("UTF-8")]);
        // To javac, no class path and an empty entry are its working directory, which is nobody's.
        let class_path = places.class_path.iter().chain([&places.out]);
        add(&[&word("-d"), &out, &word("-cp"), &joined(class_path), &word("-sourcepath"), &out]);
        // Without a path of their own, plug-ins come from the class path, and run whatever -proc says.
        let given = places.given.iter().filter(|_| sources.processors);
        add(&[&word("-processorpath"), &joined([&places.nothing].into_iter().chain(given))]);
        if !sources.processors {
            add(&[&word("-proc:none")]);
        }
        arguments.extend(places.files.iter().map(|file| file.clone().into_os_string()));
        arguments
    }

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

/// As paths of paths are written.
fn joined<'p>(paths: impl IntoIterator<Item = &'p PathBuf>) -> OsString {
    let mut joined = OsString::new();
    for path in paths.into_iter().filter(|path| !path.as_os_str().is_empty()) {
        if !joined.is_empty() {
            joined.push(":");
        }
        joined.push(path);
    }
    joined
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
    fn it_has_to_read_the_target_s_classes() {
        assert_eq!((needed(8, Some(17)), needed(17, None), needed(11, Some(11))), (17, 17, 11));
    }

    #[test]
    fn nothing_of_the_target_s_is_run_by_it() {
        let files = ["A.java".into()];
        let given = ["given.jar".into()];
        let places = Places {
            class_path: ["given.jar", "", "theirs.jar"].map(PathBuf::from).into(),
            given: given.to_vec(),
            files: files.to_vec(),
            out: "out".into(),
            nothing: "nothing".into(),
        };
        for (processors, path) in [(false, "nothing"), (true, "nothing:given.jar")] {
            let sources = Sources { files: &files, release: 11, processors, class_path: &given };
            let said = Javac { path: "javac".into(), feature: 17 }.arguments(&sources, &places);
            let behind = |name: &str| {
                let at = said.iter().position(|word| word == name);
                at.and_then(|at| said.get(at + 1)).and_then(|word| word.to_str())
            };
            assert_eq!(behind("--release"), Some("11"));
            assert_eq!(behind("-cp"), Some("given.jar:theirs.jar:out"));
            assert_eq!(behind("-processorpath"), Some(path));
            assert_eq!(said.iter().any(|word| word == "-proc:none"), !processors);
            let old = Javac { path: "javac".into(), feature: 8 }.arguments(&sources, &places);
            assert_eq!(old[..4], ["-source", "1.11", "-target", "1.11"]);
        }
    }
}
