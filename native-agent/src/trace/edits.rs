//! What is to be woven into which methods, and the weaving of one class. Ids are given once and never again: a method that
//! was woven may run for as long as the JVM, and still report the id that it was woven with.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jgraft_classfile::verification::verify_retransformed;
use jgraft_classfile::weave::{Call, Event, Operand, Probes, StaticMethod, Weaver};
use jgraft_classfile::{ClassFile, LeftAlone};
use jgraft_protocol::pattern::Pattern;

use crate::probe;

/// Classes that what the Probe does goes through: a probe there would call itself.
const NEVER: [&str; 7] = [
    probe::NAME,
    "jdk/internal/misc/Unsafe",
    "sun/misc/Unsafe",
    "java/lang/ref/WeakReference",
    "java/lang/ref/Reference",
    "java/lang/System",
    "java/lang/Thread",
];

/// The edits of all sessions, and what came of them.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    patterns: Vec<Pattern>,
    ids: HashMap<String, i32>,
    /// Lines for the injector that are not written yet.
    news: Vec<String>,
    /// Internal names of the classes that were woven since the edits were set.
    pub(crate) woven: BTreeSet<String>,
    /// Methods that are woven.
    pub(crate) methods: BTreeSet<i32>,
    /// Why methods and classes were left alone.
    pub(crate) left_alone: BTreeMap<String, String>,
}

impl Edits {
    /// Sets what is wanted from now on.
    pub(crate) fn set(&mut self, patterns: Vec<Pattern>) {
        self.patterns = patterns;
        self.news.clear();
        self.woven.clear();
        self.methods.clear();
        self.left_alone.clear();
    }

    /// Nothing is woven any more.
    pub(crate) fn clear(&mut self) {
        self.patterns.clear();
    }

    /// Whether methods of a class are wanted, by its internal name.
    pub(crate) fn wants_class(&self, name: &str) -> bool {
        !NEVER.contains(&name) && self.patterns.iter().any(|pattern| pattern.wants_class(name))
    }

    /// The class with its probes; none where it stays as it is.
    pub(crate) fn weave(&mut self, name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        let woven = self.woven(name, bytes);
        match woven {
            Ok(woven) => woven,
            Err(reason) => {
                self.left_alone.insert(shown(name), reason);
                None
            }
        }
    }

    fn woven(&mut self, name: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let class = ClassFile::parse(bytes).map_err(|error| error.to_string())?;
        let probes = probes();
        let mut names = Vec::new();
        let woven = Weaver::default().weave(&class, |method| {
            let (method_name, descriptor) = (method.name().to_string(), method.descriptor().to_string());
            let wanted = self
                .patterns
                .iter()
                .any(|pattern| pattern.wants_class(name) && pattern.wants_method(&method_name, &descriptor));
            let full = format!("{}::{method_name}{descriptor}", shown(name));
            let id = wanted.then(|| self.id(&full));
            names.push(full);
            id.map(|id| (&probes, id))
        });
        let woven = woven.map_err(|error| error.to_string())?;
        for (index, reason) in woven.left_alone {
            if let Some(method) = names.get(index).filter(|_| reason != LeftAlone::NoCode) {
                self.left_alone.insert(method.clone(), reason.to_string());
            }
        }
        let Some(made) = woven.class else { return Ok(None) };
        // A JVM does not verify classes of the boot loader: what is wrong there crashes it.
        let again = ClassFile::parse(&made).map_err(|error| error.to_string())?;
        verify_retransformed(&again).map_err(|error| format!("woven, it would not verify: {error}"))?;
        self.woven.insert(name.to_owned());
        let ids = woven.methods.iter().filter_map(|method| self.ids.get(names.get(method.index)?));
        self.methods.extend(ids);
        Ok(Some(made))
    }

    fn id(&mut self, method: &str) -> i32 {
        let next = self.ids.len() as i32 + 1;
        let id = *self.ids.entry(method.to_owned()).or_insert(next);
        self.news.push(format!("{id}\t{method}\n"));
        id
    }

    /// What the injector has to be told and was not.
    pub(crate) fn take_news(&mut self) -> String {
        std::mem::take(&mut self.news).concat()
    }
}

fn probes() -> Probes<'static> {
    let event = |name, operands: &[Operand]| {
        Some(Event::of(Call::new(StaticMethod::new(probe::NAME, name), operands)))
    };
    Probes {
        exit: event("exit", &[Operand::ProbeId, Operand::StartTime]),
        throw: event("thrown", &[Operand::ProbeId, Operand::StartTime, Operand::Exception]),
        ..Probes::default()
    }
}

/// With dots.
fn shown(name: &str) -> String {
    name.replace('/', ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_given_once() {
        let mut edits = Edits::default();
        edits.set(vec![Pattern::parse("shop.*::*").unwrap()]);
        let (one, two) = (edits.id("shop.A::a()V"), edits.id("shop.A::b()V"));
        assert_eq!(edits.take_news(), "1\tshop.A::a()V\n2\tshop.A::b()V\n");
        edits.set(vec![Pattern::parse("shop.A::b").unwrap()]);
        assert_eq!(edits.id("shop.A::b()V"), two);
        assert_eq!(edits.take_news(), "2\tshop.A::b()V\n", "told again in the next session");
        assert!(edits.id("shop.A::c()V") > two && one != two);
    }

    #[test]
    fn what_the_probe_goes_through_is_never_woven() {
        let mut edits = Edits::default();
        edits.set(vec![Pattern::parse("*::*").unwrap()]);
        assert!(edits.wants_class("shop/Order") && edits.wants_class("java/util/HashMap"));
        assert!(NEVER.iter().all(|name| !edits.wants_class(name)));
    }
}
