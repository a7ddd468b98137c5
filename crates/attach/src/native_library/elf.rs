//! What an ELF file says of itself, as far as loading it into a JVM depends on it (gABI; LSB for symbol versions).
//!
//! Read piece by piece from the file: a library may have hundreds of megabytes.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::fs::File;

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{ElfFile, FileHeader, Sym};
use object::{Endianness, ReadCache, ReadRef};

/// Enough of a file for its [`Ident`].
pub(super) const HEAD: u64 = 20;

/// What must be the same in everything that one process maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ident {
    /// 1 for 32 bits, 2 for 64.
    class: u8,
    /// 1 for little-endian, 2 for big.
    data: u8,
    machine: u16,
}

/// A shared object that is to be loaded.
#[derive(Debug)]
pub(super) struct Library {
    pub(super) ident: Ident,
    /// DT_NEEDED.
    pub(super) needed: Vec<String>,
    /// What it asks of glibc's libc.so.6, weak symbols left out.
    pub(super) glibc: Vec<Import>,
    /// A file without section headers keeps its symbols from us, not from the linker.
    pub(super) has_symbols: bool,
    exported: HashSet<String>,
}

/// A symbol that is asked for, in the version it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) symbol: String,
    pub(super) version: String,
}

/// The libc in a target, as far as it was asked about.
#[derive(Debug, Default)]
pub(super) struct SystemLibrary {
    /// The versions it defines: `GLIBC_2.36` and so on; musl has none.
    pub(super) versions: BTreeSet<String>,
    /// Which of the symbols in question it has.
    pub(super) found: HashSet<String>,
}

impl Ident {
    pub(super) fn parse(head: &[u8]) -> Option<Ident> {
        if !head.starts_with(b"\x7fELF") {
            return None;
        }
        let machine: [u8; 2] = head.get(18..20)?.try_into().ok()?;
        let (class, data) = (*head.get(4)?, *head.get(5)?);
        let machine = if data == 2 { u16::from_be_bytes(machine) } else { u16::from_le_bytes(machine) };
        Some(Ident { class, data, machine })
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = if self.class == 1 { 32 } else { 64 };
        let order = if self.data == 2 { "big" } else { "little" };
        let machine = match self.machine {
            3 => "x86".to_owned(),
            20 => "ppc".to_owned(),
            21 => "ppc64".to_owned(),
            22 => "s390".to_owned(),
            40 => "arm".to_owned(),
            62 => "x86_64".to_owned(),
            183 => "aarch64".to_owned(),
            243 => "riscv".to_owned(),
            258 => "loongarch".to_owned(),
            other => format!("machine {other}"),
        };
        write!(f, "{machine} ({bits} bits, {order}-endian)")
    }
}

impl Library {
    /// The error says why it is no shared object.
    pub(super) fn read(file: &File) -> Result<Library, String> {
        let cache = ReadCache::new(file);
        let head = (&cache).read_bytes_at(0, HEAD).unwrap_or_default();
        let Some(ident) = Ident::parse(head) else {
            let start = (&cache).read_bytes_at(0, 4).unwrap_or_default();
            return Err(format!("it begins with \"{}\", no ELF file does", start.escape_ascii()));
        };
        let read = match ident.class {
            1 => parse::<FileHeader32<Endianness>, _>(ident, &cache),
            _ => parse::<FileHeader64<Endianness>, _>(ident, &cache),
        };
        read.map_err(|e| e.to_string())?.ok_or_else(|| "it is an ELF file, but no shared object".to_owned())
    }

    pub(super) fn defines(&self, symbol: &str) -> bool {
        self.exported.contains(symbol)
    }

    /// The symbols to ask a libc for.
    pub(super) fn imports(&self) -> impl Iterator<Item = &str> {
        self.glibc.iter().map(|import| &*import.symbol)
    }
}

fn parse<'d, Elf: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
    ident: Ident,
    data: R,
) -> object::read::Result<Option<Library>> {
    let file = ElfFile::<'d, Elf, R>::parse(data)?;
    let endian = file.endian();
    if file.elf_header().e_type(endian) != elf::ET_DYN {
        return Ok(None);
    }
    let symbols = file.elf_dynamic_symbol_table();
    let versions = file.elf_section_table().versions(endian, data)?.unwrap_or_default();
    let has_symbols = !symbols.is_empty();
    let (needed, glibc, exported) = (Vec::new(), Vec::new(), HashSet::new());
    let mut library = Library { ident, needed, glibc, has_symbols, exported };
    for (index, symbol) in symbols.enumerate() {
        let name = text(symbols.symbol_name(endian, symbol)?);
        if !symbol.is_undefined(endian) {
            // All that we ask a library for; the rest would be memory for nothing.
            if name.starts_with("Agent_On") {
                library.exported.insert(name);
            }
            continue;
        }
        let version = versions.version(versions.version_index(endian, index).index())?;
        if let Some(version) = version
            && version.file() == Some(b"libc.so.6")
            && symbol.st_bind() != elf::STB_WEAK
        {
            library.glibc.push(Import { symbol: name, version: text(version.name()) });
        }
    }
    let dynamic = file.elf_dynamic_table()?;
    for entry in dynamic.iter().filter(|entry| entry.tag == elf::DT_NEEDED) {
        library.needed.push(text(dynamic.string(entry)?));
    }
    Ok(Some(library))
}

impl SystemLibrary {
    /// Looks for these symbols and for all versions.
    pub(super) fn read<'a>(
        file: &File,
        wanted: impl Iterator<Item = &'a str>,
    ) -> object::read::Result<SystemLibrary> {
        let cache = ReadCache::new(file);
        let wanted: HashSet<&[u8]> = wanted.map(str::as_bytes).collect();
        match (&cache).read_bytes_at(4, 1) {
            Ok([1]) => look::<FileHeader32<Endianness>, _>(&cache, &wanted),
            _ => look::<FileHeader64<Endianness>, _>(&cache, &wanted),
        }
    }
}

fn look<'d, Elf: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(
    data: R,
    wanted: &HashSet<&[u8]>,
) -> object::read::Result<SystemLibrary> {
    let file = ElfFile::<'d, Elf, R>::parse(data)?;
    let endian = file.endian();
    let symbols = file.elf_dynamic_symbol_table();
    let mut library = SystemLibrary::default();
    for symbol in symbols.iter().filter(|symbol| !symbol.is_undefined(endian)) {
        let name = symbols.symbol_name(endian, symbol)?;
        if wanted.contains(name) {
            library.found.insert(text(name));
        }
    }
    if let Some((definitions, _)) = file.elf_section_table().gnu_verdef(endian, data)? {
        for definition in definitions {
            // Its own name, then those of the versions it follows.
            if let Some(name) = definition?.1.next()? {
                library.versions.insert(text(name.name(endian, symbols.strings())?));
            }
        }
    }
    Ok(library)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
