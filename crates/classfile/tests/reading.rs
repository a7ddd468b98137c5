//! What the reader says of assembled classes, whole and broken.

mod assembler;

use assembler::{Class, PUBLIC, STATIC, SUPER};
use jgraft_classfile::{ClassFile, ErrorKind, Tag};

const RETURN: u8 = 0xb1;

fn agent() -> Class {
    let mut class = Class::new("com/example/Agent")
        .method(PUBLIC | STATIC, "agentmain", "(Ljava/lang/String;)V", &[RETURN])
        .method(STATIC, "other", "()V", &[RETURN]);
    class.major = 61;
    class.minor = 3;
    class.interfaces = vec!["java/lang/Runnable".into(), "java/io/Serializable".into()];
    class.interface_method_refs.push((
        "java/lang/instrument/Instrumentation".into(),
        "retransformClasses".into(),
        "([Ljava/lang/Class;)V".into(),
    ));
    class
}

#[test]
fn a_whole_class() {
    let bytes = agent().bytes();
    let class = ClassFile::parse(&bytes).unwrap();
    assert_eq!((class.major_version(), class.minor_version()), (61, 3));
    assert_eq!(class.access_flags(), PUBLIC | SUPER);
    assert_eq!(class.this_class_name().unwrap(), "com/example/Agent");
    assert_eq!(class.super_class_name().unwrap().unwrap(), "java/lang/Object");
    let interfaces: Vec<String> = class.interfaces().map(|name| name.unwrap().to_string()).collect();
    assert_eq!(interfaces, ["java/lang/Runnable", "java/io/Serializable"]);
    let methods: Vec<_> = class
        .methods()
        .map(|method| method.unwrap())
        .map(|method| (method.name().to_string(), method.descriptor().to_string(), method.is_public()))
        .collect();
    assert_eq!(methods[0], ("agentmain".into(), "(Ljava/lang/String;)V".into(), true));
    assert_eq!(methods[1], ("other".into(), "()V".into(), false));
    assert_eq!(methods.len(), 2);
    let calls: Vec<_> = class.constant_pool().method_refs().map(|call| call.unwrap()).collect();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].class, "java/lang/instrument/Instrumentation");
    assert_eq!(calls[0].name, "retransformClasses");
    assert_eq!(calls[0].descriptor, "([Ljava/lang/Class;)V");
    class.check_structure().unwrap();
}

#[test]
fn java_lang_object_has_no_superclass() {
    let mut class = Class::new("java/lang/Object");
    class.super_name = None;
    let bytes = class.bytes();
    assert_eq!(ClassFile::parse(&bytes).unwrap().super_class_name().unwrap(), None);
}

#[test]
fn wrong_magic_and_bytes_after_the_end() {
    let mut bytes = agent().bytes();
    bytes.push(0);
    let error = ClassFile::parse(&bytes).unwrap().check_structure().unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::TrailingBytes(1), bytes.len() - 1));
    bytes[0] = b'P';
    let error = ClassFile::parse(&bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Magic(0x50fe_babe));
    assert_eq!(error.to_string(), "begins with 0x50febabe, not 0xcafebabe (at offset 0x0)");
}

#[test]
fn a_pool_of_less_than_nothing() {
    let mut bytes = agent().bytes();
    bytes[8..10].fill(0);
    let error = ClassFile::parse(&bytes).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::PoolIndex(0), 8));
}

#[test]
fn a_long_without_its_second_index() {
    let mut bytes = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52, 0, 2, 5];
    bytes.extend([0; 8 + 8 + 8]);
    assert_eq!(ClassFile::parse(&bytes).unwrap_err().kind(), ErrorKind::PoolIndex(2));
    bytes[9] = 3;
    assert!(ClassFile::parse(&bytes).is_ok());
}

#[test]
fn every_cut_is_an_error() {
    let bytes = agent().bytes();
    for length in 0..bytes.len() {
        let read = ClassFile::parse(&bytes[..length]).and_then(|class| class.check_structure());
        let error = read.expect_err("a cut class was taken for whole");
        assert!(matches!(error.kind(), ErrorKind::UnexpectedEnd(_)), "{length}: {error}");
        assert!(error.offset() <= length, "{length}: {error}");
    }
}

#[test]
fn indices_that_point_nowhere_are_named() {
    let bytes = agent().bytes();
    let class = ClassFile::parse(&bytes).unwrap();
    let pool = class.constant_pool();
    let second_half = (1..pool.count()).find(|i| pool.tag(*i).is_ok_and(|tag| tag == Tag::Long)).unwrap() + 1;
    for index in [0, second_half, pool.count(), u16::MAX] {
        assert_eq!(pool.utf8(index).unwrap_err().kind(), ErrorKind::PoolIndex(index));
    }
    let kind = pool.class_name(1).unwrap_err().kind();
    assert_eq!(kind, ErrorKind::PoolTag { index: 1, found: Tag::Utf8, wanted: Tag::Class });
}
