//! Conditions against the same in Java: `java/conditions/Conditions.java` is the table. What no condition may ask is here.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use jgraft_classfile::attributes::Attribute;
use jgraft_classfile::weave::{
    Call, Condition, Event, FieldFacts, Fields, Operand, Probes, StaticMethod, weave,
};
use jgraft_classfile::{ClassFile, LeftAlone};
use jgraft_jvm_harness::{Jdk, Jvm, cache, each_release, javac};

/// Finds fields in a folder of classes.
struct Folder(PathBuf);

impl Fields for Folder {
    fn find(&self, _from: &str, class: &str, name: &str) -> Option<FieldFacts> {
        self.find_in(class, name)
    }
}

impl Folder {
    fn find_in(&self, class: &str, name: &str) -> Option<FieldFacts> {
        let bytes = fs::read(self.0.join(format!("{class}.class"))).ok()?;
        let parsed = ClassFile::parse(&bytes).ok()?;
        for field in parsed.fields() {
            let field = field.ok()?;
            if field.name() == name {
                return Some(FieldFacts {
                    class_flags: flags(&parsed, class)?,
                    declared_in: class.to_owned(),
                    declared_in_flags: flags(&parsed, class)?,
                    descriptor: field.descriptor().to_string(),
                    flags: field.access_flags(),
                });
            }
        }
        let inherited = self.find_in(&parsed.super_class_name().ok()??.to_string(), name)?;
        Some(FieldFacts { class_flags: flags(&parsed, class)?, ..inherited })
    }
}

/// The flags of a class, as its member of another has them.
fn flags(class: &ClassFile<'_>, name: &str) -> Option<u16> {
    let pool = class.constant_pool();
    let attribute = class.attributes().ok()?.find("InnerClasses").ok()?;
    let Some(Ok(Attribute::InnerClasses(inner))) =
        attribute.map(|attribute| Attribute::decode(&attribute, pool))
    else {
        return Some(class.access_flags());
    };
    let own = inner.rows().find(|row| pool.class_name(row.inner_class_info_index).is_ok_and(|of| of == name));
    Some(own.map_or(class.access_flags(), |row| row.inner_class_access_flags))
}

fn compiled() -> Result<Folder> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour/java");
    let folder = cache::target_dir().join("golden/conditions");
    javac::compile(
        &[tests.join("conditions/Conditions.java"), tests.join("probe/Probe.java")],
        &folder,
        &[],
    )?;
    Ok(Folder(folder))
}

fn probes<'p>(condition: &'p Condition, fields: &'p dyn Fields) -> Probes<'p> {
    let event =
        |name, operands: &[Operand]| Event::of(Call::new(StaticMethod::new("probe/Probe", name), operands));
    let operands = [Operand::ProbeId, Operand::StartTime, Operand::EndTime, Operand::Result];
    let mut exit = event("exit", &operands);
    exit.guard.condition = Some((condition, fields));
    Probes {
        clock: StaticMethod::new("conditions/Conditions", "now"),
        entry: Some(event("enter", &[Operand::ProbeId, Operand::StartTime])),
        exit: Some(exit),
        ..Probes::default()
    }
}

/// The table: the condition of each method.
fn conditions() -> Result<Vec<(String, Condition)>> {
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour/java/conditions/Conditions.java");
    let source = fs::read_to_string(source)?;
    let mut lines = source.lines().map(str::trim);
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let Some(text) = line.strip_prefix("// condition: ") else { continue };
        let header = lines.next().and_then(|line| line.split('(').next()).context("a method")?;
        let name = header.rsplit(' ').next().unwrap_or_default();
        let condition = Condition::parse(text).with_context(|| text.to_owned())?;
        found.push((name.to_owned(), condition));
    }
    Ok(found)
}

