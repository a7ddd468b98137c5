//! A class as the parts that a patch can change: its methods as the source has them, its fields, its attributes, its head.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::attributes::{BootstrapMethod, BootstrapMethods};
use crate::class_file::{ClassFile, access_flags};
use crate::compare::{Content, Reading, member_name};
use crate::constant::{Constant, MemberRef};
use crate::constant_values::Values;
use crate::error::Error;
use crate::instruction::Operands;
use crate::method_info::MethodInfo;

/// Dynamic constants that are arguments of each other: no further is looked for lambdas.
const DEEPEST: usize = 8;

/// A method or field: what it says, and where it stands in the class file.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) span: Range<usize>,
    flags: u16,
    content: Content,
}

/// The parts of a class.
#[derive(Debug)]
pub(super) struct Units {
    /// By name and descriptor.
    pub(super) methods: BTreeMap<String, Member>,
    /// Each method of the source with what the compiler made of it: itself and the bodies of its lambdas, and of theirs.
    pub(super) of_source: BTreeMap<String, BTreeSet<String>>,
    /// By name and descriptor.
    pub(super) fields: BTreeMap<String, Member>,
    /// Of the class.
    attributes: Content,
    /// Flags, name, superclass, interfaces.
    head: (u16, Vec<String>),
}

impl Units {
    pub(super) fn read(class: &ClassFile<'_>, values: &mut Values) -> Result<Self, Error> {
        let pool = class.constant_pool();
        let mut reading = Reading::new(class)?;
        let mut methods = BTreeMap::new();
        let mut used = BTreeMap::new();
        let bootstrap = bootstrap_methods(class)?;
        for method in class.methods() {
            let method = method?;
            let content = reading.method(values, method.attributes(pool))?;
            let name = member_name(method.name(), "", method.descriptor());
            used.insert(name.clone(), uses(class, &bootstrap, &method)?);
            methods.insert(name, Member { span: method.span(), flags: method.access_flags(), content });
        }
        let mut fields = BTreeMap::new();
        for field in class.fields() {
            let field = field?;
            let content = reading.attributes(values, field.attributes(pool))?;
            let name = member_name(field.name(), ":", field.descriptor());
            fields.insert(name, Member { span: field.span(), flags: field.access_flags(), content });
        }
        let mut names = vec![class.this_class_name()?.to_string()];
        names.extend(class.super_class_name()?.map(|name| name.to_string()));
        for name in class.interfaces() {
            names.push(name?.to_string());
        }
        let of_source = of_source(&methods, &used);
        let attributes = reading.attributes(values, class.attributes()?)?;
        Ok(Self { methods, of_source, fields, attributes, head: (class.access_flags(), names) })
    }

    /// Whether a method of the source is the same in both, or in neither.
    pub(super) fn same_method(&self, other: &Self, name: &str) -> bool {
        let (one, two) = (self.of_source.get(name), other.of_source.get(name));
        one == two && one.into_iter().flatten().all(|name| self.same_code(other, name))
    }

    /// Whether one method of the class file is the same in both, or in neither.
    pub(super) fn same_code(&self, other: &Self, name: &str) -> bool {
        same(self.methods.get(name), other.methods.get(name))
    }

    pub(super) fn same_field(&self, other: &Self, name: &str) -> bool {
        same(self.fields.get(name), other.fields.get(name))
    }

    pub(super) fn same_head(&self, other: &Self) -> bool {
        self.head == other.head
    }

    /// Names of attributes of the class that do not say the same in both.
    pub(super) fn attributes_that_differ(&self, other: &Self) -> BTreeSet<String> {
        self.attributes.attributes_that_differ(&other.attributes)
    }
}

fn same(one: Option<&Member>, two: Option<&Member>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => one.flags == two.flags && one.content.does_the_same(&two.content),
        (None, None) => true,
        _ => false,
    }
}

