//! What an environment may do beyond the default. Adding one costs the JVM what it enables, so each is asked for by
//! name.

use crate::raw::jvmtiCapabilities;

/// A set of capabilities to add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    raw: jvmtiCapabilities,
}

/// Names and places of the bits, for the test that compares them with `jvmti.h`.
#[cfg(test)]
pub(crate) const BITS: &[(&str, usize)] = &[
    ("can_get_bytecodes", CAN_GET_BYTECODES),
    ("can_get_constant_pool", CAN_GET_CONSTANT_POOL),
    ("can_retransform_classes", CAN_RETRANSFORM_CLASSES),
];

const CAN_GET_BYTECODES: usize = 3;
const CAN_GET_CONSTANT_POOL: usize = 35;
const CAN_RETRANSFORM_CLASSES: usize = 37;

impl Capabilities {
    /// With `can_retransform_classes`: the class file load hook is called again for classes that are loaded.
    pub fn can_retransform_classes(self) -> Capabilities {
        self.with(CAN_RETRANSFORM_CLASSES)
    }

    /// With `can_get_bytecodes`: the code of methods can be read.
    pub fn can_get_bytecodes(self) -> Capabilities {
        self.with(CAN_GET_BYTECODES)
    }

    /// With `can_get_constant_pool`: the constant pool of classes can be read.
    pub fn can_get_constant_pool(self) -> Capabilities {
        self.with(CAN_GET_CONSTANT_POOL)
    }

    fn with(mut self, bit: usize) -> Capabilities {
        self.raw.words[bit / 32] |= 1 << (bit % 32);
        self
    }
}

impl From<Capabilities> for jvmtiCapabilities {
    fn from(capabilities: Capabilities) -> jvmtiCapabilities {
        capabilities.raw
    }
}
