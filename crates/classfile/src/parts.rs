//! A class file put together from the parts that a JVM tells of a class in force: its constant pool, flags and names, the
//! code of its methods.
//!
//! A JVM tells no more. What is not there: exception tables, the depth of the operand stack (it is said to be as deep as
//! can be), and every attribute: stack map frames, lines, bootstrap methods, nests, records, annotations. So what comes of
//! it is to be read and compared ([`compare_in_force`](crate::compare::compare_in_force)), and not to be loaded.

use std::collections::HashMap;

use crate::class_file::MAGIC;
use crate::constant_pool::{ConstantPool, Tag};
use crate::error::{Error, ErrorKind};
use crate::left_alone::LeftAlone;
use crate::rewrite::PoolAppender;

/// The parts of a class; names in modified UTF-8 and internal form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassParts {
    /// minor_version.
    pub minor_version: u16,
    /// major_version.
    pub major_version: u16,
    /// constant_pool_count and constant_pool[] (JVMS 4.4).
    pub constant_pool: Vec<u8>,
    /// access_flags (table 4.1-B).
    pub access_flags: u16,
    /// The class's own name.
    pub this_class: Vec<u8>,
    /// That of its superclass.
    pub super_class: Option<Vec<u8>>,
    /// Those of its direct superinterfaces.
    pub interfaces: Vec<Vec<u8>>,
    /// Its fields.
    pub fields: Vec<MemberParts>,
    /// Its methods.
    pub methods: Vec<MemberParts>,
}

/// The parts of a field or a method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberParts {
    /// access_flags (tables 4.5-A and 4.6-A).
    pub access_flags: u16,
    /// The simple name.
    pub name: Vec<u8>,
    /// The descriptor.
    pub descriptor: Vec<u8>,
    /// Of a method that is neither native nor abstract.
    pub code: Option<CodeParts>,
}

/// The parts of a Code attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeParts {
    /// max_locals.
    pub max_locals: u16,
    /// code[], with indices into the constant pool.
    pub code: Vec<u8>,
}

/// Nobody tells how deep the operand stack is: as deep as can be.
const MAX_STACK: u16 = u16::MAX;

impl ClassParts {
    /// The class file. The constants that are there keep their places; what names need and is missing comes behind them.
    ///
    /// # Errors
    /// A constant pool that is none or has no room left, or more members or bytes of code than a class file can have.
    pub fn class_file(&self) -> Result<Vec<u8>, Error> {
        let pool = ConstantPool::of(&self.constant_pool)?;
        let mut names = Names::new(&pool);
        let mut body = Vec::new();
        put(&mut body, self.access_flags);
        put(&mut body, names.class(&self.this_class)?);
        put(&mut body, self.super_class.as_ref().map_or(Ok(0), |name| names.class(name))?);
        put(&mut body, count(self.interfaces.len(), "interfaces_count")?);
        for name in &self.interfaces {
            put(&mut body, names.class(name)?);
        }
        put(&mut body, count(self.fields.len(), "fields_count")?);
        for field in &self.fields {
            field.write(&mut names, &mut body)?;
        }
        put(&mut body, count(self.methods.len(), "methods_count")?);
        for method in &self.methods {
            method.write(&mut names, &mut body)?;
        }
        // attributes_count
        put(&mut body, 0);

        let mut file = MAGIC.to_be_bytes().to_vec();
        put(&mut file, self.minor_version);
        put(&mut file, self.major_version);
        put(&mut file, names.new.count());
        file.extend_from_slice(self.constant_pool.get(2..).unwrap_or_default());
        file.extend_from_slice(names.new.bytes());
        file.extend_from_slice(&body);
        Ok(file)
    }
}

impl MemberParts {
    fn write(&self, names: &mut Names<'_, '_>, out: &mut Vec<u8>) -> Result<(), Error> {
        put(out, self.access_flags);
        put(out, names.utf8(&self.name)?);
        put(out, names.utf8(&self.descriptor)?);
        let Some(code) = &self.code else {
            put(out, 0);
            return Ok(());
        };
        put(out, 1);
        put(out, names.utf8(b"Code")?);
        let length = u32::from(count(code.code.len(), "code_length")?);
        // max_stack, max_locals and code_length before code[]; two counts behind it: of handlers and of attributes.
        out.extend((2 + 2 + 4 + length + 2 + 2).to_be_bytes());
        put(out, MAX_STACK);
        put(out, code.max_locals);
        out.extend(length.to_be_bytes());
        out.extend_from_slice(&code.code);
        put(out, 0);
        put(out, 0);
        Ok(())
    }
}

/// Names by their indices: those of the class's pool, and new ones.
struct Names<'c, 'a> {
    utf8: HashMap<&'a [u8], u16>,
    classes: HashMap<&'a [u8], u16>,
    new: PoolAppender<'c, 'a>,
}

impl<'c, 'a> Names<'c, 'a> {
    fn new(pool: &'c ConstantPool<'a>) -> Self {
        let (mut utf8, mut classes) = (HashMap::new(), HashMap::new());
        for index in 1..pool.count() {
            // Behind a long or double there is none.
            match pool.tag(index) {
                Ok(Tag::Utf8) => {
                    pool.utf8(index).ok().map(|text| utf8.entry(text.as_bytes()).or_insert(index))
                }
                Ok(Tag::Class) => {
                    pool.class_name(index).ok().map(|name| classes.entry(name.as_bytes()).or_insert(index))
                }
                _ => None,
            };
        }
        Self { utf8, classes, new: PoolAppender::new(pool) }
    }

    fn utf8(&mut self, text: &[u8]) -> Result<u16, Error> {
        match self.utf8.get(text) {
            Some(index) => Ok(*index),
            None => self.new.utf8(text).map_err(no_room),
        }
    }

    fn class(&mut self, name: &[u8]) -> Result<u16, Error> {
        match self.classes.get(name) {
            Some(index) => Ok(*index),
            None => self.new.class(name).map_err(no_room),
        }
    }
}

fn put(out: &mut Vec<u8>, value: u16) {
    out.extend(value.to_be_bytes());
}

fn count(items: usize, item: &'static str) -> Result<u16, Error> {
    u16::try_from(items).map_err(|_| Error::new(ErrorKind::Value(item), 0))
}

fn no_room(_: LeftAlone) -> Error {
    Error::new(ErrorKind::Value("constant_pool_count"), 0)
}
