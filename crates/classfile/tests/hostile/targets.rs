//! What is done to hostile bytes: each function takes any input, and may do anything but panic, hang, or use more memory
//! than 64 MiB and four times the input. The fuzz targets in `fuzz/` and the long run `cargo xtask fuzz` call the same.

#[path = "ways.rs"]
mod ways;

use jgraft_classfile::attributes::Attribute;
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
