//! Packs jars, and breaks them in ways that no tool would.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::assembler::Class;

/// A jar with a manifest and these entries. "@" in the manifest stands for the case's package.
pub(crate) fn jar(package: &str, manifest: &str, entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    jar_of_bytes(manifest.replace('@', package).as_bytes(), entries)
}

pub(crate) fn jar_of_bytes(manifest: &[u8], entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let manifest = ("META-INF/MANIFEST.MF".to_owned(), manifest.to_vec());
    zip([&manifest].into_iter().chain(entries), CompressionMethod::Deflated)
}

/// A jar whose manifest names the first of these classes.
pub(crate) fn classes(classes: &[Class]) -> Vec<u8> {
    let name = classes[0].name.replace('/', ".");
    let entries: Vec<_> = classes.iter().map(entry).collect();
    jar("", &format!("Manifest-Version: 1.0\nAgent-Class: {name}\n\n"), &entries)
}

/// A class where class loaders look for it.
pub(crate) fn entry(class: &Class) -> (String, Vec<u8>) {
    (format!("{}.class", class.name), class.bytes())
}

pub(crate) fn zip<'e>(
    entries: impl IntoIterator<Item = &'e (String, Vec<u8>)>,
    method: CompressionMethod,
) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in entries {
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Replaces bytes wherever they are; both have the same length, and they are there.
pub(crate) fn replace(mut jar: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let starts: Vec<usize> = (0..jar.len()).filter(|at| jar[*at..].starts_with(from)).collect();
    assert!(!starts.is_empty(), "{} is not there", String::from_utf8_lossy(from));
    for at in starts {
        jar[at..at + to.len()].copy_from_slice(to);
    }
    jar
}

/// Offsets of the headers in the central directory.
pub(crate) fn central_headers(jar: &[u8]) -> Vec<usize> {
    (0..jar.len()).filter(|at| jar[*at..].starts_with(b"PK\x01\x02")).collect()
}
