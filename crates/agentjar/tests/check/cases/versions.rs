//! Class-file versions against JDKs, and META-INF/versions.

use super::pack::{classes, entry, jar};
use super::{Cases, agent};

pub(super) fn add(cases: &mut Cases) {
    let of = |major: u16, minor: u16| {
        move |p: &str| {
            let mut class = agent(p);
            (class.major, class.minor) = (major, minor);
            classes(&[class])
        }
    };
    const TOO_NEW: &str = "class-version-too-new";
    const UNKNOWN: &str = "class-version-unknown";
    const PREVIEW: &str = "class-version-preview";
    cases.add("version 44", of(44, 0)).refused(.., UNKNOWN);
    cases.add("version 45.3", of(45, 3));
    cases.add("version 51.7", of(51, 7)).refused(11..=11, UNKNOWN);
    cases.add("version 52.7", of(52, 7)).refused(..9, UNKNOWN).refused(11..=11, UNKNOWN);
    cases.add("version 53", of(53, 0)).refused(..9, TOO_NEW);
    cases.add("version 55", of(55, 0)).refused(..11, TOO_NEW);
    cases.add("version 61", of(61, 0)).refused(..17, TOO_NEW);
    cases.add("version 61.7", of(61, 7)).refused(..17, TOO_NEW).refused(17.., UNKNOWN);
    cases.add("version 62", of(62, 0)).refused(..18, TOO_NEW);
    cases.add("version 69", of(69, 0)).refused(..25, TOO_NEW);
    cases.add("version 70", of(70, 0)).refused(..26, TOO_NEW);
    cases.add("version 200", of(200, 0)).refused(.., TOO_NEW);
    cases.add("preview of 17", of(61, 0xffff)).refused(..17, TOO_NEW).refused(17.., PREVIEW);
    cases.add("preview of 25", of(69, 0xffff)).refused(..25, TOO_NEW).refused(25.., PREVIEW);

    const MISSING: &str = "agent-class-not-found";
    let versioned = |attribute: &'static str, version: u32| {
        move |p: &str| {
            let (name, bytes) = entry(&agent(p));
            jar(
                p,
                &format!("{attribute}Agent-Class: @.Agent\n\n"),
                &[(format!("META-INF/versions/{version}/{name}"), bytes)],
            )
        }
    };
    cases.add("versions/9", versioned("Multi-Release: true\n", 9)).refused(..9, MISSING);
    cases.add("versions/17", versioned("Multi-Release: true\n", 17)).refused(..17, MISSING);
    cases.add("versions/8", versioned("Multi-Release: true\n", 8)).refused(..17, MISSING);
    cases.add("in any case", versioned("multi-RELEASE: TRUE\n", 9)).refused(..9, MISSING);
    for (name, attribute) in [
        ("not multi-release", ""),
        ("multi-release is false", "Multi-Release: false\n"),
        ("multi-release with two spaces", "Multi-Release:  true\n"),
        ("multi-release with a space behind", "Multi-Release: true \n"),
        ("multi-release over two lines", "Multi-Release: tr\n ue\n"),
    ] {
        cases.add(name, versioned(attribute, 9)).refused(.., MISSING);
    }
    cases
        .add("a broken class for 21 and newer", |p| {
            let (name, bytes) = entry(&agent(p));
            let entries =
                [(name.clone(), bytes), (format!("META-INF/versions/21/{name}"), b"broken".to_vec())];
            jar(p, "Multi-Release: true\nAgent-Class: @.Agent\n\n", &entries)
        })
        .refused(21.., "agent-class-malformed");
}
