//! May one version of a class take the place of another by RedefineClasses (JVMTI), on HotSpot of a given release? What
//! HotSpot looks at, and in which order: name, supertypes, nest, record, permitted subclasses, modifiers, fields, methods.
//!
//! Not here: whether the new class is one at all (`check_structure`, `verification`), what its classes resolve to, and
//! whether the class in force may be redefined (hidden classes may not).

mod artefact;
mod content;
mod difference;
mod digest;
mod error;
mod in_force;
mod members;
mod structure;
mod woven;

pub use artefact::Artefact;
pub use difference::{Change, ContentChange, Difference};
pub use digest::{CodeDigest, each_call};
pub use error::RedefinitionError;
pub use in_force::compare_in_force;
pub use woven::{not_woven_from, woven_from};

use std::collections::BTreeMap;

use crate::class_file::ClassFile;
use crate::constant_values::Values;
use crate::error::Error;
pub(crate) use content::{Content, Reading};
pub(crate) use members::name as member_name;

/// A HotSpot VM, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vm {
    /// 8, 11, 17, …
    pub feature: u16,
    /// Runs with `-XX:+AllowRedefinitionToAddDeleteMethods`. Before 13 all do as if.
    pub allows_adding_methods: bool,
}

/// What is different, and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Differences in shape, in the order in which HotSpot looks for them.
    pub differences: Vec<Difference>,
    /// What is different in members that both classes have.
    pub contents: Vec<ContentChange>,
    verdict: Verdict,
}

/// What HotSpot says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It takes the new class, if that verifies.
    Accepted,
    /// It gives this error.
    Refused(RedefinitionError),
    /// It gives one of these: methods of several names are at fault, and it walks them in an order of memory addresses.
    RefusedByOneOf(Vec<RedefinitionError>),
}

impl Comparison {
    /// What HotSpot says.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Whether nothing is different but the order of things and their numbers.
    pub fn is_same(&self) -> bool {
        self.differences.is_empty() && self.contents.is_empty()
    }
}

/// Compares `new` with `old`, the class in force. An error if one of them can't be read.
pub fn compare(old: &ClassFile<'_>, new: &ClassFile<'_>, vm: Vm) -> Result<Comparison, Error> {
    weigh(structure::differences(old, new, vm)?, old, new, vm, contents(old, new)?)
}

/// Adds what is different in the members, and what comes of all of it.
fn weigh(
    mut differences: Vec<Difference>,
    old: &ClassFile<'_>,
    new: &ClassFile<'_>,
    vm: Vm,
    contents: Vec<ContentChange>,
) -> Result<Comparison, Error> {
    differences.extend(members::fields(old, new)?);
    let methods = members::methods(old, new, vm)?;
    let first = differences.iter().filter_map(|difference| difference.error).min();
    let verdict = match first {
        Some(first) => Verdict::Refused(first),
        None => match methods.errors.as_slice() {
            [] => Verdict::Accepted,
            [only] => Verdict::Refused(*only),
            several => Verdict::RefusedByOneOf(several.to_vec()),
        },
    };
    differences.extend(methods.differences);
    Ok(Comparison { differences, contents, verdict })
}

/// What is not the same in the class itself and in members that both have. One member at a time is held in memory.
fn contents(old: &ClassFile<'_>, new: &ClassFile<'_>) -> Result<Vec<ContentChange>, Error> {
    let mut values = Values::default();
    let mut before = Reading::new(old)?;
    let mut after = Reading::new(new)?;
    let mut changes = Vec::new();
    let mut compare = |member: String, old: Content, new: Content| {
        changes.extend(content::change(member, &old, &new));
    };
    let (old_pool, new_pool) = (old.constant_pool(), new.constant_pool());
    let old_attributes = before.attributes(&mut values, old.attributes()?)?;
    compare(String::new(), old_attributes, after.attributes(&mut values, new.attributes()?)?);
    let mut fields = BTreeMap::new();
    for field in new.fields() {
        let field = field?;
        fields.entry(members::name(field.name(), ":", field.descriptor())).or_insert(field);
    }
    for field in old.fields() {
        let field = field?;
        let name = members::name(field.name(), ":", field.descriptor());
        // Each once, the first of both: a class that has two of a name is none.
        let Some(other) = fields.remove(&name) else { continue };
        let content = before.attributes(&mut values, field.attributes(old_pool))?;
        compare(name, content, after.attributes(&mut values, other.attributes(new_pool))?);
    }
    let mut methods = BTreeMap::new();
    for method in new.methods() {
        let method = method?;
        methods.entry(members::name(method.name(), "", method.descriptor())).or_insert(method);
    }
    for method in old.methods() {
        let method = method?;
        let name = members::name(method.name(), "", method.descriptor());
        let Some(other) = methods.remove(&name) else { continue };
        let content = before.method(&mut values, method.attributes(old_pool))?;
        compare(name, content, after.method(&mut values, other.attributes(new_pool))?);
    }
    Ok(changes)
}
