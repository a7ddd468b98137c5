//! One `libjgraft_agent.so` for every libc: what its file says, and the library in a process of glibc and in one of musl,
//! a panic that is caught included. Real JVMs, all on glibc, are the other tests' business.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::musl::Musl;
use jgraft_jvm_harness::{artifacts, skip};
use jgraft_protocol::native::code;
use object::elf;
use object::read::elf::{ElfFile64, Sym};
use object::{Endianness, SymbolIndex};

/// What each glibc of the last twelve years has; Rust itself asks for that much.
const OLDEST: &str = "GLIBC_2.17";

/// Names without a version that get an old function in place of the newest. What is good enough about it has been read up.
const GOOD_ENOUGH: [&str; 2] = [
    // It may also be given what overlaps.
    "memcpy",
    // It refuses to allocate, so that std::fs::canonicalize fails with EINVAL. Only std's own backtraces call it here.
    "realpath",
];

#[test]
fn it_names_no_library_and_no_version() {
    for library in libraries().unwrap() {
        let data = fs::read(&library).unwrap();
        let file = ElfFile64::<Endianness>::parse(&*data).unwrap();
        let endian = file.endian();
        let needed: Vec<_> =
            file.elf_dynamic_table().unwrap().iter().filter(|d| d.tag == elf::DT_NEEDED).collect();
        assert!(needed.is_empty(), "{library:?}: {} libraries are needed", needed.len());
        let versions = file.elf_section_table().gnu_verneed(endian, &*data).unwrap();
        assert!(versions.is_none(), "{library:?} asks for versions");
        let symbols = file.elf_dynamic_symbol_table();
        let defined = symbols.iter().filter(|symbol| !symbol.is_undefined(endian));
        let exported: BTreeSet<_> =
            defined.map(|symbol| symbols.symbol_name(endian, symbol).unwrap()).collect();
        // Whatever else it exported could take the place of the JVM's own.
        assert_eq!(exported, [&b"Agent_OnAttach"[..], b"Agent_OnLoad", b"Agent_OnUnload"].into());
    }
}

#[test]
fn what_it_asks_of_the_libc_is_in_the_oldest_glibc() {
    let glibc = glibc().unwrap();
    let first = glibc.values().flat_map(BTreeMap::keys).min().unwrap().clone();
    for library in libraries().unwrap() {
        for name in asked_for(&library).unwrap() {
            let functions = glibc.get(&name).unwrap_or_else(|| panic!("glibc has no {name}"));
            let (oldest, newest) =
                (functions.first_key_value().unwrap(), functions.last_key_value().unwrap());
            assert!(*oldest.0 <= number(OLDEST), "{name} is new in glibc {oldest:?}");
            // glibc's dynamic linker takes the very first version of all for a name without one, else that which is not
            // hidden; the newest is the one that never is.
            let is_first = *oldest.0 == first;
            let is_newest = !is_first || oldest.1 == newest.1;
            assert!(is_newest || GOOD_ENOUGH.contains(&&*name), "{name} would be an old one: {functions:?}");
        }
    }
}

#[test]
fn in_a_process_of_glibc() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("loads_agent");
    let cc = Command::new("cc").arg("-o").arg(&program).arg(source()).output().unwrap();
    assert!(cc.status.success(), "{}", String::from_utf8_lossy(&cc.stderr));
    works_in(&|| Command::new(&program)).unwrap();
}

#[test]
fn in_a_process_of_musl() {
    let musl = match Musl::find() {
        Ok(musl) => musl,
        Err(reason) => return skip("linking::in_a_process_of_musl", &reason),
    };
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("loads_agent");
    musl.compile(&source(), &program).unwrap();
    works_in(&|| musl.command(&program)).unwrap();
}

