//! New entries behind a constant pool (JVMS 4.4). Those that are there keep their indices.

use std::collections::{BTreeMap, HashMap};

use crate::constant_pool::{ConstantPool, Tag};
use crate::descriptor::FieldType;
use crate::left_alone::LeftAlone;

/// Entries to append to a class's pool; equal ones are made once.
#[derive(Debug)]
pub(crate) struct PoolAppender<'c, 'a> {
    pool: &'c ConstantPool<'a>,
    /// The new entries, as they will stand in the file.
    bytes: Vec<u8>,
    /// The first of the new entries that may be shared: from where to where in `bytes`, and the index.
    first: Vec<(usize, usize, u16)>,
    /// The others, with their indices.
    others: BTreeMap<Vec<u8>, u16>,
    /// Members and classes that were asked for first: nearly every method asks for the same few.
    asked: Vec<Asked>,
    /// The last int, and its index: the events of a method hand over one id.
    last_integer: Option<(i32, u16)>,
    /// constant_pool_count, new entries included.
    count: u16,
    /// Every CONSTANT_Class of the class by its type; made when first asked for.
    classes: Option<HashMap<FieldType<'a>, u16>>,
    /// A buffer for who puts a descriptor together.
    pub(crate) descriptor: Vec<u8>,
}

/// A class or a member by what it was asked for by, with its index.
#[derive(Debug)]
struct Asked {
    tag: Tag,
    /// Of the class, the name and the descriptor.
    lengths: [usize; 3],
    /// These, one behind the other.
    text: Vec<u8>,
    index: u16,
}

impl Asked {
    fn is(&self, tag: Tag, [class, name, descriptor]: [&[u8]; 3]) -> bool {
        // What is not the one is mostly of other lengths.
        if self.tag != tag
            || self.lengths[0] != class.len()
            || self.lengths[1] != name.len()
            || self.lengths[2] != descriptor.len()
        {
            return false;
        }
        let rest = self.text.strip_prefix(class).and_then(|rest| rest.strip_prefix(name));
        rest == Some(descriptor)
    }
}

/// Longer lists are not worth looking through.
const MOST_ASKED: usize = 24;
const MOST_FIRST: usize = 24;

/// How far a pool had grown, so that what a given-up edit has added can be taken away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolMark(usize, u16);

impl<'c, 'a> PoolAppender<'c, 'a> {
    pub(crate) fn new(pool: &'c ConstantPool<'a>) -> Self {
        Self {
            pool,
            // What a few probes take.
            bytes: Vec::with_capacity(512),
            first: Vec::with_capacity(MOST_FIRST),
            others: BTreeMap::new(),
            asked: Vec::new(),
            last_integer: None,
            count: pool.count(),
            classes: None,
            descriptor: Vec::new(),
        }
    }

    /// constant_pool_count.
    pub(crate) fn count(&self) -> u16 {
        self.count
    }

