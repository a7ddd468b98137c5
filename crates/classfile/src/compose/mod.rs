//! Composing: a class with several patches on it, each given as a whole class file. Each method is that of the topmost
//! patch that changes it, and the base's where none does; undoing a patch is composing without it.
//!
//! **What a patch changes** is what it has otherwise than the base *and* otherwise than what is in force below it. So a
//! patch takes nothing away from those below by not having heard of them. And where its class was compiled with an earlier
//! fix in it, that fix is still the earlier patch's, and goes with it: [`Share::carries`] tells. This is settled when a
//! patch is applied, and handed in again ever after ([`Patch::share`]); else the fix would come back once the earlier patch
//! is gone.
//!
//! A method is one of the source: the bodies of its lambdas are part of it, since their names are numbers. What cannot be
//! told apart in a running JVM is no change: lines and the source's name, names of variables and parameters, frames, annotations of class
//! retention. A method that is not changed keeps its lines: those of the source that it was compiled from.
//!
//! Attributes that the specification does not define are left out: no JVM looks at them, and what they say of the constant
//! pool nobody knows. The class itself and its fields follow the same rule, attribute by attribute; `InnerClasses` has the rows of all. The
//! constant pool and the bootstrap methods begin with those of the class in force ([`rebase`](crate::rebase)).
//!
//! Not here: whether a JVM takes the class ([`compare`](crate::compare)), and whether it verifies: nobody has ever compiled
//! it, so ask ([`verification`](crate::verification)).

mod error;
mod splice;
mod units;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::class_file::ClassFile;
use crate::compare::member_name;
use crate::constant_values::Values;
use crate::error::Error;
use crate::rebase::{RebaseError, rebase};
use crate::rewrite::known_attributes;
pub use error::{ComposeError, SharedMethod};
use splice::{FromUpper, Parts, splice};
use units::{Units, bootstrap_methods, uses};

/// A patch of one class.
#[derive(Clone, Copy, Debug)]
pub struct Patch<'p, 'a> {
    /// The class as it was given.
    pub class: &'p ClassFile<'a>,
    /// What [`compose`] told when the patch was applied; none for one that is not applied yet.
    pub share: Option<&'p Share>,
}

/// What one patch has to do with the class that is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Methods that it changes, adds or takes away, by name and descriptor: those of the source, without lambda bodies.
    pub changes: Vec<String>,
    /// What else it changes: fields as `name:descriptor`, attributes of the class by name, and `class` for its flags,
    /// superclass and interfaces.
    pub besides: Vec<String>,
    /// Methods that it has otherwise than the base, and does not change: when it was applied, patches below had put the
    /// same there.
    pub carries: Vec<String>,
    /// Methods that it has as the base has them, where patches below have put something else, which stays. For whoever applies
    /// it: once it is applied, this is of no use any more.
    pub leaves: Vec<String>,
}

/// A class with patches on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// The class file.
    pub class: Vec<u8>,
    /// One for each patch, in order.
    pub shares: Vec<Share>,
}

/// Puts patches on `base`, the lowest first. `in_force` is what was made last, or the base: its constants keep their
/// places. Without patches it is the base.
pub fn compose(
    base: &ClassFile<'_>,
    in_force: &ClassFile<'_>,
    patches: &[Patch<'_, '_>],
) -> Result<Composed, ComposeError> {
    if patches.is_empty() {
        return Ok(Composed { class: base.bytes().to_vec(), shares: Vec::new() });
    }
    let (base, in_force) = (known_attributes(base)?, known_attributes(in_force)?);
    let (base, in_force) = (&ClassFile::parse(&base)?, &ClassFile::parse(&in_force)?);
    let classes: Vec<_> =
        patches.iter().map(|patch| known_attributes(patch.class)).collect::<Result<_, Error>>()?;
    let classes: Vec<_> =
        classes.iter().map(|bytes| ClassFile::parse(bytes)).collect::<Result<_, Error>>()?;
    let known = classes.iter().zip(patches).map(|(class, patch)| Patch { class, share: patch.share });
    let patches: &Vec<_> = &known.collect();
    match compose_on(base, in_force, patches) {
        // Constants of patches long gone have filled it, or are of a kind that the base's version has not.
        Err(ComposeError::Rebase {
            reason:
                RebaseError::ConstantPoolFull
                | RebaseError::BootstrapMethodsFull
                | RebaseError::OlderVersion { .. },
            ..
        }) => compose_on(base, base, patches),
        made => made,
    }
}

/// Whether patch `n` can be taken out of the middle: not where one above changes the same method, since that was made to
/// follow on it.
pub fn may_revert(shares: &[Share], n: usize) -> Result<(), SharedMethod> {
    let below: BTreeSet<&String> = shares.get(n).into_iter().flat_map(|share| &share.changes).collect();
    for (later, share) in shares.iter().enumerate().skip(n.saturating_add(1)) {
        if let Some(method) = share.changes.iter().find(|method| below.contains(method)) {
            return Err(SharedMethod { later, method: method.clone() });
        }
    }
    Ok(())
}

