//! What a new version of a class changes, for a person: each method that changes, its listing before and after as one text.
//!
//! No offset is in it, and places that are jumped to have names that both sides share, so that a line is marked where
//! something else is done and nowhere else. Variables are shown by name where both sides tell names.

mod align;
mod items;

use std::collections::BTreeMap;
use std::fmt;

use crate::class_file::ClassFile;
use crate::compare::member_name;
use crate::compare::{Content, Reading};
use crate::constant_values::Values;
use crate::error::Error;
use crate::method_info::MethodInfo;
use align::{Row, align};
use items::{Item, has_names, items};

/// Lines around a change that are shown.
const CONTEXT: usize = 3;

/// How much of the class before is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is a class file.
    All,
    /// It was put together from what a JVM tells ([`ClassParts`](crate::ClassParts)): no handlers, no bootstrap methods, no
    /// attributes. They are left out on both sides.
    CodeOnly,
}

/// One method that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodDiff {
    /// Name and descriptor.
    pub method: String,
    /// The whole method, line by line.
    pub lines: Vec<Line>,
    /// Attributes that differ and that a running JVM tells apart, by name: annotations, Exceptions, Signature.
    pub attributes: Vec<String>,
}

/// A line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which version has it.
    pub side: Side,
    /// An instruction, a handler, or the method's head.
    pub text: String,
    /// What jumps to it call it so.
    pub label: Option<String>,
    /// Its line of the source; the new one where both have it.
    pub line: Option<u16>,
}

/// Which version has a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Both.
    Both,
    /// The old one.
    Before,
    /// The new one.
    After,
}

/// The methods that change, those of the old class first, in its order. Lines, names of variables and frames are no change.
pub fn diff(old: &ClassFile<'_>, new: &ClassFile<'_>, told: Told) -> Result<Vec<MethodDiff>, Error> {
    let name = |method: &MethodInfo<'_>| member_name(method.name(), "", method.descriptor());
    let mut added = BTreeMap::new();
    for method in new.methods() {
        let method = method?;
        added.insert(name(&method), method);
    }
    let mut values = Values::default();
    let (mut before, mut after) = (Reading::new(old)?, Reading::new(new)?);
    let mut diffs = Vec::new();
    for method in old.methods() {
        let method = method?;
        let name = name(&method);
        let other = added.remove(&name);
        let mut attributes = Vec::new();
        if let (Some(other), Told::All) = (&other, told) {
            let one = before.method(&mut values, method.attributes(old.constant_pool()))?;
            let two = after.method(&mut values, other.attributes(new.constant_pool()))?;
            if Content::does_the_same(&one, &two) && method.access_flags() == other.access_flags() {
                continue;
            }
            attributes.extend(one.attributes_that_differ(&two));
        }
        let lines = lines(Some((old, &method)), other.as_ref().map(|other| (new, other)), told)?;
        if !attributes.is_empty() || lines.iter().any(|line| line.side != Side::Both) {
            diffs.push(MethodDiff { method: name, lines, attributes });
        }
    }
    for (method, other) in added {
        diffs.push(MethodDiff {
            method,
            lines: lines(None, Some((new, &other)), told)?,
            attributes: Vec::new(),
        });
    }
    Ok(diffs)
}

type Version<'c, 'a> = Option<(&'c ClassFile<'a>, &'c MethodInfo<'a>)>;

