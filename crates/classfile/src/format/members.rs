//! Fields and methods (JVMS 4.5, 4.6): names, descriptors, flags, that none is there twice, and which have code.

use super::error::{Fault, FormatError, Located, rule};
use super::{Checker, flags};
use crate::class_file::access_flags::{ABSTRACT, INTERFACE, NATIVE, STATIC, STRICT};
use crate::field_info::FieldInfo;
use crate::method_info::MethodInfo;
use crate::modified_utf8::ModifiedUtf8;

impl Checker<'_, '_> {
    fn is_interface(&self) -> bool {
        self.class.access_flags() & INTERFACE != 0
    }

    pub(super) fn fields(&self) -> Result<(), FormatError> {
        let mut seen = Vec::new();
        for field in self.class.fields() {
            let field = field.map_err(Fault::from).located(format_args!("field {}", seen.len()))?;
            let place = || format!("field {} {}", field.name(), field.descriptor());
            self.field(&field).or_else(|fault| Err(fault).located(place()))?;
            seen.push((field.name().as_bytes(), field.descriptor().as_bytes()));
        }
        unique(seen, "4.5", "no field has name and descriptor of another", "field")
    }

    fn field(&self, field: &FieldInfo<'_>) -> Result<(), Fault> {
        let (name, descriptor) = (field.name(), field.descriptor());
        flags::field(field.access_flags(), self.is_interface(), self.major)?;
        rule(self.names().is_field(name.as_bytes()), "4.5", "a field has the name of one", name)?;
        let legal = self.names().is_field_descriptor(descriptor.as_bytes());
        rule(legal, "4.5", "a field has a field descriptor", descriptor)?;
        self.field_attributes(field)
    }

    pub(super) fn methods(&self) -> Result<(), FormatError> {
        let mut seen = Vec::new();
        for method in self.class.methods() {
            let method = method.map_err(Fault::from).located(format_args!("method {}", seen.len()))?;
            let place = || format!("method {}{}", method.name(), method.descriptor());
            self.method(&method).or_else(|fault| Err(fault).located(place()))?;
            seen.push((method.name().as_bytes(), method.descriptor().as_bytes()));
        }
        unique(seen, "4.6", "no method has name and descriptor of another", "method")
    }

    fn method(&self, method: &MethodInfo<'_>) -> Result<(), Fault> {
        let (name, descriptor) = (method.name(), method.descriptor());
        rule(self.names().is_method(name.as_bytes()), "4.6", "a method has the name of one", name)?;
        let is_initializer = name == "<clinit>";
        if is_initializer {
            let legal = self.major < 51 || method.access_flags() & STATIC != 0;
            rule(legal, "4.6", "<clinit> is static", format_args!("{:#06x}", method.access_flags()))?;
        } else {
            let is_constructor = name == "<init>";
            flags::method(method.access_flags(), is_constructor, self.is_interface(), self.major)?;
            rule(!is_constructor || !self.is_interface(), "4.6", "an interface has no <init>", "one")?;
        }
        let bytes = descriptor.as_bytes();
        if is_initializer && self.major >= 51 {
            rule(bytes == b"()V", "4.6", "<clinit> has no parameters and no result", descriptor)?;
        }
        let legal = name.as_bytes()[0] != b'<' || bytes.last() == Some(&b'V');
        rule(legal, "4.6", "<init> and <clinit> have no result", descriptor)?;
        let slots = self.names().parameter_slots(bytes);
        let slots = slots.ok_or_else(|| Fault::new("4.6", "a method has a method descriptor", descriptor))?;
        let flags = flags_in_force(method, self.major);
        let slots = slots + usize::from(flags & STATIC == 0);
        rule(slots <= 255, "4.3.3", "parameters take at most 255 slots", slots)?;
        let has_code = self.method_attributes(method, slots)?;
        let wants_code = flags & (NATIVE | ABSTRACT) == 0;
        let found = if has_code { "code" } else { "none" };
        rule(has_code == wants_code, "4.7.3", "a method has code unless it is native or abstract", found)
    }
}

/// The flags by which a JVM goes: of `<clinit>` it looks at few (4.6).
pub(crate) fn flags_in_force(method: &MethodInfo<'_>, major: u16) -> u16 {
    match method.name().as_bytes() {
        b"<clinit>" if major < 51 => STATIC,
        b"<clinit>" if major <= 60 => method.access_flags() & (STATIC | STRICT),
        b"<clinit>" => method.access_flags() & STATIC,
        _ => method.access_flags(),
    }
}

fn unique(
    mut seen: Vec<(&[u8], &[u8])>,
    section: &'static str,
    text: &'static str,
    kind: &str,
) -> Result<(), FormatError> {
    seen.sort_unstable();
    let Some(pair) = seen.windows(2).find(|pair| pair[0] == pair[1]) else { return Ok(()) };
    let (name, descriptor) = (ModifiedUtf8::new(pair[0].0), ModifiedUtf8::new(pair[0].1));
    Err(Fault::new(section, text, "two")).located(format_args!("{kind} {name} {descriptor}"))
}
