//! What lies inside a fat jar or a web archive, unpacked for a compiler, which reads no jar in a jar: classes first, then
//! libraries, as Spring Boot's loader and servlet containers have them.
//!
//! The jar is the target's, so it may be anything: it has bounds, and no name of an entry leads out of the folder.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Component, Path, PathBuf};

use jgraft_agentjar::{Jar, JarError};

/// Where Spring Boot and web archives have it.
pub(super) const TOPS: [&str; 2] = ["BOOT-INF", "WEB-INF"];
pub(super) const CLASSES: &str = "classes";
/// The second is what Spring Boot's web archives need where no container runs them.
pub(super) const LIBRARIES: [&str; 2] = ["lib", "lib-provided"];

/// What may still be unpacked, of all jars.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) jars: usize,
    pub(super) classes: usize,
    pub(super) bytes: u64,
}

impl Default for Room {
    fn default() -> Room {
        Room { jars: 5_000, classes: 100_000, bytes: 2 << 30 }
    }
}

/// What was unpacked.
#[derive(Debug, Default)]
pub(super) struct Inside {
    /// For a class path, in order.
    pub(super) entries: Vec<PathBuf>,
    /// What could not be read.
    pub(super) missing: Vec<String>,
}

/// What an entry is.
enum Kind {
    /// Its path below the classes.
    Class(PathBuf),
    Library,
}

/// Unpacks it into a folder, which is made if there is anything.
pub(super) fn unpack<R: Read + Seek>(jar: &mut Jar<R>, to: &Path, room: &mut Room) -> io::Result<Inside> {
    let names: Vec<String> = jar.names().filter_map(|name| String::from_utf8(name.to_vec()).ok()).collect();
    let classes = to.join(CLASSES);
    let (mut has_classes, mut inside) = (false, Inside::default());
    for name in names {
        let Some(kind) = kind(&name) else { continue };
        let (path, left) = match &kind {
            Kind::Class(path) => (classes.join(path), &mut room.classes),
            Kind::Library => (to.join(format!("{}.jar", inside.entries.len())), &mut room.jars),
        };
        *left = left.checked_sub(1).ok_or_else(|| too_much(&name))?;
        match unpack_entry(jar, &name, &path, room)? {
            Some(missing) => inside.missing.push(missing),
            None => match kind {
                Kind::Class(_) => has_classes = true,
                Kind::Library => inside.entries.push(without_class_path(path, room)?),
            },
        }
    }
    if has_classes {
        inside.entries.insert(0, classes);
    }
    Ok(inside)
}

/// Manifests are no longer than this.
const MANIFEST_LIMIT: u64 = 1 << 20;

/// Whether a compiler would follow the `Class-Path` of its manifest, from where the jar lies on our side: to paths that are not
/// the target's.
pub(super) fn leads_elsewhere<R: Read + Seek>(jar: &mut Jar<R>) -> bool {
    let is_manifest = |name: &&[u8]| name.eq_ignore_ascii_case(b"META-INF/MANIFEST.MF");
    let names: Vec<String> =
        jar.names().filter(is_manifest).map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    names.iter().any(|name| {
        let mut text = Vec::new();
        let is_whole =
            jar.unpack(name, &mut text, MANIFEST_LIMIT).is_ok() && text.len() as u64 <= MANIFEST_LIMIT;
        !is_whole || text.windows(HEADER.len()).any(|found| found.eq_ignore_ascii_case(HEADER))
    })
}

const HEADER: &[u8] = b"class-path";

/// The classes of a jar in a folder, without its manifest; what could not be read.
pub(super) fn unpack_classes<R: Read + Seek>(
    jar: &mut Jar<R>,
    to: &Path,
    room: &mut Room,
) -> io::Result<Vec<String>> {
    let names: Vec<String> = jar.names().filter_map(|name| String::from_utf8(name.to_vec()).ok()).collect();
    let mut missing = Vec::new();
    fs::create_dir_all(to)?;
    for name in names.iter().filter(|name| name.ends_with(".class") && !name.starts_with("META-INF/")) {
        if !is_plain(name) {
            continue;
        }
        room.classes = room.classes.checked_sub(1).ok_or_else(|| too_much(name))?;
        missing.extend(unpack_entry(jar, name, &to.join(name), room)?);
    }
    Ok(missing)
}

/// One entry into a file, whose number is counted already; why it could not be read, where it is not there then.
fn unpack_entry<R: Read + Seek>(
    jar: &mut Jar<R>,
    name: &str,
    path: &Path,
    room: &mut Room,
) -> io::Result<Option<String>> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match jar.unpack(name, &mut File::create(path)?, room.bytes) {
        Ok(bytes) => {
            room.bytes = room.bytes.checked_sub(bytes.unwrap_or(0)).ok_or_else(|| too_much(name))?;
            Ok(None)
        }
        Err(JarError::Io(error)) => Err(error),
        Err(error) => {
            fs::remove_file(path)?;
            Ok(Some(format!("{name}: {error}")))
        }
    }
}

