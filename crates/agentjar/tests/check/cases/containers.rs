//! Zip files, good and broken, and the paths they are loaded by.

use zip::CompressionMethod;

use super::pack::{central_headers, classes, entry, jar, replace, zip};
use super::{Cases, agent};

const AGENT: &str = "Agent-Class: @.Agent\n\n";

pub(super) fn add(cases: &mut Cases) {
    let good = |p: &str| classes(&[agent(p)]);
    cases.add("not a zip", |_| b"hello".to_vec()).refused(.., "not-a-zip");
    cases.add("an empty file", |_| Vec::new()).refused(.., "not-a-zip");
    cases
        .add("cut", move |p| {
            let mut jar = good(p);
            jar.truncate(jar.len() - 30);
            jar
        })
        .refused(.., "zip-truncated");
    cases.add("bytes behind", move |p| [good(p), vec![b'x'; 30]].concat()).refused(.., "zip-trailing-bytes");
    cases.add("bytes before", move |p| [b"#!/bin/sh\nexec java\n".to_vec(), good(p)].concat());
    cases.add("a comment", move |p| {
        let mut jar = good(p);
        let length = jar.len() - 2;
        jar.truncate(length);
        jar.extend(300_u16.to_le_bytes());
        jar.extend([b'x'; 300]);
        jar
    });
    cases.add("stored", |p| {
        let manifest = ("META-INF/MANIFEST.MF".to_owned(), AGENT.replace('@', p).into_bytes());
        zip(&[manifest, entry(&agent(p))], CompressionMethod::Stored)
    });
    cases
        .add("no manifest", |p| zip(&[entry(&agent(p))], CompressionMethod::Deflated))
        .refused(.., "manifest-missing");
    cases
        .add("a manifest in lower case", |p| {
            let manifest = ("meta-inf/manifest.mf".to_owned(), AGENT.replace('@', p).into_bytes());
            zip(&[manifest, entry(&agent(p))], CompressionMethod::Deflated)
        })
        .refused(.., "manifest-missing");
    cases
        .add("an entry that is neither stored nor deflated", move |p| {
            let mut jar = good(p);
            let last = *central_headers(&jar).last().unwrap();
            jar[last + 10] = 12;
            jar
        })
        .refused(.., "zip-entry-unsupported");
    cases
        .add("an encrypted entry", move |p| {
            let mut jar = good(p);
            let last = *central_headers(&jar).last().unwrap();
            jar[last + 8] |= 1;
            jar
        })
        .refused(.., "zip-entry-unsupported");
    cases.add("wrong checksums", move |p| {
        let mut jar = good(p);
        for header in central_headers(&jar) {
            jar[header + 16] ^= 0xff;
        }
        jar
    });
    cases
        .add("two classes of one name, the second is good", |p| {
            let other = (format!("{p}/Agenx.class"), b"broken".to_vec());
            let both = jar(p, AGENT, &[other, entry(&agent(p))]);
            replace(both, b"/Agenx.class", b"/Agent.class")
        })
        .warns("zip-duplicate-entries");
    cases
        .add("two classes of one name, the first is good", |p| {
            let other = (format!("{p}/Agenx.class"), b"broken".to_vec());
            let both = jar(p, AGENT, &[entry(&agent(p)), other]);
            replace(both, b"/Agenx.class", b"/Agent.class")
        })
        .refused(.., "agent-class-malformed");

    let two_manifests = |p: &str, first: &str, second: &str| {
        let entries = [
            ("META-INF/MANIFEST.MF".to_owned(), first.replace('@', p).into_bytes()),
            entry(&agent(p)),
            ("META-INF/MANIFEST.MG".to_owned(), second.replace('@', p).into_bytes()),
        ];
        replace(zip(&entries, CompressionMethod::Deflated), b"MANIFEST.MG", b"MANIFEST.MF")
    };
    cases
        .add("two manifests, the first is good", |p| two_manifests(p, AGENT, "A: b\n\n"))
        .warns("zip-duplicate-entries");
    cases
        .add("two manifests, the second is good", |p| two_manifests(p, "A: b\n\n", AGENT))
        .refused(.., "agent-class-missing");

    cases.add("'=' in the path", good).at("a=b/agent.jar").refused(.., "path-has-equals");
    cases.add("letters past ASCII in the path", good).at("ägent €.jar");
    cases.add("marks of URLs in the path", good).at("a b%20c#d!e+f.jar");
    cases.add("no .jar at the end", good).at("agent");
    cases.add("options", good).options = Some("a=b,c d ü€".as_bytes());
    cases.add("empty options", good).options = Some(b"");
    let plain_utf8 = cases.add("options that are no modified UTF-8", good).warns("options-encoding");
    plain_utf8.options = Some("\u{1f600}".as_bytes());
    cases.add("options that are no text", good).warns("options-encoding").options = Some(b"\xff");
    cases.add("long options", good).refused(.., "argument-too-long").options = Some(&[b'x'; 1025]);
}