fn compose_on(
    base: &ClassFile<'_>,
    in_force: &ClassFile<'_>,
    patches: &[Patch<'_, '_>],
) -> Result<Composed, ComposeError> {
    let mut values = Values::default();
    base.check_structure()?;
    let base_units = Units::read(base, &mut values)?;
    let mut class = match base.bytes() == in_force.bytes() {
        true => base.bytes().to_vec(),
        false => rebase(in_force, base).map_err(|reason| ComposeError::Rebase { patch: None, reason })?,
    };
    let mut shares = Vec::with_capacity(patches.len());
    for (n, patch) in patches.iter().enumerate() {
        let below = ClassFile::parse(&class)?;
        let raised = raised_to_version_of(&below, patch.class);
        let on_pool = rebase(&below, &ClassFile::parse(&raised)?)
            .map_err(|reason| ComposeError::Rebase { patch: Some(n), reason })?;
        let above = ClassFile::parse(&on_pool)?;
        let lower = Parts { class: &below, units: &Units::read(&below, &mut values)? };
        let upper = Parts { class: &above, units: &Units::read(&above, &mut values)? };
        let share = match patch.share {
            Some(share) => share.clone(),
            None => settle(&base_units, lower.units, upper.units),
        };
        let from_upper = from_upper(n, &share, lower.units, upper.units)?;
        class = splice(&lower, &upper, &from_upper)?;
        shares.push(share);
    }
    check_uses(base, patches, &class)?;
    Ok(Composed { class, shares })
}

/// Methods of several versions make a class of the newest.
fn raised_to_version_of<'a>(other: &ClassFile<'_>, class: &ClassFile<'a>) -> Cow<'a, [u8]> {
    let version = |class: &ClassFile<'_>| (class.major_version(), class.minor_version());
    if version(class) >= version(other) {
        return Cow::Borrowed(class.bytes());
    }
    let mut bytes = class.bytes().to_vec();
    let (major, minor) = version(other);
    if let Some(place) = bytes.get_mut(4..8) {
        place[..2].copy_from_slice(&minor.to_be_bytes());
        place[2..].copy_from_slice(&major.to_be_bytes());
    }
    Cow::Owned(bytes)
}

/// What a patch changes.
fn settle(base: &Units, lower: &Units, upper: &Units) -> Share {
    let mut share = Share::default();
    let names: BTreeSet<&String> = base.of_source.keys().chain(upper.of_source.keys()).collect();
    for name in names {
        match (upper.same_method(base, name), upper.same_method(lower, name)) {
            (true, true) => {}
            (true, false) => share.leaves.push(name.clone()),
            (false, true) => share.carries.push(name.clone()),
            (false, false) => share.changes.push(name.clone()),
        }
    }
    if !upper.same_head(base) && !upper.same_head(lower) {
        share.besides.push(CLASS.to_owned());
    }
    let names: BTreeSet<&String> = base.fields.keys().chain(upper.fields.keys()).collect();
    let fields =
        names.into_iter().filter(|name| !upper.same_field(base, name) && !upper.same_field(lower, name));
    share.besides.extend(fields.cloned());
    let (of_base, of_lower) = (upper.attributes_that_differ(base), upper.attributes_that_differ(lower));
    share.besides.extend(of_base.intersection(&of_lower).filter(|name| *name != SOURCE_FILE).cloned());
    share
}

/// What has to be taken from the patch's class. An error if a lambda's body would then be another for a method that is not.
fn from_upper(n: usize, share: &Share, lower: &Units, upper: &Units) -> Result<FromUpper, ComposeError> {
    let changes: BTreeSet<&String> = share.changes.iter().collect();
    let (mut changed, mut kept) = (BTreeSet::new(), BTreeSet::new());
    for (name, all) in &lower.of_source {
        let list = if changes.contains(name) { &mut changed } else { &mut kept };
        list.extend(all.iter().cloned());
    }
    let new: BTreeSet<String> =
        changes.iter().filter_map(|name| upper.of_source.get(*name)).flatten().cloned().collect();
    if let Some(lambda) = new.intersection(&kept).find(|name| !upper.same_code(lower, name)) {
        return Err(ComposeError::SharedLambda { patch: n, lambda: lambda.clone() });
    }
    let methods = changed.union(&new).filter(|name| !kept.contains(*name)).cloned().collect();
    let besides = || share.besides.iter().cloned().collect();
    Ok(FromUpper {
        head: share.besides.iter().any(|name| name == CLASS),
        methods,
        fields: besides(),
        attributes: besides(),
    })
}

/// In [`Share::besides`].
const CLASS: &str = "class";
/// The attribute that goes with lines, which are no change either.
const SOURCE_FILE: &str = "SourceFile";

/// A method that stays may use one that went with the patch that had added it.
fn check_uses(base: &ClassFile<'_>, patches: &[Patch<'_, '_>], class: &[u8]) -> Result<(), ComposeError> {
    let class = ClassFile::parse(class)?;
    let has = members(&class)?;
    let bootstrap = bootstrap_methods(&class)?;
    let mut known = members(base)?;
    for patch in patches {
        known.extend(members(patch.class)?);
    }
    for method in class.methods() {
        let method = method?;
        if let Some(member) = uses(&class, &bootstrap, &method)?
            .members
            .iter()
            .find(|name| !has.contains(*name) && known.contains(*name))
        {
            let user = member_name(method.name(), "", method.descriptor());
            return Err(ComposeError::Missing { user, member: member.clone() });
        }
    }
    Ok(())
}

fn members(class: &ClassFile<'_>) -> Result<BTreeSet<String>, Error> {
    let methods = class.methods().map(|method| method.map(|it| member_name(it.name(), "", it.descriptor())));
    let fields = class.fields().map(|field| field.map(|it| member_name(it.name(), ":", it.descriptor())));
    methods.chain(fields).collect()
}
