//! What golden programs are woven with, and the weaving of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use jgraft_classfile::weave::{
    Call, CallSites, CompileLimit, Condition, Event, Guard, NoFields, Operand, Probes, StaticField,
    StaticMethod, weave,
};
use jgraft_classfile::{ClassFile, Instructions, LeftAlone, Operands};
use jgraft_jvm_harness::cache;
use tempfile::TempDir;

use crate::programs::{Programs, class_files};

/// One way to weave them all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(crate) name: &'static str,
    /// Around calls too.
    pub(crate) calls: bool,
    /// With the arguments, and what is called on.
    pub(crate) arguments: bool,
    /// The entry wants what is called on: in a constructor it is told behind super().
    pub(crate) entry_this: bool,
    /// A flag guards every event: this is what it is.
    pub(crate) flag: Option<bool>,
    /// Ends of methods and calls that took less are not told.
    pub(crate) min_cost: Option<i64>,
    /// What a method has thrown itself is handed over.
    pub(crate) own_exceptions: bool,
    /// Ends of methods are told where the condition of [`condition`] holds.
    pub(crate) conditions: bool,
}

const PLAIN: Config = Config {
    name: "plain",
    calls: false,
    arguments: false,
    entry_this: false,
    flag: None,
    min_cost: None,
    own_exceptions: false,
    conditions: false,
};

pub(crate) const CONFIGS: &[Config] = &[
    PLAIN,
    Config { name: "calls", calls: true, ..PLAIN },
    Config { name: "arguments", calls: true, arguments: true, ..PLAIN },
    Config {
        name: "this at the entry",
        calls: true,
        arguments: true,
        entry_this: true,
        flag: Some(true),
        ..PLAIN
    },
    Config { name: "guarded, on", calls: true, flag: Some(true), ..PLAIN },
    Config { name: "guarded, off", calls: true, arguments: true, flag: Some(false), ..PLAIN },
    Config { name: "slow ones", calls: true, min_cost: Some(6), ..PLAIN },
    Config { name: "own exceptions", own_exceptions: true, ..PLAIN },
    Config { name: "on conditions", arguments: true, flag: Some(true), conditions: true, ..PLAIN },
];

impl Config {
    /// Whether nothing is to be told.
    pub(crate) fn off(&self) -> bool {
        self.flag == Some(false)
    }

    fn probes<'p>(&self, condition: Option<&'p Condition>) -> Probes<'p> {
        use Operand::{
            Argument, ArgumentIndex, CallPc, EndTime, Exception, OwnException, ProbeId, Result, StartTime,
            This,
        };
        const PROBE: &str = "probe/Probe";
        let method = |name| StaticMethod::new(PROBE, name);
        let flag = self.flag.map(|_| StaticField { class: PROBE, name: "on" });
        let event = |name, operands: &[Operand], this: bool, ends: bool| {
            let mut event = Event::of(Call::new(method(name), operands));
            if self.arguments {
                event.calls.extend(this.then(|| Call::new(method("self"), &[ProbeId, This])));
                let each = [ProbeId, ArgumentIndex, Argument];
                event.calls.push(Call::for_each_argument(method("argument"), &each));
            }
            event.guard = Guard { flag, ..Guard::default() };
            if ends {
                event.guard.min_cost = self.min_cost;
                event.guard.condition = condition.map(|condition| (condition, &NoFields as _));
            }
            Some(event)
        };
        let mut after = event("after", &[ProbeId, CallPc, StartTime, EndTime], true, true);
        if let Some(after) = after.as_mut().filter(|_| self.arguments) {
            after.calls.push(Call::new(method("result"), &[ProbeId, Result]));
        }
        let calls = CallSites {
            wanted: None,
            before: event("before", &[ProbeId, CallPc], true, false),
            after,
            throw: event("threw", &[ProbeId, CallPc, StartTime, EndTime, Exception], true, true),
        };
        let mut throw = event("thrown", &[ProbeId, StartTime, EndTime, Exception], false, true);
        if let Some(throw) = throw.as_mut().filter(|_| self.own_exceptions) {
            throw.calls.push(Call::new(method("own"), &[Exception, OwnException]));
        }
        Probes {
            clock: method("now"),
            entry: event("enter", &[ProbeId, StartTime], self.entry_this, false),
            exit: event("exit", &[ProbeId, StartTime, EndTime, Result], true, true),
            throw,
            call_sites: self.calls.then_some(calls),
            compile_limit: CompileLimit::Cross,
        }
    }
}

/// The condition for a method, by the type of its first parameter; with [`holds`] as its meaning.
fn condition(descriptor: &str) -> &'static str {
    match descriptor.as_bytes().get(1) {
        Some(b'I' | b'S' | b'B' | b'C') => "arg0 > 3",
        Some(b'J') => "arg0 <= 100",
        Some(b'F' | b'D') => "!(arg0 < 1.5)",
        Some(b'Z') => "arg0",
        Some(b'L') if descriptor.starts_with("(Ljava/lang/String;") => r#"arg0 == "b" || cost > 40"#,
        Some(b'L' | b'[') => "arg0 != null && cost >= 2",
        _ => "cost >= 5",
    }
}

