//! Classes to test with: those of an installed JDK, from its jmod files, else from the jars in its lib folder.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The best archive of classes on this machine; without one it is said that the test was skipped.
pub(crate) fn archive() -> Option<PathBuf> {
    let found = archives().into_iter().next();
    if found.is_none() {
        println!("skipped: no JDK with jmods/java.base.jmod or a jar of classes was found (JAVA_HOME, PATH)");
    }
    found
}

/// Shows each class of an archive, with the name of its entry; how many there were.
pub(crate) fn each_class(archive: &Path, mut visit: impl FnMut(&str, &[u8])) -> usize {
    let mut zip = zip::ZipArchive::new(File::open(archive).unwrap()).unwrap();
    let mut classes = 0;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).unwrap();
        if !entry.name_raw().ends_with(b".class") {
            continue;
        }
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        visit(&name, &bytes);
        classes += 1;
    }
    classes
}

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
