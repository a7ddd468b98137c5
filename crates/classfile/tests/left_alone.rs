//! Every reason for leaving a method alone, provoked; and what stands just this side of it is woven.

#[path = "assembler/text.rs"]
mod assembler;

use assembler::assemble;
use jgraft_classfile::weave::{
    Call, CallSites, CompileLimit, Condition, Event, Guard, NoFields, Operand, Probes, StaticField,
    StaticMethod, weave,
};
use jgraft_classfile::{ClassFile, LeftAlone};

use Operand::{Argument, Arguments, EndTime, Exception, ProbeId, Result as Returned, StartTime, This};

fn event(name: &'static str, operands: &[Operand]) -> Option<Event<'static>> {
    Some(Event::of(Call::new(StaticMethod::new("probe/Probe", name), operands)))
}

/// Entry, return and throw, with times.
fn plain() -> Probes<'static> {
    Probes {
        entry: event("enter", &[ProbeId]),
        exit: event("exit", &[ProbeId, StartTime, EndTime, Returned]),
        throw: event("thrown", &[ProbeId, StartTime, EndTime, Exception]),
        ..Probes::default()
    }
}

fn guarded() -> Probes<'static> {
    let mut probes = plain();
    let flag = Some(StaticField { class: "probe/Probe", name: "on" });
    for event in [&mut probes.entry, &mut probes.exit, &mut probes.throw].into_iter().flatten() {
        event.guard = Guard { flag, ..Guard::default() };
    }
    probes
}

/// What becomes of the first method of a class written out.
#[track_caller]
fn woven(text: &str, probes: &Probes<'_>) -> Result<(), LeftAlone> {
    let classes = assemble(text).unwrap();
    let class = ClassFile::parse(&classes[0].1).unwrap();
    let mut first = true;
    let woven = weave(&class, |_| std::mem::take(&mut first).then_some((probes, 1))).unwrap();
    match woven.left_alone.into_iter().next() {
        Some((0, reason)) => {
            assert!(woven.class.is_none(), "left alone, and a class all the same");
            assert!(!reason.to_string().is_empty());
            Err(reason)
        }
        _ => {
            let bytes = woven.class.unwrap();
            ClassFile::parse(&bytes).unwrap().check_structure().unwrap();
            Ok(())
        }
    }
}

/// A class with one method that has this code.
fn method(header: &str, code: &str) -> String {
    format!("class a/A 52\nmethod {header}\n{code}\nend\n")
}

fn nops(count: usize) -> String {
    method("static f ()V stack 0 locals 0", &format!("repeat {count}\nnop\nend repeat\nreturn"))
}

#[test]
fn no_code() {
    for flag in ["native", "abstract"] {
        assert_eq!(woven(&format!("class a/A 52\nmethod {flag} f ()V\n"), &plain()), Err(LeftAlone::NoCode));
    }
}

#[test]
fn the_constructor_of_object() {
    let code = "method <init> ()V stack 0 locals 1\nreturn\nend\n";
    let result = woven(&format!("class java/lang/Object 52\n{code}"), &plain());
    assert_eq!(result, Err(LeftAlone::ObjectConstructor));
}

#[test]
fn an_empty_finalizer_and_one_that_is_not() {
    let result = woven(&method("finalize ()V stack 1 locals 1", "return"), &plain());
    assert_eq!(result, Err(LeftAlone::EmptyFinalizer));
    woven(&method("finalize ()V stack 1 locals 1", "nop\nreturn"), &plain()).unwrap();
    woven(&method("static finalize (I)V stack 1 locals 1", "return"), &plain()).unwrap();
}

#[test]
fn subroutines() {
    let subroutine = "astore_0\nret 0";
    for call in ["jsr", "jsr_w"] {
        let code = format!("{call} twice\nreturn\ntwice:\n{subroutine}");
        let text = method("static f ()V stack 1 locals 1", &code).replace(" 52", " 48");
        assert_eq!(woven(&text, &plain()), Err(LeftAlone::Subroutines));
    }
    let text = method("static f ()V stack 1 locals 1", "return\nwide ret 0").replace(" 52", " 48");
    assert_eq!(woven(&text, &plain()), Err(LeftAlone::Subroutines));
}

#[test]
fn more_code_than_a_method_can_have() {
    let probes =
        Probes { compile_limit: CompileLimit::Cross, entry: event("enter", &[ProbeId]), ..Probes::default() };
    // iconst_1 and invokestatic: 4 bytes.
    woven(&nops(65_530), &probes).unwrap();
    assert_eq!(woven(&nops(65_531), &probes), Err(LeftAlone::CodeTooLarge(65_536)));
    assert_eq!(woven(&nops(65_534), &probes), Err(LeftAlone::CodeTooLarge(65_539)));
}

#[test]
fn the_compile_limit() {
    let mut probes = Probes { entry: event("enter", &[ProbeId]), ..Probes::default() };
    woven(&nops(7_995), &probes).unwrap();
    let expected = Err(LeftAlone::TooLargeToCompile { before: 7_997, after: 8_001 });
    assert_eq!(woven(&nops(7_996), &probes), expected);
    // Never compiled anyway: nothing is lost.
    woven(&nops(8_000), &probes).unwrap();
    probes.compile_limit = CompileLimit::Cross;
    woven(&nops(7_996), &probes).unwrap();
}

