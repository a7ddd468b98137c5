//! The class itself (JVMS 4.1): its version, its flags, its name and its supertypes.

use super::error::{Fault, Refusal, rule};
use super::{Checker, flags};
use crate::class_file::access_flags::{INTERFACE, MODULE};
use crate::modified_utf8::ModifiedUtf8;

/// minor_version of a class that needs preview features.
const PREVIEW: u16 = 65_535;

/// Whether HotSpot of a release (8, 11, 17, …) takes class files of a version, preview features not enabled.
pub fn takes_version(feature: u16, major: u16, minor: u16) -> bool {
    let newest = feature.saturating_add(44);
    (45..=newest).contains(&major)
        && match feature {
            // At its own version only does it look at minor_version.
            ..=10 => major < newest || minor == 0,
            11 => major == 45 || minor == 0,
            _ => major < 56 || minor == 0,
        }
}

impl Checker<'_, '_> {
    /// What every release refuses; which is the highest version a JVM takes is not known here.
    pub(super) fn version(&self) -> Result<(), Fault> {
        let minor = self.class.minor_version();
        let known = self.major >= 45 && (self.major < 56 || matches!(minor, 0 | PREVIEW));
        let found = format_args!("{}.{minor}", self.major);
        rule(known, "4.1", "the version is one that there is", found)
            .map_err(|fault| fault.refused_by(Refusal::UnsupportedClassVersionError))
    }

    /// Before the constant pool, which then has entries of kinds that no class has.
    pub(super) fn is_no_module(&self) -> Result<(), Fault> {
        let access_flags = self.class.access_flags();
        let is_module = self.major >= 53 && access_flags & MODULE != 0;
        rule(!is_module, "4.1", "a class is no module", format_args!("{access_flags:#06x}"))
            .map_err(|fault| fault.refused_by(Refusal::NoClassDefFoundError))
    }

    pub(super) fn class(&self) -> Result<(), Fault> {
        let class = self.class;
        let access_flags = class.access_flags();
        flags::class(access_flags, self.major)?;
        let name = class.this_class_name()?;
        not_array(name)?;
        match class.super_class_name()? {
            None => rule(name == OBJECT, "4.1", "java.lang.Object alone has no superclass", name)?,
            Some(super_class) => {
                not_array(super_class)?;
                let legal = access_flags & INTERFACE == 0 || super_class == OBJECT;
                rule(legal, "4.1", "the superclass of an interface is java.lang.Object", super_class)?;
            }
        }
        let mut interfaces = class.interfaces().collect::<Result<Vec<_>, _>>()?;
        interfaces.iter().try_for_each(|interface| not_array(*interface))?;
        rule(
            name != OBJECT || interfaces.is_empty(),
            "4.1",
            "java.lang.Object has no superinterface",
            "some",
        )?;
        interfaces.sort_unstable_by_key(|interface| interface.as_bytes());
        match interfaces.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Fault::new("4.1", "no superinterface is named twice", pair[0])),
            None => Ok(()),
        }
    }
}

const OBJECT: &str = "java/lang/Object";

fn not_array(name: ModifiedUtf8<'_>) -> Result<(), Fault> {
    rule(name.as_bytes().first() != Some(&b'['), "4.1", "a class and its supertypes are no arrays", name)
}
