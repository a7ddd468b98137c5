//! Classes to break: those of jars that link in a loader of their own before anything is changed.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Result;
use jgraft_jvm_harness::Jdk;

use crate::jvm::{Outcome, define_all};
use crate::model::Model;

/// Larger ones take a JVM longer, and differ in nothing.
const LARGEST: usize = 20_000;

/// Those of `classes` that link on this JDK, what they need being in `jars`.
pub(crate) fn that_link(
    jdk: &Jdk,
    classes: Vec<Vec<u8>>,
    jars: &[PathBuf],
    scratch: &Path,
) -> Result<Vec<Vec<u8>>> {
    let outcomes = define_all(jdk, &classes, jars, scratch)?;
    let linked = classes.into_iter().zip(outcomes).filter(|(_, outcome)| *outcome == Outcome::Linked);
    Ok(linked.map(|(class, _)| class).collect())
}

/// Up to `most` classes of jars or jmods, spread over each of them.
pub(crate) fn of_jars(jars: &[PathBuf], most: usize) -> Result<Vec<Vec<u8>>> {
    let mut classes = Vec::new();
    for jar in jars {
        let mut zip = zip::ZipArchive::new(File::open(jar)?)?;
        let every = zip.len() * jars.len() / most.max(1) + 1;
        for index in (0..zip.len()).step_by(every) {
            let mut entry = zip.by_index(index)?;
            let name = entry.name()?.into_owned();
            if !name.ends_with(".class")
                || name.ends_with("module-info.class")
                || entry.size() > LARGEST as u64
            {
                continue;
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            if let Some(mut model) = Model::read(&bytes) {
                out_of_java(&mut model);
                classes.push(model.write());
            }
        }
    }
    Ok(classes)
}

/// Renames a class of a package `java`, where none but the JDK may define any, wherever it names itself.
fn out_of_java(model: &mut Model) {
    let Some([7, high, low]) = model.pool.get(usize::from(model.this_class)).map(Vec::as_slice) else {
        return;
    };
    let name = model.text(u16::from_be_bytes([*high, *low])).to_vec();
    if !name.starts_with(b"java/") {
        return;
    }
    let described = [b"L", name.as_slice(), b";"].concat();
    for entry in model.pool.iter_mut().filter(|entry| entry.first() == Some(&1)) {
        let text = &mut entry[3..];
        if text == name {
            text[1] = b'b';
        }
        let mut at = 0;
        while let Some(found) = text[at..].windows(described.len()).position(|found| found == described) {
            at += found + 1;
            text[at + 1] = b'b';
        }
    }
}
