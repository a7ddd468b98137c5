//! The agent loaded into a running JVM, on every JDK found: what it reports, what it refuses, and what it leaves.

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;

use anyhow::{Result, ensure};
use common::{Attached, expect, is_unharmed, load, look, number, options, service};
use jgraft_attach::LoadOutcome;
use jgraft_jvm_harness::{Jvm, cache, each_jdk, javac, skip};
use jgraft_protocol::native::code;

#[test]
fn a_loaded_class_goes_through_the_hook() {
    each_jdk("a_loaded_class_goes_through_the_hook", .., |jdk| {
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        let (outcome, reply) = look(&jvm, "OrderService")?;
        ensure!(outcome == LoadOutcome::Loaded, "{outcome:?}");
        let loader = match jdk.feature {
            8 => "sun.misc.Launcher$AppClassLoader",
            _ => "jdk.internal.loader.ClassLoaders$AppClassLoader",
        };
        expect(
            &reply,
            &[
                ("outcome", "ok"),
                ("stage", "seen"),
                ("class", "OrderService"),
                ("major", "52"),
                ("loader", loader),
                ("redefined", "true"),
                ("hook.thread", "Attach Listener"),
                ("hook.calls", "1"),
            ],
        )?;
        // The JVM writes the class file anew from what it kept, so the size is about that of the file.
        let file = jgraft_jvm_harness::targets::order_service_classes()?.join("OrderService.class");
        let (bytes, size) = (number(&reply, "bytes")?, fs::metadata(file)?.len() as usize);
        eprintln!("JDK {jdk}: {bytes} bytes in the hook, {size} in the file; {reply:?}");
        ensure!(bytes > size / 2 && bytes < 2 * size, "{bytes} bytes, {size} in the file");
        is_unharmed(&jvm, jdk, Attached::Yes)
    });
}