#[test]
fn a_full_constant_pool() {
    let fields = |count: usize| {
        let mut text = method("static f ()V stack 0 locals 0", "return");
        // One name and one type, a field needs no entry of its own; so each gets a name.
        (0..count).for_each(|n| text.push_str(&format!("field static f{n} I\n")));
        text
    };
    woven(&fields(65_000), &plain()).unwrap();
    assert_eq!(woven(&fields(65_520), &plain()), Err(LeftAlone::ConstantPoolFull));
}

#[test]
fn a_full_frame() {
    for (stack, locals) in [(65_534, 0), (65_535, 0), (0, 65_535), (0, 65_534), (0, 65_530)] {
        let header = format!("static f ()I stack {stack} locals {locals}");
        for probes in [plain(), guarded()] {
            let result = woven(&method(&header, "iconst_0\nireturn"), &probes);
            assert_eq!(result, Err(LeftAlone::FrameTooLarge), "{header}");
        }
        let calls =
            CallSites { after: event("after", &[ProbeId, StartTime, Returned]), ..CallSites::default() };
        let probes = Probes { call_sites: Some(calls), ..Probes::default() };
        let result = woven(&method(&header, "invokestatic a/A.f()I\nireturn"), &probes);
        assert_eq!(result, Err(LeftAlone::FrameTooLarge), "{header}");
    }
    woven(&method("static f ()I stack 65000 locals 65000", "iconst_0\nireturn"), &guarded()).unwrap();
}

#[test]
fn more_arguments_than_a_call_takes() {
    let all = Probes { entry: event("enter", &[ProbeId, Arguments]), ..Probes::default() };
    let with = |count: usize| {
        let parameters = "J".repeat(count);
        method(&format!("static f ({parameters})V stack 0 locals {}", 2 * count), "return")
    };
    woven(&with(127), &all).unwrap();
    let full = Probes { entry: event("enter", &[ProbeId, This, Arguments]), ..Probes::default() };
    assert_eq!(woven(&with(127), &full), Err(LeftAlone::TooManyArguments));
    let each = Call::for_each_argument(StaticMethod::new("probe/Probe", "argument"), &[ProbeId, Argument]);
    woven(&with(127), &Probes { entry: Some(Event::of(each)), ..Probes::default() }).unwrap();
}

#[test]
fn a_full_exception_table() {
    let rows = |count: usize| {
        let catches = "catch from to handler any\n".repeat(count);
        let code =
            format!("from:\nnop\nto:\nreturn\nhandler:\nframe same1 java/lang/Throwable\nathrow\n{catches}");
        method("static f ()V stack 1 locals 0", &code)
    };
    let probes = Probes { compile_limit: CompileLimit::Cross, ..plain() };
    // One of ours is for the method, up to its return, and one for the handler.
    woven(&rows(65_533), &probes).unwrap();
    assert_eq!(woven(&rows(65_535), &probes), Err(LeftAlone::ExceptionTableFull));
}

#[test]
fn what_a_verifier_refuses() {
    let probes = guarded();
    for (header, code) in [
        ("static f ()I stack 1 locals 0", "pop\niconst_0\nireturn"),
        ("static f (J)I stack 2 locals 1", "iconst_0\nireturn"),
        ("static f ()I stack 2 locals 1", "iload_0\nifeq a\niconst_0\nireturn\na:\niconst_1\nireturn"),
    ] {
        let result = woven(&method(header, code), &probes);
        assert!(matches!(&result, Err(LeftAlone::NotTypeSafe(why)) if !why.is_empty()), "{code}: {result:?}");
    }
}

#[test]
fn a_constructor_that_drops_this() {
    let code = "aload_0\ninvokespecial java/lang/Object.<init>()V\naconst_null\nastore_0\nreturn";
    let text = method("<init> ()V stack 1 locals 1", code);
    woven(&text, &plain()).unwrap();
    let exit = Probes { exit: event("exit", &[ProbeId, This]), ..Probes::default() };
    assert_eq!(woven(&text, &exit), Err(LeftAlone::ThisNotAvailable));
    // Behind super() it is still there.
    woven(&text, &Probes { entry: event("enter", &[ProbeId, This]), ..Probes::default() }).unwrap();
    let early = "aload_0\naconst_null\nastore_0\ninvokespecial java/lang/Object.<init>()V\nreturn";
    let early = method("<init> ()V stack 2 locals 1", early);
    let entry = Probes { entry: event("enter", &[ProbeId, This]), ..Probes::default() };
    assert_eq!(woven(&early, &entry), Err(LeftAlone::ThisNotAvailable));
}

#[test]
fn what_is_broken() {
    let broken = |code: &str| woven(&method("static f ()V stack 1 locals 0", code), &plain());
    for code in ["goto on\non:", "return\ncode_attribute StackMapTable 000180"] {
        let result = broken(code);
        assert!(
            matches!(result, Err(LeftAlone::Malformed(_) | LeftAlone::NotTypeSafe(_))),
            "{code}: {result:?}"
        );
    }
    let result = broken("return\ncode_attribute LineNumberTable 0001");
    assert!(matches!(result, Err(LeftAlone::Malformed(_))), "{result:?}");
}

#[test]
fn a_condition_that_does_not_fit() {
    let condition = Condition::parse("arg1 > 3").unwrap();
    let mut probes = plain();
    if let Some(exit) = &mut probes.exit {
        exit.guard.condition = Some((&condition, &NoFields));
    }
    let result = woven(&method("static f (I)V stack 0 locals 1", "return"), &probes);
    assert_eq!(result, Err(LeftAlone::ConditionDoesNotFit("there is no arg1".into())));
    woven(&method("static f (II)V stack 0 locals 2", "return"), &probes).unwrap();
}
