//! The manifest's grammar, at its edges: what libinstrument takes and refuses, and what java.util.jar refuses
//! besides, which shows only where the agent class is in a package or the jar has a Class-Path.

use super::pack::{entry, jar};
use super::{Cases, agent};

const MALFORMED: &str = "manifest-malformed";
const BY_JAVA: &str = "manifest-refused-by-class-loader";

pub(super) fn add(cases: &mut Cases) {
    let of = |manifest: String| move |p: &str| jar(p, &manifest, &[entry(&agent(p))]);
    let of = |manifest: &str| of(manifest.to_owned());
    // The same manifest, for an agent class without a package.
    let without_package = |manifest: String| {
        move |p: &str| {
            let mut class = agent(p);
            class.name = format!("Agent_{p}");
            jar(p, &manifest.replace("@.Agent", &format!("Agent_{p}")), &[entry(&class)])
        }
    };
    for (name, manifest) in [
        ("LF", "Manifest-Version: 1.0\nAgent-Class: @.Agent\n\n"),
        ("CRLF", "Manifest-Version: 1.0\r\nAgent-Class: @.Agent\r\n\r\n"),
        ("no version", "Agent-Class: @.Agent\n\n"),
        ("no blank line", "Agent-Class: @.Agent\n"),
        ("no newline at the end", "Manifest-Version: 1.0\nAgent-Class: @.Agent"),
        ("continued in the name of the class", "Agent-Class: @.A\n gent\n\n"),
        ("continued by CRLF", "Agent-Class: @\r\n .Agent\r\n\r\n"),
        ("names in lower case", "manifest-version: 1.0\nagent-class: @.Agent\n\n"),
        ("spaces around the value", "Agent-Class:    @.Agent   \n\n"),
        ("a section that follows", "Agent-Class: @.Agent\n\nName: x\nA: b\n\n"),
        ("a section that ends without newline", "Agent-Class: @.Agent\n\nName: x\nA: b"),
    ] {
        cases.add(name, of(manifest));
    }
    cases.add("a character cut by a continuation", |p| {
        let mut class = agent(p);
        class.name = format!("{p}/Ägent");
        let manifest = [format!("Agent-Class: {p}.").as_bytes(), b"\xc3\n \x84gent\n\n"].concat();
        super::pack::jar_of_bytes(&manifest, &[entry(&class)])
    });
    cases.add("CR", of("Manifest-Version: 1.0\rAgent-Class: @.Agent\r\r"));
    cases.add("continued by CR", of("Manifest-Version: 1.0\rAgent-Class: @.A\r gent\r\r"));
    cases.add("CR, no package", without_package("Manifest-Version: 1.0\rAgent-Class: @.Agent\r\r".into()));

    for (name, manifest, code) in [
        ("an empty manifest", "", MALFORMED),
        ("a blank line first", "\nAgent-Class: @.Agent\n\n", MALFORMED),
        ("no space after the colon", "Agent-Class:@.Agent\n\n", MALFORMED),
        ("no space in a line after", "Agent-Class: @.Agent\nA:b\n\n", MALFORMED),
        ("no colon", "Agent-Class: @.Agent\ngarbage\n\n", MALFORMED),
        ("a continuation without newline", "Agent-Class: @.A\n gent", MALFORMED),
        ("in the second section", "A: b\n\nAgent-Class: @.Agent\n\n", "agent-class-missing"),
        ("after a NUL", "A: b\n\0\nAgent-Class: @.Agent\n\n", "agent-class-missing"),
        ("an empty value", "A: b\nAgent-Class: \n\n", "agent-class-missing"),
        ("a byte-order mark", "\u{feff}Agent-Class: @.Agent\nA: b\n\n", "agent-class-missing"),
    ] {
        cases.add(name, of(manifest)).refused(.., code);
    }

    let long = format!("Agent-Class: @.Agent\nA: {}\n\n", "x".repeat(509));
    let fits = format!("Agent-Class: @.Agent\nA: {}\n\n", "x".repeat(508));
    cases.add("a line of 511 bytes", of(&fits));
    cases.add("a line of 512 bytes", of(&long)).refused(.., BY_JAVA);
    cases.add("a line of 512 bytes, no package", without_package(long));
    for (name, manifest) in [
        ("a name continued", "Agent-Cl\n ass: @.Agent\n\n"),
        ("a name with a space", "Agent-Class: @.Agent\nA b: c\n\n"),
        ("a name of 71 letters", &format!("Agent-Class: @.Agent\n{}: b\n\n", "A".repeat(71))),
        ("a mark before another name", "\u{feff}A: b\nAgent-Class: @.Agent\n\n"),
        ("a continuation first", " A: b\nAgent-Class: @.Agent\n\n"),
        ("a section without a name", "Agent-Class: @.Agent\n\nA: b\n\n"),
        ("garbage in a section", "Agent-Class: @.Agent\n\nName: x\ngarbage\n\n"),
        ("garbage after a NUL", "Agent-Class: @.Agent\nA: b\0c\ngarbage\n\n"),
    ] {
        cases.add(name, of(manifest)).refused(.., BY_JAVA);
    }
    let spaced = "Agent-Class: @.Agent\nA b: c\n\n";
    cases.add("a name with a space, no package", without_package(spaced.into()));
    cases
        .add(
            "a name with a space, no package, a Class-Path",
            without_package(format!("Class-Path: x.jar\n{spaced}")),
        )
        .refused(.., BY_JAVA);
}
