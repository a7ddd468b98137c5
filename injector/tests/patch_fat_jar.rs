//! Classes of a Spring Boot fat jar are patched and reverted, by class file and by source: one from its classes, one from a jar
//! inside. The loader is Spring Boot's own, from Maven Central.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use common::{Run, bundled_agent_beside_jgraft, jgraft, on_a_host_without_a_jdk, text};
use jgraft_jvm_harness::{Jdk, Jvm, artifacts, cache, each_jdk, javac, maven, skip};
use nix::unistd::geteuid;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/patch/fatjar");
/// The loader, with the class that runs it. Each has a URL scheme of its own for what is inside a jar.
const UNTIL_16: (&str, &str) =
    ("org.springframework.boot:spring-boot-loader:2.7.18", "org.springframework.boot.loader.JarLauncher");
const SINCE_17: (&str, &str) = (
    "org.springframework.boot:spring-boot-loader:3.3.7",
    "org.springframework.boot.loader.launch.JarLauncher",
);

fn launcher(jdk: &Jdk) -> (&'static str, &'static str) {
    if jdk.feature >= 17 { SINCE_17 } else { UNTIL_16 }
}

/// What a fat jar has, by name.
type Entries = BTreeMap<String, Vec<u8>>;

/// The service in a JVM.
struct Desk {
    jvm: Jvm,
}

impl Desk {
    fn started(jvm: Jvm) -> Result<Desk> {
        artifacts::native_agent()?;
        bundled_agent_beside_jgraft()?;
        jvm.wait_ready()?;
        Ok(Desk { jvm })
    }

    fn patch(&self, words: &[&str]) -> Result<Run> {
        let pid = self.jvm.pid().to_string();
        jgraft(["patch", &pid].into_iter().chain(words.iter().copied()))
    }

    /// Fails unless desk and prices say this.
    fn says(&self, desk: &str, price: &str) -> Result<()> {
        let line = self.jvm.ask("say", |line| line.starts_with("says "))?;
        ensure!(line == format!("says desk={desk} price={price}"), "{line}; {desk} {price} expected");
        Ok(())
    }

    fn is_unharmed(&self) -> Result<()> {
        let line = self.jvm.ask("count", |line| line.starts_with("count "))?;
        ensure!(line.ends_with(" failed 0"), "{line}");
        let said = self.jvm.stdout() + &self.jvm.stderr();
        ensure!(!said.contains("Exception in"), "{said}");
        Ok(())
    }
}

/// The classes with a word, compiled: those of the jar inside, and of the fat jar itself.
fn compiled(word: &str) -> Result<PathBuf> {
    let folder = cache::target_dir().join("patched-fat-jar").join(word);
    fs::create_dir_all(folder.join("source"))?;
    let sources = |names: &[&str]| -> Result<Vec<PathBuf>> {
        names.iter().map(|name| source(name, word, &folder.join("source"))).collect()
    };
    let prices = folder.join("prices");
    javac::compile(&sources(&["Prices", "Rounding"])?, &prices, &["--release", "8"])?;
    let desk = sources(&["Desk", "Answers", "Words"])?;
    javac::compile(&desk, &folder.join("desk"), &["--release", "8", "-cp", text(&prices)])?;
    Ok(folder)
}

/// As they are, and as they are to be.
fn both() -> Result<[PathBuf; 2]> {
    static COMPILED: OnceLock<Result<[PathBuf; 2], String>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        let both = compiled("OLD").and_then(|old| Ok([old, compiled("NEW")?]));
        both.map_err(|error| format!("{error:#}"))
    });
    compiled.clone().map_err(anyhow::Error::msg)
}

/// A source with a word for what it says.
fn source(name: &str, word: &str, folder: &Path) -> Result<PathBuf> {
    let text = fs::read_to_string(Path::new(SOURCES).join(format!("{name}.java")))?;
    let text =
        text.replace("(\"OLD\"", &format!("(\"{word}\"")).replace(": \"OLD\"", &format!(": \"{word}\""));
    let file = folder.join(format!("{name}.java"));
    if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
        fs::write(&file, text)?;
    }
    Ok(file)
}

