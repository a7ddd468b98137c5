//! What is not edited is left as it is: `identity IN.jar…` reads every class of jars or jmods whole, asks for no weaving
//! and must get none, and sends the class through the rewriter, from which it must come byte for byte. A line a jar:
//!
//! ```text
//! jar  <tab> JAR <tab> CLASSES <tab> BYTES <tab> MICROSECONDS for reading and copying
//! wrong <tab> JAR <tab> ENTRY <tab> WHAT
//! ```

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use jgraft_classfile::weave::weave;
use jgraft_classfile::{ClassFile, MethodDescriptor, copy_through_rewriter};
use zip::ZipArchive;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for input in std::env::args().skip(1) {
        let jar = Path::new(&input).file_stem().and_then(|stem| stem.to_str()).ok_or("no name")?;
        let mut zip = ZipArchive::new(File::open(&input)?)?;
        let (mut classes, mut size, mut took) = (0, 0, Duration::ZERO);
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index)?;
            let name = entry.name()?.into_owned();
            if !name.ends_with(".class") {
                continue;
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            let begun = Instant::now();
            let checked = check(&bytes);
            took += begun.elapsed();
            (classes, size) = (classes + 1, size + bytes.len());
            if let Err(wrong) = checked {
                println!("wrong\t{jar}\t{name}\t{wrong}");
            }
        }
        println!("jar\t{jar}\t{classes}\t{size}\t{}", took.as_micros());
    }
    Ok(())
}

fn check(bytes: &[u8]) -> Result<(), String> {
    let class = ClassFile::parse(bytes).map_err(|error| error.to_string())?;
    class.check_structure().map_err(|error| error.to_string())?;
    for method in class.methods() {
        let method = method.map_err(|error| error.to_string())?;
        MethodDescriptor::parse(method.descriptor()).ok_or_else(|| format!("{method:?}"))?;
    }
    for call in class.constant_pool().method_refs() {
        call.map_err(|error| error.to_string())?;
    }
    let unasked = weave(&class, |_| None).map_err(|error| error.to_string())?;
    if unasked.class.is_some() || !unasked.methods.is_empty() || !unasked.left_alone.is_empty() {
        return Err("nothing was asked for and something came".to_owned());
    }
    let copy = copy_through_rewriter(&class).map_err(|error| error.to_string())?;
    if copy != bytes {
        let at = copy.iter().zip(bytes).take_while(|(new, old)| new == old).count();
        return Err(format!("the copy differs from byte {at} on ({} bytes of {})", copy.len(), bytes.len()));
    }
    Ok(())
}
