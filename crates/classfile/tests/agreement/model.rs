//! A class file taken apart as far as it takes to break it in a certain way, and put together again with no rule kept.

/// A class file. Indices are as they stand in it.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) minor: u16,
    pub(crate) major: u16,
    /// Entries with their tags, from index 1 on; empty where none begins.
    pub(crate) pool: Vec<Vec<u8>>,
    pub(crate) flags: u16,
    pub(crate) this_class: u16,
    pub(crate) super_class: u16,
    pub(crate) interfaces: Vec<u16>,
    pub(crate) fields: Vec<Member>,
    pub(crate) methods: Vec<Member>,
    pub(crate) attributes: Vec<Attribute>,
}

/// A field or method.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) flags: u16,
    pub(crate) name: u16,
    pub(crate) descriptor: u16,
    pub(crate) attributes: Vec<Attribute>,
}

#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) name: u16,
    pub(crate) info: Vec<u8>,
}

/// A Code attribute.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) max_stack: u16,
    pub(crate) max_locals: u16,
    pub(crate) code: Vec<u8>,
    /// start_pc, end_pc, handler_pc, catch_type
    pub(crate) rows: Vec<[u16; 4]>,
    pub(crate) attributes: Vec<Attribute>,
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    fn u1(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u2(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn u4(&mut self) -> Option<usize> {
        Some(usize::from(self.u2()?) << 16 | usize::from(self.u2()?))
    }

    fn many<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..self.u2()?).map(|_| read(self)).collect()
    }

    fn attributes(&mut self) -> Option<Vec<Attribute>> {
        self.many(|from| {
            let name = from.u2()?;
            let length = from.u4()?;
            Some(Attribute { name, info: from.take(length)?.to_vec() })
        })
    }

    fn members(&mut self) -> Option<Vec<Member>> {
        self.many(|from| {
            Some(Member {
                flags: from.u2()?,
                name: from.u2()?,
                descriptor: from.u2()?,
                attributes: from.attributes()?,
            })
        })
    }
}

fn u2(out: &mut Vec<u8>, value: u16) {
    out.extend(value.to_be_bytes());
}

fn write_attributes(attributes: &[Attribute], out: &mut Vec<u8>) {
    u2(out, attributes.len() as u16);
    for attribute in attributes {
        u2(out, attribute.name);
        out.extend((attribute.info.len() as u32).to_be_bytes());
        out.extend(&attribute.info);
    }
}

impl Model {
    /// None if the bytes end too early.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut from = Cursor { bytes, at: 4 };
        let (minor, major) = (from.u2()?, from.u2()?);
        let mut pool = vec![Vec::new()];
        let count = usize::from(from.u2()?);
        while pool.len() < count {
            let tag = from.u1()?;
            let length = match tag {
                1 => {
                    let length = from.u2()?;
                    from.at -= 2;
                    2 + usize::from(length)
                }
                3 | 4 | 9..=12 | 17 | 18 => 4,
                5 | 6 => 8,
                15 => 3,
                _ => 2,
            };
            let mut entry = vec![tag];
            entry.extend(from.take(length)?);
            pool.push(entry);
            if matches!(tag, 5 | 6) {
                pool.push(Vec::new());
            }
        }
        Some(Self {
            minor,
            major,
            pool,
            flags: from.u2()?,
            this_class: from.u2()?,
            super_class: from.u2()?,
            interfaces: from.many(Cursor::u2)?,
            fields: from.members()?,
            methods: from.members()?,
            attributes: from.attributes()?,
        })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = 0xcafe_babe_u32.to_be_bytes().to_vec();
        u2(&mut out, self.minor);
        u2(&mut out, self.major);
        u2(&mut out, self.pool.len() as u16);
        self.pool.iter().for_each(|entry| out.extend(entry));
        for value in [self.flags, self.this_class, self.super_class, self.interfaces.len() as u16] {
            u2(&mut out, value);
        }
        self.interfaces.iter().for_each(|index| u2(&mut out, *index));
        for members in [&self.fields, &self.methods] {
            u2(&mut out, members.len() as u16);
            for member in members {
                [member.flags, member.name, member.descriptor].iter().for_each(|value| u2(&mut out, *value));
                write_attributes(&member.attributes, &mut out);
            }
        }
        write_attributes(&self.attributes, &mut out);
        out
    }

    /// A new entry.
    pub(crate) fn entry(&mut self, tag: u8, body: &[u8]) -> u16 {
        let index = self.pool.len() as u16;
        self.pool.push([&[tag], body].concat());
        if matches!(tag, 5 | 6) {
            self.pool.push(Vec::new());
        }
        index
    }

    /// An entry of u2 items.
    pub(crate) fn entry_of(&mut self, tag: u8, items: &[u16]) -> u16 {
        let body: Vec<u8> = items.iter().flat_map(|item| item.to_be_bytes()).collect();
        self.entry(tag, &body)
    }

    pub(crate) fn utf8(&mut self, text: &str) -> u16 {
        self.utf8_bytes(text.as_bytes())
    }

    pub(crate) fn utf8_bytes(&mut self, text: &[u8]) -> u16 {
        let body = [&(text.len() as u16).to_be_bytes(), text].concat();
        self.entry(1, &body)
    }

    pub(crate) fn class(&mut self, name: &str) -> u16 {
        let name = self.utf8(name);
        self.entry_of(7, &[name])
    }

    pub(crate) fn name_and_type(&mut self, name: &str, descriptor: &str) -> u16 {
        let (name, descriptor) = (self.utf8(name), self.utf8(descriptor));
        self.entry_of(12, &[name, descriptor])
    }

    /// The text of an entry, empty if it has none.
    pub(crate) fn text(&self, index: u16) -> &[u8] {
        match self.pool.get(usize::from(index)).map(Vec::as_slice) {
            Some([1, _, _, text @ ..]) => text,
            _ => &[],
        }
    }

    pub(crate) fn add_attribute(&mut self, name: &str, info: &[u8]) {
        let name = self.utf8(name);
        self.attributes.push(Attribute { name, info: info.to_vec() });
    }

    /// Takes the code of a method apart and puts it together again.
    pub(crate) fn edit_code(&mut self, method: usize, edit: impl FnOnce(&mut Self, &mut Code)) {
        let attributes = &self.methods[method].attributes;
        let Some(at) = attributes.iter().position(|attribute| self.text(attribute.name) == b"Code") else {
            return;
        };
        let Some(mut code) = Code::read(&attributes[at].info) else { return };
        edit(self, &mut code);
        self.methods[method].attributes[at].info = code.write();
    }
}

impl Code {
    pub(crate) fn read(info: &[u8]) -> Option<Self> {
        let mut from = Cursor { bytes: info, at: 0 };
        let (max_stack, max_locals, length) = (from.u2()?, from.u2()?, from.u4()?);
        Some(Self {
            max_stack,
            max_locals,
            code: from.take(length)?.to_vec(),
            rows: from.many(|from| Some([from.u2()?, from.u2()?, from.u2()?, from.u2()?]))?,
            attributes: from.attributes()?,
        })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        u2(&mut out, self.max_stack);
        u2(&mut out, self.max_locals);
        out.extend((self.code.len() as u32).to_be_bytes());
        out.extend(&self.code);
        u2(&mut out, self.rows.len() as u16);
        self.rows.iter().flatten().for_each(|item| u2(&mut out, *item));
        write_attributes(&self.attributes, &mut out);
        out
    }
}
