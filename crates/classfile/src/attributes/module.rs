//! The Module attribute (JVMS 4.7.25).

use crate::attributes::Indices;
use crate::error::Error;
use crate::reader::Reader;

/// What a module needs, shows and provides.
#[derive(Clone, Debug)]
pub struct Module<'a> {
    /// CONSTANT_Module.
    pub module_name_index: u16,
    /// ACC_OPEN, ACC_SYNTHETIC, ACC_MANDATED.
    pub module_flags: u16,
    /// CONSTANT_Utf8; 0 if it has no version.
    pub module_version_index: u16,
    /// requires[].
    pub requires: Vec<Requires>,
    /// exports[].
    pub exports: Vec<Exports<'a>>,
    /// opens[], laid out as exports[].
    pub opens: Vec<Exports<'a>>,
    /// uses_index[]: CONSTANT_Class entries.
    pub uses: Indices<'a>,
    /// provides[].
    pub provides: Vec<Provides<'a>>,
}

/// A module that is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requires {
    /// CONSTANT_Module.
    pub requires_index: u16,
    /// ACC_TRANSITIVE, ACC_STATIC_PHASE, ACC_SYNTHETIC, ACC_MANDATED.
    pub requires_flags: u16,
    /// CONSTANT_Utf8; 0 if none is named.
    pub requires_version_index: u16,
}

/// A package that is exported or opened.
#[derive(Clone, Copy, Debug)]
pub struct Exports<'a> {
    /// CONSTANT_Package.
    pub package_index: u16,
    /// ACC_SYNTHETIC, ACC_MANDATED.
    pub flags: u16,
    /// CONSTANT_Module entries; none: to all.
    pub to: Indices<'a>,
}

/// A service that is provided.
#[derive(Clone, Copy, Debug)]
pub struct Provides<'a> {
    /// CONSTANT_Class of the service.
    pub provides_index: u16,
    /// CONSTANT_Class entries that provide it.
    pub provides_with: Indices<'a>,
}

impl<'a> Module<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self {
            module_name_index: reader.u2()?,
            module_flags: reader.u2()?,
            module_version_index: reader.u2()?,
            requires: many(reader, |reader| {
                Ok(Requires {
                    requires_index: reader.u2()?,
                    requires_flags: reader.u2()?,
                    requires_version_index: reader.u2()?,
                })
            })?,
            exports: many(reader, Exports::read)?,
            opens: many(reader, Exports::read)?,
            uses: Indices::read(reader)?,
            provides: many(reader, |reader| {
                Ok(Provides { provides_index: reader.u2()?, provides_with: Indices::read(reader)? })
            })?,
        })
    }
}

impl<'a> Exports<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { package_index: reader.u2()?, flags: reader.u2()?, to: Indices::read(reader)? })
    }
}

/// Items behind a u2 that counts them.
fn many<'a, T>(
    reader: &mut Reader<'a>,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let count = reader.u2()?;
    (0..count).map(|_| read(reader)).collect()
}
