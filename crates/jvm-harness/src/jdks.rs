//! The JDKs of this machine: where they are, which version, what they can do. It fetches none:
//! `cargo xtask jdks` does.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::{env, fmt, fs};

use crate::release::{self, Release};
use crate::{cache, launch};

const NOT_INHERITED: [&str; 6] = [
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "JDK_JAVAC_OPTIONS",
    "CLASSPATH",
    "LD_LIBRARY_PATH",
];

/// One JDK or Java runtime of this machine.
#[derive(Debug, Clone)]
pub struct Jdk {
    /// 8, 11, 17, …
    pub feature: u32,
    /// The full version, as the JDK states it: "17.0.15", "1.8.0_504".
    pub version: String,
    /// Who built it.
    pub vendor: String,
    /// `java.home`'s folder, as a JVM of this JDK sees it: inside `root`, where there is one.
    pub home: PathBuf,
    /// The root file system that this JDK must be started in, by chroot, because it needs another libc.
    pub root: Option<PathBuf>,
    modules: Option<Vec<String>>,
}

impl Jdk {
    /// Every JDK found, by feature: in `JAVA_HOME`, `/usr/lib/jvm` and the cache; only the features named in
    /// `JGRAFT_TEST_JDKS` (`17,25`) where that is set. A JDK that can't run here is among them: see
    /// [`Jdk::runnable`].
    #[must_use]
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Jdk>> = OnceLock::new();
        ALL.get_or_init(|| {
            let wanted = env::var("JGRAFT_TEST_JDKS").ok().and_then(|text| features(&text));
            let keep = |jdk: &&Self| wanted.as_ref().is_none_or(|wanted| wanted.contains(&jdk.feature));
            found().iter().filter(keep).cloned().collect()
        })
    }

    /// The JDK that compiles the tests' Java programs: it has javac and jar and can write class files for
    /// JDK 8. The lowest feature from 17 on, else the highest below. `JGRAFT_TEST_JDKS` plays no part.
    #[must_use]
    pub fn compiler() -> Option<&'static Self> {
        Self::compiler_for(8)
    }

    /// [`Jdk::compiler`] for class files of JDK `release`, a feature: the same wherever it knows that release.
    #[must_use]
    pub fn compiler_for(release: u32) -> Option<&'static Self> {
        let usable = |jdk: &&Self| {
            jdk.root.is_none()
                && jdk.feature >= release.max(9)
                && jdk.has_tool("javac")
                && jdk.has_tool("jar")
        };
        let newer = found().iter().filter(usable).find(|jdk| jdk.feature >= 17);
        newer.or_else(|| found().iter().rfind(usable))
    }

    /// The JDK in one folder, which need not be where [`Jdk::all`] looks; `root` is the root file system
    /// that it needs, if any. None where it doesn't say what it is.
    #[must_use]
    pub fn at(root: Option<&Path>, host_home: &Path) -> Option<Self> {
        inspect(root.map(Path::to_owned), &fs::canonicalize(host_home).ok()?)
    }

    /// What to note in the [`cache::MARKER`] of a fetched JDK, so that finding it again needs no java.
    #[must_use]
    pub fn marker(&self, origin: &str) -> String {
        let Self { version, vendor, .. } = self;
        format!("JAVA_VERSION=\"{version}\"\nIMPLEMENTOR=\"{vendor}\"\nORIGIN=\"{origin}\"\n")
    }

    /// What builds of a feature are in order by.
    pub(crate) fn build(&self) -> Vec<u32> {
        release::build(&self.version)
    }

    /// The home as this process sees it.
    #[must_use]
    pub fn host_home(&self) -> PathBuf {
        self.host_path(&self.home)
    }

    /// The java executable as the JVM sees it.
    #[must_use]
    pub fn java(&self) -> PathBuf {
        self.home.join("bin/java")
    }

    /// Whether `bin/` holds this tool: "javac", "jcmd", …
    #[must_use]
    pub fn has_tool(&self, tool: &str) -> bool {
        self.tool(tool).is_some()
    }

    /// A tool of this JDK as this process sees it. One in a chroot can't be run from outside.
    #[must_use]
    pub fn tool(&self, tool: &str) -> Option<PathBuf> {
        Some(self.host_home().join("bin").join(tool)).filter(|path| path.is_file())
    }

    /// What java prints with these arguments (stdout, then stderr). None if it can't be run or fails.
    #[must_use]
    pub fn java_output(&self, args: &[&str]) -> Option<String> {
        launch::tool_output(self.root.as_deref(), &self.java(), args)
    }

    /// Whether this runtime has a module. JDK 8 knows none: there it says whether the library behind
    /// `java.instrument` is present, and no for any other name.
    #[must_use]
    pub fn has_module(&self, module: &str) -> bool {
        match &self.modules {
            Some(modules) => modules.iter().any(|name| name == module),
            None if self.feature < 9 => {
                let library = self.host_home().join("jre/lib/amd64/libinstrument.so");
                module == "java.instrument" && library.is_file()
            }
            None => self
                .java_output(&["--list-modules"])
                .unwrap_or_default()
                .lines()
                .any(|line| line.split('@').next() == Some(module)),
        }
    }

    /// Whether it can be started here, or the reason why not.
    ///
    /// # Errors
    /// The reason, fit for a list of skipped tests.
    pub fn runnable(&self) -> Result<(), String> {
        match &self.root {
            Some(root) if !nix::unistd::geteuid().is_root() => Err(format!(
                "JDK {self} runs in a chroot in {}, which needs root; run the tests as root",
                root.display()
            )),
            _ => Ok(()),
        }
    }

    fn host_path(&self, inside: &Path) -> PathBuf {
        match &self.root {
            Some(root) => root.join(inside.strip_prefix("/").unwrap_or(inside)),
            None => inside.to_owned(),
        }
    }
}

