//! The targets by name; the same bodies as the libFuzzer ones in `fuzz_targets/`.

use anyhow::{Context, Result};

#[path = "../../crates/agentjar/tests/hostile/targets.rs"]
pub(crate) mod agentjar;
#[path = "../../crates/classfile/tests/hostile/targets.rs"]
mod classfile;
#[path = "../../crates/protocol/tests/hostile/targets.rs"]
pub(crate) mod protocol;

/// What its inputs are made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Class,
    Text,
    Manifest,
    Properties,
    Jar,
    /// Whatever files the folder of seeds holds.
    Files,
}

/// One target.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) body: fn(&[u8]),
}

static TARGETS: [Target; 11] = [
    Target { name: "class_read", kind: Kind::Class, body: classfile::read },
    Target { name: "class_rewrite", kind: Kind::Class, body: classfile::rewrite },
    Target { name: "class_verify", kind: Kind::Class, body: classfile::verify_as_any },
    Target { name: "class_compare", kind: Kind::Class, body: classfile::compare },
    Target { name: "class_rebase", kind: Kind::Class, body: classfile::rebase },
    Target { name: "class_text", kind: Kind::Text, body: classfile::text },
    Target { name: "manifest", kind: Kind::Manifest, body: agentjar::manifest },
    Target { name: "jar", kind: Kind::Jar, body: agentjar::jar },
    Target { name: "properties", kind: Kind::Properties, body: protocol::properties },
    Target { name: "hsperfdata", kind: Kind::Files, body: jgraft_attach::hostile::counters },
    Target { name: "reply", kind: Kind::Files, body: jgraft_attach::hostile::reply },
];

/// The one of that name.
pub(crate) fn find(name: &str) -> Result<&'static Target> {
    let names = || TARGETS.each_ref().map(|target| target.name).join(", ");
    TARGETS
        .iter()
        .find(|target| target.name == name)
        .with_context(|| format!("{name} is none of {}", names()))
}
