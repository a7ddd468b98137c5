//! Re-bases every class of jars or jmods on itself with constant pool, bootstrap methods, members and attributes in another
//! order, and that one back on the original: `rebase IN.jar…`. What comes out has to verify, to equal the class by the
//! comparer, and to leave each constant of its base where it stood. A line a jar, and one for each class with which
//! something is wrong:
//!
//! ```text
//! jar   <tab> JAR <tab> CLASSES <tab> BYTES <tab> MICROSECONDS for re-basing <tab> CONSTANTS APPENDED
//! wrong <tab> JAR <tab> ENTRY <tab> WHAT
//! ```

#[path = "../../tests/rebase/shuffle.rs"]
#[allow(dead_code, reason = "the comparer's tests use all of it")]
mod shuffle;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use jgraft_classfile::ClassFile;
use jgraft_classfile::compare::{Comparison, Vm, compare};
use jgraft_classfile::rebase::rebase;
use jgraft_classfile::verification::verify;
use zip::ZipArchive;

const VM: Vm = Vm { feature: 99, allows_adding_methods: false };

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for input in std::env::args().skip(1) {
        let jar = Path::new(&input).file_stem().and_then(|stem| stem.to_str()).ok_or("no name")?;
        let mut zip = ZipArchive::new(File::open(&input)?)?;
        let (mut classes, mut size, mut took, mut appended) = (0, 0, Duration::ZERO, 0);
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index)?;
            let name = entry.name()?.into_owned();
            if !name.ends_with(".class") || name.ends_with("module-info.class") {
                continue;
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            let class = ClassFile::parse(&bytes)?;
            let shuffled = shuffle::shuffle(&class, 1 + index as u64);
            let shuffled = ClassFile::parse(&shuffled)?;
            (classes, size) = (classes + 1, size + bytes.len());
            for (base, new) in [(&shuffled, &class), (&class, &shuffled)] {
                match check(base, new, &mut took) {
                    Ok(constants) => appended += constants,
                    Err(wrong) => println!("wrong\t{jar}\t{name}\t{wrong}"),
                }
            }
        }
        println!("jar\t{jar}\t{classes}\t{size}\t{}\t{appended}", took.as_micros());
    }
    Ok(())
}

/// How many constants were appended.
fn check(base: &ClassFile<'_>, new: &ClassFile<'_>, took: &mut Duration) -> Result<usize, String> {
    let begun = Instant::now();
    let made = rebase(base, new).map_err(|error| error.to_string())?;
    *took += begun.elapsed();
    let made = ClassFile::parse(&made).map_err(|error| error.to_string())?;
    verify(&made).map_err(|error| error.to_string())?;
    let compared = compare(new, &made, VM).map_err(|error| error.to_string())?;
    let Comparison { differences, contents, .. } = compared;
    if !differences.is_empty() || !contents.is_empty() {
        return Err(format!("is another class: {differences:?} {contents:?}"));
    }
    let (old, now) = (base.constant_pool(), made.constant_pool());
    let moved = (0..old.count()).find(|index| {
        let constant =
            |pool: &jgraft_classfile::ConstantPool<'_>| format!("{:?}", pool.constant(*index).ok());
        constant(old) != constant(now)
    });
    match moved {
        Some(index) => Err(format!("constant #{index} of the base moved")),
        None => Ok(usize::from(now.count() - old.count())),
    }
}
