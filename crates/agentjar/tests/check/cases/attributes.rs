//! What the attributes say: which class, and what for.

use super::pack::{entry, jar};
use super::{Cases, agent};

pub(super) fn add(cases: &mut Cases) {
    let of = |manifest: &'static str| move |p: &str| jar(p, manifest, &[entry(&agent(p))]);
    cases.add("Premain-Class only", of("Premain-Class: @.Agent\n\n")).refused(.., "premain-only");
    cases
        .add("Launcher-Agent-Class only", of("Launcher-Agent-Class: @.Agent\n\n"))
        .refused(.., "launcher-agent-only");
    cases.add("neither", of("Main-Class: @.Agent\n\n")).refused(.., "agent-class-missing");
    cases.add("an empty one first", of("Agent-Class: \nAgent-Class: @.Agent\n\n")).warns("agent-class-twice");
    cases
        .add("twice, the first is good", of("Agent-Class: @.Agent\nAgent-Class: @.Other\n\n"))
        .warns("agent-class-twice");
    cases
        .add("twice, the second is good", of("Agent-Class: @.Other\nAgent-Class: @.Agent\n\n"))
        .refused(.., "agent-class-not-found");
    for (name, manifest, method, code) in [
        (
            "no Can-Retransform",
            "Agent-Class: @.Agent\n\n",
            "retransformClasses",
            "can-retransform-classes-missing",
        ),
        ("no Can-Redefine", "Agent-Class: @.Agent\n\n", "redefineClasses", "can-redefine-classes-missing"),
        (
            "Can-Retransform: yes",
            "Agent-Class: @.Agent\nCan-Retransform-Classes: yes\n\n",
            "retransformClasses",
            "can-retransform-classes-missing",
        ),
    ] {
        cases.add(name, calling(manifest, method)).warns(code);
    }
    cases.add(
        "Can-Retransform: TRUE",
        calling("Agent-Class: @.Agent\nCan-Retransform-Classes: TRUE\n\n", "retransformClasses"),
    );
}

/// A jar with a second class that calls a method of Instrumentation.
fn calling(manifest: &'static str, method: &'static str) -> impl FnOnce(&str) -> Vec<u8> {
    move |p| {
        let mut caller = agent(p);
        caller.name = format!("{p}/Caller");
        let class = "java/lang/instrument/Instrumentation".to_owned();
        caller.interface_method_refs.push((class, method.to_owned(), "()V".into()));
        jar(p, manifest, &[entry(&agent(p)), entry(&caller)])
    }
}
