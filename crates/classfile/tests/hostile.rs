//! Every class of a JDK reads and lists; no bytes whatever make reader or weaver panic.

mod corpus_files;
#[path = "hostile/mutations.rs"]
mod mutations;
#[path = "hostile/targets.rs"]
mod targets;

use jgraft_classfile::ClassFile;
use jgraft_classfile::attributes::Attribute;
use mutations::{XorShift, mutate};

/// Classes to mutate: each so manieth, which keeps the test at some seconds. `cargo xtask fuzz` takes all.
const MUTATE_EVERY: usize = 150;

#[test]
fn a_whole_jdk_reads_and_no_mutation_panics() {
    let Some(archive) = corpus_files::archive() else { return };
    let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
    let mut count = 0;
    let classes = corpus_files::each_class(&archive, |name, bytes| {
        let path = visit(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        // A jmod keeps its classes below classes/, a multi-release jar some below META-INF/versions/N/.
        assert!(name.strip_suffix(".class").is_some_and(|entry| entry.ends_with(&path)), "{name}: {path}");
        if count % MUTATE_EVERY == 0 {
            for _ in 0..30 {
                let broken = mutate(bytes, &mut random);
                targets::read(&broken);
                targets::rewrite(&broken);
                targets::verify_as_any(&broken);
                targets::compare(&broken);
                targets::compare_with(&broken, bytes);
                targets::rebase(&broken);
                targets::rebase_with(&broken, bytes);
            }
        }
        count += 1;
    });
    println!("read {classes} classes of {}", archive.display());
    assert!(classes > 20, "{} holds {classes} classes only", archive.display());
}

#[test]
fn bytes_that_are_no_class() {
    let mut random = XorShift(42);
    for length in 0..400 {
        let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        targets::read(&bytes);
        targets::rewrite(&bytes);
        targets::verify_as_any(&bytes);
        targets::compare(&bytes);
        targets::rebase(&bytes);
        targets::text(&bytes);
    }
}

/// Every structure of a class is one that is known, and reads to its end; the class's name.
fn visit(bytes: &[u8]) -> Result<String, jgraft_classfile::Error> {
    let class = ClassFile::parse(bytes)?;
    let pool = class.constant_pool();
    for attribute in class.attributes()? {
        Attribute::decode(&attribute?, pool)?;
    }
    for field in class.fields() {
        for attribute in field?.attributes(pool) {
            Attribute::decode(&attribute?, pool)?;
        }
    }
    for method in class.methods() {
        let method = method?;
        for attribute in method.attributes(pool) {
            Attribute::decode(&attribute?, pool)?;
        }
        let Some(code) = method.code(pool)? else { continue };
        for instruction in code.instructions() {
            instruction?;
        }
        for attribute in code.attributes(pool) {
            if let Attribute::StackMapTable(table) = Attribute::decode(&attribute?, pool)? {
                for frame in table {
                    frame?;
                }
            }
        }
    }
    for index in 1..pool.count() {
        // The second half of a long or double is no entry.
        if pool.tag(index).is_ok() {
            pool.constant(index)?;
        }
    }
    class.check_structure()?;
    class.this_class_name().map(|name| name.to_string())
}
