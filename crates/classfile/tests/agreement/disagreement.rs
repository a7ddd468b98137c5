//! Where our verdict and a JVM's differ, and why that is as it should be.

use std::ops::RangeInclusive;

use jgraft_classfile::verification::VerifyError;

/// Errors that come of other classes, or of who loads.
const OTHER_CLASSES: [&str; 8] = [
    "java.lang.NoClassDefFoundError",
    "java.lang.IncompatibleClassChangeError",
    "java.lang.IllegalAccessError",
    "java.lang.ClassCircularityError",
    "java.lang.LinkageError",
    "java.lang.TypeNotPresentException",
    "java.lang.ExceptionInInitializerError",
    "java.lang.SecurityException",
];

/// What the verifiers say where one class was to be a subclass of another, or a member accessible.
const RELATIONS: [&str; 15] = [
    "overrides final method",
    "nherit from final class",
    "Bad access to protected",
    "current class isn't assignable to reference class",
    // Of a Methodref to what turns out to be an interface.
    "interface method to invoke is not in a direct superinterface",
    "Catch type is not a subclass of Throwable",
    "catch_type not a subclass of Throwable",
    "Incompatible argument to function",
    "Incompatible object argument for function call",
    "Incompatible object argument for invokespecial",
    "Incompatible type for getting or setting field",
    "Bad type in putfield/putstatic",
    "Wrong return type in function",
    "Can only throw Throwable objects",
    "Illegal use of nonvirtual function call",
];

/// Why a refusal of a JVM is none that we could know of; none where it is.
pub(crate) fn why_it_needs_more(error: &str, message: &str) -> Option<&'static str> {
    if let Some(known) = OTHER_CLASSES.iter().find(|known| **known == error) {
        return Some(known);
    }
    if error != "java.lang.VerifyError" {
        return None;
    }
    RELATIONS.iter().find(|known| message.contains(**known)).copied().or_else(|| {
        let (from, to) = message.split_once("Type '")?.1.split_once("is not assignable to '")?;
        (from.split('\'').next().map(shape) == to.split('\'').next().map(shape))
            .then_some("one class is not assignable to another")
    })
}

/// How many dimensions, and whether of a class.
fn shape(name: &str) -> (usize, bool) {
    let element = name.trim_start_matches('[');
    let dimensions = name.len() - element.len();
    (dimensions, dimensions == 0 || element.starts_with('L'))
}

/// What we refuse, and a release does not: a part of what we say, of which versions, which releases, and why.
type Row = (&'static str, RangeInclusive<u16>, RangeInclusive<u16>, &'static str);

const UNCHECKED: &str = "JDK 8 does not look";

const STRICTER: [Row; 19] = [
    (
        "an array has no fields",
        51..=99,
        9..=99,
        "getstatic and putstatic of an array's field: there is none, which shows when it runs",
    ),
    (
        "the StackMapTable is well-formed",
        50..=50,
        8..=99,
        "frames that can't be read, of a method that HotSpot has not come to when it does without frames",
    ),
    ("code is of version 45.3 at least", 45..=45, 8..=99, "code of versions before 45.3"),
    ("a class has the name of a class", 45..=48, 8..=17, "the old rules for names let a slash end one"),
    ("a class has the name of a class", 45..=99, 8..=8, UNCHECKED),
    ("a member has the name of one", 45..=99, 8..=8, UNCHECKED),
    ("a member has a descriptor", 45..=99, 8..=8, UNCHECKED),
    ("a field has a field descriptor", 45..=99, 8..=8, UNCHECKED),
    ("a method has a method descriptor", 45..=99, 8..=8, UNCHECKED),
    ("a method type has a method descriptor", 45..=99, 8..=8, UNCHECKED),
    ("a variable has a type", 45..=99, 8..=8, UNCHECKED),
    ("an attribute is there once", 45..=99, 8..=8, UNCHECKED),
    ("<clinit>", 45..=99, 8..=8, UNCHECKED),
    ("an interface has no <init>", 45..=99, 8..=8, UNCHECKED),
    ("method <init>", 45..=99, 8..=8, "JDK 8 does not look at the visibility of constructors"),
    ("a structure is whole", 45..=99, 8..=8, "JDK 8 does not look where the last attribute of a class ends"),
    (
        "[]",
        50..=99,
        8..=8,
        "JDK 8 takes arrays for interfaces, and of one primitive type for those of another",
    ),
    (
        "[]",
        45..=50,
        8..=99,
        "the old verifier takes an array of primitives for an Object, and that for an interface",
    ),
    ("an outer class is no array", 45..=99, 8..=8, UNCHECKED),
];

/// Why a refusal of ours is as it should be though this release takes the class.
pub(crate) fn why_we_are_stricter(error: &VerifyError, major: u16, feature: u16) -> Option<&'static str> {
    let said = error.to_string();
    let known = |(text, versions, releases, _): &&Row| {
        said.contains(text) && versions.contains(&major) && releases.contains(&feature)
    };
    STRICTER.iter().find(known).map(|(.., why)| *why)
}