fn lines(old: Version<'_, '_>, new: Version<'_, '_>, told: Told) -> Result<Vec<Line>, Error> {
    let mut names = true;
    for (class, method) in [old, new].into_iter().flatten() {
        names &= has_names(class, method)?;
    }
    let read = |version: Version<'_, '_>| {
        version.map_or_else(|| Ok(Vec::new()), |(class, method)| items(class, method, told, names))
    };
    let (old, new) = (read(old)?, read(new)?);
    let rows = align(&old, &new);
    let (old_labels, new_labels) = labels(&rows, &old, &new);
    let show = |side: Side, item: &Item, labels: &[Option<String>], at: usize| {
        let mut text = String::new();
        let mut targets = item.targets.iter();
        for (n, part) in item.text.iter().enumerate() {
            if n > 0 {
                let target = targets.next().and_then(|target| labels.get(*target)?.as_deref());
                text.push_str(target.unwrap_or("?"));
            }
            text.push_str(part);
        }
        Line { side, text, label: labels.get(at).cloned().flatten(), line: item.line }
    };
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        match row {
            Row::Old(at) => lines.push(show(Side::Before, &old[at], &old_labels, at)),
            Row::New(at) => lines.push(show(Side::After, &new[at], &new_labels, at)),
            Row::Both(one, two) => {
                let before = show(Side::Before, &old[one], &old_labels, one);
                let after = show(Side::After, &new[two], &new_labels, two);
                // The same instruction may jump elsewhere.
                if before.text == after.text {
                    lines.push(Line { side: Side::Both, ..after });
                } else {
                    lines.extend([before, after]);
                }
            }
        }
    }
    lines.retain(|line| line.label.is_some() || line.text != items::END);
    Ok(lines)
}

/// Names for the items that others name, in the order of the rows. Items of one row have one name, and so have the first
/// items of what was replaced and of what replaces it: a jump there goes where it went.
fn labels(rows: &[Row], old: &[Item], new: &[Item]) -> (Vec<Option<String>>, Vec<Option<String>>) {
    let named = |items: &[Item]| {
        let mut named = vec![false; items.len()];
        for target in items.iter().flat_map(|item| &item.targets) {
            if let Some(place) = named.get_mut(*target) {
                *place = true;
            }
        }
        named
    };
    let (old_named, new_named) = (named(old), named(new));
    let (mut old_labels, mut new_labels) = (vec![None; old.len()], vec![None; new.len()]);
    let mut count = 0;
    let mut name = |one: Option<usize>, two: Option<usize>| {
        if one.is_some_and(|one| old_named[one]) || two.is_some_and(|two| new_named[two]) {
            count += 1;
            let label = Some(format!("L{count}"));
            one.into_iter().for_each(|one| old_labels[one].clone_from(&label));
            two.into_iter().for_each(|two| new_labels[two].clone_from(&label));
        }
    };
    for run in rows.chunk_by(|one, two| is_both(one) == is_both(two)) {
        let olds = run.iter().filter_map(|row| if let Row::Old(at) = row { Some(*at) } else { None });
        let news = run.iter().filter_map(|row| if let Row::New(at) = row { Some(*at) } else { None });
        let (first_old, first_new) = (olds.clone().next(), news.clone().next());
        name(first_old, first_new);
        olds.skip(1).for_each(|at| name(Some(at), None));
        news.skip(1).for_each(|at| name(None, Some(at)));
        for row in run {
            if let Row::Both(one, two) = *row {
                name(Some(one), Some(two));
            }
        }
    }
    (old_labels, new_labels)
}

fn is_both(row: &Row) -> bool {
    matches!(row, Row::Both(..))
}

/// The changed lines with some around them: `-` before, `+` after; in front of each its line of the source, where one begins.
impl fmt::Display for MethodDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.method)?;
        let mut near = vec![false; self.lines.len()];
        for (at, _) in self.lines.iter().enumerate().filter(|(_, line)| line.side != Side::Both) {
            let end = (at + CONTEXT + 1).min(near.len());
            near[at.saturating_sub(CONTEXT)..end].fill(true);
        }
        let (mut shown, mut last) = (true, [None, None]);
        for (line, near) in self.lines.iter().zip(near) {
            if !near {
                shown = false;
                continue;
            }
            if !shown {
                writeln!(f, "  ...")?;
                last = [None, None];
            }
            shown = true;
            let (mark, side) = match line.side {
                Side::Both => (' ', 1),
                Side::Before => ('-', 0),
                Side::After => ('+', 1),
            };
            let begins = line.line.filter(|_| last[side] != line.line);
            last[side] = line.line;
            let number = begins.map_or_else(String::new, |line| line.to_string());
            let label = line.label.as_ref().map_or_else(String::new, |label| format!("{label}:"));
            writeln!(f, "{mark} {number:>5}  {label:<5} {}", line.text)?;
        }
        for name in &self.attributes {
            writeln!(f, "  attribute {name} is another")?;
        }
        Ok(())
    }
}
