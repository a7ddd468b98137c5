//! What a JVM tells of a class, put together: classes of a JDK are taken apart and are then the same in all that is told,
//! and one instruction that is another is seen in its method.

mod corpus_files;
#[path = "rebase/shuffle.rs"]
mod shuffle;

use corpus_files::{archive, each_class};
use jgraft_classfile::compare::{CodeDigest, Comparison, Vm, compare_in_force};
use jgraft_classfile::opcode::{ICONST_0, ICONST_1};
use jgraft_classfile::rebase::rebase;
use jgraft_classfile::{ClassFile, ClassParts, CodeParts, ConstantPool, Error, MemberParts, ModifiedUtf8};

const VM: Vm = Vm { feature: 99, allows_adding_methods: false };

/// Classes to look at, each so manieth.
const EVERY: u64 = 4;

#[test]
fn classes_of_a_jdk_taken_apart_and_put_together_say_the_same() {
    let Some(archive) = archive() else { return };
    let (mut seen, mut changed, mut moved) = (0, 0, 0);
    let mut other: Option<Vec<u8>> = None;
    each_class(&archive, |name, bytes| {
        if name.ends_with("module-info.class") {
            return;
        }
        seen += 1;
        if seen % EVERY != 0 {
            return;
        }
        let class = ClassFile::parse(bytes).unwrap();
        let told = parts(&class).unwrap().class_file().unwrap();
        let told = ClassFile::parse(&told).unwrap_or_else(|error| panic!("{name}: {error}"));
        told.check_structure().unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = compare(&told, &class);
        assert!(found.is_same(), "{name}: {found:?}");
        if seen % (8 * EVERY) == 0 {
            let shuffled = shuffle::shuffle(&class, seen);
            let found = compare(&told, &ClassFile::parse(&shuffled).unwrap());
            assert!(found.is_same(), "{name} with its constants in another order: {found:?}");
        }
        // On the pool of another class every index is another, and some instructions are wider.
        if let Some(base) = other.as_ref().filter(|_| seen % (8 * EVERY) == 0)
            && let Ok(rebased) = rebase(&ClassFile::parse(base).unwrap(), &class)
        {
            let found = compare(&told, &ClassFile::parse(&rebased).unwrap());
            assert!(found.is_same(), "{name} on another pool: {found:?}");
            moved += 1;
        }
        if let Some((method, edited)) = with_another_instruction(&class) {
            let found = compare(&told, &ClassFile::parse(&edited).unwrap());
            assert!(found.differences.is_empty(), "{name}: {found:?}");
            let members: Vec<_> = found.contents.iter().map(|change| &change.member).collect();
            assert_eq!(members, [&method], "{name}");
            changed += 1;
        }
        if bytes.len() > 20_000 {
            other.get_or_insert_with(|| bytes.to_vec());
        }
    });
    println!(
        "every {EVERY}th of {seen} classes, {changed} with another instruction, {moved} on another pool"
    );
    assert!(changed > 10 && moved > 0, "{seen} classes, {changed} changed, {moved} moved");
}

#[test]
fn names_that_the_pool_lacks_come_behind_it() {
    // constant_pool_count, and nothing else.
    let class = ClassParts {
        constant_pool: vec![0, 1],
        this_class: b"a/B".to_vec(),
        super_class: Some(b"a/C".to_vec()),
        interfaces: vec![b"a/I".to_vec()],
        fields: vec![MemberParts {
            name: b"f".to_vec(),
            descriptor: b"I".to_vec(),
            ..MemberParts::default()
        }],
        methods: vec![MemberParts {
            name: b"m".to_vec(),
            descriptor: b"()V".to_vec(),
            code: Some(CodeParts { max_locals: 1, code: vec![0xb1] }),
            ..MemberParts::default()
        }],
        ..ClassParts::default()
    };
    let bytes = class.class_file().unwrap();
    let read = ClassFile::parse(&bytes).unwrap();
    read.check_structure().unwrap();
    assert_eq!(
        parts(&read).unwrap(),
        ClassParts { constant_pool: bytes[8..shuffle::pool_end(&read)].to_vec(), ..class }
    );
}

