//! What is done to hostile bytes: each function takes any input, and may do anything but panic, hang, or use more memory
//! than 64 MiB and four times the input. The fuzz targets in `fuzz/` and the long run `cargo xtask fuzz` call the same.

#[path = "ways.rs"]
mod ways;

use jgraft_classfile::attributes::Attribute;
use jgraft_classfile::compare::{Vm, compare as comparison, not_woven_from};
use jgraft_classfile::compose::{Patch, Share, compose};
use jgraft_classfile::diff::{Told, diff};
use jgraft_classfile::rebase::rebase as rebase_on;
use jgraft_classfile::signature::{ClassSignature, MethodSignature, Type};
use jgraft_classfile::verification::verify;
use jgraft_classfile::weave::{Condition, weave};
use jgraft_classfile::{Attributes, ClassFile, ConstantPool, copy_through_rewriter, list_method};

/// Reads everything that there is to read.
pub(crate) fn read(bytes: &[u8]) {
    let Ok(class) = ClassFile::parse(bytes) else { return };
    let pool = class.constant_pool();
    let _ = class.this_class_name().map(|name| name.to_string());
    let _ = class.super_class_name();
    let _ = class.check_structure();
    class.interfaces().flatten().for_each(drop);
    pool.method_refs().flatten().for_each(|call| drop(call.name.to_str()));
    for index in 0..pool.count() {
        let _ = pool.constant(index);
    }
    if let Ok(attributes) = class.attributes() {
        decode(attributes, pool, 0);
    }
    class.fields().flatten().for_each(|field| decode(field.attributes(pool), pool, 0));
    for method in class.methods().flatten() {
        decode(method.attributes(pool), pool, 0);
        let _ = list_method(&class, &method);
    }
}

/// Verifies, and weaves every method in every way. What comes out has to read as a class of as many methods, and to verify
/// if the class did.
pub(crate) fn rewrite(bytes: &[u8]) {
    let Ok(class) = ClassFile::parse(bytes) else { return };
    if let Ok(copy) = copy_through_rewriter(&class) {
        assert!(copy == bytes, "a copy differs");
    }
    let sound = verify(&class).is_ok();
    for probes in ways::ways() {
        let mut id = 0;
        let woven = weave(&class, |_| {
            id += 1;
            Some((&probes, id))
        });
        let Some(new) = woven.ok().and_then(|woven| woven.class) else { continue };
        let again = ClassFile::parse(&new).expect("what was woven reads");
        assert_eq!(again.methods().flatten().count(), class.methods().flatten().count());
        if let (true, Err(error)) = (sound, verify(&again)) {
            panic!("what was woven does not verify: {error}");
        }
    }
}

/// Verifies a class by the rules of its version, and by those of others: without frames, and with subroutines.
pub(crate) fn verify_as_any(bytes: &[u8]) {
    let mut class = bytes.to_vec();
    for version in [None, Some([0, 3, 0, 45]), Some([0, 0, 0, 49]), Some([0, 0, 0, 50])] {
        if let (Some(version), Some(place)) = (version, class.get_mut(4..8)) {
            place.copy_from_slice(&version);
        }
        let Ok(parsed) = ClassFile::parse(&class) else { continue };
        if let Err(error) = verify(&parsed) {
            let _ = (error.refusal(), error.to_string());
        }
    }
}

/// Compares a class with itself and with another.
pub(crate) fn compare(bytes: &[u8]) {
    compare_with(bytes, &many_constants());
}

/// Re-bases a class on itself, on another, and the other on it.
pub(crate) fn rebase(bytes: &[u8]) {
    rebase_with(bytes, &many_constants());
}

/// A class of 300 constants that no other has, so that what is re-based on it stands past 255.
fn many_constants() -> Vec<u8> {
    let mut class = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 69, 1, 0x31];
    for name in [&b"x/Y"[..], b"java/lang/Object"] {
        class.extend([1, 0, name.len() as u8]);
        class.extend_from_slice(name);
    }
    class.extend([7, 0, 1, 7, 0, 2]);
    for n in 0_u32..300 {
        class.push(3);
        class.extend((0x5555_0000 | n).to_be_bytes());
    }
    // access_flags, this_class, super_class; no interfaces, fields, methods, attributes
    class.extend([0, 0x21, 0, 3, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]);
    class
}

