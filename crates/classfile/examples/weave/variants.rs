//! What the corpus is woven with: one set of probes a variant. The methods called are those of
//! `xtask/src/corpus/WeaveProbe.java`.

use jgraft_classfile::weave::{
    Call, CallSites, CompileLimit, Condition, Event, Guard, NoFields, Operand, ParseError, Probes,
    StaticField, StaticMethod,
};
use jgraft_classfile::{Element, MethodDescriptor, MethodInfo};

use Operand::{
    Argument, ArgumentIndex, CallPc, EndTime, Exception, OwnException, ProbeId, Result as Returned,
    StartTime, This,
};

const PROBE: &str = "java/lang/WeaveProbe";

/// The names of all variants. `asis` weaves nothing: what the others are compared with.
pub(crate) const NAMES: [&str; 6] = ["asis", "plain", "calls", "arguments", "guarded", "conditions"];

/// The probes of a variant, one of which fits a method.
pub(crate) enum Variant {
    /// Nothing.
    AsIs,
    /// The same for every method.
    Same(Box<Probes<'static>>),
    /// By the kind of the first argument.
    Conditions(Vec<Conditional>),
}

impl Variant {
    /// What is woven into a method.
    pub(crate) fn probes(&self, method: &MethodInfo<'_>) -> Option<&Probes<'_>> {
        match self {
            Self::AsIs => None,
            Self::Same(probes) => Some(probes),
            Self::Conditions(all) => {
                let kind = first_argument(method);
                all.iter().find(|one| one.kind == kind).map(|one| &one.probes)
            }
        }
    }
}

/// Probes with conditions that ask about a first argument of a kind.
pub(crate) struct Conditional {
    kind: Kind,
    probes: Probes<'static>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    Boolean,
    Number,
    Reference,
}

fn first_argument(method: &MethodInfo<'_>) -> Kind {
    let Some(descriptor) = MethodDescriptor::parse(method.descriptor()) else { return Kind::None };
    match descriptor.parameters().next() {
        None => Kind::None,
        Some(first) if first.is_reference() => Kind::Reference,
        Some(first) if first.element == Element::Primitive(b'Z') => Kind::Boolean,
        Some(_) => Kind::Number,
    }
}

/// The variant of a name.
pub(crate) fn variant(name: &str) -> Result<Variant, Box<dyn std::error::Error>> {
    Ok(match name {
        "asis" => Variant::AsIs,
        "plain" => same(plain()),
        "calls" => same(Probes { call_sites: Some(sites()), ..plain() }),
        "arguments" => same(arguments()),
        "guarded" => same(guarded()),
        "conditions" => Variant::Conditions(conditions()?),
        _ => return Err(format!("{name}: one of {}", NAMES.join(", ")).into()),
    })
}

fn same(probes: Probes<'static>) -> Variant {
    Variant::Same(Box::new(probes))
}

fn method(name: &'static str) -> StaticMethod<'static> {
    StaticMethod::new(PROBE, name)
}

fn event(name: &'static str, operands: &[Operand]) -> Event<'static> {
    Event::of(Call::new(method(name), operands))
}

fn each_argument() -> Call<'static> {
    Call::for_each_argument(method("argument"), &[ProbeId, ArgumentIndex, Argument])
}

/// Entry, return and throw. Every method is woven, those too that will be too large to be compiled.
fn plain() -> Probes<'static> {
    Probes {
        clock: method("now"),
        entry: Some(event("enter", &[ProbeId])),
        exit: Some(event("exit", &[ProbeId, StartTime])),
        throw: Some(event("thrown", &[ProbeId, StartTime, Exception, OwnException])),
        call_sites: None,
        compile_limit: CompileLimit::Cross,
    }
}

/// Every call site.
fn sites() -> CallSites<'static> {
    CallSites {
        wanted: None,
        before: Some(event("before", &[ProbeId, CallPc])),
        after: Some(event("after", &[ProbeId, CallPc, StartTime])),
        throw: Some(event("threw", &[ProbeId, CallPc, StartTime, Exception])),
    }
}

/// Arguments at entry and again at return, with `this` and result.
fn arguments() -> Probes<'static> {
    let mut exit = event("result", &[ProbeId, This, Returned]);
    exit.calls.push(each_argument());
    Probes {
        entry: Some(Event::of(each_argument())),
        exit: Some(exit),
        throw: Some(event("exception", &[ProbeId, This, Exception])),
        ..plain()
    }
}

/// A flag before every event, a least cost before return and throw, arguments and results of call sites.
fn guarded() -> Probes<'static> {
    let guard = Guard { flag: Some(StaticField { class: PROBE, name: "on" }), ..Guard::default() };
    let timed = Guard { min_cost: Some(0), ..guard };
    let guarded = |guard, event: Event<'static>| Some(Event { guard, ..event });
    Probes {
        entry: guarded(guard, event("enter", &[ProbeId])),
        exit: guarded(timed, event("exit", &[ProbeId, StartTime, EndTime])),
        throw: guarded(timed, event("thrown", &[ProbeId, StartTime, EndTime, Exception])),
        call_sites: Some(CallSites {
            wanted: None,
            before: guarded(guard, Event::of(each_argument())),
            after: guarded(guard, event("result", &[ProbeId, This, Returned])),
            throw: guarded(guard, event("threw", &[ProbeId, CallPc, StartTime, Exception])),
        }),
        ..plain()
    }
}

/// Conditions on the first argument and the cost, with ways that meet before the calls; and on the cost of call sites.
fn conditions() -> Result<Vec<Conditional>, ParseError> {
    let kinds = [
        (Kind::None, None, "cost >= 0 || cost < -1ms"),
        (Kind::Boolean, Some("arg0 || !arg0"), "(arg0 || cost > 1ms) && cost >= 0"),
        (Kind::Number, Some("arg0 >= 0 || arg0 != -7"), "arg0 != 7 && cost >= 0"),
        (Kind::Reference, Some("arg0 != null"), "arg0 != null && cost >= 0"),
    ];
    let mut all = Vec::new();
    for (kind, at_entry, at_exit) in kinds {
        let mut exit = event("exit", &[ProbeId, StartTime, EndTime]);
        exit.calls.push(Call::new(method("result"), &[ProbeId, This, Returned]));
        let throw = event("thrown", &[ProbeId, StartTime, EndTime, Exception]);
        let mut after = event("after", &[ProbeId, CallPc, StartTime]);
        after.calls.push(Call::new(method("result"), &[ProbeId, This, Returned]));
        let plain = plain();
        let probes = Probes {
            entry: match at_entry {
                Some(text) => plain.entry.map(|event| on(text, event)).transpose()?,
                None => plain.entry,
            },
            exit: Some(on(at_exit, exit)?),
            throw: Some(on(at_exit, throw)?),
            call_sites: Some(CallSites {
                before: None,
                after: Some(on("cost > 1ms || cost >= 0", after)?),
                throw: sites()
                    .throw
                    .map(|event| on("!(cost < 0 && cost > -5) && cost != 7", event))
                    .transpose()?,
                ..sites()
            }),
            ..plain
        };
        all.push(Conditional { kind, probes });
    }
    Ok(all)
}

/// An event on a condition, which lives as long as the program: probes borrow it.
fn on(text: &str, event: Event<'static>) -> Result<Event<'static>, ParseError> {
    let condition: &'static Condition = Box::leak(Box::new(Condition::parse(text)?));
    Ok(Event { guard: Guard { condition: Some((condition, &NoFields)), ..event.guard }, ..event })
}