/// A jar that was unpacked from another; in its place a folder with its classes, where a compiler would follow its manifest.
fn without_class_path(path: PathBuf, room: &mut Room) -> io::Result<PathBuf> {
    // What is no jar, the compiler passes over.
    let Ok(mut jar) = Jar::open(File::open(&path)?) else { return Ok(path) };
    if !leads_elsewhere(&mut jar) {
        return Ok(path);
    }
    let folder = path.with_extension("unpacked");
    unpack_classes(&mut jar, &folder, room)?;
    fs::remove_file(&path)?;
    Ok(folder)
}

/// Names alone: they decide where it is written.
fn is_plain(name: &str) -> bool {
    Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

fn kind(name: &str) -> Option<Kind> {
    let below = TOPS.iter().find_map(|top| name.strip_prefix(top)?.strip_prefix('/'))?;
    let (folder, rest) = below.split_once('/')?;
    if folder == CLASSES && rest.ends_with(".class") {
        return is_plain(rest).then(|| Kind::Class(rest.into()));
    }
    (LIBRARIES.contains(&folder) && rest.ends_with(".jar")).then_some(Kind::Library)
}

/// `name` is the first that there is no room for.
fn too_much(name: &str) -> io::Error {
    let all = Room::default();
    io::Error::other(format!(
        "with {name}, more than {} jars, {} classes or {} MiB are inside of jars",
        all.jars,
        all.classes,
        all.bytes >> 20
    ))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::write::SimpleFileOptions;

    use super::*;

    fn jar(entries: &[(&str, &[u8])]) -> Jar<Cursor<Vec<u8>>> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        Jar::open(zip.finish().unwrap()).unwrap()
    }

    #[test]
    fn a_jar_that_leads_elsewhere_becomes_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let manifest: &[u8] = b"Manifest-Version: 1.0\r\nclass-path: ../../out.jar\r\n";
        for (name, text, leads) in [
            ("META-INF/MANIFEST.MF", manifest, true),
            ("meta-inf/Manifest.mf", manifest, true),
            ("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\r\n", false),
            ("other", manifest, false),
        ] {
            assert_eq!(leads_elsewhere(&mut jar(&[(name, text)])), leads, "{name}");
        }
        let mut inner = jar(&[
            ("META-INF/MANIFEST.MF", manifest),
            ("shop/A.class", b"A"),
            ("META-INF/versions/11/shop/A.class", b"B"),
            ("../Out.class", b"out"),
        ]);
        let to = folder.path().join("classes");
        assert_eq!(unpack_classes(&mut inner, &to, &mut Room::default()).unwrap(), [""; 0]);
        assert_eq!(fs::read(to.join("shop/A.class")).unwrap(), b"A");
        let (top, above) = (fs::read_dir(&to).unwrap().count(), fs::read_dir(folder.path()).unwrap().count());
        assert_eq!((top, above), (1, 1));
    }

    #[test]
    fn classes_come_before_libraries_and_libraries_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut jar = jar(&[
            ("BOOT-INF/lib/b.jar", b"b"),
            ("BOOT-INF/lib/a.jar", b"a"),
            ("BOOT-INF/classes/shop/A.class", b"A"),
            ("BOOT-INF/classes/application.yml", b"no class"),
            ("BOOT-INF/classes/../../../Out.class", b"out"),
            ("WEB-INF/lib-provided/c.jar", b"c"),
            ("lib/d.jar", b"d"),
        ]);
        let to = folder.path().join("inside");
        let inside = unpack(&mut jar, &to, &mut Room::default()).unwrap();
        let read = |name: &str| fs::read(to.join(name)).unwrap();
        assert_eq!(inside.entries, ["classes", "0.jar", "1.jar", "2.jar"].map(|name| to.join(name)));
        assert_eq!([read("0.jar"), read("1.jar"), read("2.jar")], [b"b", b"a", b"c"]);
        assert_eq!(fs::read_dir(to.join("classes")).unwrap().count(), 1);
        assert_eq!(read("classes/shop/A.class"), b"A");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written beside it");
    }

    #[test]
    fn there_is_a_limit_to_each() {
        let entries: [(&str, &[u8]); 4] = [
            ("BOOT-INF/lib/a.jar", &[1; 100]),
            ("BOOT-INF/lib/b.jar", &[2; 100]),
            ("BOOT-INF/classes/A.class", &[3; 100]),
            ("BOOT-INF/classes/B.class", &[4; 100]),
        ];
        let with = |jars, classes, bytes| {
            let folder = tempfile::tempdir().unwrap();
            let unpacked = unpack(&mut jar(&entries), folder.path(), &mut Room { jars, classes, bytes });
            unpacked.map(|inside| inside.entries.len()).map_err(|error| error.to_string())
        };
        assert_eq!(with(2, 2, 400), Ok(3));
        for (refused, first) in
            [(with(1, 2, 400), "b.jar"), (with(2, 1, 400), "B.class"), (with(2, 2, 399), "B.class")]
        {
            assert!(refused.as_ref().is_err_and(|error| error.contains(first)), "{refused:?}");
        }
    }
}
