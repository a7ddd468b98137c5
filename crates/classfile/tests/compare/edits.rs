//! Changes that no compiler makes: bytes of a compiled class, edited.

#[path = "../rebase/shuffle.rs"]
mod shuffle;

use jgraft_classfile::ClassFile;

/// An edit of the old class of a change.
pub(crate) struct Edit {
    pub(crate) name: &'static str,
    /// Whose old class, by the change's name.
    pub(crate) of: &'static str,
    /// From the class and the VM's release; none where it does not apply.
    pub(crate) make: fn(&[u8], u16) -> Option<Vec<u8>>,
}

const fn edit(name: &'static str, of: &'static str, make: fn(&[u8], u16) -> Option<Vec<u8>>) -> Edit {
    Edit { name, of, make }
}

pub(crate) const EDITS: &[Edit] = &[
    edit("version of the vm", "order of methods", |class, feature| version(class, feature + 44, 0)),
    edit("version of the next vm", "order of methods", |class, feature| version(class, feature + 45, 0)),
    edit("version 44", "order of methods", |class, _| version(class, 44, 0)),
    edit("version 49", "order of methods", |class, _| version(class, 49, 0)),
    edit("version 55", "order of methods", |class, feature| version(class, 55, 0).filter(|_| feature >= 11)),
    edit("minor version 3 of 52", "order of methods", |class, _| version(class, 52, 3)),
    edit("minor version 3 of 50", "order of methods", |class, _| version(class, 50, 3)),
    edit("minor version 3 of 45", "order of methods", |class, _| version(class, 45, 3)),
    edit("minor version 3 of 46", "order of methods", |class, _| version(class, 46, 3)),
    edit("minor version 3 of 49", "order of methods", |class, _| version(class, 49, 3)),
    edit("minor version 3 of the vm's", "order of methods", |class, feature| version(class, feature + 44, 3)),
    edit("preview of the vm's", "order of methods", |class, feature| version(class, feature + 44, 65_535)),
    edit("preview of 56", "order of methods", |class, feature| {
        version(class, 56, 65_535).filter(|_| feature >= 12)
    }),
    edit("preview of 52", "order of methods", |class, _| version(class, 52, 65_535)),
    edit("member class in a version without nests", "member class goes", |class, _| version(class, 54, 0)),
    edit("another name", "order of methods", |class, _| renamed(class)),
    edit("another name and the next vm's version", "order of methods", |class, feature| {
        version(&renamed(class)?, feature + 45, 0)
    }),
    edit("another name and class modifiers", "order of methods", |class, _| {
        class_flags(&renamed(class)?, 0x1000)
    }),
    edit("everything in another order", "order of methods", |class, _| shuffled(class)),
    edit("everything in another order, with a lambda", "lambda goes", |class, _| shuffled(class)),
    edit("everything in another order, with member classes", "order of member classes", |class, _| {
        shuffled(class)
    }),
    edit("synthetic class", "order of methods", |class, _| class_flags(class, 0x1000)),
    edit("class without ACC_SUPER", "order of methods", |class, _| class_flags(class, 0x0020)),
    edit("unknown class flag", "order of methods", |class, _| class_flags(class, 0x0100)),
    edit("synthetic method", "order of methods", |class, _| member_flags(class, "m", 0x1000)),
    edit("bridge method", "order of methods", |class, _| member_flags(class, "m", 0x0040)),
    edit("unknown method flag", "order of methods", |class, _| member_flags(class, "m", 0x4000)),
    edit("strictfp method", "order of methods", |class, _| member_flags(class, "m", 0x0800)),
    edit("public <clinit>", "static block goes", |class, _| member_flags(class, "<clinit>", 0x0001)),
    edit("strictfp <clinit>", "static block goes", |class, _| member_flags(class, "<clinit>", 0x0800)),
    edit("synthetic field", "order of fields", |class, _| member_flags(class, "f", 0x1000)),
    edit("transient field", "order of fields", |class, _| member_flags(class, "f", 0x0080)),
    edit("unknown field flag", "order of fields", |class, _| member_flags(class, "f", 0x0100)),
    edit("no NestMembers", "member class goes", |class, _| text(class, "NestMembers", "NestMemberz")),
    edit("no InnerClasses", "member class goes", |class, _| text(class, "InnerClasses", "InnerClassez")),
    edit("no SourceFile", "order of methods", |class, _| text(class, "SourceFile", "SourceFilz")),
];

fn version(class: &[u8], major: u16, minor: u16) -> Option<Vec<u8>> {
    let mut new = class.to_vec();
    new[4..6].copy_from_slice(&minor.to_be_bytes());
    new[6..8].copy_from_slice(&major.to_be_bytes());
    Some(new)
}

/// One constant says something else, of the same length.
fn text(class: &[u8], from: &str, to: &str) -> Option<Vec<u8>> {
    let at = class.windows(from.len()).position(|found| found == from.as_bytes())?;
    let mut new = class.to_vec();
    new[at..at + to.len()].copy_from_slice(to.as_bytes());
    Some(new)
}

fn renamed(class: &[u8]) -> Option<Vec<u8>> {
    let name = ClassFile::parse(class).unwrap().this_class_name().unwrap().to_string();
    let entry = |name: &str| format!("\0{}{name}", char::from(name.len() as u8));
    text(class, &entry(&name), &entry(&name.replace('A', "B")))
}

fn shuffled(class: &[u8]) -> Option<Vec<u8>> {
    Some(shuffle::shuffle(&ClassFile::parse(class).unwrap(), 7))
}

fn class_flags(class: &[u8], toggle: u16) -> Option<Vec<u8>> {
    let mut new = class.to_vec();
    let at = shuffle::pool_end(&ClassFile::parse(class).unwrap());
    toggle_at(&mut new, at, toggle);
    Some(new)
}

/// Of a field or method that is named so.
fn member_flags(class: &[u8], wanted: &str, toggle: u16) -> Option<Vec<u8>> {
    let parsed = ClassFile::parse(class).unwrap();
    let u2 = |at: usize| u16::from_be_bytes([class[at], class[at + 1]]);
    let u4 = |at: usize| usize::from(u2(at)) << 16 | usize::from(u2(at + 2));
    let interfaces = shuffle::pool_end(&parsed) + 6;
    let mut at = interfaces + 2 + 2 * usize::from(u2(interfaces));
    for _ in 0..2 {
        let members = u2(at);
        at += 2;
        for _ in 0..members {
            if parsed.constant_pool().utf8(u2(at + 2)).unwrap() == wanted {
                let mut new = class.to_vec();
                toggle_at(&mut new, at, toggle);
                return Some(new);
            }
            let attributes = u2(at + 6);
            at += 8;
            for _ in 0..attributes {
                at += 6 + u4(at + 2);
            }
        }
    }
    panic!("no member {wanted}");
}

fn toggle_at(class: &mut [u8], at: usize, toggle: u16) {
    let flags = u16::from_be_bytes([class[at], class[at + 1]]) ^ toggle;
    class[at..at + 2].copy_from_slice(&flags.to_be_bytes());
}
