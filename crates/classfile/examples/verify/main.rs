//! Verifies every class of jars or jmods, as it is or woven: `verify asis|VARIANT IN.jar…`. A line a jar, and one for each
//! class that is refused:
//!
//! ```text
//! jar     <tab> JAR <tab> CLASSES <tab> BYTES <tab> MICROSECONDS for reading and verifying
//! refused <tab> JAR <tab> ENTRY <tab> WHY
//! ```

#[path = "../weave/variants.rs"]
mod variants;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use jgraft_classfile::ClassFile;
use jgraft_classfile::verification::verify;
use jgraft_classfile::weave::Weaver;
use variants::Variant;
use zip::ZipArchive;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [variant, inputs @ ..] = arguments.as_slice() else {
        return Err(format!("verify {} IN.jar...", variants::NAMES.join("|")).into());
    };
    let variant = variants::variant(variant)?;
    for input in inputs {
        let jar = Path::new(&input).file_stem().and_then(|stem| stem.to_str()).ok_or("no name")?;
        let mut zip = ZipArchive::new(File::open(input)?)?;
        let (mut classes, mut size, mut took) = (0, 0, Duration::ZERO);
        let mut weaver = Weaver::default();
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index)?;
            let name = entry.name()?.into_owned();
            // A module's description is no class, and refused by every JVM.
            if !name.ends_with(".class") || name.ends_with("module-info.class") {
                continue;
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            let bytes = woven(&variant, &mut weaver, bytes)?;
            let begun = Instant::now();
            let verified = ClassFile::parse(&bytes).map_err(Into::into).and_then(|class| verify(&class));
            took += begun.elapsed();
            (classes, size) = (classes + 1, size + bytes.len());
            if let Err(error) = verified {
                println!("refused\t{jar}\t{name}\t{error}");
            }
        }
        println!("jar\t{jar}\t{classes}\t{size}\t{}", took.as_micros());
    }
    Ok(())
}

fn woven(variant: &Variant, weaver: &mut Weaver, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let class = ClassFile::parse(&bytes)?;
    let mut id = 0;
    let woven = weaver.weave(&class, |method| {
        id += 1;
        variant.probes(method).map(|probes| (probes, id))
    })?;
    Ok(woven.class.unwrap_or(bytes))
}
