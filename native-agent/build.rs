//! Compiles the Probe (`agent-java/probe`), which the library carries within itself, and has the library linked for every
//! libc (`crates/agent-link`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCES: &str = "../agent-java/probe";
const PROBE: &str = "java/lang/JgraftProbe1_00";

fn main() {
    jgraft_agent_link::link();
    // Two thirds of what a debug build would be, and each jgraft that stages it reads and hashes all of it. Where a panic was
    // is in its message.
    println!("cargo::rustc-link-arg-cdylib=-Wl,--strip-debug");
    println!("cargo::rerun-if-changed={SOURCES}");
    println!("cargo::rerun-if-env-changed=JAVA_HOME");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let javac = javac().unwrap_or_else(|| {
        panic!(
            "the native agent's Probe is Java, and no JDK of version 9 or later is here: set JAVA_HOME, or install one: \
             apt install openjdk-17-jdk-headless, dnf install java-17-openjdk-devel, apk add openjdk17, brew install openjdk@17"
        )
    });
    let mut compile = Command::new(&javac);
    compile.args(["-g:none", "-proc:none", "-XDstringConcat=inline", "-d"]).arg(&out);
    compile.arg(format!("--patch-module=java.base={SOURCES}")).arg(format!("{SOURCES}/{PROBE}.java"));
    let compiled = compile.output().unwrap_or_else(|error| panic!("{}: {error}", javac.display()));
    assert!(compiled.status.success(), "{compile:?}: {}", String::from_utf8_lossy(&compiled.stderr));
    let mut class = fs::read(out.join(PROBE).with_extension("class")).expect("javac has written it");
    // javac does not patch java.base for an old release; nothing in the class is newer than Java 8.
    class[6..8].copy_from_slice(&52_u16.to_be_bytes());
    fs::write(out.join("probe.class"), &class).expect("OUT_DIR is writable");
    fs::write(out.join("probe-8.class"), for_jdk_8(&class)).expect("OUT_DIR is writable");
}

/// JDK 8 has the same class and methods under other names.
fn for_jdk_8(class: &[u8]) -> Vec<u8> {
    let mut made = class.to_vec();
    for (from, to) in [
        ("jdk/internal/misc/Unsafe", "sun/misc/Unsafe"),
        ("Ljdk/internal/misc/Unsafe;", "Lsun/misc/Unsafe;"),
        ("()Ljdk/internal/misc/Unsafe;", "()Lsun/misc/Unsafe;"),
        ("putLongRelease", "putOrderedLong"),
        ("Ljdk/internal/vm/annotation/ForceInline;", "Ljava/lang/invoke/ForceInline;"),
    ] {
        let (from, to) = (utf8(from), utf8(to));
        let found: Vec<_> =
            made.windows(from.len()).enumerate().filter(|(_, window)| *window == from).collect();
        assert_eq!(found.len(), 1, "{from:?} stands once in the constant pool");
        let at = found[0].0;
        made.splice(at..at + from.len(), to);
    }
    made
}

/// A CONSTANT_Utf8 (JVMS 4.4.7).
fn utf8(text: &str) -> Vec<u8> {
    let mut entry = vec![1];
    entry.extend((text.len() as u16).to_be_bytes());
    entry.extend(text.as_bytes());
    entry
}

/// JAVA_HOME's, that of the path, or one where distributions put them.
fn javac() -> Option<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/javac"));
    let installed = fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    let mut installed: Vec<_> = installed.map(|entry| entry.path().join("bin/javac")).collect();
    installed.sort();
    home.into_iter().chain([PathBuf::from("javac")]).chain(installed).find(|javac| patches_modules(javac))
}

fn patches_modules(javac: &Path) -> bool {
    // Said by JDK 8 on stderr, and by others on stdout.
    let said = Command::new(javac).arg("-version").output();
    said.is_ok_and(|said| {
        let version = String::from_utf8_lossy(&said.stdout).into_owned();
        version.starts_with("javac ") && !version.starts_with("javac 1.")
    })
}