/// Which lambda bodies belong to which method: those whose handles it hands to a bootstrap method. javac, ecj, kotlinc and
/// scalac mark them synthetic. `$deserializeLambda$` names those of other methods.
fn of_source(
    methods: &BTreeMap<String, Member>,
    used: &BTreeMap<String, Uses>,
) -> BTreeMap<String, BTreeSet<String>> {
    let is_body = |name: &str| {
        let flags = methods.get(name).map_or(0, |method| method.flags);
        flags & access_flags::SYNTHETIC != 0 && flags & access_flags::BRIDGE == 0
    };
    let lambdas_of = |name: &str| {
        let used = used.get(name).filter(|_| !name.starts_with("$deserializeLambda$"));
        used.into_iter().flat_map(|used| &used.handles).filter(|handle| is_body(handle))
    };
    let bodies: BTreeSet<&String> = methods.keys().flat_map(|name| lambdas_of(name)).collect();
    let mut found = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let sources = methods.keys().filter(|name| !bodies.contains(name));
    // Bodies that lead to each other and from nowhere else come last: no compiler makes them, and none may be lost.
    for name in sources.chain(methods.keys()) {
        if seen.contains(name) {
            continue;
        }
        let mut all = BTreeSet::new();
        let mut left = vec![name];
        while let Some(next) = left.pop() {
            if all.insert(next.clone()) {
                left.extend(lambdas_of(next));
            }
        }
        seen.extend(all.iter().cloned());
        found.insert(name.clone(), all);
    }
    found
}

/// What code uses of its own class.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Methods and fields, by name and descriptor as in [`Units`]; handles too.
    pub(super) members: BTreeSet<String>,
    /// Methods that are handed to a bootstrap method.
    handles: BTreeSet<String>,
}

/// The bootstrap methods of a class.
pub(super) fn bootstrap_methods<'a>(class: &ClassFile<'a>) -> Result<Vec<BootstrapMethod<'a>>, Error> {
    let found = class.attributes()?.find("BootstrapMethods")?;
    let methods = found.map(|found| BootstrapMethods::read(&mut found.reader())).transpose()?;
    Ok(methods.into_iter().flat_map(|methods| methods.iter()).collect())
}

/// What a method uses of its own class.
pub(super) fn uses(
    class: &ClassFile<'_>,
    bootstrap: &[BootstrapMethod<'_>],
    method: &MethodInfo<'_>,
) -> Result<Uses, Error> {
    let pool = class.constant_pool();
    let mut uses = Uses::default();
    let Some(code) = method.code(pool)? else { return Ok(uses) };
    let this = class.this_class_name()?;
    let own = |member: MemberRef<'_>, between: &str| {
        (member.class == this).then(|| member_name(member.name, between, member.descriptor))
    };
    // Constants to look at, and how deep among arguments they stand.
    let mut left = Vec::new();
    for instruction in code.instructions() {
        match instruction?.operands {
            Operands::Pool(index) | Operands::InvokeInterface { index, .. } => left.push((index, 0)),
            _ => {}
        }
        while let Some((index, depth)) = left.pop() {
            match pool.constant(index)? {
                Constant::Fieldref(member) => uses.members.extend(own(member, ":")),
                Constant::Methodref(member) | Constant::InterfaceMethodref(member) => {
                    uses.members.extend(own(member, ""));
                }
                Constant::MethodHandle(kind, of) => {
                    // Kinds 1 to 4 are of fields (table 5.4.3.5-A).
                    let between = if kind < 5 { ":" } else { "" };
                    let member = own(pool.member_ref(of)?, between);
                    uses.members.extend(member.clone());
                    uses.handles.extend(member.filter(|_| kind >= 5));
                }
                Constant::Dynamic(number, _) | Constant::InvokeDynamic(number, _) if depth < DEEPEST => {
                    let method = bootstrap.get(usize::from(number));
                    let arguments = method.into_iter().flat_map(|method| method.bootstrap_arguments.iter());
                    left.extend(arguments.map(|argument| (argument, depth + 1)));
                }
                _ => {}
            }
        }
    }
    Ok(uses)
}
