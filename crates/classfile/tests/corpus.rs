//! Every class of a real JDK reads; no mutation of one makes the reader panic.
//!
//! The classes come from the jmod files of an installed JDK, else from the jars in its lib folder. Without a
//! JDK the test says that it was skipped; reading.rs covers the reader without one.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use jgraft_classfile::ClassFile;

/// Classes to mutate: each 97th of the corpus, which keeps the test at about a second.
const MUTATE_EVERY: usize = 97;

#[test]
fn a_whole_jdk_reads_and_no_mutation_panics() {
    let Some(archive) = archives().into_iter().next() else {
        println!("skipped: no JDK with jmods/java.base.jmod or a jar of classes was found (JAVA_HOME, PATH)");
        return;
    };
    let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
    let mut zip = zip::ZipArchive::new(File::open(&archive).unwrap()).unwrap();
    let mut classes = 0;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).unwrap();
        if !entry.name_raw().ends_with(b".class") {
            continue;
        }
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let path = visit(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        // A jmod keeps its classes below classes/, a multi-release jar some below META-INF/versions/N/.
        assert!(name.strip_suffix(".class").is_some_and(|entry| entry.ends_with(&path)), "{name}: {path}");
        if classes % MUTATE_EVERY == 0 {
            mutate(&bytes, &mut random);
        }
        classes += 1;
    }
    println!("read {classes} classes of {}", archive.display());
    assert!(classes > 20, "{} holds {classes} classes only", archive.display());
}

/// Touches everything that the reader offers; the class's name.
fn visit(bytes: &[u8]) -> Result<String, jgraft_classfile::Error> {
    let class = ClassFile::parse(bytes)?;
    for method in class.methods() {
        let method = method?;
        assert!(method.descriptor().to_str().is_some_and(|text| text.starts_with('(')), "{method:?}");
    }
    for interface in class.interfaces() {
        interface?;
    }
    for call in class.constant_pool().method_refs() {
        call?;
    }
    class.super_class_name()?;
    class.check_structure()?;
    class.this_class_name().map(|name| name.to_string())
}

/// Cuts and flips: whatever comes out, it comes as a value.
fn mutate(bytes: &[u8], random: &mut XorShift) {
    let mut broken = bytes.to_vec();
    for _ in 0..200 {
        let at = random.below(bytes.len());
        broken[at] = random.next() as u8;
        touch(&broken);
        touch(&broken[..random.below(bytes.len())]);
        broken[at] = bytes[at];
    }
    for _ in 0..20 {
        let mut broken = bytes.to_vec();
        for _ in 0..8 {
            let at = random.below(bytes.len());
            broken[at] = random.next() as u8;
        }
        touch(&broken);
    }
}

/// As `visit`, but a result of any kind is good.
fn touch(bytes: &[u8]) {
    let Ok(class) = ClassFile::parse(bytes) else { return };
    let _ = class.this_class_name().map(|name| name.to_string());
    let _ = class.super_class_name();
    let _ = class.check_structure();
    class.methods().flatten().for_each(|method| drop(method.name().to_str_lossy()));
    class.interfaces().flatten().for_each(drop);
    class.constant_pool().method_refs().flatten().for_each(|call| drop(call.name.to_str()));
}

/// Archives of classes, best first.
fn archives() -> Vec<PathBuf> {
    let mut homes: Vec<PathBuf> = std::env::var_os("JAVA_HOME").map(PathBuf::from).into_iter().collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).filter_map(|folder| folder.join("java").canonicalize().ok());
    homes.extend(on_path.filter_map(|java| java.parent()?.parent().map(Path::to_path_buf)));
    let installed = std::fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    homes.extend(installed.map(|entry| entry.path()));
    let candidates = ["jmods/java.base.jmod", "lib/rt.jar", "jre/lib/rt.jar", "lib/jrt-fs.jar"];
    let all = candidates.iter().flat_map(|file| homes.iter().map(move |home| home.join(file)));
    all.filter(|file| file.is_file()).collect()
}

/// A small generator, seeded, so that a failure repeats.
struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}
