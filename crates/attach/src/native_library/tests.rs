//! Libraries made with the machine's own C compiler, against surroundings that are made up.

use std::process::Command;

use super::*;

fn ours() -> Surroundings {
    Surroundings::of(&Target::inspect(std::process::id() as i32).unwrap())
}

/// A library of these lines; `None`, with a word, where there is no C compiler.
fn compile(folder: &Path, name: &str, source: &str, flags: &[&str]) -> Option<PathBuf> {
    let (from, to) = (folder.join("source.c"), folder.join(name));
    std::fs::write(&from, source).unwrap();
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-o"]).arg(&to).arg(&from).args(flags).current_dir(folder);
    match command.status() {
        Ok(status) => assert!(status.success(), "{command:?}"),
        Err(e) => {
            println!("skipped: no C compiler: {e}");
            return None;
        }
    }
    Some(to)
}

const AGENT: &str =
    "#include <stdio.h>\nint Agent_OnAttach(void *vm, char *o, void *r) { return puts(o); }\n";

fn library(path: &Path) -> Library {
    Library::read(&File::open(path).unwrap()).unwrap()
}

#[test]
fn a_library_of_this_machine_fits_us() {
    let folder = tempfile::tempdir().unwrap();
    let Some(path) = compile(folder.path(), "liba.so", AGENT, &[]) else { return };
    let (library, around) = (library(&path), ours());
    assert!(library.defines(ON_ATTACH) && !library.defines("Agent_OnLoad"));
    assert!(library.glibc.iter().any(|import| import.symbol == "puts"), "{library:?}");
    fits(&library, &around, &path).unwrap();
    let (family, libc) = around.libc.unwrap();
    assert_eq!(family, Family::Glibc);
    let theirs = SystemLibrary::read(&File::open(libc).unwrap(), library.imports()).unwrap();
    assert!(theirs.found.contains("puts") && theirs.versions.contains("GLIBC_2.2.5"), "{theirs:?}");
    assert_eq!(libc_verdict(&library, family, Some(&theirs), false, &path), Ok(None));
}

#[test]
fn hidden_or_other_entry_points_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let on_load = "int Agent_OnLoad(void *vm, char *o, void *r) { return 0; }\n";
    let Some(path) = compile(folder.path(), "libload.so", on_load, &[]) else { return };
    let finding = no_entry_point(&library(&path), &path);
    assert!(finding.remedy.contains("-agentpath:"), "{finding:?}");
    let Some(path) = compile(folder.path(), "libhidden.so", AGENT, &["-fvisibility=hidden"]) else { return };
    assert!(!library(&path).defines(ON_ATTACH));
}

#[test]
fn another_machine_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let Some(path) = compile(folder.path(), "liba.so", AGENT, &[]) else { return };
    let mut bytes = std::fs::read(&path).unwrap();
    let other: u16 = if cfg!(target_arch = "aarch64") { 62 } else { 183 };
    bytes[18..20].copy_from_slice(&other.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let finding = fits(&library(&path), &ours(), &path).unwrap_err();
    assert_eq!(finding.kind, FindingKind::WrongArchitecture);
    assert!(finding.evidence.contains("aarch64") && finding.evidence.contains("x86_64"), "{finding:?}");
}

#[test]
fn each_libc_is_told_from_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let Some(glibc) = compile(folder.path(), "liba.so", AGENT, &[]) else { return };
    // What an Alpine linker would write into it, without an Alpine: a libc of that name to link with.
    let Some(_) = compile(
        folder.path(),
        "libc.musl-x86_64.so.1",
        "int puts(char *s) { return 0; }\n",
        &["-nostdlib", "-Wl,-soname,libc.musl-x86_64.so.1"],
    ) else {
        return;
    };
    let link = ["-nostdlib", "-Wl,--no-as-needed", "./libc.musl-x86_64.so.1"];
    let Some(musl) = compile(folder.path(), "libm.so", AGENT, &link) else { return };
    let (glibc_library, musl_library) = (library(&glibc), library(&musl));

    let refused = libc_verdict(&musl_library, Family::Glibc, None, false, &musl).unwrap_err();
    assert!(refused.cause.contains("built for musl, and the jvm runs on glibc"), "{refused:?}");
    assert_eq!(libc_verdict(&musl_library, Family::Musl, None, false, &musl), Ok(None));

    let empty = SystemLibrary::default();
    let refused = libc_verdict(&glibc_library, Family::Musl, Some(&empty), false, &glibc).unwrap_err();
    assert!(refused.evidence.contains("puts"), "{refused:?}");
    let full = SystemLibrary {
        found: glibc_library.imports().map(str::to_owned).collect(),
        ..SystemLibrary::default()
    };
    for (theirs, gcompat) in [(&full, false), (&empty, true)] {
        let warned = libc_verdict(&glibc_library, Family::Musl, Some(theirs), gcompat, &glibc).unwrap();
        assert_eq!(warned.unwrap().kind, FindingKind::WrongLibc);
    }
}

#[test]
fn a_newer_glibc_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let Some(path) = compile(folder.path(), "liba.so", AGENT, &[]) else { return };
    let old = SystemLibrary { versions: ["GLIBC_2.0".to_owned()].into(), ..SystemLibrary::default() };
    let refused = libc_verdict(&library(&path), Family::Glibc, Some(&old), false, &path).unwrap_err();
    assert!(refused.evidence.contains("puts needs GLIBC_2."), "{refused:?}");
}

#[test]
fn mapped_names_tell_the_family() {
    for name in ["libc.so.6", "libc-2.31.so"] {
        assert_eq!(family(name), Some(Family::Glibc), "{name}");
    }
    for name in ["ld-musl-aarch64.so.1", "libc.musl-x86_64.so.1", "libc.so"] {
        assert_eq!(family(name), Some(Family::Musl), "{name}");
    }
    assert_eq!(family("libcrypt.so.1"), None);
}

#[test]
fn cut_and_broken_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let Some(path) = compile(folder.path(), "liba.so", AGENT, &[]) else { return };
    let whole = std::fs::read(&path).unwrap();
    let mut ends: Vec<usize> = (0..200).chain((200..whole.len()).step_by(97)).collect();
    ends.dedup();
    for end in ends {
        std::fs::write(&path, &whole[..end]).unwrap();
        // No panic, whatever it says; without its section headers, which come last, no entry point is seen.
        let read = Library::read(&File::open(&path).unwrap());
        assert!(read.is_err() || !read.unwrap().defines(ON_ATTACH), "cut at {end}");
    }
}
