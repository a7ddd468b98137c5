//! Events of a run, read from the log of the oracle or of the probes, and what programs printed.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, bail};

use crate::plan::WovenPrograms;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Enter,
    Leave,
    Throw,
    Call,
    Back,
    Fail,
}

/// Something that happened in a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) what: What,
    /// Such as `golden/Small.f(I)I`.
    pub(crate) method: String,
    /// Of the call instruction.
    pub(crate) pc: Option<u32>,
    /// The result, or the class of the exception.
    pub(crate) value: String,
    /// Start and end by the probes' clock; 0 where there is none.
    pub(crate) times: (i64, i64),
    /// What stands below it: `this …`, `argument …` and `result …`.
    pub(crate) with: Vec<String>,
}

/// The events of each program, in the order in which they ran.
pub(crate) type Log = Vec<(String, Vec<Event>)>;

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.what, self.method)?;
        if let Some(pc) = self.pc {
            write!(f, "@{pc}")?;
        }
        write!(f, " {} {:?}", self.value, self.times)?;
        self.with.iter().try_for_each(|line| write!(f, " | {line}"))
    }
}

/// Reads what the oracle wrote.
pub(crate) fn oracle_log(text: &str) -> Result<Log> {
    read(text, |what, rest| {
        let (place, value) = rest.split_once(' ').unwrap_or((rest, ""));
        let (method, pc) = match place.split_once('@') {
            Some((method, pc)) => (method, Some(pc.parse()?)),
            None => (place, None),
        };
        Ok(Event { what, method: method.into(), pc, value: value.into(), times: (0, 0), with: Vec::new() })
    })
}

/// Reads what the probes wrote.
pub(crate) fn woven_log(text: &str, woven: &WovenPrograms) -> Result<Log> {
    read(text, |what, rest| {
        let fields = if what == What::Call { 2 } else { 4 };
        let mut fields = rest.splitn(fields, ' ');
        let mut next = || fields.next().context("a line ends early");
        let id: usize = next()?.parse()?;
        let times = if what == What::Call { (0, 0) } else { (next()?.parse()?, next()?.parse()?) };
        let mut value = next()?;
        let mut pc = None;
        if matches!(what, What::Call | What::Back | What::Fail) {
            let (before, behind) = value.split_once(' ').unwrap_or((value, ""));
            pc = Some(before.parse()?);
            value = behind;
        }
        let method = woven.methods.get(id).with_context(|| format!("no method {id}"))?.clone();
        Ok(Event { what, method, pc, value: value.into(), times, with: Vec::new() })
    })
}

fn read(text: &str, event: impl Fn(What, &str) -> Result<Event>) -> Result<Log> {
    let mut log = Log::new();
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word == "program" {
            log.push((rest.trim_start_matches("golden.").to_owned(), Vec::new()));
            continue;
        }
        let (_, events) = log.last_mut().context("no program yet")?;
        let what = match word {
            "this" | "argument" | "result" => {
                events.last_mut().context("no event yet")?.with.push(line.to_owned());
                continue;
            }
            "enter" => What::Enter,
            "leave" => What::Leave,
            "throw" => What::Throw,
            "call" => What::Call,
            "back" => What::Back,
            "fail" => What::Fail,
            _ => bail!("what is {line:?}"),
        };
        events.push(event(what, rest).with_context(|| line.to_owned())?);
    }
    let last = log.pop().map(|(name, _)| name);
    anyhow::ensure!(last.as_deref() == Some("end"), "the log ends in {last:?}");
    Ok(log)
}

/// What each program printed.
pub(crate) struct Printed(BTreeMap<String, String>);

impl Printed {
    pub(crate) fn parse(text: &str) -> Self {
        let parts = text.split("program golden.").filter_map(|part| part.split_once('\n'));
        Self(parts.map(|(name, text)| (name.to_owned(), text.to_owned())).collect())
    }

    pub(crate) fn program(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Where two texts part.
pub(crate) fn first_difference(one: Option<&str>, two: Option<&str>) -> Option<String> {
    if one == two {
        return None;
    }
    let (one, two) = (one.unwrap_or_default(), two.unwrap_or_default());
    let mut lines = one.lines().zip(two.lines()).enumerate();
    let (at, (one, two)) = lines.find(|(_, (one, two))| one != two).unwrap_or((0, (one, two)));
    Some(format!("line {}:\n  {one}\nbecame\n  {two}", at + 1))
}
