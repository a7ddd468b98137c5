//! `jgraft load --native` on every JDK found: our own native agent, and what goes wrong with others.

mod common;

use anyhow::ensure;
use common::{load, service, text, unharmed};
use jgraft_jvm_harness::{artifacts, each_jdk};

#[test]
fn our_native_agent_looks_at_a_class_and_reports() {
    each_jdk("native::ours", .., |jdk| {
        let library = artifacts::native_agent()?;
        let service = service(jdk, &[])?;
        let session = tempfile::Builder::new().prefix("jgraft-native-").tempdir_in("/tmp")?;
        let agent = format!("{}=session={},class=Pricing", text(&library), text(session.path()));
        let done = load(service.pid(), &agent, &["--native"])?.expect(0)?;
        ensure!(done.stdout.contains("-agentpath:"), "{done:#?}");
        let reply = std::fs::read_to_string(session.path().join("reply"))?;
        for line in ["outcome=ok", "class=Pricing", "hook.calls=1"] {
            ensure!(reply.lines().any(|l| l == line), "no {line} in\n{reply}");
        }
        let nowhere = format!("{}=session=/no/such/folder,class=Pricing", text(&library));
        let failed = load(service.pid(), &nowhere, &["--native"])?.expect(1)?.explained("did not start")?;
        ensure!(failed.stderr.contains("returned 111"), "{failed:#?}");
        unharmed(&service)
    });
}

#[test]
fn a_library_that_is_none_is_named() {
    each_jdk("native::broken", .., |jdk| {
        let service = service(jdk, &[])?;
        let folder = tempfile::tempdir()?;
        let missing = folder.path().join("libmissing.so");
        load(service.pid(), text(&missing), &["--native"])?.expect(3)?.explained("is not there")?;
        let text_file = folder.path().join("libtext.so");
        std::fs::write(&text_file, "not a library")?;
        load(service.pid(), text(&text_file), &["--native"])?.expect(3)?.explained("no ELF file does")?;
        load(service.pid(), "nosuchlibrary", &["--native"])?.expect(1)?.explained("was not loaded")?;
        unharmed(&service)
    });
}
