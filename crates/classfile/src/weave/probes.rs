//! What can be woven in, as values: which static methods are called where, with what, and on which condition.

use crate::weave::condition::{Condition, Fields};

/// A static method to call, by the internal name of its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaticMethod<'p> {
    /// Such as `java/lang/System`.
    pub class: &'p str,
    /// Such as `nanoTime`.
    pub name: &'p str,
}

impl<'p> StaticMethod<'p> {
    /// A method of a class in internal form.
    pub const fn new(class: &'p str, name: &'p str) -> Self {
        Self { class, name }
    }
}

/// A static field of type boolean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaticField<'p> {
    /// Internal name of its class.
    pub class: &'p str,
    /// Its name.
    pub name: &'p str,
}

/// What a call hands over. The method's descriptor follows from the operands: references are `Object` (an
/// exception `Throwable`), primitive values what they are, the result is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// The probe's id: int.
    ProbeId,
    /// When the method was entered, or the call begun: long, of the clock.
    StartTime,
    /// Now, as the guard has read it if it has: long, of the clock.
    EndTime,
    /// The object that the method is called on; null in a static one. In a constructor it exists behind super() or
    /// this() only: an entry that wants it is put there. Around a call: the receiver, null for a static call and for a
    /// constructor.
    This,
    /// All arguments, each with its own type, as they were when the method was entered or the call begun.
    Arguments,
    /// In a call that is repeated for each argument: that argument.
    Argument,
    /// In a call that is repeated for each argument: its number, from 0: int.
    ArgumentIndex,
    /// What is returned; left out where that is void.
    Result,
    /// What is thrown.
    Exception,
    /// What an athrow of the method itself has thrown last, or null: `Throwable`. Where it is the exception that leaves the
    /// method, that is the method's own, also if a finally or synchronized block has thrown it again in between; what the
    /// JVM throws by itself, such as a NullPointerException, is not among it. Only where an exception leaves.
    OwnException,
    /// Around a call: the pc of its instruction in the original code: int.
    CallPc,
}

/// How often a call is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeat {
    /// Once.
    #[default]
    Once,
    /// Once for each argument.
    EachArgument,
}

/// One call of a static method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'p> {
    /// What is called. It must not throw.
    pub method: StaticMethod<'p>,
    /// What it is given.
    pub operands: Vec<Operand>,
    /// How often.
    pub repeat: Repeat,
}

impl<'p> Call<'p> {
    /// A call that is made once.
    pub fn new(method: StaticMethod<'p>, operands: &[Operand]) -> Self {
        Self { method, operands: operands.to_vec(), repeat: Repeat::Once }
    }

    /// A call that is made for each argument.
    pub fn for_each_argument(method: StaticMethod<'p>, operands: &[Operand]) -> Self {
        Self { method, operands: operands.to_vec(), repeat: Repeat::EachArgument }
    }
}

/// What has to hold for an event to be made. All that is given has to.
#[derive(Clone, Copy, Default)]
pub struct Guard<'p> {
    /// A static field that is true.
    pub flag: Option<StaticField<'p>>,
    /// So much time has passed since the start, in units of the clock. Not for an entry.
    pub min_cost: Option<i64>,
    /// A condition, with what is known of the fields that it names.
    pub condition: Option<(&'p Condition, &'p dyn Fields)>,
}

impl std::fmt::Debug for Guard<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let condition = self.condition.map(|(condition, _)| condition);
        let mut guard = f.debug_struct("Guard");
        guard
            .field("flag", &self.flag)
            .field("min_cost", &self.min_cost)
            .field("condition", &condition)
            .finish()
    }
}

/// Calls that are made together.
#[derive(Clone, Debug, Default)]
pub struct Event<'p> {
    /// In order.
    pub calls: Vec<Call<'p>>,
    /// When.
    pub guard: Guard<'p>,
}

impl<'p> Event<'p> {
    /// One call, always made.
    pub fn of(call: Call<'p>) -> Self {
        Self { calls: vec![call], guard: Guard::default() }
    }
}

/// Events around the calls that a method makes.
#[derive(Clone, Default)]
pub struct CallSites<'p> {
    /// Which calls: their method in class-file terms, constructors among them, invokedynamic not.
    pub wanted: Option<&'p dyn Fn(&crate::MemberRef<'_>) -> bool>,
    /// Before the call.
    pub before: Option<Event<'p>>,
    /// When it has returned.
    pub after: Option<Event<'p>>,
    /// When it has thrown. Not around super() and this(), where the JVM allows no handler.
    pub throw: Option<Event<'p>>,
}

impl std::fmt::Debug for CallSites<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut sites = f.debug_struct("CallSites");
        sites.field("before", &self.before).field("after", &self.after).field("throw", &self.throw);
        sites.finish_non_exhaustive()
    }
}

/// What happens to a method that is small enough to be compiled and would be too large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompileLimit {
    /// It is left alone: interpreted, it would be ten times as slow.
    #[default]
    Keep,
    /// It is woven.
    Cross,
}

/// What is woven into a method.
#[derive(Clone, Debug)]
pub struct Probes<'p> {
    /// The clock: a static method without parameters that returns long.
    pub clock: StaticMethod<'p>,
    /// When the method is entered.
    pub entry: Option<Event<'p>>,
    /// Before it returns.
    pub exit: Option<Event<'p>>,
    /// Before an exception leaves it: one of its own or one that passes through. In a constructor not before super() or
    /// this() has returned, where a JVM allows no handler; and, where the event wants `this`, not where a frame of the
    /// class has dropped it.
    pub throw: Option<Event<'p>>,
    /// Around the calls that it makes.
    pub call_sites: Option<CallSites<'p>>,
    /// See there.
    pub compile_limit: CompileLimit,
}

impl Default for Probes<'_> {
    fn default() -> Self {
        Self {
            clock: StaticMethod::new("java/lang/System", "nanoTime"),
            entry: None,
            exit: None,
            throw: None,
            call_sites: None,
            compile_limit: CompileLimit::Keep,
        }
    }
}
