//! The class itself: version, name, supertypes, nest, record, permitted subclasses, modifiers.

use crate::attributes::{Attribute, Indices, RecordComponent};
use crate::class_file::{ClassFile, access_flags};
use crate::compare::{Artefact, Change, Difference, RedefinitionError, Vm, artefact};
use crate::constant_pool::ConstantPool;
use crate::error::Error;
use crate::format;

/// Major version of class files of a release.
const fn major_of(feature: u16) -> u16 {
    feature.saturating_add(44)
}

/// minor_version of class files with preview features.
const PREVIEW: u16 = 65_535;

/// Flags of a class that HotSpot keeps: ACC_PUBLIC, FINAL, SUPER, INTERFACE, ABSTRACT, SYNTHETIC, ANNOTATION, ENUM.
const CLASS_FLAGS: u16 = 0x7631;

/// ACC_ABSTRACT.
const ABSTRACT: u16 = 0x0400;

pub(super) fn differences(
    old: &ClassFile<'_>,
    new: &ClassFile<'_>,
    vm: Vm,
) -> Result<Vec<Difference>, Error> {
    let mut found = Vec::new();
    let mut add = |change: Change, error: RedefinitionError, artefact: Option<Artefact>| {
        found.push(Difference { change, error: Some(error), artefact });
    };
    let name = |class: &ClassFile<'_>| class.this_class_name().map(|name| name.to_string());
    let (old_name, new_name) = (name(old)?, name(new)?);
    if old_name != new_name {
        add(Change::Name { old: old_name, new: new_name }, RedefinitionError::NamesDontMatch, None);
    }
    let superclass = |class: &ClassFile<'_>| {
        class.super_class_name().map(|name| name.map_or_else(String::new, |name| name.to_string()))
    };
    let (old_super, new_super) = (superclass(old)?, superclass(new)?);
    if old_super != new_super {
        let change = Change::Superclass { old: old_super, new: new_super };
        add(change, RedefinitionError::HierarchyChanged, None);
    }
    let interfaces = |class: &ClassFile<'_>| {
        class.interfaces().map(|name| name.map(|name| name.to_string())).collect::<Result<Vec<_>, _>>()
    };
    let (old_interfaces, new_interfaces) = (interfaces(old)?, interfaces(new)?);
    if old_interfaces != new_interfaces {
        let change = Change::Interfaces { old: old_interfaces, new: new_interfaces };
        add(change, RedefinitionError::HierarchyChanged, None);
    }
    let (before, after) = (ClassAttributes::of(old, vm)?, ClassAttributes::of(new, vm)?);
    before.differences(&after, old, new, &mut add);
    let flags = |class: &ClassFile<'_>| {
        let flags = class.access_flags() & CLASS_FLAGS;
        // What is an interface is abstract, whether it says so or not: compilers before Java 6 did not.
        if flags & access_flags::INTERFACE != 0 && class.major_version() < 50 {
            flags | ABSTRACT
        } else {
            flags
        }
    };
    if flags(old) != flags(new) {
        let change = Change::ClassModifiers { old: flags(old), new: flags(new) };
        add(change, RedefinitionError::ClassModifiersChanged, None);
    }
    let version = |class: &ClassFile<'_>| (class.major_version(), class.minor_version());
    if version(old) != version(new) {
        let error =
            (!takes_version(version(old), version(new), vm)).then_some(RedefinitionError::UnsupportedVersion);
        let change = Change::Version { old: version(old), new: version(new) };
        found.insert(0, Difference { change, error, artefact: None });
    }
    Ok(found)
}

/// Whether the VM takes a version. Preview features are on if the class in force has them.
fn takes_version(old: (u16, u16), (major, minor): (u16, u16), vm: Vm) -> bool {
    if (major, minor) == (major_of(vm.feature), PREVIEW) && vm.feature >= 11 {
        return old == (major, PREVIEW);
    }
    format::takes_version(vm.feature, major, minor)
}

/// The attributes of a class that may not change, as far as a VM reads them: each appeared in one release, and is
/// nothing in class files of an older version.
#[derive(Debug, Default)]
struct ClassAttributes {
    nest_host: Option<String>,
    nest_members: Option<Vec<String>>,
    /// Components, as text.
    record: Option<Vec<String>>,
    permitted_subclasses: Option<Vec<String>>,
}

