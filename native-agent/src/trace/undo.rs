//! Taking a trace back, and the proof: the code in force is read before and after, and compared.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::thread;
use std::time::{Duration, Instant};

use jgraft_classfile::ConstantPool;
use jgraft_classfile::compare::{CodeDigest, calls_class};
use jgraft_jvmti::{Class, Environment, Error};
use jgraft_protocol::native::trace as keys;
use jgraft_protocol::session::reply;
use jni::Env;

use super::Trace;
use super::edits::{Wanted, shown};
use super::lease::End;
use super::weaving::{internal_name, loaded, retransform};

/// A class that was woven while it was being loaded may be among the loaded ones only some time later.
const STILL_LOADING: Duration = Duration::from_secs(1);
const LOADED_BY_THEN: Duration = Duration::from_millis(200);

/// The code of classes before they were woven: by name, a number for each loader that has one.
#[derive(Debug, Default)]
pub(super) struct Before(HashMap<String, Vec<u64>>);

impl Before {
    pub(super) fn of(environment: &Environment, classes: &[Class], wanted: &Wanted) -> Before {
        let mut before = HashMap::new();
        for class in classes {
            let Some((name, Ok(code))) = code(environment, class, wanted, "") else { continue };
            before.entry(name).or_insert_with(Vec::new).push(code.digest);
        }
        Before(before)
    }
}

/// What the methods of a class say that are wanted.
struct InForce {
    digest: u64,
    has_probe: bool,
}

fn code(
    environment: &Environment,
    class: &Class,
    wanted: &Wanted,
    probe: &str,
) -> Option<(String, Result<InForce, String>)> {
    let signature = class.signature(environment).ok()?.to_string();
    let name = internal_name(&signature)?.to_owned();
    let code = in_force(environment, class, &name, wanted, probe);
    Some((name, code))
}

fn in_force(
    environment: &Environment,
    class: &Class,
    name: &str,
    wanted: &Wanted,
    probe: &str,
) -> Result<InForce, String> {
    let told = |error: Error| error.to_string();
    let pool = class.constant_pool(environment).map_err(told)?;
    let pool = ConstantPool::of(&pool).map_err(|error| error.to_string())?;
    let mut has_probe = false;
    let mut digests = BTreeMap::new();
    for method in class.methods(environment).map_err(told)? {
        let (method_name, descriptor) = method.name(environment).map_err(told)?;
        let (method_name, descriptor) = (method_name.to_string(), descriptor.to_string());
        // Native and abstract ones have no code.
        let Ok(code) = method.bytecodes(environment) else { continue };
        if !wanted.method(name, &method_name, &descriptor) {
            continue;
        }
        let digest = CodeDigest::of(&pool, &code).map_err(|error| error.to_string())?;
        has_probe |= calls_class(&pool, &code, probe).map_err(|error| error.to_string())?;
        digests.insert((method_name, descriptor), digest);
    }
    let mut state = DefaultHasher::new();
    digests.hash(&mut state);
    Ok(InForce { digest: state.finish(), has_probe })
}

/// What the end came to.
#[derive(Debug, Default)]
pub(super) struct Undone {
    restored: usize,
    proved: usize,
    changed: usize,
    /// Classes that still have a probe, or whose code cannot be read.
    left: Vec<String>,
}

/// Sends what was woven through the hook, which answers nothing now, and looks at what is in force then.
pub(super) fn undo(
    trace: &Trace,
    environment: &Environment,
    jni: &Env<'_>,
    before: &Before,
) -> Result<Undone, Error> {
    let woven = trace.edits().woven.clone();
    let mut undone = back(trace, environment, jni, before, |name| woven.contains_key(name))?;
    let late = |since: &Option<Instant>| since.is_some_and(|since| since.elapsed() < STILL_LOADING);
    if woven.values().any(late) {
        thread::sleep(LOADED_BY_THEN);
        undone = back(trace, environment, jni, before, |name| woven.contains_key(name))?;
    }
    Ok(undone)
}

fn back(
    trace: &Trace,
    environment: &Environment,
    jni: &Env<'_>,
    before: &Before,
    wanted: impl Fn(&str) -> bool,
) -> Result<Undone, Error> {
    let classes = loaded(environment, jni, wanted)?;
    let done = retransform(environment, &classes)?;
    let mut undone = Undone { restored: done.classes, ..Undone::default() };
    for class in &classes {
        let Some((name, code)) = code(environment, class, &trace.wanted, &trace.channel.probe) else {
            continue;
        };
        match code {
            Ok(InForce { has_probe: true, .. }) => {
                undone.left.push(format!("{}: still has a probe", shown(&name)))
            }
            Ok(code) => match before.0.get(&name) {
                Some(digests) if !digests.contains(&code.digest) => undone.changed += 1,
                _ => undone.proved += 1,
            },
            Err(error) => undone.left.push(format!("{}: {error}", shown(&name))),
        }
    }
    let refused = done.refused.into_iter().map(|(class, why)| format!("{class}: {why}"));
    undone.left.extend(refused);
    Ok(undone)
}

/// The pairs of the end.
pub(super) fn pairs(undone: Result<Undone, Error>, end: End) -> Vec<(String, String)> {
    let mut pairs = vec![(keys::WHY.to_owned(), end.text().to_owned())];
    let mut put = |key: &str, value: String| pairs.push((key.to_owned(), value));
    match undone {
        Ok(undone) => {
            put(reply::OUTCOME, if undone.left.is_empty() { reply::OK } else { reply::FAILED }.to_owned());
            put(keys::RESTORED, undone.restored.to_string());
            put(keys::PROVED, undone.proved.to_string());
            put(keys::CHANGED, undone.changed.to_string());
            if !undone.left.is_empty() {
                put(reply::MESSAGE, undone.left.into_iter().take(20).collect::<Vec<_>>().join("; "));
            }
        }
        Err(error) => {
            put(reply::OUTCOME, reply::FAILED.to_owned());
            put(reply::MESSAGE, error.to_string());
        }
    }
    pairs
}
