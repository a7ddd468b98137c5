//! Attributes of classes and members (JVMS 4.7): lengths, what their indices are of, and which may be there once only. An
//! attribute that a version does not know is passed over, whatever is in it, and so is what annotations say.

use super::Checker;
use super::error::{Fault, rule};
use crate::attribute_info::AttributeInfo;
use crate::attributes::{Attribute, Record};
use crate::class_file::access_flags::{FINAL, STATIC};
use crate::constant_pool::Tag;
use crate::field_info::FieldInfo;
use crate::method_info::MethodInfo;
use crate::reader::Reader;

/// Attributes that have been there.
#[derive(Default)]
pub(super) struct Once(Vec<&'static str>);

impl Once {
    /// Notes one; it is wrong if it has been there.
    pub(super) fn seen(&mut self, name: &'static str, section: &'static str) -> Result<(), Fault> {
        rule(!self.0.contains(&name), section, "an attribute is there once", format_args!("{name} twice"))?;
        self.0.push(name);
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }
}

/// Those which say nothing that a JVM looks at while it loads a class, but are there once only.
const ANNOTATIONS: [&str; 6] = [
    "RuntimeVisibleAnnotations",
    "RuntimeInvisibleAnnotations",
    "RuntimeVisibleTypeAnnotations",
    "RuntimeInvisibleTypeAnnotations",
    "RuntimeVisibleParameterAnnotations",
    "RuntimeInvisibleParameterAnnotations",
];

impl<'a> Checker<'_, 'a> {
    pub(super) fn field_attributes(&self, field: &FieldInfo<'a>) -> Result<(), Fault> {
        let mut once = Once::default();
        for attribute in field.attributes(self.pool) {
            let attribute = attribute?;
            match attribute.name().as_bytes() {
                b"ConstantValue" if field.access_flags() & STATIC != 0 => {
                    once.seen("ConstantValue", "4.7.2")?;
                    let mut info = attribute.reader();
                    length(&attribute, 2)?;
                    self.constant_value(info.u2()?, field.descriptor().as_bytes())?;
                }
                _ => self.common(&attribute, &ANNOTATIONS[..4], &mut once)?,
            }
        }
        Ok(())
    }

    fn constant_value(&self, index: u16, descriptor: &[u8]) -> Result<(), Fault> {
        let wanted: &[Tag] = match descriptor {
            b"J" => &[Tag::Long],
            b"F" => &[Tag::Float],
            b"D" => &[Tag::Double],
            b"I" | b"S" | b"C" | b"B" | b"Z" => &[Tag::Integer],
            b"Ljava/lang/String;" => &[Tag::String],
            _ => &[],
        };
        self.entry(index, wanted, "4.7.2")
    }

    /// Whether it has code.
    pub(super) fn method_attributes(&self, method: &MethodInfo<'a>, slots: usize) -> Result<bool, Fault> {
        let mut once = Once::default();
        for attribute in method.attributes(self.pool) {
            let attribute = attribute?;
            match attribute.name().as_bytes() {
                b"Code" => {
                    once.seen("Code", "4.7.3")?;
                    self.code(&attribute, slots)?;
                }
                b"Exceptions" => {
                    once.seen("Exceptions", "4.7.5")?;
                    self.classes(&attribute, "4.7.5")?;
                }
                b"MethodParameters" => {
                    once.seen("MethodParameters", "4.7.24")?;
                    let count = attribute.reader().u1()?;
                    length(&attribute, 1 + 4 * usize::from(count))?;
                }
                b"AnnotationDefault" if self.major >= 49 => once.seen("AnnotationDefault", "4.7.22")?,
                _ => self.common(&attribute, &ANNOTATIONS, &mut once)?,
            }
        }
        Ok(once.has("Code"))
    }

    /// Those that fields, methods and classes have.
    fn common(
        &self,
        attribute: &AttributeInfo<'a>,
        annotations: &[&'static str],
        once: &mut Once,
    ) -> Result<(), Fault> {
        match attribute.name().as_bytes() {
            b"Synthetic" | b"Deprecated" => length(attribute, 0),
            b"Signature" if self.major >= 49 => {
                once.seen("Signature", "4.7.9")?;
                length(attribute, 2)?;
                self.utf8_entry(attribute.reader().u2()?, "4.7.9")
            }
            name if self.major >= 49 => match annotations.iter().find(|known| known.as_bytes() == name) {
                Some(known) => once.seen(known, "4.7.16"),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    pub(super) fn class_attributes(&self) -> Result<(), Fault> {
        let mut once = Once::default();
        for attribute in self.class.attributes()? {
            let attribute = attribute?;
            match attribute.name().as_bytes() {
                b"SourceFile" => {
                    once.seen("SourceFile", "4.7.10")?;
                    length(&attribute, 2)?;
                    self.utf8_entry(attribute.reader().u2()?, "4.7.10")?;
                }
                b"SourceDebugExtension" => once.seen("SourceDebugExtension", "4.7.11")?,
                b"InnerClasses" => {
                    once.seen("InnerClasses", "4.7.6")?;
                    self.inner_classes(&attribute)?;
                }
                b"EnclosingMethod" if self.major >= 49 => {
                    once.seen("EnclosingMethod", "4.7.7")?;
                    self.enclosing_method(&attribute)?;
                }
                b"BootstrapMethods" if self.major >= 51 => {
                    once.seen("BootstrapMethods", "4.7.23")?;
                    self.bootstrap_methods(&attribute)?;
                }
                b"NestMembers" if self.major >= 55 => {
                    once.seen("NestMembers", "4.7.29")?;
                    self.classes(&attribute, "4.7.29")?;
                }
                b"NestHost" if self.major >= 55 => {
                    once.seen("NestHost", "4.7.28")?;
                    length(&attribute, 2)?;
                    self.class_entry(attribute.reader().u2()?, "4.7.28")?;
                }
                b"Record" if self.major >= 60 => {
                    once.seen("Record", "4.7.30")?;
                    self.record(&attribute)?;
                }
                b"PermittedSubclasses" if self.major >= 61 => {
                    once.seen("PermittedSubclasses", "4.7.31")?;
                    let is_final = self.class.access_flags() & FINAL != 0;
                    rule(!is_final, "4.7.31", "a final class permits no subclasses", "some")?;
                    self.classes(&attribute, "4.7.31")?;
                }
                _ => self.common(&attribute, &ANNOTATIONS[..4], &mut once)?,
            }
        }
        let both = once.has("NestHost") && once.has("NestMembers");
        rule(!both, "4.7.28", "a class is the host of a nest or a member", "both")?;
        if !once.has("BootstrapMethods") && self.last_bootstrap()?.is_some() {
            return Err(Fault::new("4.7.23", "a class with call sites has BootstrapMethods", "none"));
        }
        Ok(())
    }

    fn enclosing_method(&self, attribute: &AttributeInfo<'a>) -> Result<(), Fault> {
        length(attribute, 4)?;
        let mut info = attribute.reader();
        self.class_entry(info.u2()?, "4.7.7")?;
        match info.u2()? {
            0 => Ok(()),
            method => self.entry(method, &[Tag::NameAndType], "4.7.7"),
        }
    }

    fn bootstrap_methods(&self, attribute: &AttributeInfo<'a>) -> Result<(), Fault> {
        const SECTION: &str = "4.7.23";
        const LOADABLE: [Tag; 9] = [
            Tag::Integer,
            Tag::Float,
            Tag::Long,
            Tag::Double,
            Tag::Class,
            Tag::String,
            Tag::MethodHandle,
            Tag::MethodType,
            Tag::Dynamic,
        ];
        let Attribute::BootstrapMethods(methods) = Attribute::decode(attribute, self.pool)? else {
            return Ok(());
        };
        if let Some(last) = self.last_bootstrap()? {
            rule(last < methods.count(), SECTION, "a call site has a bootstrap method", last)?;
        }
        for method in methods.iter() {
            self.entry(method.bootstrap_method_ref, &[Tag::MethodHandle], SECTION)?;
            for argument in method.bootstrap_arguments.iter() {
                self.entry(argument, &LOADABLE, SECTION)?;
            }
        }
        Ok(())
    }

    /// The highest bootstrap method that a constant names.
    fn last_bootstrap(&self) -> Result<Option<u16>, Fault> {
        let mut last = None;
        for index in 1..self.pool.count() {
            if let Ok((Tag::Dynamic | Tag::InvokeDynamic, mut body)) = self.pool.entry(index, 0) {
                last = last.max(Some(body.u2()?));
            }
        }
        Ok(last)
    }

    fn record(&self, attribute: &AttributeInfo<'a>) -> Result<(), Fault> {
        let mut info = attribute.reader();
        let record = Record::read(&mut info, self.pool)?;
        info.end()?;
        for component in record.components() {
            let (name, descriptor) = (component.name(), component.descriptor());
            rule(self.names().is_field(name.as_bytes()), "4.7.30", "a component has a name", name)?;
            let legal = self.names().is_field_descriptor(descriptor.as_bytes());
            rule(legal, "4.7.30", "a component has a field descriptor", descriptor)?;
            let mut once = Once::default();
            for attribute in component.attributes(self.pool) {
                let attribute = attribute?;
                let passed = matches!(attribute.name().as_bytes(), b"Synthetic" | b"Deprecated");
                if !passed {
                    self.common(&attribute, &ANNOTATIONS[..4], &mut once)?;
                }
            }
        }
        Ok(())
    }

    /// A u2 that counts, and as many indices of classes.
    fn classes(&self, attribute: &AttributeInfo<'a>, section: &'static str) -> Result<(), Fault> {
        let mut info = attribute.reader();
        for _ in 0..info.u2()? {
            self.class_entry(info.u2()?, section)?;
        }
        Ok(info.end()?)
    }

    /// Reads on past the end of an attribute: up to version 48 a JVM does not look at the length of InnerClasses.
    pub(super) fn reader_beyond(&self, attribute: &AttributeInfo<'a>) -> Reader<'a> {
        Reader::at(self.class.bytes(), attribute.offset())
    }
}

fn length(attribute: &AttributeInfo<'_>, wanted: usize) -> Result<(), Fault> {
    let found = attribute.info().len();
    rule(found == wanted, "4.7", "an attribute has the length that its name asks for", found)
}
