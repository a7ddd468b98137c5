//! What one trace weaves into which methods, and what has come of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use jgraft_classfile::verification::verify_retransformed;
use jgraft_classfile::weave::{Call, Event, Operand, Probes, StaticMethod, Weaver};
use jgraft_classfile::{ClassFile, LeftAlone};
use jgraft_protocol::pattern::{Pattern, shown_method};

use super::channel::Channel;
use super::subtypes::Subtypes;
use crate::probe;

/// Classes that what the Probe does goes through: a probe there would call itself.
const NEVER: [&str; 5] = [
    "jdk/internal/misc/Unsafe",
    "sun/misc/Unsafe",
    "java/lang/System",
    "java/lang/Thread",
    "java/lang/Throwable",
];

/// So many find room in a status.
const MOST_UNMATCHED: usize = 100;

/// What is wanted.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) patterns: Vec<Pattern>,
    pub(super) subtypes: Subtypes,
    /// Of which patterns a method was seen, in their order.
    met: Vec<AtomicBool>,
}

impl Wanted {
    pub(crate) fn new(patterns: Vec<Pattern>) -> Wanted {
        let met = patterns.iter().map(|_| AtomicBool::new(false)).collect();
        Wanted { subtypes: Subtypes::new(&patterns), patterns, met }
    }

    /// Whether methods of a class are, by its internal name.
    pub(crate) fn class(&self, name: &str) -> bool {
        !NEVER.contains(&name)
            && !name.starts_with(probe::PREFIX)
            && (0..self.patterns.len()).any(|n| self.means(n, name))
    }

    fn means(&self, n: usize, class: &str) -> bool {
        self.patterns[n].wants_class(class) || self.subtypes.has(n, class)
    }

    /// Whether a method of such a class is.
    pub(crate) fn method(&self, class: &str, name: &str, descriptor: &str) -> bool {
        self.patterns
            .iter()
            .enumerate()
            .any(|(n, pattern)| pattern.wants_method(name, descriptor) && self.means(n, class))
    }

    /// The same of one that has code, and all patterns that mean it are known not to be mistaken.
    pub(super) fn meet(&self, class: &str, name: &str, descriptor: &str) -> bool {
        let mut is_wanted = false;
        for (n, pattern) in self.patterns.iter().enumerate() {
            if pattern.wants_method(name, descriptor) && self.means(n, class) {
                self.met[n].store(true, Ordering::Relaxed);
                is_wanted = true;
            }
        }
        is_wanted
    }

    /// The numbers of those that have met none, from 1 on; not all, where they are very many.
    pub(super) fn unmatched(&self) -> String {
        let numbers = (1..).zip(&self.met).filter(|(_, met)| !met.load(Ordering::Relaxed));
        numbers.take(MOST_UNMATCHED).map(|(n, _): (usize, _)| n.to_string()).collect::<Vec<_>>().join(" ")
    }
}

/// What was woven.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    /// Lines for the injector that are not written yet.
    news: String,
    /// Internal names of classes, with when one of that name was woven as it was being loaded.
    pub(crate) woven: BTreeMap<String, Option<Instant>>,
    /// Methods, by their ids.
    pub(crate) methods: BTreeSet<i32>,
    /// Why methods and classes were left alone.
    pub(crate) left_alone: BTreeMap<String, String>,
    weaver: Weaver,
}

impl Edits {
    /// The class with its probes; none where it stays as it is.
    pub(crate) fn weave(
        &mut self,
        wanted: &Wanted,
        channel: &'static Channel,
        name: &str,
        bytes: &[u8],
    ) -> Option<Vec<u8>> {
        match self.woven(wanted, channel, name, bytes) {
            Ok(woven) => woven,
            Err(reason) => {
                self.left_alone.insert(shown(name), reason);
                None
            }
        }
    }

    fn woven(
        &mut self,
        wanted: &Wanted,
        channel: &'static Channel,
        name: &str,
        bytes: &[u8],
    ) -> Result<Option<Vec<u8>>, String> {
        let class = ClassFile::parse(bytes).map_err(|error| error.to_string())?;
        let probes = probes(&channel.probe);
        let first = channel.ids_of(&class);
        let mut index = 0;
        let woven = self.weaver.weave(&class, |method| {
            let id = first + index;
            index += 1;
            let (method_name, descriptor) = (method.name().to_string(), method.descriptor().to_string());
            wanted.method(name, &method_name, &descriptor).then_some((&probes, id))
        });
        let woven = woven.map_err(|error| error.to_string())?;
        let methods: Vec<_> = class.methods().filter_map(Result::ok).collect();
        let full = |index: usize| {
            let method = methods.get(index)?;
            let (method, descriptor) = (method.name().to_string(), method.descriptor().to_string());
            wanted.meet(name, &method, &descriptor);
            Some(format!("{}::{method}{descriptor}", shown(name)))
        };
        for (index, reason) in woven.left_alone.into_iter().filter(|(_, why)| *why != LeftAlone::NoCode) {
            if let Some(method) = full(index) {
                self.left_alone.insert(shown_method(&method), reason.to_string());
            }
        }
        let Some(made) = woven.class else { return Ok(None) };
        // A JVM does not verify classes of the boot loader: what is wrong there crashes it.
        let again = ClassFile::parse(&made).map_err(|error| error.to_string())?;
        verify_retransformed(&again).map_err(|error| format!("woven, it would not verify: {error}"))?;
        self.woven.entry(name.to_owned()).or_default();
        for method in &woven.methods {
            let id = first + method.index as i32;
            if let Some(full) = self.methods.insert(id).then(|| full(method.index)).flatten() {
                let _ = writeln!(self.news, "{id}\t{full}");
            }
        }
        Ok(Some(made))
    }

    /// What the injector has to be told and was not.
    pub(crate) fn take_news(&mut self) -> String {
        std::mem::take(&mut self.news)
    }
}

fn probes(probe: &'static str) -> Probes<'static> {
    use Operand::{Exception, OwnException, ProbeId, StartTime};
    let event =
        |name, operands: &[Operand]| Some(Event::of(Call::new(StaticMethod::new(probe, name), operands)));
    Probes {
        exit: event("exit", &[ProbeId, StartTime]),
        throw: event("thrown", &[ProbeId, StartTime, Exception, OwnException]),
        ..Probes::default()
    }
}

/// With dots.
pub(crate) fn shown(name: &str) -> String {
    name.replace('/', ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_probe_goes_through_is_never_woven() {
        let wanted = Wanted::new(vec![Pattern::parse("*::*").unwrap()]);
        assert!(wanted.class("shop/Order") && wanted.class("java/util/HashMap"));
        assert!(NEVER.iter().all(|name| !wanted.class(name)));
        assert!(!wanted.class("java/lang/JgraftProbe1_07") && !wanted.class("java/lang/JgraftProbe2_00"));
    }

    #[test]
    fn a_method_is_wanted_by_the_pattern_that_means_its_class() {
        let patterns = ["shop.A::a", "shop.B::b"].map(|typed| Pattern::parse(typed).unwrap());
        let wanted = Wanted::new(patterns.into());
        assert!(wanted.method("shop/A", "a", "()V") && !wanted.method("shop/A", "b", "()V"));
        assert_eq!(wanted.unmatched(), "1 2");
        assert!(wanted.meet("shop/A", "a", "()V") && !wanted.meet("shop/A", "b", "()V"));
        assert_eq!(wanted.unmatched(), "2");
    }
}
