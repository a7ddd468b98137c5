//! Class loaders that ask the boot loader for nothing but `java.*`, as in OSGi: a probe has to be visible from there too, or
//! the application gets a NoClassDefFoundError. The framework is Apache Felix, from Maven Central.

mod common;

use std::path::Path;

use anyhow::{Context, ensure};
use common::{jgraft, text};
use jgraft_jvm_harness::{Jvm, cache, each_jdk, javac, maven, skip};

const FELIX: &str = "org.apache.felix:org.apache.felix.framework:7.0.5";
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/osgi");
const MANIFEST: &str = "Bundle-ManifestVersion: 2\nBundle-SymbolicName: example\nBundle-Version: 1.0.0\n\
                        Bundle-Activator: example.Activator\nImport-Package: org.osgi.framework\n";

#[test]
fn a_bundle_is_traced_and_goes_on() {
    let felix = match maven::artifact(FELIX) {
        Ok(jar) => jar,
        Err(reason) => return skip("osgi", &reason),
    };
    let made = cache::target_dir().join("osgi");
    let compile = |source: &str, folder: &str| {
        let arguments = ["--release", "8", "-nowarn", "-cp", text(&felix)];
        javac::compile(&[Path::new(SOURCES).join(source)], &made.join(folder), &arguments)
    };
    compile("Launcher.java", "launcher").unwrap();
    compile("Activator.java", "bundle").unwrap();
    let bundle = made.join("bundle.jar");
    javac::jar(MANIFEST, &made.join("bundle"), &bundle).unwrap();
    jgraft_jvm_harness::artifacts::native_agent().unwrap();

    each_jdk("osgi", .., |jdk| {
        let storage = tempfile::tempdir()?;
        let jvm = Jvm::builder(jdk)
            .class_path(&felix)
            .class_path(made.join("launcher"))
            .main("Launcher")
            .program_args([storage.path(), &bundle])
            .visible(storage.path())
            .visible(&made)
            .visible(&felix)
            .start()?;
        jvm.wait_ready()?;
        let pid = jvm.pid().to_string();
        let run = jgraft(["trace", &pid, "example.Greeter::*", "--limit", "100", "--json"])?.expect(0)?;
        let thrown = run.stdout.lines().filter(|line| line.contains("IllegalArgumentException")).count();
        ensure!(run.stdout.lines().count() == 100 && thrown > 0, "{run:?}");
        ensure!(run.stderr.contains("1 class is as before"), "{}", run.stderr);
        let said = jvm.ask("count", |line| line.starts_with("done "))?;
        let failed = said.split(' ').nth(3).context("no number")?;
        ensure!(failed == "0", "{said}");
        Ok(())
    });
}