impl fmt::Display for Jdk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.version, self.vendor)
    }
}

/// One line that names what to install where no JDK was found.
#[must_use]
pub fn no_jdk_hint() -> &'static str {
    "no JDK with javac found; install one: apt install openjdk-17-jdk-headless (Debian, Ubuntu), \
     dnf install java-17-openjdk-devel (Fedora, RHEL), apk add openjdk17-jdk (Alpine), \
     brew install openjdk@17 (macOS), or set JAVA_HOME"
}

/// Without the filter of `JGRAFT_TEST_JDKS`, sorted by feature, then version text and home.
fn found() -> &'static [Jdk] {
    static FOUND: OnceLock<Vec<Jdk>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut homes: Vec<(Option<PathBuf>, PathBuf)> = Vec::new();
        homes.extend(env::var_os("JAVA_HOME").map(|home| (None, PathBuf::from(home))));
        homes.extend(folders(Path::new("/usr/lib/jvm")).into_iter().map(|home| (None, home)));
        for entry in cache::jdks().map(|dir| folders(&dir)).unwrap_or_default() {
            let inside = folders(&entry.join("usr/lib/jvm"));
            if inside.is_empty() {
                homes.push((None, entry));
            } else {
                homes.extend(inside.into_iter().map(|home| (Some(entry.clone()), home)));
            }
        }
        let mut seen = BTreeSet::new();
        let mut jdks: Vec<Jdk> = homes
            .into_iter()
            .filter(|(_, home)| home.join("bin/java").is_file())
            .filter_map(|(root, home)| Some((root, fs::canonicalize(home).ok()?)))
            .filter(|(_, home)| seen.insert(home.clone()))
            .filter_map(|(root, home)| inspect(root, &home))
            .collect();
        jdks.sort_by(|a, b| (a.feature, &a.version, &a.home).cmp(&(b.feature, &b.version, &b.home)));
        jdks
    })
}

/// Sub-folders (or links to such), without hidden ones.
fn folders(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let visible = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    let mut folders: Vec<_> = visible.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// None where the home can't be told apart from a broken one.
fn inspect(root: Option<PathBuf>, host_home: &Path) -> Option<Jdk> {
    let root = root.and_then(|root| fs::canonicalize(root).ok());
    let home = match &root {
        Some(root) => Path::new("/").join(host_home.strip_prefix(root).ok()?),
        None => host_home.to_owned(),
    };
    let read = |path: PathBuf| Release::from_file(&fs::read_to_string(path).unwrap_or_default());
    let entry = root.as_deref().unwrap_or(host_home);
    let mut release = read(host_home.join("release")).or(read(entry.join(cache::MARKER)));
    if !release.is_known() {
        let args = ["-XshowSettings:properties", "-version"];
        let said = launch::tool_output(root.as_deref(), &home.join("bin/java"), &args).unwrap_or_default();
        release = release.or(Release::from_settings(&said));
    }
    let Release { version, vendor, modules } = release;
    let version = version?;
    let vendor = vendor.unwrap_or_else(|| "unknown vendor".to_owned());
    Some(Jdk { feature: release::feature(&version)?, version, vendor, home, root, modules })
}

/// "17, 25" → {17, 25}; None for an empty text, which filters nothing. What is no number matches no JDK.
fn features(text: &str) -> Option<BTreeSet<u32>> {
    if text.trim().is_empty() {
        return None;
    }
    Some(text.split(',').filter_map(|part| part.trim().parse().ok()).collect())
}

/// A command without stdin and without what would reach into a JVM from our environment: options would
/// print lines of their own and change what is tested, and cargo's own library path is not the JVM's.
pub(crate) fn quiet(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    for name in NOT_INHERITED {
        command.env_remove(name);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_reads_numbers() {
        assert_eq!(features(" 17, 25"), Some(BTreeSet::from([17, 25])));
        assert_eq!(features(" "), None);
        assert_eq!(features("none"), Some(BTreeSet::new()));
    }

    #[test]
    fn every_jdk_found_is_there_once() {
        let mut homes = BTreeSet::new();
        for jdk in found() {
            assert!(jdk.host_home().join("bin/java").is_file(), "{jdk}");
            assert!(homes.insert(jdk.host_home()), "{jdk} twice");
        }
        assert!(found().is_sorted_by_key(|jdk| jdk.feature));
    }

    #[test]
    fn an_entry_with_usr_lib_jvm_is_a_root() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("usr/lib/jvm/java-8-openjdk-amd64");
        fs::create_dir_all(home.join("bin")).unwrap();
        let noted = "JAVA_VERSION=\"1.8.0_9\"\nIMPLEMENTOR=\"x\"\n";
        fs::write(dir.path().join(cache::MARKER), noted).unwrap();
        let home = fs::canonicalize(home).unwrap();
        let jdk = inspect(Some(dir.path().to_owned()), &home).unwrap();
        assert_eq!(jdk.home, Path::new("/usr/lib/jvm/java-8-openjdk-amd64"));
        assert_eq!(jdk.host_home(), home);
        assert_eq!(jdk.feature, 8);
        assert_eq!(jdk.marker("y"), format!("{noted}ORIGIN=\"y\"\n"));
    }
}
