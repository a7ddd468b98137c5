//! The vocabulary of weaving, all of it, in four sets of probes.

use jgraft_classfile::weave::{
    Call, CallSites, CompileLimit, Condition, Event, NoFields, Operand, Probes, StaticField, StaticMethod,
};

/// The vocabulary: plain; with arguments; around calls; all of it guarded and under a condition.
pub(crate) fn ways() -> [Probes<'static>; 4] {
    use Operand::{
        Argument, ArgumentIndex, Arguments, CallPc, EndTime, Exception, ProbeId, Result, StartTime, This,
    };
    let method = |name| StaticMethod::new("java/lang/Probe", name);
    let event = |name, operands: &[Operand]| Some(Event::of(Call::new(method(name), operands)));
    let plain = Probes {
        entry: event("entry", &[ProbeId]),
        exit: event("exit", &[ProbeId, StartTime]),
        throw: event("throw", &[ProbeId, StartTime, Exception]),
        compile_limit: CompileLimit::Cross,
        ..Probes::default()
    };
    let each = Call::for_each_argument(method("argument"), &[ProbeId, ArgumentIndex, Argument]);
    let arguments = Probes {
        entry: Some(Event::of(each.clone())),
        exit: event("exit", &[ProbeId, This, Arguments, Result]),
        throw: event("throw", &[This, Exception, EndTime]),
        ..plain.clone()
    };
    let sites = CallSites {
        wanted: None,
        before: Some(Event::of(each)),
        after: event("after", &[CallPc, StartTime, Result]),
        throw: event("threw", &[CallPc, This, Exception]),
    };
    let calls = Probes { call_sites: Some(sites), ..plain.clone() };
    let mut guarded = Probes { call_sites: calls.call_sites.clone(), ..arguments.clone() };
    let mut around_calls = guarded.call_sites.as_mut();
    if let Some(after) = around_calls.as_mut().and_then(|sites| sites.after.as_mut()) {
        // What was put away before the call is wanted behind the condition's jumps.
        after.calls[0].operands.extend([This, Arguments]);
    }
    let (after, threw) =
        around_calls.map_or((None, None), |sites| (sites.after.as_mut(), sites.throw.as_mut()));
    let ends = [guarded.exit.as_mut(), guarded.throw.as_mut(), after, threw];
    for event in ends.into_iter().flatten() {
        event.guard.min_cost = Some(1_000_000);
        event.guard.condition = Some((condition(), &NoFields));
    }
    let sites = guarded.call_sites.as_mut().into_iter();
    let around = sites.flat_map(|sites| [&mut sites.before, &mut sites.after, &mut sites.throw]);
    for event in around.chain([&mut guarded.entry]).flatten() {
        event.guard.flag = Some(StaticField { class: "java/lang/Probe", name: "on" });
    }
    [plain, arguments, calls, guarded]
}

fn condition() -> &'static Condition {
    static CONDITION: std::sync::OnceLock<Condition> = std::sync::OnceLock::new();
    CONDITION
        .get_or_init(|| Condition::parse("(cost > 1ms || cost < 9) && !(cost == 7 || cost < 3.5)").unwrap())
}
