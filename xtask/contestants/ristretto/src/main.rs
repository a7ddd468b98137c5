//! Reads the classes of a jar or jmod, and for each line on stdin parses and writes all of them with
//! ristretto_classfile, which can't weave: `ristretto-rounds IN.jar`.

use std::io::{BufRead, Read};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let input = std::env::args().nth(1).ok_or("ristretto-rounds IN.jar")?;
    let mut zip = zip::ZipArchive::new(std::fs::File::open(input)?)?;
    let mut classes = Vec::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index)?;
        if entry.name_raw().ends_with(b".class") && !entry.name_raw().ends_with(b"module-info.class") {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            classes.push(bytes);
        }
    }
    let bytes: usize = classes.iter().map(Vec::len).sum();
    println!("{} classes {bytes} bytes", classes.len());
    for line in std::io::stdin().lock().lines() {
        line?;
        let begun = Instant::now();
        let mut made = 0_usize;
        for bytes in &classes {
            let class = ristretto_classfile::ClassFile::from_bytes(bytes)?;
            let mut out = Vec::with_capacity(bytes.len());
            class.to_bytes(&mut out)?;
            made += out.len();
        }
        println!("{} {made}", begun.elapsed().as_nanos());
    }
    Ok(())
}