/// Catches panics, and writes the failure that a process without JVMTI is into the session.
fn works_in(program: &dyn Fn() -> Command) -> Result<()> {
    let run = |library: &Path, options: &str| -> Result<String> {
        let done = program().arg(library).arg(options).output()?;
        ensure!(done.status.success() && done.stderr.is_empty(), "{done:?}");
        Ok(String::from_utf8(done.stdout)?.trim_end().to_owned())
    };
    let [agent, panics] = libraries()?;
    // Its `Agent_OnAttach` panics, then a thread of its own, and it says so.
    for (options, code) in [("entry", "150"), ("thread", "170")] {
        let said = run(&panics, options)?;
        ensure!(said == code, "{options}: {said}");
    }
    let session = tempfile::tempdir()?;
    let code = run(&agent, &format!("session={},class=Order", session.path().display()))?;
    ensure!(code == code::FAILED.to_string(), "{code}");
    let reply = fs::read_to_string(session.path().join("reply"))?;
    ensure!(reply.contains("stage=environment\n") && reply.contains("class=Order\n"), "{reply}");
    Ok(())
}

/// Ours, and one that panics; both are linked the same way.
fn libraries() -> Result<[PathBuf; 2]> {
    Ok([artifacts::native_agent()?, artifacts::agent("jgraft-panics")?])
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/loads_agent.c")
}

/// The undefined symbols that must be found; a weak one need not.
fn asked_for(library: &Path) -> Result<Vec<String>> {
    let data = fs::read(library)?;
    let file = ElfFile64::<Endianness>::parse(&*data)?;
    let (endian, symbols) = (file.endian(), file.elf_dynamic_symbol_table());
    let mut names = Vec::new();
    for symbol in symbols.iter().skip(1) {
        if symbol.is_undefined(endian) && symbol.st_bind() != elf::STB_WEAK {
            names.push(String::from_utf8(symbols.symbol_name(endian, symbol)?.to_owned())?);
        }
    }
    ensure!(!names.is_empty(), "{} asks for nothing", library.display());
    Ok(names)
}

/// By name and version, the address of the function in its file.
type Functions = BTreeMap<String, BTreeMap<Vec<u32>, u64>>;

/// What the glibc of this very process has.
fn glibc() -> Result<Functions> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let files: BTreeSet<_> = maps.lines().filter_map(|line| line.split_whitespace().nth(5)).collect();
    let mut found = Functions::new();
    // Before 2.34 it had more parts than one; a JVM links them all, and is asked for in this order.
    for part in ["libpthread", "libdl", "libc.", "libc-", "ld-"] {
        for path in files.iter().filter(|file| file.rsplit('/').next().is_some_and(|f| f.starts_with(part))) {
            read(Path::new(path), &mut found)?;
        }
    }
    ensure!(found.contains_key("malloc"), "no glibc among {files:?}");
    Ok(found)
}

/// Adds what one of its files has that none before had.
fn read(path: &Path, found: &mut Functions) -> Result<()> {
    let data = fs::read(path)?;
    let file = ElfFile64::<Endianness>::parse(&*data)?;
    let (endian, symbols) = (file.endian(), file.elf_dynamic_symbol_table());
    let versions = file.elf_section_table().versions(endian, &*data)?;
    let versions = versions.with_context(|| format!("{} has no versions", path.display()))?;
    let mut here = Functions::new();
    for (at, symbol) in symbols.iter().enumerate().filter(|(_, symbol)| !symbol.is_undefined(endian)) {
        let version = versions.version(versions.version_index(endian, SymbolIndex(at)).index())?;
        let version = version.map(|version| String::from_utf8_lossy(version.name()).into_owned());
        // What is GLIBC_PRIVATE is no promise.
        let Some(version) = version.filter(|version| version.starts_with("GLIBC_2.")) else { continue };
        let name = String::from_utf8_lossy(symbols.symbol_name(endian, symbol)?).into_owned();
        here.entry(name).or_default().insert(number(&version), symbol.st_value(endian));
    }
    for (name, functions) in here {
        found.entry(name).or_insert(functions);
    }
    Ok(())
}

/// `GLIBC_2.3.4` → 2, 3, 4.
fn number(version: &str) -> Vec<u32> {
    version.trim_start_matches("GLIBC_").split('.').filter_map(|part| part.parse().ok()).collect()
}
