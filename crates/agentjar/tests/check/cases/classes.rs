//! The agent class where it should not be, or not what it should be.

use super::pack::{classes, entry, jar};
use super::{Cases, agent};

const AGENT: &str = "Agent-Class: @.Agent\n\n";

pub(super) fn add(cases: &mut Cases) {
    cases.add("not in the jar", |p| jar(p, AGENT, &[])).refused(.., "agent-class-not-found");
    cases
        .add("below BOOT-INF/classes", |p| {
            let (name, bytes) = entry(&agent(p));
            jar(p, AGENT, &[(format!("BOOT-INF/classes/{name}"), bytes)])
        })
        .refused(.., "agent-class-not-found");
    cases
        .add("with slashes", |p| jar(p, "Agent-Class: @/Agent\n\n", &[entry(&agent(p))]))
        .refused(.., "agent-class-has-slash");
    cases
        .add("with .class", |p| jar(p, "Agent-Class: @.Agent.class\n\n", &[entry(&agent(p))]))
        .refused(.., "agent-class-not-found");
    cases
        .add("with a tab behind", |p| jar(p, "Agent-Class: @.Agent\t\n\n", &[entry(&agent(p))]))
        .refused(.., "agent-class-not-found");
    cases
        .add("nested, named with a dot", |p| {
            jar(p, "Agent-Class: @.Agent.Inner\n\n", &[entry(&agent_named(p, "Agent$Inner"))])
        })
        .refused(.., "agent-class-not-found");
    cases.add("nested, named with a dollar", |p| classes(&[agent_named(p, "Agent$Inner")]));
    cases.add("a space in the name", |p| classes(&[agent_named(p, "My Agent")]));
    cases.add("letters past ASCII in the name", |p| classes(&[agent_named(p, "Ägent")]));
    cases
        .add("another class at its entry", |p| {
            jar(p, "Agent-Class: @.agent\n\n", &[(format!("{p}/agent.class"), agent(p).bytes())])
        })
        .refused(.., "agent-class-wrong-name");
    cases
        .add("in a java package", |p| {
            let mut class = agent(p);
            class.name = format!("java/{p}/Agent");
            classes(&[class])
        })
        .refused(.., "agent-class-in-java-package");
    cases
        .add("in a package of a module", |p| {
            let mut class = agent(p);
            class.name = format!("sun/misc/{p}Agent");
            classes(&[class])
        })
        .refused(9.., "agent-class-in-jdk-package");
    cases
        .add("a class of the JDK", |p| jar(p, "Agent-Class: java.lang.String\n\n", &[]))
        .refused(.., "agent-class-in-java-package");
    cases
        .add("a name of 66,000 bytes", |p| jar(p, &format!("Agent-Class: @.{}\n\n", "x".repeat(66_000)), &[]))
        .refused(.., "agent-class-too-long");
    cases.add("not public", |p| {
        let mut class = agent(p);
        class.flags = 0x20;
        classes(&[class])
    });
    cases
        .add("a superclass that is nowhere", |p| {
            let mut class = agent(p);
            class.super_name = Some("gone/Base".into());
            classes(&[class])
        })
        .refused(.., "supertype-not-found");
    cases
        .add("an interface that is nowhere", |p| {
            let mut class = agent(p);
            class.interfaces.push("gone/Base".into());
            classes(&[class])
        })
        .refused(.., "supertype-not-found");

    let broken = |change: fn(&mut Vec<u8>)| {
        move |p: &str| {
            let (name, mut bytes) = entry(&agent(p));
            change(&mut bytes);
            jar(p, AGENT, &[(name, bytes)])
        }
    };
    cases.add("cut", broken(|class| class.truncate(class.len() - 1))).refused(.., "agent-class-malformed");
    cases.add("a byte too many", broken(|class| class.push(0))).refused(.., "agent-class-malformed");
    cases.add("empty", broken(Vec::clear)).refused(.., "agent-class-malformed");
    cases.add("no class", broken(|class| class[0] = b'x')).refused(.., "agent-class-malformed");
    cases.add("unknown constant", broken(|class| class[10] = 99)).refused(.., "agent-class-malformed");
}

fn agent_named(package: &str, name: &str) -> super::assembler::Class {
    let mut class = agent(package);
    class.name = format!("{package}/{name}");
    class
}
