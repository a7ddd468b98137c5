//! Where each constant and bootstrap method of a class stands once it is on another's pool.

use std::collections::HashMap;

use crate::class_file::ClassFile;
use crate::constant_pool::Tag;
use crate::constant_values::{ClassValues, Value, Values};
use crate::error::{Error, ErrorKind};
use crate::rebase::RebaseError;

/// The base's pool with what a class has besides behind it; entries are appended as they are asked for.
#[derive(Debug)]
pub(super) struct RebasedPool<'c, 'a> {
    values: Values,
    base: ClassValues<'c, 'a>,
    new: ClassValues<'c, 'a>,
    /// Where each value stands; of equal ones of the base the first.
    indices: HashMap<Value, u16>,
    /// Values of the base by index.
    at_base: Vec<Option<Value>>,
    /// By index of the new class; 0 where it was not asked for yet.
    moved: Vec<u16>,
    /// The new entries, as they will stand in the file.
    appended: Vec<u8>,
    /// constant_pool_count.
    count: u16,
    /// Numbers of bootstrap methods.
    numbers: HashMap<Value, u16>,
    /// Bootstrap methods behind the base's, as they will stand in the file.
    bootstrap: Vec<u8>,
    bootstrap_count: u16,
}

impl<'c, 'a> RebasedPool<'c, 'a> {
    pub(super) fn new(base: &'c ClassFile<'a>, new: &'c ClassFile<'a>) -> Result<Self, RebaseError> {
        let mut values = Values::default();
        let (mut base, new) = (ClassValues::new(base)?, ClassValues::new(new)?);
        let count = base.pool.count();
        let mut indices = HashMap::with_capacity(usize::from(count));
        let mut at_base = vec![None; usize::from(count)];
        for (index, at) in (0..count).zip(&mut at_base) {
            // The second half of a long or double is no entry.
            if base.pool.tag(index).is_ok() {
                let value = base.value(&mut values, index)?;
                indices.entry(value).or_insert(index);
                *at = Some(value);
            }
        }
        let bootstrap_count = u16::try_from(base.bootstrap_methods.len()).unwrap_or(u16::MAX);
        let mut numbers = HashMap::new();
        for number in 0..bootstrap_count {
            numbers.entry(base.bootstrap(&mut values, number)?).or_insert(number);
        }
        let moved = vec![0; usize::from(new.pool.count())];
        Ok(Self {
            values,
            base,
            new,
            indices,
            at_base,
            moved,
            appended: Vec::new(),
            count,
            numbers,
            bootstrap: Vec::new(),
            bootstrap_count,
        })
    }

    /// constant_pool_count.
    pub(super) fn count(&self) -> u16 {
        self.count
    }

    /// The bytes of the entries behind the base's.
    pub(super) fn appended(&self) -> &[u8] {
        &self.appended
    }

    /// Where an entry of the new class stands.
    pub(super) fn index(&mut self, index: u16) -> Result<u16, RebaseError> {
        if let Some(moved) = self.moved.get(usize::from(index)).filter(|moved| **moved != 0) {
            return Ok(*moved);
        }
        // Fails where an entry leads back to itself, so that what follows ends.
        let value = self.new.value(&mut self.values, index)?;
        let moved = match self.indices.get(&value) {
            _ if self.at_base.get(usize::from(index)) == Some(&Some(value)) => index,
            Some(known) => *known,
            None => self.append(index, value)?,
        };
        if let Some(known) = self.moved.get_mut(usize::from(index)) {
            *known = moved;
        }
        Ok(moved)
    }

    /// info[] of BootstrapMethods: all of the base's, and those appended; none if there are none.
    pub(super) fn bootstrap_methods(&self) -> Result<Option<Vec<u8>>, RebaseError> {
        if self.bootstrap_count == 0 {
            return Ok(None);
        }
        let mut info = self.bootstrap_count.to_be_bytes().to_vec();
        for method in &self.base.bootstrap_methods {
            info.extend(method.bootstrap_method_ref.to_be_bytes());
            info.extend((method.bootstrap_arguments.iter().len() as u16).to_be_bytes());
            method.bootstrap_arguments.iter().for_each(|argument| info.extend(argument.to_be_bytes()));
        }
        info.extend_from_slice(&self.bootstrap);
        Ok(Some(info))
    }

    /// Appends a copy of an entry, behind what it is made of.
    fn append(&mut self, index: u16, value: Value) -> Result<u16, RebaseError> {
        let (tag, mut body) = self.new.pool.entry(index, 0)?;
        let mut entry = vec![tag as u8];
        let mut entries = 1;
        match tag {
            Tag::Utf8 => {
                let length = body.u2()?;
                entry.extend(length.to_be_bytes());
                entry.extend_from_slice(body.take(usize::from(length))?);
            }
            Tag::Integer | Tag::Float => entry.extend_from_slice(body.take(4)?),
            Tag::Long | Tag::Double => {
                entry.extend_from_slice(body.take(8)?);
                entries = 2;
            }
            Tag::Class | Tag::String | Tag::MethodType | Tag::Module | Tag::Package => {
                entry.extend(self.index(body.u2()?)?.to_be_bytes());
            }
            Tag::Fieldref | Tag::Methodref | Tag::InterfaceMethodref | Tag::NameAndType => {
                entry.extend(self.index(body.u2()?)?.to_be_bytes());
                entry.extend(self.index(body.u2()?)?.to_be_bytes());
            }
            Tag::MethodHandle => {
                entry.push(body.u1()?);
                entry.extend(self.index(body.u2()?)?.to_be_bytes());
            }
            Tag::Dynamic | Tag::InvokeDynamic => {
                entry.extend(self.bootstrap(body.u2()?)?.to_be_bytes());
                entry.extend(self.index(body.u2()?)?.to_be_bytes());
            }
        }
        let moved = self.count;
        self.count = moved.checked_add(entries).ok_or(RebaseError::ConstantPoolFull)?;
        self.appended.extend(entry);
        self.indices.insert(value, moved);
        Ok(moved)
    }

    /// The number of a bootstrap method of the new class.
    fn bootstrap(&mut self, number: u16) -> Result<u16, RebaseError> {
        let value = self.new.bootstrap(&mut self.values, number)?;
        if let Some(known) = self.numbers.get(&value) {
            return Ok(*known);
        }
        let wrong = Error::new(ErrorKind::Value("bootstrap_method_attr_index"), 0);
        let method = *self.new.bootstrap_methods.get(usize::from(number)).ok_or(wrong)?;
        let mut row = self.index(method.bootstrap_method_ref)?.to_be_bytes().to_vec();
        row.extend((method.bootstrap_arguments.iter().len() as u16).to_be_bytes());
        for argument in method.bootstrap_arguments.iter() {
            row.extend(self.index(argument)?.to_be_bytes());
        }
        // Its arguments may have appended some of their own.
        let moved = self.bootstrap_count;
        self.bootstrap_count = moved.checked_add(1).ok_or(RebaseError::BootstrapMethodsFull)?;
        self.bootstrap.extend(row);
        self.numbers.insert(value, moved);
        Ok(moved)
    }
}
