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

use jgraft_classfile::attributes::Attribute;
use jgraft_classfile::weave::weave;
use jgraft_classfile::{Attributes, ClassFile, ConstantPool, Error, copy_through_rewriter, list_method};
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
            let checked = check(&bytes, &mut took);
            (classes, size) = (classes + 1, size + bytes.len());
            if let Err(wrong) = checked {
                println!("wrong\t{jar}\t{name}\t{wrong}");
            }
        }
        println!("jar\t{jar}\t{classes}\t{size}\t{}", took.as_micros());
    }
    Ok(())
}

/// Adds the time of reading and copying, which is what a JVM would wait for, to `took`.
fn check(bytes: &[u8], took: &mut Duration) -> Result<(), String> {
    let begun = Instant::now();
    let class = ClassFile::parse(bytes).map_err(|error| error.to_string())?;
    let copy = copy_through_rewriter(&class).map_err(|error| error.to_string())?;
    *took += begun.elapsed();
    if copy != bytes {
        let at = copy.iter().zip(bytes).take_while(|(new, old)| new == old).count();
        return Err(format!("the copy differs from byte {at} on ({} bytes of {})", copy.len(), bytes.len()));
    }
    read(&class).map_err(|error| error.to_string())?;
    let unasked = weave(&class, |_| None).map_err(|error| error.to_string())?;
    if unasked.class.is_some() || !unasked.methods.is_empty() || !unasked.left_alone.is_empty() {
        return Err("nothing was asked for and something came".to_owned());
    }
    Ok(())
}

/// Everything that the reader offers, decoded once.
fn read(class: &ClassFile<'_>) -> Result<(), Error> {
    let pool = class.constant_pool();
    class.check_structure()?;
    class.this_class_name()?;
    class.super_class_name()?;
    class.interfaces().try_for_each(|interface| interface.map(drop))?;
    pool.method_refs().try_for_each(|call| call.map(drop))?;
    decode(class.attributes()?, pool)?;
    for field in class.fields() {
        decode(field?.attributes(pool), pool)?;
    }
    for method in class.methods() {
        let method = method?;
        decode(method.attributes(pool), pool)?;
        list_method(class, &method)?;
    }
    Ok(())
}

fn decode<'a>(attributes: Attributes<'_, 'a>, pool: &ConstantPool<'a>) -> Result<(), Error> {
    for attribute in attributes {
        match Attribute::decode(&attribute?, pool)? {
            Attribute::Code(code) => {
                code.instructions().try_for_each(|instruction| instruction.map(drop))?;
                decode(code.attributes(pool), pool)?;
            }
            Attribute::StackMapTable(table) => table.into_iter().try_for_each(|frame| frame.map(drop))?,
            Attribute::Record(record) => {
                for component in record.components().iter() {
                    decode(component.attributes(pool), pool)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
