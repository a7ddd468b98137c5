//! Our verifier and a JVM's agree: every class of a JDK is accepted, as it is and woven.

mod corpus_files;
#[path = "hostile/ways.rs"]
mod ways;

use jgraft_classfile::ClassFile;
use jgraft_classfile::format::Refusal;
use jgraft_classfile::verification::verify;
use jgraft_classfile::weave::weave;

/// Classes to weave, each so manieth.
const WEAVE_EVERY: usize = 60;

#[test]
fn every_class_of_a_jdk_is_accepted_as_it_is_and_woven() {
    let Some(archive) = corpus_files::archive() else { return };
    let ways = ways::ways();
    let mut count = 0;
    let classes = corpus_files::each_class(&archive, |name, bytes| {
        let class = ClassFile::parse(bytes).unwrap();
        if name.ends_with("module-info.class") {
            let refusal = verify(&class).unwrap_err().refusal();
            return assert_eq!(refusal, Refusal::NoClassDefFoundError);
        }
        verify(&class).unwrap_or_else(|error| panic!("{name}: {error}"));
        count += 1;
        if count % WEAVE_EVERY != 0 {
            return;
        }
        for (way, probes) in ways.iter().enumerate() {
            let Some(woven) = weave(&class, |_| Some((probes, 1))).unwrap().class else { continue };
            let woven = ClassFile::parse(&woven).unwrap();
            verify(&woven).unwrap_or_else(|error| panic!("{name} woven in way {way}: {error}"));
        }
    });
    println!("{classes} classes of {} are accepted", archive.display());
    assert!(classes > 20, "{} holds {classes} classes only", archive.display());
}
