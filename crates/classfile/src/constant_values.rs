//! Constants by what they say: equal constants of two classes get the same number, wherever they stand in their pools
//! and whichever number their bootstrap methods have (JVMS 4.4, 4.7.23).

use std::collections::HashMap;

use crate::attributes::{BootstrapMethod, BootstrapMethods};
use crate::class_file::ClassFile;
use crate::constant_pool::{ConstantPool, Tag};
use crate::error::{Error, ErrorKind};

/// Entries that lead to each other: six for a dynamic constant, which may have others for its arguments.
const DEEPEST: usize = 128;

/// Stands for bootstrap methods among the keys, where constants have their tag.
const BOOTSTRAP_METHOD: u8 = u8::MAX;

/// What a constant or bootstrap method says: the same number, the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Value(u32);

impl Value {
    pub(crate) fn to_be_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

/// Values seen so far, of all classes that are looked at together.
#[derive(Debug, Default)]
pub(crate) struct Values {
    numbers: HashMap<Vec<u8>, Value>,
}

impl Values {
    fn number(&mut self, key: Vec<u8>) -> Value {
        let next = Value(self.numbers.len() as u32);
        *self.numbers.entry(key).or_insert(next)
    }
}

/// The constants of one class.
#[derive(Debug)]
pub(crate) struct ClassValues<'c, 'a> {
    pub(crate) pool: &'c ConstantPool<'a>,
    pub(crate) bootstrap_methods: Vec<BootstrapMethod<'a>>,
    known: Vec<Option<Value>>,
    known_bootstrap: Vec<Option<Value>>,
}

impl<'c, 'a> ClassValues<'c, 'a> {
    pub(crate) fn new(class: &'c ClassFile<'a>) -> Result<Self, Error> {
        let pool = class.constant_pool();
        let found = class.attributes()?.find("BootstrapMethods")?;
        let methods = found.map(|found| BootstrapMethods::read(&mut found.reader())).transpose()?;
        let bootstrap_methods: Vec<_> = methods.into_iter().flat_map(|methods| methods.iter()).collect();
        let known = vec![None; usize::from(pool.count())];
        let known_bootstrap = vec![None; bootstrap_methods.len()];
        Ok(Self { pool, bootstrap_methods, known, known_bootstrap })
    }

    /// What an entry says.
    pub(crate) fn value(&mut self, values: &mut Values, index: u16) -> Result<Value, Error> {
        self.value_at(values, index, 0)
    }

    /// What a bootstrap method says.
    pub(crate) fn bootstrap(&mut self, values: &mut Values, number: u16) -> Result<Value, Error> {
        self.bootstrap_at(values, number, 0)
    }

    fn value_at(&mut self, values: &mut Values, index: u16, depth: usize) -> Result<Value, Error> {
        if let Some(Some(known)) = self.known.get(usize::from(index)) {
            return Ok(*known);
        }
        let (tag, mut body) = self.pool.entry(index, 0)?;
        let mut key = vec![tag as u8];
        match tag {
            Tag::Utf8 => {
                let length = body.u2()?;
                key.extend_from_slice(body.take(usize::from(length))?);
            }
            Tag::Integer | Tag::Float => key.extend_from_slice(body.take(4)?),
            Tag::Long | Tag::Double => key.extend_from_slice(body.take(8)?),
            Tag::Class | Tag::String | Tag::MethodType | Tag::Module | Tag::Package => {
                self.push(&mut key, values, body.u2()?, depth)?;
            }
            Tag::Fieldref | Tag::Methodref | Tag::InterfaceMethodref | Tag::NameAndType => {
                self.push(&mut key, values, body.u2()?, depth)?;
                self.push(&mut key, values, body.u2()?, depth)?;
            }
            Tag::MethodHandle => {
                key.push(body.u1()?);
                self.push(&mut key, values, body.u2()?, depth)?;
            }
            Tag::Dynamic | Tag::InvokeDynamic => {
                let method = self.bootstrap_at(values, body.u2()?, depth + 1)?;
                key.extend(method.to_be_bytes());
                self.push(&mut key, values, body.u2()?, depth)?;
            }
        }
        let value = values.number(key);
        if let Some(known) = self.known.get_mut(usize::from(index)) {
            *known = Some(value);
        }
        Ok(value)
    }

    fn push(
        &mut self,
        key: &mut Vec<u8>,
        values: &mut Values,
        index: u16,
        depth: usize,
    ) -> Result<(), Error> {
        // A constant that is made of itself would lead round and round.
        if depth > DEEPEST {
            return Err(Error::new(ErrorKind::PoolIndex(index), 0));
        }
        key.extend(self.value_at(values, index, depth + 1)?.to_be_bytes());
        Ok(())
    }

    fn bootstrap_at(&mut self, values: &mut Values, number: u16, depth: usize) -> Result<Value, Error> {
        if let Some(Some(known)) = self.known_bootstrap.get(usize::from(number)) {
            return Ok(*known);
        }
        let wrong = Error::new(ErrorKind::Value("bootstrap_method_attr_index"), 0);
        let method = *self.bootstrap_methods.get(usize::from(number)).ok_or(wrong)?;
        let mut key = vec![BOOTSTRAP_METHOD];
        self.push(&mut key, values, method.bootstrap_method_ref, depth)?;
        for argument in method.bootstrap_arguments.iter() {
            self.push(&mut key, values, argument, depth)?;
        }
        let value = values.number(key);
        if let Some(known) = self.known_bootstrap.get_mut(usize::from(number)) {
            *known = Some(value);
        }
        Ok(value)
    }
}
