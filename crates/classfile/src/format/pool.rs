//! The constant pool (JVMS 4.4): what each entry points to is there and of the right kind, and every name and descriptor
//! is one.

use super::Checker;
use super::error::{Fault, FormatError, Located, rule};
use crate::constant::NameAndType;
use crate::constant_pool::Tag;
use crate::reader::Reader;

impl<'a> Checker<'_, 'a> {
    pub(super) fn constant_pool(&self) -> Result<(), FormatError> {
        let count = Reader::at(self.class.bytes(), 8).u2().map_err(Fault::from).located("constant pool")?;
        rule(count >= 1, "4.1", "constant_pool_count is at least 1", count).located("constant pool")?;
        let mut index = 1;
        while index < count {
            let tag = self.constant(index).located(format_args!("constant pool entry #{index}"));
            index += match tag? {
                Tag::Long | Tag::Double => {
                    let place = format_args!("constant pool entry #{index}");
                    rule(index + 1 < count, "4.4.5", "a long or double has a second index", "none")
                        .located(place)?;
                    2
                }
                _ => 1,
            };
        }
        Ok(())
    }

    fn constant(&self, index: u16) -> Result<Tag, Fault> {
        let (tag, mut body) = self.pool.entry(index, 0)?;
        match tag {
            Tag::Utf8 => {
                let text = self.pool.utf8(index)?;
                let legal = self.names().is_utf8(text.as_bytes());
                rule(legal, "4.4.7", "text is in modified UTF-8", "other bytes")?;
            }
            Tag::Integer | Tag::Float | Tag::Long | Tag::Double => {}
            Tag::Class => {
                let name = self.pool.class_name(index)?;
                let legal = self.names().is_class(name.as_bytes());
                rule(legal, "4.4.1", "a class has the name of a class", name)?;
            }
            Tag::String => self.utf8_entry(body.u2()?, "4.4.3")?,
            Tag::NameAndType => self.name_and_type(index)?,
            Tag::Fieldref => {
                let field = self.pool.member_ref(index)?;
                let legal = !is_method(field.descriptor.as_bytes());
                rule(legal, "4.4.2", "a field has a field descriptor", field.descriptor)?;
            }
            Tag::Methodref | Tag::InterfaceMethodref => {
                let method = self.pool.member_ref(index)?;
                let descriptor = method.descriptor.as_bytes();
                let legal = is_method(descriptor);
                rule(legal, "4.4.2", "a method has a method descriptor", method.descriptor)?;
                if tag == Tag::Methodref && method.name.as_bytes().first() == Some(&b'<') {
                    let legal = method.name == "<init>" && descriptor.ends_with(b")V");
                    let found = format_args!("{}{}", method.name, method.descriptor);
                    rule(legal, "4.4.2", "a name with < is <init>, without a result", found)?;
                }
            }
            Tag::MethodHandle => self.method_handle(body)?,
            Tag::MethodType => {
                self.since(51, tag)?;
                let descriptor = self.pool.utf8(body.u2()?)?;
                let legal = self.names().parameter_slots(descriptor.as_bytes()).is_some();
                rule(legal, "4.4.9", "a method type has a method descriptor", descriptor)?;
            }
            Tag::Dynamic | Tag::InvokeDynamic => {
                self.since(if tag == Tag::Dynamic { 55 } else { 51 }, tag)?;
                body.skip(2)?;
                let NameAndType { descriptor, .. } =
                    self.pool.name_and_type_for(body.u2()?, body.offset())?;
                let legal = is_method(descriptor.as_bytes()) == (tag == Tag::InvokeDynamic);
                rule(
                    legal,
                    "4.4.10",
                    "a call site has a method descriptor, a constant that of a field",
                    descriptor,
                )?;
            }
            // They are for the description of a module, which is no class.
            Tag::Module | Tag::Package => {
                return Err(Fault::new(
                    "4.4.11",
                    "a class has no module or package among its constants",
                    tag,
                ));
            }
        }
        Ok(tag)
    }

    fn name_and_type(&self, index: u16) -> Result<(), Fault> {
        let NameAndType { name, descriptor, .. } = self.pool.name_and_type_for(index, 0)?;
        let (name_bytes, bytes) = (name.as_bytes(), descriptor.as_bytes());
        let names = self.names();
        let (legal_name, legal_descriptor) = match is_method(bytes) {
            true => (names.is_method(name_bytes), names.parameter_slots(bytes).is_some()),
            false => (names.is_field(name_bytes), names.is_field_descriptor(bytes)),
        };
        rule(legal_name, "4.4.6", "a member has the name of one", name)?;
        rule(legal_descriptor, "4.4.6", "a member has a descriptor", descriptor)
    }

    fn method_handle(&self, mut body: Reader<'a>) -> Result<(), Fault> {
        const SECTION: &str = "4.4.8";
        self.since(51, Tag::MethodHandle)?;
        let (kind, reference) = (body.u1()?, body.u2()?);
        let methods: &[Tag] = match self.major {
            ..52 => &[Tag::Methodref],
            _ => &[Tag::Methodref, Tag::InterfaceMethodref],
        };
        let wanted: &[Tag] = match kind {
            1..=4 => &[Tag::Fieldref],
            5 | 8 => &[Tag::Methodref],
            6 | 7 => methods,
            9 => &[Tag::InterfaceMethodref],
            _ => return Err(Fault::new(SECTION, "reference_kind is within 1 to 9", kind)),
        };
        self.entry(reference, wanted, SECTION)?;
        if let 5..=8 = kind {
            let name = self.pool.member_ref(reference)?.name;
            let legal = (name == "<init>") == (kind == 8);
            rule(legal, SECTION, "a handle that makes objects, and no other, is of <init>", name)?;
        }
        Ok(())
    }

    fn since(&self, major: u16, tag: Tag) -> Result<(), Fault> {
        rule(self.major >= major, "4.4", "the version of the class has the kind of the entry", tag)
    }
}

fn is_method(descriptor: &[u8]) -> bool {
    descriptor.first() == Some(&b'(')
}