#[test]
fn conditions_hold_when_java_says_so() {
    let folder = compiled().unwrap();
    let table = conditions().unwrap();
    assert!(table.len() > 30, "{} conditions", table.len());
    let bytes = fs::read(folder.0.join("conditions/Conditions.class")).unwrap();
    let class = ClassFile::parse(&bytes).unwrap();
    let probes: Vec<_> = table.iter().map(|(_, condition)| probes(condition, &folder)).collect();
    let woven = weave(&class, |method| {
        let at = table.iter().position(|(name, _)| method.name() == name.as_str())?;
        Some((&probes[at], at as i32))
    })
    .unwrap();
    assert!(woven.left_alone.is_empty(), "{:?}", woven.left_alone);
    let woven_folder =
        tempfile::Builder::new().prefix("conditions-").tempdir_in(cache::target_dir()).unwrap();
    fs::create_dir(woven_folder.path().join("conditions")).unwrap();
    fs::write(woven_folder.path().join("conditions/Conditions.class"), woven.class.unwrap()).unwrap();
    each_release("conditions_hold_when_java_says_so", .., |jdk| {
        one_jdk(jdk, &table, woven_folder.path(), &folder.0)
    });
}

fn one_jdk(jdk: &Jdk, table: &[(String, Condition)], woven: &Path, rest: &Path) -> Result<()> {
    let jvm = Jvm::builder(jdk)
        .class_path(woven)
        .class_path(rest)
        .args(["-Xmx64m", "-XX:TieredStopAtLevel=1", "-Dprobe.print=true"])
        .main("conditions.Conditions")
        .start()?;
    let finished = jvm.finish()?;
    ensure!(finished.status.success(), "{}{}", finished.stdout, finished.stderr);
    let mut lines = finished.stdout.lines().peekable();
    let mut calls = vec![0; table.len()];
    while let Some(line) = lines.next() {
        let id: usize =
            line.strip_prefix("enter ").and_then(|rest| rest.split(' ').next()).context("enter")?.parse()?;
        let (name, _) = table.get(id).context("an id")?;
        calls[id] += 1;
        let fired = lines.next_if(|line| line.starts_with(&format!("leave {id} "))).is_some();
        let expected = lines.next().with_context(|| format!("{name}: true or false"))?;
        ensure!(
            fired.to_string() == expected,
            "{name}, call {}: it has to be {expected} and was {fired}",
            calls[id]
        );
    }
    let idle = calls.iter().position(|calls| *calls < 2);
    ensure!(idle.is_none(), "{:?} is called less than twice", idle.map(|at| &table[at].0));
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused_with_a_reason() {
    let folder = compiled().unwrap();
    let bytes = fs::read(folder.0.join("conditions/Conditions.class")).unwrap();
    let class = ClassFile::parse(&bytes).unwrap();
    for (method, condition, expected) in [
        ("ints", "arg1 > 3", "there is no arg1"),
        ("ints", "this.own > 3", "there is no this"),
        ("ints", "arg0.size > 3", "arg0 has no fields"),
        ("ints", "arg0", "arg0 is no boolean"),
        ("ints", "arg0 == \"3\"", "arg0 and \"3\" can't be compared so"),
        ("ints", "arg0 == null", "arg0 and null can't be compared so"),
        ("ints", "arg0 == true", "arg0 and true can't be compared so"),
        ("ints", "cost.value > 3", "cost has no fields"),
        ("field", "arg0.missing == 1", "conditions.Conditions$Order has no field missing"),
        ("field", "arg0.status.more == 1", "arg0.status has no fields"),
        ("field", "arg0 > 3", "arg0 and 3 can't be compared so"),
        ("field", "arg0 == \"x\"", "arg0 is no String"),
        ("text", "arg0 < \"x\"", "arg0 and \"x\" can't be compared so"),
        ("text", "arg0.length > 1", "java.lang.String has no field length"),
        ("nulls", "arg0.length > 1", "arg0 has no fields"),
        ("ofThis", "this.shared == 3", "this.shared is static"),
        ("ofThis", "this.hidden == 3", "this.hidden may not be read from conditions.Conditions"),
        ("say", "result == 1", "there is no result"),
        ("truths", "arg0 < arg1", "arg0 and arg1 can't be compared so"),
    ] {
        let parsed = Condition::parse(condition).unwrap();
        let probes = probes(&parsed, &folder);
        let woven = weave(&class, |found| (found.name() == method).then_some((&probes, 1))).unwrap();
        let reasons: Vec<_> = woven.left_alone.into_iter().map(|(_, reason)| reason).collect();
        assert_eq!(reasons, [LeftAlone::ConditionDoesNotFit(expected.into())], "{condition}");
        assert!(woven.class.is_none());
    }
}
