//! Fields and methods: which there are, in which order, with which modifiers.

use std::collections::{BTreeMap, BTreeSet};

use crate::class_file::{ClassFile, access_flags};
use crate::compare::{Artefact, Change, Difference, RedefinitionError, Vm};
use crate::error::Error;
use crate::format::flags_in_force;
use crate::modified_utf8::ModifiedUtf8;

/// Flags of a field that HotSpot compares (table 4.5-A).
const FIELD_FLAGS: u16 = 0x50df;

/// Flags of a method that HotSpot compares (table 4.6-A); native may come and go.
const METHOD_FLAGS: u16 = 0x1cff;

/// How a member is named.
pub(crate) fn name(name: ModifiedUtf8<'_>, between: &str, descriptor: ModifiedUtf8<'_>) -> String {
    format!("{name}{between}{descriptor}")
}

/// The fields, whose order counts.
pub(super) fn fields(old: &ClassFile<'_>, new: &ClassFile<'_>) -> Result<Vec<Difference>, Error> {
    struct Field {
        name: String,
        flags: u16,
        artefact: Option<Artefact>,
    }
    let read = |class: &ClassFile<'_>| {
        class
            .fields()
            .map(|field| {
                let field = field?;
                let flags = field.access_flags();
                Ok(Field {
                    name: name(field.name(), ":", field.descriptor()),
                    flags: flags & FIELD_FLAGS,
                    artefact: Artefact::of_field(field.name().as_bytes(), flags),
                })
            })
            .collect::<Result<Vec<_>, Error>>()
    };
    let (before, after) = (read(old)?, read(new)?);
    let by_name = |fields: &[Field]| {
        fields.iter().map(|field| (field.name.clone(), field.flags)).collect::<BTreeMap<_, _>>()
    };
    let (old_flags, new_flags) = (by_name(&before), by_name(&after));
    let mut found = Vec::new();
    let mut add = |change: Change, artefact: Option<Artefact>| {
        found.push(Difference { change, error: Some(RedefinitionError::SchemaChanged), artefact });
    };
    for field in &after {
        match old_flags.get(&field.name) {
            None => add(Change::FieldAdded(field.name.clone()), field.artefact),
            Some(old) if *old != field.flags => {
                let change =
                    Change::FieldModifiers { field: field.name.clone(), old: *old, new: field.flags };
                add(change, field.artefact);
            }
            Some(_) => {}
        }
    }
    for field in before.iter().filter(|field| !new_flags.contains_key(&field.name)) {
        add(Change::FieldRemoved(field.name.clone()), field.artefact);
    }
    let in_both = |fields: &[Field], other: &BTreeMap<String, u16>| {
        let kept = fields.iter().filter(|field| other.contains_key(&field.name));
        kept.map(|field| field.name.clone()).collect::<Vec<_>>()
    };
    if in_both(&before, &new_flags) != in_both(&after, &old_flags) {
        add(Change::FieldOrder, None);
    }
    Ok(found)
}

/// What the methods come to.
#[derive(Debug, Default)]
pub(super) struct Methods {
    pub(super) differences: Vec<Difference>,
    /// Errors that HotSpot may come upon first, in order.
    pub(super) errors: Vec<RedefinitionError>,
}

/// The methods, whose order does not count.
pub(super) fn methods(old: &ClassFile<'_>, new: &ClassFile<'_>, vm: Vm) -> Result<Methods, Error> {
    let (before, after) = (read_methods(old)?, read_methods(new)?);
    let may_come_and_go = |flags: u16| {
        (vm.feature < 13 || vm.allows_adding_methods)
            && flags & access_flags::PRIVATE != 0
            && flags & (access_flags::STATIC | access_flags::FINAL) != 0
    };
    let mut methods = Methods::default();
    // By simple name: what is at fault with its methods that were there, and whether one was added.
    let mut faults: BTreeMap<&[u8], (BTreeSet<RedefinitionError>, bool)> = BTreeMap::new();
    for ((simple, descriptor), old_flags) in &before {
        let method = name(ModifiedUtf8::new(simple), "", ModifiedUtf8::new(descriptor));
        let (change, error, artefact) = match after.get(&(*simple, *descriptor)) {
            None => (
                Change::MethodRemoved(method),
                (!may_come_and_go(*old_flags)).then_some(RedefinitionError::MethodDeleted),
                Artefact::of_method(simple, *old_flags, old)?,
            ),
            Some(new_flags) if (old_flags ^ new_flags) & METHOD_FLAGS != 0 => (
                Change::MethodModifiers { method, old: *old_flags, new: *new_flags },
                Some(RedefinitionError::MethodModifiersChanged),
                ((old_flags ^ new_flags) & access_flags::BRIDGE != 0).then_some(Artefact::Bridge),
            ),
            Some(_) => continue,
        };
        faults.entry(simple).or_default().0.extend(error);
        methods.differences.push(Difference { change, error, artefact });
    }
    for ((simple, descriptor), flags) in &after {
        if before.contains_key(&(*simple, *descriptor)) {
            continue;
        }
        let change = Change::MethodAdded(name(ModifiedUtf8::new(simple), "", ModifiedUtf8::new(descriptor)));
        let error = (!may_come_and_go(*flags)).then_some(RedefinitionError::MethodAdded);
        faults.entry(simple).or_default().1 |= error.is_some();
        let artefact = Artefact::of_method(simple, *flags, new)?;
        methods.differences.push(Difference { change, error, artefact });
    }
    // Of one name, those that were there are looked at first.
    let mut first = BTreeSet::new();
    for (found, added) in faults.into_values() {
        if found.is_empty() && added {
            first.insert(RedefinitionError::MethodAdded);
        }
        first.extend(found);
    }
    methods.errors = first.into_iter().collect();
    Ok(methods)
}

type ByName<'a> = BTreeMap<(&'a [u8], &'a [u8]), u16>;

/// Flags by name and descriptor.
fn read_methods<'a>(class: &ClassFile<'a>) -> Result<ByName<'a>, Error> {
    let mut methods = ByName::new();
    for method in class.methods() {
        let method = method?;
        let flags = flags_in_force(&method, class.major_version());
        methods.insert((method.name().as_bytes(), method.descriptor().as_bytes()), flags);
    }
    Ok(methods)
}
