//! Weaves every method of every class of jars or jmods: `weave VARIANT OUT IN.jar…`. Each becomes a jar of the same name
//! in the folder OUT, with its classes and its manifest. What came of it is told on stdout, a fact a line; each method left alone on stderr.
//!
//! ```text
//! class <tab> JAR <tab> MAJOR <tab> VERSION (of META-INF/versions; else 0) <tab> NAME
//! left  <tab> JAR <tab> METHODS <tab> REASON
//! jar   <tab> JAR <tab> CLASSES <tab> METHODS WOVEN <tab> BYTES BEFORE <tab> BYTES AFTER <tab> MICROSECONDS
//! ```

mod variants;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use jgraft_classfile::weave::{Weaver, Woven};
use jgraft_classfile::{ClassFile, LeftAlone};
use variants::Variant;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [variant, out, inputs @ ..] = arguments.as_slice() else {
        return Err(format!("weave {} OUT IN.jar...", variants::NAMES.join("|")).into());
    };
    let variant = variants::variant(variant)?;
    std::fs::create_dir_all(out)?;
    let mut facts = BufWriter::new(io::stdout().lock());
    for input in inputs.iter().map(Path::new) {
        let stem = input.file_stem().and_then(|stem| stem.to_str()).ok_or("no name")?;
        weave(&variant, stem, input, &Path::new(out).join(format!("{stem}.jar")), &mut facts)
            .map_err(|error| format!("{}: {error}", input.display()))?;
    }
    Ok(facts.flush()?)
}

fn weave(variant: &Variant, jar: &str, input: &Path, output: &Path, facts: &mut impl Write) -> Result<()> {
    let mut from = ZipArchive::new(File::open(input)?)?;
    let mut to = ZipWriter::new(BufWriter::new(File::create(output)?));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut left_alone: BTreeMap<String, usize> = BTreeMap::new();
    let (mut classes, mut methods, mut before, mut after) = (0, 0, 0, 0);
    let mut took = Duration::ZERO;
    let mut weaver = Weaver::default();
    for index in 0..from.len() {
        let mut entry = from.by_index(index)?;
        let name = entry.name()?.trim_start_matches("classes/").to_owned();
        let is_class = name.ends_with(".class") && !name.ends_with("module-info.class");
        if !is_class && name != "META-INF/MANIFEST.MF" {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        to.start_file(&name, options)?;
        if !is_class {
            to.write_all(&bytes)?;
            continue;
        }
        let begun = Instant::now();
        let woven = weave_class(variant, &mut weaver, &bytes).map_err(|error| format!("{name}: {error}"))?;
        took += begun.elapsed();
        for (index, reason) in &woven.left_alone {
            if !matches!(reason, LeftAlone::NoCode) {
                eprintln!("{jar} {name} method {index}: {reason}");
            }
            // The reason's name, without the figures that tell one method from another.
            let reason = format!("{reason:?}");
            let reason = reason.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            *left_alone.entry(reason.to_owned()).or_default() += 1;
        }
        let new = woven.class.as_deref().unwrap_or(&bytes);
        to.write_all(new)?;
        (classes, methods) = (classes + 1, methods + woven.methods.len());
        (before, after) = (before + bytes.len(), after + new.len());
        let (version, class) = split_version(name.trim_end_matches(".class"));
        let major = ClassFile::parse(&bytes)?.major_version();
        writeln!(facts, "class\t{jar}\t{major}\t{version}\t{}", class.replace('/', "."))?;
    }
    to.finish()?.flush()?;
    for (reason, count) in left_alone {
        writeln!(facts, "left\t{jar}\t{count}\t{reason}")?;
    }
    writeln!(facts, "jar\t{jar}\t{classes}\t{methods}\t{before}\t{after}\t{}", took.as_micros())?;
    Ok(())
}

fn weave_class(variant: &Variant, weaver: &mut Weaver, bytes: &[u8]) -> Result<Woven> {
    let class = ClassFile::parse(bytes)?;
    let mut id = 0;
    Ok(weaver.weave(&class, |method| {
        id += 1;
        variant.probes(method).map(|probes| (probes, id))
    })?)
}

/// `META-INF/versions/9/a/B` → 9, `a/B`.
fn split_version(path: &str) -> (u32, &str) {
    let versioned = path.strip_prefix("META-INF/versions/").and_then(|rest| rest.split_once('/'));
    versioned.and_then(|(version, class)| Some((version.parse().ok()?, class))).unwrap_or((0, path))
}