/// Another class of the name of one in the fat jar, for a jar inside: whoever takes it does not compile.
fn other_words() -> Result<PathBuf> {
    let folder = cache::target_dir().join("patched-fat-jar/other");
    fs::create_dir_all(&folder)?;
    let file = folder.join("Words.java");
    fs::write(&file, "package shop.desk;\nfinal class Words {}\n")?;
    javac::compile(&[file], &folder.join("classes"), &["--release", "8"])?;
    Ok(folder.join("classes/shop/desk/Words.class"))
}

/// All that is in the fat jar for a loader.
fn entries(loader: &Path, launcher: &str, old: &Path) -> Result<Entries> {
    let mut all = Entries::new();
    let mut loader = zip::ZipArchive::new(fs::File::open(loader)?)?;
    for index in 0..loader.len() {
        let mut entry = loader.by_index(index)?;
        let name = entry.name()?.into_owned();
        if name.ends_with(".class") {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            all.insert(name, bytes);
        }
    }
    for name in ["Desk", "Answers", "Words"] {
        let name = format!("shop/desk/{name}.class");
        all.insert(format!("BOOT-INF/classes/{name}"), fs::read(old.join("desk").join(&name))?);
    }
    let words = [("shop/desk/Words.class".to_owned(), fs::read(other_words()?)?)];
    all.insert("BOOT-INF/lib/prices-1.0.jar".to_owned(), jar(&prices(old)?, CompressionMethod::Deflated)?);
    all.insert("BOOT-INF/lib/another.jar".to_owned(), jar(&words.into(), CompressionMethod::Deflated)?);
    let manifest = format!(
        "Manifest-Version: 1.0\nMain-Class: {launcher}\nStart-Class: shop.desk.Desk\n\
         Spring-Boot-Classes: BOOT-INF/classes/\nSpring-Boot-Lib: BOOT-INF/lib/\n"
    );
    all.insert("META-INF/MANIFEST.MF".to_owned(), manifest.into_bytes());
    Ok(all)
}

/// The classes of the jar inside.
fn prices(old: &Path) -> Result<Entries> {
    let names = ["shop/prices/Prices.class", "shop/prices/Rounding.class"];
    names.iter().map(|name| Ok(((*name).to_owned(), fs::read(old.join("prices").join(name))?))).collect()
}

