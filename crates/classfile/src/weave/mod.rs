//! Weaving: calls of static methods put into other methods, at entry, return, throw and around calls.
//!
//! A woven class differs from its original by what was asked for: the constant pool is appended to, methods that are not
//! woven are copied. Two things show that are not asked for: local variables have other numbers, which is what the text of
//! a NullPointerException calls them in a class without debug information (`"<local4>"`), and an argument of a call that
//! was handed to a probe is a local variable to that text. What is called has to be visible from the class: a class in `java.…` of the boot
//! loader is visible from all.
//!
//! ```no_run
//! use jgraft_classfile::weave::{Call, Event, Operand, Probes, StaticMethod, weave};
//! # fn main() -> Result<(), jgraft_classfile::Error> {
//! # let bytes = Vec::new();
//! let class = jgraft_classfile::ClassFile::parse(&bytes)?;
//! let exit = Call::new(StaticMethod::new("java/lang/Probe", "exit"), &[Operand::ProbeId, Operand::StartTime]);
//! let probes = Probes { exit: Some(Event::of(exit)), ..Probes::default() };
//! let woven = weave(&class, |method| (method.name() == "place").then_some((&probes, 7)))?;
//! if let Some(bytes) = woven.class {
//!     println!("{} methods woven, {} bytes", woven.methods.len(), bytes.len());
//! }
//! # Ok(()) }
//! ```

mod call_sites;
mod condition;
mod constructor;
mod event;
mod method;
mod probes;

pub use condition::{
    Comparison, Condition, FieldFacts, Fields, Literal, NoFields, ParseError, Subject, Value,
};
pub use probes::{
    Call, CallSites, CompileLimit, Event, Guard, Operand, Probes, Repeat, StaticField, StaticMethod,
};

use crate::class_file::ClassFile;
use crate::error::Error;
use crate::left_alone::LeftAlone;
use crate::method_info::MethodInfo;
use crate::rewrite::{ClassCopy, CodeEdit, Scan, Scratch};
use event::Needs;
use method::MethodWeaver;

/// What weaving a class came to.
#[derive(Clone, Debug)]
pub struct Woven {
    /// The class file; none where no method was woven.
    pub class: Option<Vec<u8>>,
    /// The methods that were woven.
    pub methods: Vec<WovenMethod>,
    /// Those that were asked for and left alone.
    pub left_alone: Vec<(usize, LeftAlone)>,
}

/// A method that was woven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WovenMethod {
    /// Its place among the methods of its class.
    pub index: usize,
    /// Bytes of code as it was.
    pub before: usize,
    /// Bytes of code as it is.
    pub after: usize,
    /// Calls that were asked for, around which nothing was put because the condition there does not fit them.
    pub calls_left_alone: usize,
}

/// Weaves the methods for which `plan` names probes and an id. An error where the class itself is broken; a method that
/// can't be woven is left alone.
pub fn weave<'a, 'p>(
    class: &ClassFile<'a>,
    plan: impl FnMut(&MethodInfo<'a>) -> Option<(&'p Probes<'p>, i32)>,
) -> Result<Woven, Error> {
    Weaver::default().weave(class, plan)
}

/// [`weave`] with buffers that are used again from class to class.
#[derive(Debug, Default)]
pub struct Weaver {
    scan: Scan,
    scratch: Scratch,
}

impl Weaver {
    /// See [`weave`].
    pub fn weave<'a, 'p>(
        &mut self,
        class: &ClassFile<'a>,
        mut plan: impl FnMut(&MethodInfo<'a>) -> Option<(&'p Probes<'p>, i32)>,
    ) -> Result<Woven, Error> {
        let (mut copy, mut edit) = (None, CodeEdit::default());
        let mut known: Option<(&Probes<'_>, Needs)> = None;
        let mut woven = Woven { class: None, methods: Vec::new(), left_alone: Vec::new() };
        for (index, method) in class.methods().enumerate() {
            let method = method?;
            let Some((probes, id)) = plan(&method) else { continue };
            let needs = match known {
                Some((same, needs)) if std::ptr::eq(same, probes) => needs,
                _ => Needs::of(probes),
            };
            known = Some((probes, needs));
            let copy = copy.get_or_insert_with(|| ClassCopy::new(class));
            let done = copy.method(&method, |method| {
                let (scan, edit) = (&mut self.scan, &mut edit);
                MethodWeaver { probes, needs, id, scan, edit }.weave(method, &mut self.scratch)
            });
            match done {
                Ok(done) => woven.methods.push(WovenMethod { index, ..done }),
                Err(reason) => woven.left_alone.push((index, reason)),
            }
        }
        if !woven.methods.is_empty() {
            woven.class = copy.map(ClassCopy::finish);
        }
        Ok(woven)
    }
}