#[test]
fn what_has_no_room_is_an_error() {
    let full = [&u16::MAX.to_be_bytes()[..], &[3, 0, 0, 0, 0].repeat(65_534)].concat();
    let parts = ClassParts { constant_pool: full, this_class: b"A".to_vec(), ..ClassParts::default() };
    assert!(parts.class_file().unwrap_err().to_string().contains("constant_pool_count"));
    let code = Some(CodeParts { max_locals: 0, code: vec![0; 65_536] });
    let method = MemberParts { code, ..MemberParts::default() };
    let parts = ClassParts { constant_pool: vec![0, 1], methods: vec![method], ..ClassParts::default() };
    assert!(parts.class_file().unwrap_err().to_string().contains("code_length"));
    assert!(ClassParts { constant_pool: vec![0, 2, 99], ..ClassParts::default() }.class_file().is_err());
}

/// Since a JVM does not tell bootstrap methods, the number of one says nothing.
#[test]
fn a_digest_leaves_bootstrap_methods_out_and_nothing_else() {
    let code = [0xba, 0, 5, 0, 0];
    let digest = |bootstrap: u8, name: u8| {
        let mut pool = vec![0, 6];
        for text in *b"xyz" {
            pool.extend([1, 0, 1, text]);
        }
        pool.extend([12, 0, name, 0, 3]);
        pool.extend([18, 0, bootstrap, 0, 4]);
        CodeDigest::of(&ConstantPool::of(&pool).unwrap(), &code).unwrap()
    };
    assert_eq!(digest(0, 1), digest(7, 1));
    assert_ne!(digest(0, 1), digest(0, 2));
}

fn compare(told: &ClassFile<'_>, class: &ClassFile<'_>) -> Comparison {
    compare_in_force(told, class, VM).unwrap()
}

/// What a JVM would tell.
fn parts(class: &ClassFile<'_>) -> Result<ClassParts, Error> {
    let text = |text: ModifiedUtf8<'_>| text.as_bytes().to_vec();
    let fields = class.fields().map(|field| {
        let field = field?;
        let (name, descriptor) = (text(field.name()), text(field.descriptor()));
        Ok(MemberParts { access_flags: field.access_flags(), name, descriptor, code: None })
    });
    let methods = class.methods().map(|method| {
        let method = method?;
        let code = method.code(class.constant_pool())?;
        let code = code.map(|code| CodeParts { max_locals: code.max_locals(), code: code.code().to_vec() });
        let (name, descriptor) = (text(method.name()), text(method.descriptor()));
        Ok(MemberParts { access_flags: method.access_flags(), name, descriptor, code })
    });
    Ok(ClassParts {
        minor_version: class.minor_version(),
        major_version: class.major_version(),
        constant_pool: class.bytes()[8..shuffle::pool_end(class)].to_vec(),
        access_flags: class.access_flags(),
        this_class: text(class.this_class_name()?),
        super_class: class.super_class_name()?.map(text),
        interfaces: class.interfaces().map(|name| name.map(text)).collect::<Result<_, _>>()?,
        fields: fields.collect::<Result<_, Error>>()?,
        methods: methods.collect::<Result<_, Error>>()?,
    })
}

/// With the first iconst_0 as iconst_1; the name of its method.
fn with_another_instruction(class: &ClassFile<'_>) -> Option<(String, Vec<u8>)> {
    for method in class.methods() {
        let method = method.ok()?;
        let Some(code) = method.code(class.constant_pool()).ok()? else { continue };
        let found = code.instructions().flatten().find(|instruction| instruction.opcode == ICONST_0);
        if let Some(found) = found {
            let mut edited = class.bytes().to_vec();
            edited[code.offset() + found.pc] = ICONST_1;
            return Some((format!("{}{}", method.name(), method.descriptor()), edited));
        }
    }
    None
}
