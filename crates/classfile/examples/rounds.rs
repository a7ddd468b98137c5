//! One contestant of `cargo xtask bench classfile`: reads the classes of a jar or jmod, and for each line on stdin weaves
//! all of them and prints the nanoseconds that it took. `rounds IN.jar entry-return|entry-return-throw|look|verify`

use std::io::{BufRead, Read};
use std::time::Instant;

use jgraft_classfile::ClassFile;
use jgraft_classfile::verification::verify;
use jgraft_classfile::weave::{Call, Event, Operand, Probes, StaticMethod, Weaver};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, what] = arguments.as_slice() else { return Err("rounds IN.jar WHAT".into()) };
    let classes = classes(input)?;
    let bytes: usize = classes.iter().map(Vec::len).sum();
    println!("{} classes {bytes} bytes", classes.len());
    let event = |name, operands: &[Operand]| {
        Some(Event::of(Call::new(StaticMethod::new("java/lang/Probe", name), operands)))
    };
    let mut probes =
        Probes { exit: event("exit", &[Operand::ProbeId, Operand::StartTime]), ..Probes::default() };
    if what == "entry-return-throw" {
        probes.throw = event("thrown", &[Operand::ProbeId, Operand::StartTime]);
    }
    let mut weaver = Weaver::default();
    for line in std::io::stdin().lock().lines() {
        line?;
        let begun = Instant::now();
        let mut made = 0_usize;
        for bytes in &classes {
            let class = ClassFile::parse(bytes)?;
            match what.as_str() {
                "verify" => made += usize::from(verify(&class).is_ok()),
                "look" => made += usize::from(class.this_class_name()? == "com/example/Nothing"),
                _ => {
                    let mut id = 0;
                    let woven = weaver.weave(&class, |_| {
                        id += 1;
                        Some((&probes, id))
                    })?;
                    made += woven.class.map_or(0, |class| class.len());
                }
            }
        }
        println!("{} {made}", begun.elapsed().as_nanos());
    }
    Ok(())
}

fn classes(input: &str) -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error>> {
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
    Ok(classes)
}