/// Compares a class with itself and with another, both ways.
pub(crate) fn compare_with(bytes: &[u8], other: &[u8]) {
    let (Ok(class), Ok(other)) = (ClassFile::parse(bytes), ClassFile::parse(other)) else { return };
    for feature in [8, 11, 14, 17, 25] {
        let vm = Vm { feature, allows_adding_methods: feature == 17 };
        if let Ok(itself) = comparison(&class, &class, vm) {
            // Two members of one name are no class; whichever is taken, it is the same one.
            assert!(itself.is_same(), "{itself:?}");
        }
        for (old, new) in [(&class, &other), (&other, &class)] {
            if let Ok(found) = comparison(old, new, vm) {
                found.differences.iter().for_each(|difference| drop(difference.to_string()));
            }
        }
    }
    if let Ok(others) = not_woven_from(&class, &class) {
        assert!(others.is_empty(), "{others:?}");
    }
    let _ = (not_woven_from(&class, &other), not_woven_from(&other, &class));
    if let Ok(diffs) = diff(&class, &class, Told::All) {
        assert!(diffs.is_empty(), "{diffs:?}");
    }
    for (old, new) in [(&class, &other), (&other, &class)] {
        for told in [Told::All, Told::CodeOnly] {
            let diffs = diff(old, new, told).into_iter().flatten();
            diffs.for_each(|diff| drop(diff.to_string()));
        }
    }
}

/// Re-bases two classes on each other; what comes out has to read as a class of as many methods. Then puts them on each other
/// as patches: that has to read, and a class is no change of itself.
pub(crate) fn rebase_with(bytes: &[u8], other: &[u8]) {
    let (Ok(class), Ok(other)) = (ClassFile::parse(bytes), ClassFile::parse(other)) else { return };
    for (base, new) in [(&class, &class), (&class, &other), (&other, &class)] {
        let Ok(made) = rebase_on(base, new) else { continue };
        let made = ClassFile::parse(&made).expect("what was re-based reads");
        made.check_structure().expect("what was re-based is whole");
        assert_eq!(made.methods().flatten().count(), new.methods().flatten().count());
        let patch = |class| Patch { class, share: None };
        let Ok(made) = compose(base, base, &[patch(new), patch(base), patch(new)]) else { continue };
        let [_, itself, again] = made.shares.as_slice() else { panic!("{:?}", made.shares) };
        // It leaves to the one below what that has changed.
        let itself = Share { leaves: Vec::new(), ..itself.clone() };
        assert_eq!((itself, again.changes.len()), (Share::default(), 0));
        let class = ClassFile::parse(&made.class).expect("what was composed reads");
        class.check_structure().expect("what was composed is whole");
        if let Ok(less) = compose(base, &class, &[Patch { class: new, share: made.shares.last() }]) {
            ClassFile::parse(&less.class).expect("what was composed reads");
        }
    }
}

/// Reads text as a condition and as signatures.
pub(crate) fn text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = Condition::parse(&text);
    let encoded = jgraft_classfile::ModifiedUtf8::new(bytes);
    let _ = encoded.to_str_lossy();
    let _ = ClassSignature::parse(encoded);
    let _ = MethodSignature::parse(encoded);
    let _ = Type::parse(encoded).map(|parsed| parsed.to_string());
}

fn decode<'a>(attributes: Attributes<'_, 'a>, pool: &ConstantPool<'a>, depth: usize) {
    for attribute in attributes.flatten() {
        match Attribute::decode(&attribute, pool) {
            Ok(Attribute::Code(code)) => {
                code.instructions().for_each(drop);
                if depth == 0 {
                    decode(code.attributes(pool), pool, 1);
                }
            }
            Ok(Attribute::Record(record)) if depth == 0 => {
                record.components().iter().for_each(|component| decode(component.attributes(pool), pool, 1));
            }
            Ok(Attribute::StackMapTable(table)) => table.for_each(drop),
            Ok(
                Attribute::RuntimeVisibleAnnotations(found) | Attribute::RuntimeInvisibleAnnotations(found),
            ) => {
                found.iter().for_each(|annotation| annotation.pairs().for_each(drop));
            }
            Ok(
                Attribute::RuntimeVisibleTypeAnnotations(found)
                | Attribute::RuntimeInvisibleTypeAnnotations(found),
            ) => {
                found.iter().for_each(|annotation| annotation.annotation.pairs().for_each(drop));
            }
            Ok(Attribute::BootstrapMethods(methods)) => {
                methods.iter().for_each(|method| method.bootstrap_arguments.iter().for_each(drop));
            }
            _ => {}
        }
    }
}