    /// The bytes of the new entries.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn mark(&self) -> PoolMark {
        PoolMark(self.bytes.len(), self.count)
    }

    /// Forgets what was added since.
    pub(crate) fn back_to(&mut self, PoolMark(bytes, count): PoolMark) {
        self.bytes.truncate(bytes);
        if self.count == count {
            return;
        }
        self.count = count;
        self.first.retain(|(_, _, index)| *index < count);
        self.others.retain(|_, index| *index < count);
        self.asked.retain(|asked| asked.index < count);
        self.last_integer = self.last_integer.filter(|(_, index)| *index < count);
        if let Some(classes) = &mut self.classes {
            classes.retain(|_, index| *index < count);
        }
    }

    pub(crate) fn utf8(&mut self, text: &[u8]) -> Result<u16, LeftAlone> {
        let length = u16::try_from(text.len()).map_err(|_| LeftAlone::ConstantPoolFull)?;
        let start = self.bytes.len();
        self.bytes.push(Tag::Utf8 as u8);
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(text);
        self.share(start, 1)
    }

    pub(crate) fn class(&mut self, name: &[u8]) -> Result<u16, LeftAlone> {
        self.asked(Tag::Class, [name, b"", b""], |pool| {
            let name = pool.utf8(name)?;
            pool.entry(Tag::Class, &name.to_be_bytes())
        })
    }

    pub(crate) fn string(&mut self, text: &[u8]) -> Result<u16, LeftAlone> {
        let text = self.utf8(text)?;
        self.entry(Tag::String, &text.to_be_bytes())
    }

    pub(crate) fn method(&mut self, class: &str, name: &str, descriptor: &[u8]) -> Result<u16, LeftAlone> {
        self.member(Tag::Methodref, class.as_bytes(), name.as_bytes(), descriptor)
    }

    pub(crate) fn field(&mut self, class: &[u8], name: &[u8], descriptor: &[u8]) -> Result<u16, LeftAlone> {
        self.member(Tag::Fieldref, class, name, descriptor)
    }

    /// Looks no further back than to the last int: those of different methods are different ids.
    pub(crate) fn integer(&mut self, value: i32) -> Result<u16, LeftAlone> {
        if let Some((_, index)) = self.last_integer.filter(|(last, _)| *last == value) {
            return Ok(index);
        }
        self.bytes.push(Tag::Integer as u8);
        self.bytes.extend(value.to_be_bytes());
        let index = self.next(1)?;
        self.last_integer = Some((value, index));
        Ok(index)
    }

    pub(crate) fn long(&mut self, value: i64) -> Result<u16, LeftAlone> {
        self.wide(Tag::Long, value.to_be_bytes())
    }

    pub(crate) fn double(&mut self, value: f64) -> Result<u16, LeftAlone> {
        self.wide(Tag::Double, value.to_bits().to_be_bytes())
    }

    /// The CONSTANT_Class of a type: one that the class has already, if any.
    pub(crate) fn class_of(&mut self, wanted: FieldType<'a>) -> Result<u16, LeftAlone> {
        let pool = self.pool;
        let classes = self.classes.get_or_insert_with(|| {
            let of = |index: u16| Some((pool.class_type(index).ok()?, index));
            (1..pool.count()).rev().filter_map(of).collect()
        });
        if let Some(index) = classes.get(&wanted) {
            return Ok(*index);
        }
        let mut name = Vec::new();
        wanted.write_class_name(&mut name);
        let index = self.class(&name)?;
        self.classes.get_or_insert_default().insert(wanted, index);
        Ok(index)
    }

    fn member(&mut self, tag: Tag, class: &[u8], name: &[u8], descriptor: &[u8]) -> Result<u16, LeftAlone> {
        self.asked(tag, [class, name, descriptor], |pool| {
            let class = pool.class(class)?;
            let (name, descriptor) = (pool.utf8(name)?, pool.utf8(descriptor)?);
            let name_and_type = pool.two(Tag::NameAndType, name, descriptor)?;
            pool.two(tag, class, name_and_type)
        })
    }

    /// What was made for the same question before, or what is made now.
    fn asked(
        &mut self,
        tag: Tag,
        question: [&[u8]; 3],
        make: impl FnOnce(&mut Self) -> Result<u16, LeftAlone>,
    ) -> Result<u16, LeftAlone> {
        if let Some(asked) = self.asked.iter().find(|asked| asked.is(tag, question)) {
            return Ok(asked.index);
        }
        let index = make(self)?;
        if self.asked.len() < MOST_ASKED {
            let lengths = question.map(<[u8]>::len);
            self.asked.push(Asked { tag, lengths, text: question.concat(), index });
        }
        Ok(index)
    }

    fn two(&mut self, tag: Tag, first: u16, second: u16) -> Result<u16, LeftAlone> {
        let ([a, b], [c, d]) = (first.to_be_bytes(), second.to_be_bytes());
        self.entry(tag, &[a, b, c, d])
    }

    fn entry(&mut self, tag: Tag, body: &[u8]) -> Result<u16, LeftAlone> {
        let start = self.bytes.len();
        self.bytes.push(tag as u8);
        self.bytes.extend(body);
        self.share(start, 1)
    }

    fn wide(&mut self, tag: Tag, body: [u8; 8]) -> Result<u16, LeftAlone> {
        let start = self.bytes.len();
        self.bytes.push(tag as u8);
        self.bytes.extend(body);
        self.share(start, 2)
    }

    /// The entry that was just written from `start` on, or the equal one that is there already; it takes so many indices.
    fn share(&mut self, start: usize, indices: u16) -> Result<u16, LeftAlone> {
        let entry = self.bytes.get(start..).unwrap_or_default();
        let same = |(from, to, _): &&(usize, usize, u16)| {
            to - from == entry.len() && self.bytes.get(*from..*to) == Some(entry)
        };
        let known = self.first.iter().find(same).map(|(_, _, index)| index);
        if let Some(&index) = known.or_else(|| self.others.get(entry)) {
            self.bytes.truncate(start);
            return Ok(index);
        }
        let index = self.next(indices)?;
        if self.first.len() < MOST_FIRST {
            self.first.push((start, self.bytes.len(), index));
        } else {
            self.others.insert(self.bytes[start..].to_vec(), index);
        }
        Ok(index)
    }

    /// The index of the entry that was just written. Indices end at 65,534, since the count is a u2.
    fn next(&mut self, entries: u16) -> Result<u16, LeftAlone> {
        let index = self.count;
        self.count = index.checked_add(entries).ok_or(LeftAlone::ConstantPoolFull)?;
        Ok(index)
    }
}
