//! `fake-jvm [JVM OPTION…] SCRIPT`: a scripted process that passes for a JVM, to try an attach client on.
//!
//! It prints what happens to it, takes further statements on stdin, and ends with it. The language is explained by
//! `fakes/README`.

fn main() -> anyhow::Result<()> {
    jgraft_jvm_harness::fake_jvm::run()
}
