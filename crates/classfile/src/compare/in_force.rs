//! A class as a JVM tells it ([`ClassParts`](crate::ClassParts)) against a class file: what can be compared, and no more.

use std::collections::BTreeMap;

use super::digest::digest_of;
use super::{Change, Comparison, ContentChange, Vm, members, structure, weigh};
use crate::class_file::{ClassFile, access_flags};
use crate::error::Error;
use crate::method_info::MethodInfo;

/// As [`compare`](super::compare), where `told` was put together from what a JVM tells of the class in force.
///
/// Not compared is what it does not tell: nest, record and permitted subclasses, which the verdict leaves out too;
/// whether an anonymous class is final; handlers, and attributes of any kind. Code is compared by its [`CodeDigest`], so another bootstrap method is not seen:
/// neither another lambda nor, since 9, another text in a concatenation.
pub fn compare_in_force(told: &ClassFile<'_>, new: &ClassFile<'_>, vm: Vm) -> Result<Comparison, Error> {
    let mut differences = structure::differences(told, new, vm)?;
    let name = told.this_class_name()?.to_string();
    differences.retain(|difference| is_told(&difference.change, &name));
    weigh(differences, told, new, vm, contents(told, new)?)
}

fn is_told(change: &Change, class: &str) -> bool {
    match change {
        Change::NestHost { .. }
        | Change::NestMemberAdded(_)
        | Change::NestMemberRemoved(_)
        | Change::Record { .. }
        | Change::PermittedSubclasses { .. } => false,
        // Up to 8, javac makes anonymous classes final and has InnerClasses say that they are not, which is what is told.
        Change::ClassModifiers { old, new } => old ^ new != access_flags::FINAL || !is_anonymous(class),
        _ => true,
    }
}

/// `Outer$1`
fn is_anonymous(class: &str) -> bool {
    let last = class.rsplit_once('$').map_or("", |(_, last)| last);
    !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
}

/// Methods of both that say something else.
fn contents(told: &ClassFile<'_>, new: &ClassFile<'_>) -> Result<Vec<ContentChange>, Error> {
    let name = |method: &MethodInfo<'_>| members::name(method.name(), "", method.descriptor());
    let mut digests = BTreeMap::new();
    for method in told.methods() {
        let method = method?;
        digests.insert(name(&method), digest_of(told, &method)?);
    }
    let mut changes = Vec::new();
    for method in new.methods() {
        let method = method?;
        let member = name(&method);
        // Each once: a class that has two of a name is none.
        let Some(before) = digests.remove(&member) else { continue };
        if before != digest_of(new, &method)? {
            let (frames, debug, attributes) = (false, false, Vec::new());
            changes.push(ContentChange { member, code: true, frames, debug, attributes });
        }
    }
    Ok(changes)
}
