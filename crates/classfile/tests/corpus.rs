//! Every class of a real JDK reads; no mutation of one makes the reader panic.
//!
//! The classes come from the jmod files of an installed JDK, else from the jars in its lib folder. Without a
//! JDK the test says that it was skipped; reading.rs covers the reader without one.

mod corpus_files;

use jgraft_classfile::ClassFile;

/// Classes to mutate: each 97th of the corpus, which keeps the test at about a second.
const MUTATE_EVERY: usize = 97;

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
            mutate(bytes, &mut random);
        }
        count += 1;
    });
    println!("read {classes} classes of {}", archive.display());
    assert!(classes > 20, "{} holds {classes} classes only", archive.display());
}

/// Touches everything that the reader offers; the class's name.
fn visit(bytes: &[u8]) -> Result<String, jgraft_classfile::Error> {
    let class = ClassFile::parse(bytes)?;
    for method in class.methods() {
        let method = method?;
        assert!(method.descriptor().to_str().is_some_and(|text| text.starts_with('(')), "{method:?}");
    }
    for interface in class.interfaces() {
        interface?;
    }
    for call in class.constant_pool().method_refs() {
        call?;
    }
    class.super_class_name()?;
    class.check_structure()?;
    class.this_class_name().map(|name| name.to_string())
}

/// Cuts and flips: whatever comes out, it comes as a value.
fn mutate(bytes: &[u8], random: &mut XorShift) {
    let mut broken = bytes.to_vec();
    for _ in 0..200 {
        let at = random.below(bytes.len());
        broken[at] = random.next() as u8;
        touch(&broken);
        touch(&broken[..random.below(bytes.len())]);
        broken[at] = bytes[at];
    }
    for _ in 0..20 {
        let mut broken = bytes.to_vec();
        for _ in 0..8 {
            let at = random.below(bytes.len());
            broken[at] = random.next() as u8;
        }
        touch(&broken);
    }
}

/// As `visit`, but a result of any kind is good.
fn touch(bytes: &[u8]) {
    let Ok(class) = ClassFile::parse(bytes) else { return };
    let _ = class.this_class_name().map(|name| name.to_string());
    let _ = class.super_class_name();
    let _ = class.check_structure();
    class.methods().flatten().for_each(|method| drop(method.name().to_str_lossy()));
    class.interfaces().flatten().for_each(drop);
    class.constant_pool().method_refs().flatten().for_each(|call| drop(call.name.to_str()));
}

/// A small generator, seeded, so that a failure repeats.
struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}
