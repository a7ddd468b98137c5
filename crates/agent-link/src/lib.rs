//! For the build script of a native agent: how it is linked, so that one file loads into every JVM of its architecture.
//!
//! A `cdylib` for `*-linux-gnu` names `libc.so.6`, `libgcc_s.so.1` and the versions of the glibc that it was built with. A JVM
//! on an older glibc refuses it, and so does every JVM on musl. But whoever loads an agent has a C library in memory
//! already: the agent needs no name to find it by. So it is linked against
//!
//! - a `libc` without a symbol in it, and such a `libm`, `libdl`, … : what the agent calls stays undefined, without a version
//!   and without a library, and the dynamic linker takes it from the JVM's process (before glibc 2.34 libpthread and libdl
//!   were apart; each JVM has them, too);
//! - `libgcc_eh.a` in place of `libgcc_s`: what unwinds a panic is within the agent.
//!
//! What no libc has under the same name, `jgraft_jvmti::export_agent!` brings along (`any_libc.rs` of that crate says what).
//! `native-agent/tests/linking.rs` holds all of it to be true.
//!
//! A library must also stay mapped. HotSpot closes one whose `Agent_OnAttach` returned an error (17 and newer do), even if a
//! thread of the application is in one of its callbacks at that moment: it would fall into nothing.
//!
//! It knows nothing of JVMTI and compiles nothing; the linker is the one that rustc uses.

use std::path::PathBuf;
use std::{env, fs};

/// What rustc names behind every crate for this target (`-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc`), and what the linker is
/// to find in its place.
const IN_PLACE: [(&str, &str); 7] = [
    ("libgcc_s.so", "INPUT(-lgcc_eh -lgcc)"),
    ("libc.so", NOTHING),
    ("libm.so", NOTHING),
    ("libdl.so", NOTHING),
    ("librt.so", NOTHING),
    ("libutil.so", NOTHING),
    ("libpthread.so", NOTHING),
];

/// A linker script. GNU ld takes none with an empty list in it, as `INPUT()`.
const NOTHING: &str = "/* nothing */\n";

/// Links the `cdylib` of the package whose build script calls this.
///
/// # Panics
/// Outside of a build script, or where there is no room: the build fails with the reason.
pub fn link() {
    println!("cargo::rustc-link-arg-cdylib=-Wl,-z,nodelete");
    // Other targets have other libraries, and a libc of their own to name.
    let target = |fact: &str| env::var(format!("CARGO_CFG_TARGET_{fact}")).unwrap_or_default();
    if (&*target("OS"), &*target("ENV")) != ("linux", "gnu") {
        return;
    }
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("in-place");
    fs::create_dir_all(&folder).expect("OUT_DIR is writable");
    for (name, script) in IN_PLACE {
        fs::write(folder.join(name), script).expect("OUT_DIR is writable");
    }
    // Looked into before the linker's own folders.
    println!("cargo::rustc-link-arg-cdylib=-L{}", folder.display());
}