/// Whether that condition asks about the cost.
pub(crate) fn asks_cost(descriptor: &str) -> bool {
    condition(descriptor).contains("cost")
}

/// Whether it holds for a first argument as logs show it.
pub(crate) fn holds(descriptor: &str, argument: Option<&str>, cost: i64) -> Result<bool> {
    let argument = argument.and_then(|line| line.strip_prefix("argument 0 "));
    let shown = || argument.context("a first argument");
    let bits = |text: &'_ str| u64::from_str_radix(text.trim_start_matches("0x"), 16);
    Ok(match descriptor.as_bytes().get(1) {
        Some(b'I' | b'S' | b'B' | b'C') => shown()?.parse::<i64>()? > 3,
        Some(b'J') => shown()?.parse::<i64>()? <= 100,
        Some(b'F') => {
            let less = f64::from(f32::from_bits(bits(shown()?)? as u32)) < 1.5;
            !less
        }
        Some(b'D') => {
            let less = f64::from_bits(bits(shown()?)?) < 1.5;
            !less
        }
        Some(b'Z') => shown()? == "true",
        Some(b'L') if descriptor.starts_with("(Ljava/lang/String;") => {
            shown()? == "java.lang.String:b" || cost > 40
        }
        Some(b'L' | b'[') => shown()? != "null" && cost >= 2,
        _ => cost >= 5,
    })
}

/// The golden programs woven in one way.
pub(crate) struct WovenPrograms {
    pub(crate) config: &'static Config,
    folder: TempDir,
    /// Names by probe id.
    pub(crate) methods: Vec<String>,
    /// Those that are not woven.
    pub(crate) left_alone: BTreeSet<String>,
    /// What is called where: `method@pc` → class, name, descriptor.
    pub(crate) called: BTreeMap<String, [String; 3]>,
    /// Superclasses by class.
    pub(crate) supers: BTreeMap<String, String>,
}

impl WovenPrograms {
    pub(crate) fn make(config: &'static Config, programs: &Programs) -> Result<Self> {
        let mut woven = Self {
            config,
            folder: tempfile::Builder::new().prefix("woven-").tempdir_in(cache::target_dir())?,
            methods: Vec::new(),
            left_alone: BTreeSet::new(),
            called: BTreeMap::new(),
            supers: BTreeMap::new(),
        };
        for file in class_files(programs.folder())? {
            let bytes = woven.class(&fs::read(&file)?).with_context(|| file.display().to_string())?;
            let target = woven.folder.path().join(file.strip_prefix(programs.folder())?);
            fs::create_dir_all(target.parent().context("a folder")?)?;
            fs::write(target, bytes)?;
        }
        Ok(woven)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn class(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let class = ClassFile::parse(bytes)?;
        let name = class.this_class_name()?.to_string();
        let base = class.super_class_name()?.map(|base| base.to_string()).unwrap_or_default();
        self.supers.insert(name.clone(), base);
        let first = self.methods.len();
        let mut conditions = Vec::new();
        for method in class.methods() {
            let method = method?;
            let descriptor = method.descriptor().to_string();
            conditions.push(Condition::parse(condition(&descriptor))?);
            let method_name = format!("{name}.{}{descriptor}", method.name());
            if let Some(code) = method.code(class.constant_pool())? {
                self.note_calls(&class, &method_name, code.code())?;
            }
            self.methods.push(method_name);
        }
        let probes: Vec<_> = conditions
            .iter()
            .map(|condition| self.config.probes(self.config.conditions.then_some(condition)))
            .collect();
        let mut next = 0;
        let woven = weave(&class, |_| {
            next += 1;
            Some((&probes[next - 1], (first + next - 1) as i32))
        })?;
        for (index, reason) in woven.left_alone {
            let method = &self.methods[first + index];
            let expected = match reason {
                LeftAlone::NoCode | LeftAlone::Subroutines => true,
                LeftAlone::ThisNotAvailable => self.config.arguments,
                _ => false,
            };
            ensure!(expected, "{method} left alone: {reason}");
            self.left_alone.insert(method.clone());
        }
        if let Some(bytes) = &woven.class {
            ClassFile::parse(bytes)?.check_structure()?;
        }
        Ok(woven.class.unwrap_or_else(|| bytes.to_owned()))
    }

    fn note_calls(&mut self, class: &ClassFile<'_>, method: &str, code: &[u8]) -> Result<()> {
        for instruction in Instructions::new(code, 0) {
            let instruction = instruction?;
            let index = match (instruction.opcode, &instruction.operands) {
                (182..=185, Operands::Pool(index)) => *index,
                (185, Operands::InvokeInterface { index, .. }) => *index,
                _ => continue,
            };
            let called = class.constant_pool().member_ref(index)?;
            let parts = [called.class, called.name, called.descriptor].map(|part| part.to_string());
            self.called.insert(format!("{method}@{}", instruction.pc), parts);
        }
        Ok(())
    }
}