impl ClassAttributes {
    fn of(class: &ClassFile<'_>, vm: Vm) -> Result<Self, Error> {
        let pool = class.constant_pool();
        let names = |indices: Indices<'_>| {
            let mut names = indices
                .iter()
                .map(|index| pool.class_name(index).map(|name| name.to_string()))
                .collect::<Result<Vec<_>, _>>()?;
            // Their order says nothing.
            names.sort_unstable();
            Ok::<_, Error>(Some(names).filter(|names| !names.is_empty()))
        };
        // Read by class files of `since` on, and as a preview feature from `preview` on.
        let reads = |preview: u16, since: u16| {
            let major = class.major_version();
            let is_preview = class.minor_version() == PREVIEW && major == major_of(vm.feature);
            (vm.feature >= since && major >= major_of(since)) || (vm.feature >= preview && is_preview)
        };
        let mut found = Self::default();
        for attribute in class.attributes()? {
            let attribute = attribute?;
            let name = attribute.name().as_bytes();
            let is_read = match name {
                b"NestHost" | b"NestMembers" => reads(11, 11),
                b"Record" => reads(14, 16),
                b"PermittedSubclasses" => reads(15, 17),
                _ => false,
            };
            if !is_read {
                continue;
            }
            match Attribute::decode(&attribute, pool)? {
                Attribute::NestHost { host_class_index } => {
                    found.nest_host = Some(pool.class_name(host_class_index)?.to_string());
                }
                Attribute::NestMembers(members) => found.nest_members = names(members)?,
                Attribute::PermittedSubclasses(permitted) => found.permitted_subclasses = names(permitted)?,
                Attribute::Record(record) => {
                    let components = record.components().iter().map(|found| component(found, pool));
                    found.record = Some(components.collect::<Result<_, _>>()?);
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn differences(
        &self,
        new: &Self,
        old_class: &ClassFile<'_>,
        new_class: &ClassFile<'_>,
        add: &mut impl FnMut(Change, RedefinitionError, Option<Artefact>),
    ) {
        let error = RedefinitionError::ClassAttributeChanged;
        if self.nest_host != new.nest_host {
            add(Change::NestHost { old: self.nest_host.clone(), new: new.nest_host.clone() }, error, None);
        }
        let (before, after) = (
            self.nest_members.as_deref().unwrap_or_default(),
            new.nest_members.as_deref().unwrap_or_default(),
        );
        let added = after.iter().filter(|member| before.binary_search(member).is_err());
        let mut switches = None;
        for member in added {
            let switches = switches.get_or_insert_with(|| artefact::switch_classes(new_class));
            let artefact = Artefact::of_nest_member(member.as_bytes(), switches);
            add(Change::NestMemberAdded(member.clone()), error, artefact);
        }
        let removed = before.iter().filter(|member| after.binary_search(member).is_err());
        let mut switches = None;
        for member in removed {
            let switches = switches.get_or_insert_with(|| artefact::switch_classes(old_class));
            let artefact = Artefact::of_nest_member(member.as_bytes(), switches);
            add(Change::NestMemberRemoved(member.clone()), error, artefact);
        }
        if self.record != new.record {
            add(Change::Record { old: self.record.clone(), new: new.record.clone() }, error, None);
        }
        if self.permitted_subclasses != new.permitted_subclasses {
            let (old, new) = (self.permitted_subclasses.clone(), new.permitted_subclasses.clone());
            add(Change::PermittedSubclasses { old, new }, error, None);
        }
    }
}

/// What may not change of a component: its name, descriptor and Signature.
fn component<'a>(component: &RecordComponent<'a>, pool: &ConstantPool<'a>) -> Result<String, Error> {
    let mut text = super::members::name(component.name(), ":", component.descriptor());
    let signature = component.attributes(pool).find("Signature")?;
    if let Some(signature) = signature
        && let Attribute::Signature { signature_index } = Attribute::decode(&signature, pool)?
    {
        text.push(' ');
        text.push_str(&pool.utf8(signature_index)?.to_string());
    }
    Ok(text)
}
