//! agentmain in every shape.

use super::assembler::{Class, Method, PUBLIC, STATIC};
use super::pack::classes;
use super::{Cases, ONE, RETURN, TWO, agent};

const PRIVATE: u16 = 0x0002;
const PROTECTED: u16 = 0x0004;
const ABSTRACT: u16 = 0x0400;
const INTERFACE: u16 = 0x0200;

pub(super) fn add(cases: &mut Cases) {
    let with = |flags: u16, descriptor: &'static str| {
        move |p: &str| classes(&[class(p).method(flags, "agentmain", descriptor, &[RETURN])])
    };
    cases.add("two arguments", with(PUBLIC | STATIC, TWO));
    cases.add("one argument", with(PUBLIC | STATIC, ONE));
    cases.add("both", |p| classes(&[agent(p).method(PUBLIC | STATIC, "agentmain", ONE, &[RETURN])]));
    cases.add("no method", |p| classes(&[class(p)])).refused(.., "agentmain-missing");
    cases
        .add("premain only", |p| classes(&[class(p).method(PUBLIC | STATIC, "premain", TWO, &[RETURN])]))
        .refused(.., "agentmain-missing");
    cases
        .add("agentMain", |p| classes(&[class(p).method(PUBLIC | STATIC, "agentMain", TWO, &[RETURN])]))
        .refused(.., "agentmain-missing");

    for (name, flags) in [("private", PRIVATE), ("package-private", 0), ("protected", PROTECTED)] {
        cases.add(name, with(flags | STATIC, TWO)).refused(17.., "agentmain-not-public");
    }
    cases.add("private, one argument", with(PRIVATE | STATIC, ONE)).refused(17.., "agentmain-not-public");
    cases
        .add("private with two arguments, public with one", |p| {
            let private = class(p).method(PRIVATE | STATIC, "agentmain", TWO, &[RETURN]);
            classes(&[private.method(PUBLIC | STATIC, "agentmain", ONE, &[RETURN])])
        })
        .refused(17.., "agentmain-not-public");
    cases.add("not static", with(PUBLIC, TWO)).refused(.., "agentmain-not-static");
    cases
        .add("not static with two arguments, static with one", |p| {
            let instance = class(p).method(PUBLIC, "agentmain", TWO, &[RETURN]);
            classes(&[instance.method(PUBLIC | STATIC, "agentmain", ONE, &[RETURN])])
        })
        .refused(.., "agentmain-not-static");
    cases
        .add("neither static nor public", with(PRIVATE, TWO))
        .refused(..17, "agentmain-not-static")
        .refused(17.., "agentmain-not-public");

    for (name, descriptor) in [
        ("arguments swapped", "(Ljava/lang/instrument/Instrumentation;Ljava/lang/String;)V"),
        ("no arguments", "()V"),
        ("an array", "([Ljava/lang/String;)V"),
        ("an Object", "(Ljava/lang/Object;Ljava/lang/instrument/Instrumentation;)V"),
        ("three arguments", "(Ljava/lang/String;Ljava/lang/instrument/Instrumentation;I)V"),
    ] {
        cases.add(name, with(PUBLIC | STATIC, descriptor)).refused(.., "agentmain-wrong-signature");
    }
    let code = [0x03, 0xac]; // iconst_0, ireturn
    cases
        .add("returns an int", move |p| {
            let descriptor = TWO.replace('V', "I");
            classes(&[class(p).method(PUBLIC | STATIC, "agentmain", &descriptor, &code)])
        })
        .warns("agentmain-returns-a-value");
    let code = [0x01, 0xb0]; // aconst_null, areturn
    cases
        .add("returns an object, one argument", move |p| {
            let descriptor = "(Ljava/lang/String;)Ljava/lang/Object;";
            classes(&[class(p).method(PUBLIC | STATIC, "agentmain", descriptor, &code)])
        })
        .warns("agentmain-returns-a-value");

    inherited(cases);
    let interface = |p: &str| {
        let mut class = agent(p);
        class.flags = PUBLIC | INTERFACE | ABSTRACT;
        classes(&[class])
    };
    cases.add("declared in an interface", interface);
    cases
        .add("static in a superinterface", |p| {
            let mut base = base(p, PUBLIC | STATIC, TWO);
            base.flags = PUBLIC | INTERFACE | ABSTRACT;
            let mut agent = class(p);
            agent.interfaces.push(base.name.clone());
            classes(&[agent, base])
        })
        .refused(.., "agentmain-missing");
    cases
        .add("a type that is nowhere in another method", |p| {
            classes(&[agent(p).method(PUBLIC, "other", "(I[[LGone;J)V", &[RETURN])])
        })
        .refused(.., "method-type-not-found");
}

fn inherited(cases: &mut Cases) {
    let from = |flags: u16, descriptor: &'static str| {
        move |p: &str| classes(&[below_base(p), base(p, flags, descriptor)])
    };
    cases.add("inherited", from(PUBLIC | STATIC, TWO)).refused(17.., "agentmain-inherited");
    cases.add("inherited, one argument", from(PUBLIC | STATIC, ONE)).refused(17.., "agentmain-inherited");
    cases
        .add("inherited from a class that is not public", |p| {
            let mut base = base(p, PUBLIC | STATIC, TWO);
            base.flags = 0x20;
            classes(&[below_base(p), base])
        })
        .refused(17.., "agentmain-inherited");
    cases
        .add("inherited over two classes", |p| {
            let mut middle = Class::new(&format!("{p}/Middle"));
            middle.super_name = Some(format!("{p}/Base"));
            let mut agent = class(p);
            agent.super_name = Some(middle.name.clone());
            classes(&[agent, middle, base(p, PUBLIC | STATIC, TWO)])
        })
        .refused(17.., "agentmain-inherited");
    cases.add("inherited and protected", from(PROTECTED | STATIC, TWO)).refused(.., "agentmain-missing");
    cases
        .add("inherited and not static", from(PUBLIC, TWO))
        .refused(..17, "agentmain-not-static")
        .refused(17.., "agentmain-inherited");
    cases.add("declared with one argument, inherited with two", |p| {
        let agent = below_base(p).method(PUBLIC | STATIC, "agentmain", ONE, &[RETURN]);
        classes(&[agent, base(p, PUBLIC | STATIC, TWO)])
    });
}

fn class(package: &str) -> Class {
    Class::new(&format!("{package}/Agent"))
}

fn below_base(package: &str) -> Class {
    let mut class = class(package);
    class.super_name = Some(format!("{package}/Base"));
    class
}

fn base(package: &str, flags: u16, descriptor: &str) -> Class {
    let mut class = Class::new(&format!("{package}/Base"));
    class.methods.push(Method {
        flags,
        name: "agentmain".into(),
        descriptor: descriptor.into(),
        code: vec![RETURN],
    });
    class
}
