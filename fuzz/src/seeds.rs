//! Inputs to begin with: every file of the folder, and what the kind of target finds on this machine by itself.

use std::path::Path;

use anyhow::{Context, Result};

use crate::targets::{Kind, Target, agentjar, protocol};

#[path = "../../crates/classfile/tests/corpus_files/mod.rs"]
mod corpus_files;

/// A class that is longer than this takes the time of many.
const LONGEST: usize = 256 << 10;

/// Conditions and signatures.
const TEXTS: [&[u8]; 4] = [
    b"cost > 1ms && !(cost == 7 || cost < 3.5) && args[0].name == \"x\"",
    b"<T:Ljava/lang/Object;:Ljava/lang/Comparable<-TT;>;>Ljava/util/AbstractList<TT;>;Ljava/io/Serializable;",
    b"<E:Ljava/lang/Exception;>([[ILjava/util/Map<+TK;*>.Entry<TV;>;)TT;^TE;",
    b"\xc0\x80\xed\xa0\x81\xed\xb0\x80\xe2\x82\xac(Ljava/lang/String;IJ)V",
];

/// All of them.
pub(crate) fn of(target: &Target, folder: &Path) -> Result<Vec<Vec<u8>>> {
    let mut seeds = files(folder)?;
    match target.kind {
        Kind::Class => {
            let archive = corpus_files::archive().context("no JDK to take classes from")?;
            corpus_files::each_class(&archive, |_, bytes| {
                if bytes.len() <= LONGEST {
                    seeds.push(bytes.to_vec());
                }
            });
        }
        Kind::Text => seeds.extend(TEXTS.map(<[u8]>::to_vec)),
        Kind::Manifest => seeds.extend(agentjar::MANIFESTS.map(<[u8]>::to_vec)),
        Kind::Properties => seeds.extend(protocol::PROPERTIES.map(<[u8]>::to_vec)),
        Kind::Jar | Kind::Files => {}
    }
    Ok(seeds)
}

/// In the order of their names, so that the numbers mean the same next time.
fn files(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    paths.retain(|path| path.is_file());
    paths.iter().map(|path| Ok(std::fs::read(path)?)).collect()
}