/// A jar of them, folders included, without which Spring Boot's loader finds nothing. Its nested jars may not be packed.
fn jar(entries: &Entries, method: CompressionMethod) -> Result<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    let mut folders = std::collections::BTreeSet::new();
    for (name, bytes) in entries {
        for (at, _) in name.match_indices('/') {
            if folders.insert(&name[..at]) {
                zip.add_directory(&name[..at], options)?;
            }
        }
        zip.start_file(name.as_str(), options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// What the tests need of a JDK: the fat jar, and the classes as they are to be.
struct Made {
    entries: Entries,
    launcher: &'static str,
    new: PathBuf,
}

impl Made {
    fn of(jdk: &Jdk) -> Result<Made> {
        let [old, new] = both()?;
        let (artifact, launcher) = launcher(jdk);
        let loader = maven::artifact(artifact).map_err(anyhow::Error::msg)?;
        Ok(Made { entries: entries(&loader, launcher, &old)?, launcher, new })
    }

    fn class(&self, folder: &str, name: &str) -> String {
        self.new.join(folder).join(format!("{name}.class")).display().to_string()
    }
}

/// Whether the loaders are there; else the test is skipped.
fn can_be_had(test: &str) -> bool {
    let missing = [UNTIL_16, SINCE_17].iter().find_map(|(artifact, _)| maven::artifact(artifact).err());
    missing.iter().for_each(|reason| skip(test, reason));
    missing.is_none()
}

#[test]
fn a_class_of_a_fat_jar_and_one_of_a_jar_inside() {
    if !can_be_had("patch_fat_jar::classes") {
        return;
    }
    each_jdk("patch_fat_jar::classes", .., |jdk| {
        let made = Made::of(jdk)?;
        let folder = tempfile::tempdir()?;
        let fat = folder.path().join("desk.jar");
        fs::write(&fat, jar(&made.entries, CompressionMethod::Stored)?)?;
        let desk = Desk::started(Jvm::builder(jdk).jar(&fat).start()?)?;
        desk.says("OLD", "OLD")?;
        let applied = desk
            .patch(&["apply", &made.class("desk", "shop/desk/Answers"), "--json", "--yes"])?
            .expect(0)?
            .json()?;
        let loader = applied["classes"][0]["loader"].as_str().context("no loader")?;
        ensure!(loader.contains("Launched"), "it was patched in {loader}: {applied}");
        desk.says("NEW", "OLD")?;
        desk.patch(&["apply", &made.class("prices", "shop/prices/Prices")])?.expect(0)?;
        desk.says("NEW", "NEW")?;
        desk.patch(&["revert", "p1"])?.expect(0)?;
        desk.says("OLD", "NEW")?;
        desk.patch(&["revert"])?.expect(0)?;
        desk.says("OLD", "OLD")?;
        desk.is_unharmed()
    });
}

#[test]
fn sources_for_a_fat_jar_find_what_is_inside_of_it() {
    if !can_be_had("patch_fat_jar::sources") {
        return;
    }
    // Of the newest there is no javac on every machine.
    each_jdk("patch_fat_jar::sources", ..=25, |jdk| {
        let made = Made::of(jdk)?;
        let folder = tempfile::tempdir()?;
        let fat = folder.path().join("desk.jar");
        fs::write(&fat, jar(&made.entries, CompressionMethod::Stored)?)?;
        sources(&made, &Desk::started(Jvm::builder(jdk).jar(&fat).start()?)?)
    });
}

/// By its own javac, in its view, where this host has none.
#[test]
fn sources_for_a_fat_jar_where_only_the_target_has_a_javac() {
    if !can_be_had("patch_fat_jar::inside") {
        return;
    }
    each_jdk("patch_fat_jar::inside", ..=25, |jdk| {
        if !geteuid().is_root() || !jdk.has_tool("javac") {
            skip("patch_fat_jar::inside", "needs root to make namespaces, and a javac");
            return Ok(());
        }
        let mut made = Made::of(jdk)?;
        // One whose manifest leads elsewhere lies in a folder for javac, and one beside it by its path.
        let manifest: &[u8] = b"Manifest-Version: 1.0\nClass-Path: elsewhere.jar\n";
        let folder = tempfile::tempdir()?;
        let prices = BTreeMap::from([("META-INF/MANIFEST.MF".to_owned(), manifest.to_vec())]);
        let inner = made.entries.iter().find(|(name, _)| name.contains("prices")).context("no prices")?;
        let (name, mut entries) = (inner.0.clone(), prices);
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(inner.1))?;
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index)?;
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            let name = entry.name()?.into_owned();
            if !name.ends_with('/') && !name.starts_with("META-INF/MANIFEST") {
                entries.insert(name, bytes);
            }
        }
        made.entries.insert(name, jar(&entries, CompressionMethod::Stored)?);
        let fat = folder.path().join("desk.jar");
        fs::write(&fat, jar(&made.entries, CompressionMethod::Stored)?)?;
        let jvm = Jvm::builder(jdk).jar(&fat).own_tmp("").uid_gid(56789, 56789);
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let desk = Desk::started(jvm.start()?)?;
        let source = |name: &str| made.new.join("source").join(format!("{name}.java")).display().to_string();
        let pid = desk.jvm.pid().to_string();
        let words = ["patch", &pid, "apply", &source("Answers"), &source("Prices"), "--yes"];
        common::run(on_a_host_without_a_jdk().args(words))?.expect(0)?;
        desk.says("NEW", "NEW")?;
        desk.patch(&["revert"])?.expect(0)?;
        desk.says("OLD", "OLD")?;
        desk.is_unharmed()
    });
}

