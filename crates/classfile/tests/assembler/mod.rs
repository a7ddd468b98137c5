//! Assembles small classes byte by byte, for tests that need a class no compiler would write, or no compiler
//! at all. Not the engine's writer: it knows one shape of class and no rules.

mod pool;

use pool::{Pool, u2};

/// A class in the making. Set what differs from an empty public class, then [`bytes`](Class::bytes).
pub(crate) struct Class {
    pub(crate) minor: u16,
    pub(crate) major: u16,
    pub(crate) flags: u16,
    pub(crate) name: String,
    pub(crate) super_name: Option<String>,
    pub(crate) interfaces: Vec<String>,
    pub(crate) methods: Vec<Method>,
    /// (class, name, descriptor): CONSTANT_InterfaceMethodref entries that nothing uses.
    pub(crate) interface_method_refs: Vec<(String, String, String)>,
}

/// A method with a Code attribute of one stack slot or two and one instruction or two.
pub(crate) struct Method {
    pub(crate) flags: u16,
    pub(crate) name: String,
    pub(crate) descriptor: String,
    /// The instructions.
    pub(crate) code: Vec<u8>,
}

pub(crate) const PUBLIC: u16 = 0x0001;
pub(crate) const STATIC: u16 = 0x0008;
pub(crate) const SUPER: u16 = 0x0020;

impl Class {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            minor: 0,
            major: 52,
            flags: PUBLIC | SUPER,
            name: name.into(),
            super_name: Some("java/lang/Object".into()),
            interfaces: Vec::new(),
            methods: Vec::new(),
            interface_method_refs: Vec::new(),
        }
    }

    pub(crate) fn method(mut self, flags: u16, name: &str, descriptor: &str, code: &[u8]) -> Self {
        self.methods.push(Method {
            flags,
            name: name.into(),
            descriptor: descriptor.into(),
            code: code.into(),
        });
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut pool = Pool::default();
        let this_class = pool.class(&self.name);
        let super_class = self.super_name.as_deref().map_or(0, |name| pool.class(name));
        let interfaces: Vec<u16> = self.interfaces.iter().map(|name| pool.class(name)).collect();
        for (class, name, descriptor) in &self.interface_method_refs {
            let class = pool.class(class);
            let (name, descriptor) = (pool.utf8(name), pool.utf8(descriptor));
            let name_and_type = pool.two(12, name, descriptor);
            pool.two(11, class, name_and_type);
        }
        // A long, so that every class has an index at which no entry begins.
        pool.long(1);
        let code_attribute = pool.utf8("Code");
        let mut methods = Vec::new();
        for method in &self.methods {
            u2(&mut methods, method.flags);
            u2(&mut methods, pool.utf8(&method.name));
            u2(&mut methods, pool.utf8(&method.descriptor));
            u2(&mut methods, 1);
            u2(&mut methods, code_attribute);
            methods.extend((12 + method.code.len() as u32).to_be_bytes());
            u2(&mut methods, 2); // max_stack
            u2(&mut methods, 4); // max_locals
            methods.extend((method.code.len() as u32).to_be_bytes());
            methods.extend(&method.code);
            u2(&mut methods, 0); // exception_table_length
            u2(&mut methods, 0); // attributes_count
        }

        let mut out = 0xcafe_babe_u32.to_be_bytes().to_vec();
        u2(&mut out, self.minor);
        u2(&mut out, self.major);
        u2(&mut out, pool.count());
        out.extend(pool.bytes());
        u2(&mut out, self.flags);
        u2(&mut out, this_class);
        u2(&mut out, super_class);
        u2(&mut out, interfaces.len() as u16);
        interfaces.iter().for_each(|index| u2(&mut out, *index));
        u2(&mut out, 0); // fields_count
        u2(&mut out, self.methods.len() as u16);
        out.extend(methods);
        u2(&mut out, 0); // attributes_count
        out
    }
}
