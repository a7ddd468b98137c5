//! What is not edited is copied: a class sent through the rewriter comes out byte for byte.

mod corpus_files;

use jgraft_classfile::{ClassFile, copy_through_rewriter};

#[test]
fn every_class_of_a_jdk_comes_out_as_it_went_in() {
    let Some(archive) = corpus_files::archive() else { return };
    let count = corpus_files::each_class(&archive, |name, bytes| {
        let class = ClassFile::parse(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let copy = copy_through_rewriter(&class).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(copy == bytes, "{name} differs");
    });
    println!("{count} classes of {} are the same", archive.display());
    assert!(count > 20, "{} holds {count} classes only", archive.display());
}
