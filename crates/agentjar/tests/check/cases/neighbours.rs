//! Boot-Class-Path and Class-Path: what stands beside the jar.

use super::pack::{classes, entry, jar, zip};
use super::{Cases, agent};

const NOT_FOUND: &str = "agent-class-not-found";

pub(super) fn add(cases: &mut Cases) {
    let with = |attributes: &'static str| {
        move |p: &str| jar(p, &format!("Agent-Class: @.Agent\n{attributes}\n\n"), &[entry(&agent(p))])
    };
    cases
        .add("a boot jar", with("Boot-Class-Path: lib/boot.jar"))
        .beside("lib/boot.jar", classes(&[agent("boot")]));
    cases
        .add("a boot jar with an escape and a query", with("Boot-Class-Path: lib/b%6fot.jar?x"))
        .beside("lib/boot.jar", classes(&[agent("boot2")]));
    cases
        .add("a boot jar that is not there", with("Boot-Class-Path: gone.jar"))
        .warns("boot-class-path-missing");
    cases
        .add("the second boot jar is not there", with("Boot-Class-Path: boot.jar   gone.jar"))
        .beside("boot.jar", classes(&[agent("boot3")]))
        .warns("boot-class-path-missing");
    cases
        .add("a boot jar that is none", with("Boot-Class-Path: boot.jar"))
        .beside("boot.jar", *b"hello")
        .warns("boot-class-path-not-a-jar");
    cases
        .add("a boot folder", with("Boot-Class-Path: lib/"))
        .beside("lib/x", *b"hello")
        .warns("boot-class-path-not-a-jar");
    cases
        .add("a boot jar with a backslash", with("Boot-Class-Path: a\\b.jar"))
        .warns("boot-class-path-illegal");

    // The agent class is in another jar.
    let only = |attributes: &'static str| {
        move |p: &str| jar(p, &format!("Agent-Class: @.Agent\n{attributes}\n\n"), &[])
    };
    for (name, attributes, found) in [
        ("in a boot jar", "Boot-Class-Path: lib/x.jar", true),
        ("in a boot jar, named with file:", "Boot-Class-Path: file:lib/x.jar", false),
        ("in the class path", "Class-Path: gone.jar lib/x.jar", true),
        ("in the class path, with an escape", "Class-Path: lib/%78.jar", true),
        ("in the class path, with a query", "Class-Path: lib/x.jar?y", false),
        ("in the class path, cut by a space", "Class-Path: lib/y x.jar", false),
        ("in a folder of the class path", "Class-Path: folder/", true),
        ("in a folder of the class path, without slash", "Class-Path: folder", false),
    ] {
        let case = cases.add(name, only(attributes));
        let class = entry(&agent(&case.package));
        let lib = zip([&class], zip::CompressionMethod::Deflated);
        case.beside("lib/x.jar", lib).beside(&format!("folder/{}", class.0), class.1);
        if !found {
            case.refused(.., NOT_FOUND);
        }
    }
}