/// As images have it, so that its layers change apart.
#[test]
fn sources_for_a_fat_jar_that_lies_unpacked() {
    if !can_be_had("patch_fat_jar::unpacked") {
        return;
    }
    each_jdk("patch_fat_jar::unpacked", ..=25, |jdk| {
        let made = Made::of(jdk)?;
        let folder = tempfile::tempdir()?;
        for (name, bytes) in &made.entries {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().context("no folder")?)?;
            fs::write(path, bytes)?;
        }
        // No class path is the working directory.
        let jvm = Jvm::builder(jdk).visible(folder.path()).cwd(folder.path()).main(made.launcher);
        sources(&made, &Desk::started(jvm.start()?)?)
    });
}

fn sources(made: &Made, desk: &Desk) -> Result<()> {
    let source = |name: &str| made.new.join("source").join(format!("{name}.java")).display().to_string();
    desk.says("OLD", "OLD")?;
    desk.patch(&["apply", &source("Answers"), &source("Prices"), "--yes"])?.expect(0)?;
    desk.says("NEW", "NEW")?;
    desk.patch(&["revert"])?.expect(0)?;
    desk.says("OLD", "OLD")?;
    desk.patch(&["apply", &source("Prices")])?.expect(0)?;
    desk.says("OLD", "NEW")?;
    desk.patch(&["revert"])?.expect(0)?;
    desk.says("OLD", "OLD")?;
    desk.is_unharmed()
}

/// A plain jar, started through a link: what its manifest names lies beside the file that the link leads to, by a URL.
#[test]
fn sources_find_what_a_manifest_names_and_no_bomb_is_unpacked() {
    each_jdk("patch_fat_jar::manifest", ..=25, |jdk| {
        let [old, new] = both()?;
        let folder = tempfile::tempdir()?;
        let real = folder.path().join("releases/7");
        fs::create_dir_all(real.join("my libs"))?;
        let manifest =
            "Manifest-Version: 1.0\nMain-Class: shop.desk.Desk\nClass-Path: my%20libs/prices.jar bomb.jar\n";
        let mut desk = Entries::from([("META-INF/MANIFEST.MF".to_owned(), manifest.into())]);
        for name in ["Desk", "Answers", "Words"].map(|name| format!("shop/desk/{name}.class")) {
            desk.insert(name.clone(), fs::read(old.join("desk").join(&name))?);
        }
        let bomb = (0..5_001).map(|n| (format!("BOOT-INF/lib/{n}.jar"), Vec::new())).collect();
        for (name, entries) in [("desk.jar", desk), ("my libs/prices.jar", prices(&old)?), ("bomb.jar", bomb)]
        {
            fs::write(real.join(name), jar(&entries, CompressionMethod::Deflated)?)?;
        }
        let link = folder.path().join("desk.jar");
        std::os::unix::fs::symlink("releases/7/desk.jar", &link)?;
        let desk = Desk::started(Jvm::builder(jdk).visible(folder.path()).jar(&link).start()?)?;
        let source = new.join("source/Answers.java");
        let run = desk.patch(&["apply", text(&source)])?.expect(1)?.explained("class path cannot be read")?;
        ensure!(run.stderr.contains("bomb.jar") && run.stderr.contains("5000 jars"), "{}", run.stderr);
        desk.says("OLD", "OLD")?;
        fs::remove_file(real.join("bomb.jar"))?;
        desk.patch(&["apply", text(&source), "--yes"])?.expect(0)?;
        desk.says("NEW", "OLD")?;
        desk.patch(&["revert"])?.expect(0)?;
        desk.says("OLD", "OLD")?;
        desk.is_unharmed()
    });
}
