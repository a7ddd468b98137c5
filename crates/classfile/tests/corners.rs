//! Corners of weaving that are read off the listing, or refused: each was wrong once.

mod assembler;

use assembler::{Class, PUBLIC, STATIC};
use jgraft_classfile::weave::{
    Call, CallSites, CompileLimit, Condition, Event, NoFields, Operand, Probes, StaticMethod, weave,
};
use jgraft_classfile::{ClassFile, Constant, ErrorKind, LeftAlone, MemberRef, list_method};

fn event(name: &'static str, operands: &[Operand]) -> Event<'static> {
    Event::of(Call::new(StaticMethod::new("java/lang/Probe", name), operands))
}

/// Weaves the first method; its listing, or why not.
fn woven(bytes: &[u8], probes: &Probes<'_>) -> Result<String, LeftAlone> {
    let class = ClassFile::parse(bytes).unwrap();
    let mut woven = weave(&class, |_| Some((probes, 1))).unwrap();
    if let Some((_, reason)) = woven.left_alone.pop() {
        return Err(reason);
    }
    let bytes = woven.class.unwrap();
    let class = ClassFile::parse(&bytes).unwrap();
    let method = class.methods().next().unwrap().unwrap();
    Ok(list_method(&class, &method).unwrap())
}

fn empty() -> Vec<u8> {
    Class::new("x/Y").method(PUBLIC | STATIC, "m", "(I)V", &[0xb1]).bytes()
}

#[test]
fn an_operand_is_not_left_out_in_silence() {
    for (probes, missing) in [
        (Probes { entry: Some(event("e", &[Operand::Result])), ..Probes::default() }, Operand::Result),
        (Probes { exit: Some(event("e", &[Operand::Exception])), ..Probes::default() }, Operand::Exception),
        (Probes { exit: Some(event("e", &[Operand::Argument])), ..Probes::default() }, Operand::Argument),
        (Probes { throw: Some(event("e", &[Operand::CallPc])), ..Probes::default() }, Operand::CallPc),
    ] {
        assert_eq!(woven(&empty(), &probes), Err(LeftAlone::OperandNotThere(missing)));
    }
    let before = CallSites { before: Some(event("b", &[Operand::StartTime])), ..CallSites::default() };
    let probes = Probes { call_sites: Some(before), ..Probes::default() };
    assert_eq!(woven(&empty(), &probes), Err(LeftAlone::OperandNotThere(Operand::StartTime)));
}

#[test]
fn text_is_not_compared_from_within_string() {
    let condition = Condition::parse("arg0 == \"x\"").unwrap();
    let mut exit = event("e", &[Operand::ProbeId]);
    exit.guard.condition = Some((&condition, &NoFields));
    let probes = Probes { exit: Some(exit), ..Probes::default() };
    let class =
        |name: &str| Class::new(name).method(PUBLIC | STATIC, "m", "(Ljava/lang/String;)V", &[0xb1]).bytes();
    assert!(woven(&class("x/Y"), &probes).is_ok());
    let refused = woven(&class("java/lang/StringLatin1"), &probes);
    assert!(matches!(refused, Err(LeftAlone::ConditionDoesNotFit(_))), "{refused:?}");
}

#[test]
fn which_calls_are_wanted_can_be_asked_of_the_caller() {
    let name = "wanted".to_owned();
    let wanted = |called: &MemberRef<'_>| called.name == name.as_str();
    let sites = CallSites {
        wanted: Some(&wanted),
        before: Some(event("b", &[Operand::CallPc])),
        ..CallSites::default()
    };
    let probes = Probes { call_sites: Some(sites), ..Probes::default() };
    // No call at all: woven, and nothing put in.
    assert!(woven(&empty(), &probes).unwrap().contains("0: return"));
}

#[test]
fn a_snippet_may_not_outgrow_its_jumps() {
    let each = Call::for_each_argument(StaticMethod::new("java/lang/Probe", "a"), &[Operand::Argument]);
    let mut exit = Event { calls: vec![each; 40], ..Event::default() };
    exit.guard.min_cost = Some(1);
    let probes = Probes { exit: Some(exit), compile_limit: CompileLimit::Cross, ..Probes::default() };
    let descriptor = format!("({})V", "I".repeat(250));
    let bytes = Class::new("x/Y").method(PUBLIC | STATIC, "m", &descriptor, &[0xb1]).bytes();
    let refused = woven(&bytes, &probes);
    // The assembled method has too few locals for its parameters: said first, and as good.
    assert!(matches!(refused, Err(LeftAlone::CodeTooLarge(_) | LeftAlone::NotTypeSafe(_))), "{refused:?}");
    let wide =
        Class::new("x/Y").method(PUBLIC | STATIC, "m", &format!("({})V", "I".repeat(256)), &[0xb1]).bytes();
    assert!(matches!(woven(&wide, &probes), Err(LeftAlone::Malformed(_))), "256 slots of parameters");
}

#[test]
fn an_instruction_that_the_code_ends_in_is_the_one_that_is_named() {
    let probes = Probes { entry: Some(event("e", &[])), ..Probes::default() };
    // invokeinterface, without the last two bytes of its operands; what stands there instead looks like a return.
    let cut = Class::new("x/Y").method(PUBLIC | STATIC, "m", "()V", &[0x00, 0xb9, 0x00, 0xb1]).bytes();
    match woven(&cut, &probes) {
        Err(LeftAlone::Malformed(error)) => assert_eq!(error.kind(), ErrorKind::Instruction(0xb9)),
        other => panic!("{other:?}"),
    }
}

/// What a JVM keeps of a woven class is for as long as the class lives.
#[test]
fn a_constant_of_many_events_is_one() {
    let guarded = |name| {
        let mut event = event(name, &[Operand::ProbeId, Operand::StartTime]);
        event.guard.min_cost = Some(1_000_000);
        Some(event)
    };
    let entry = Some(event("in", &[Operand::ProbeId]));
    let probes = Probes { entry, exit: guarded("out"), throw: guarded("up"), ..Probes::default() };
    let mut class = Class::new("x/Y");
    for name in ["a", "b", "c"] {
        class = class.method(PUBLIC | STATIC, name, "()V", &[0xb1]);
    }
    let bytes = class.bytes();
    let class = ClassFile::parse(&bytes).unwrap();
    let mut id = 100_000;
    let woven = weave(&class, |_| {
        id += 1;
        Some((&probes, id))
    })
    .unwrap();
    let bytes = woven.class.unwrap();
    let woven = ClassFile::parse(&bytes).unwrap();
    let pool = woven.constant_pool();
    let constants: Vec<_> = (1..pool.count()).filter_map(|index| pool.constant(index).ok()).collect();
    let ids = constants.iter().filter(|one| matches!(one, Constant::Integer(_)));
    // The assembler puts a long of 1 into every class.
    let costs = constants.iter().filter(|one| matches!(one, Constant::Long(1_000_000)));
    assert_eq!((ids.count(), costs.count()), (3, 1));
}
