//! Taking a trace back, and the proof: the code in force is read before and after, and compared.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jgraft_classfile::ConstantPool;
use jgraft_classfile::compare::{CodeDigest, each_call};
use jgraft_jvmti::{Class, Environment, Error};
use jgraft_protocol::native::trace as keys;
use jgraft_protocol::session::reply;
use jni::Env;

use super::Trace;
use super::edits::shown;
use super::lease::End;
use super::weaving::{internal_name, loaded, retransform};
use crate::probe;

/// A class that was woven while it was being loaded may be among the loaded ones only some time later.
const STILL_LOADING: Duration = Duration::from_secs(1);
const LOADED_BY_THEN: Duration = Duration::from_millis(200);

/// The code of classes before they were woven: by name, the numbers of those that the loaders have.
#[derive(Clone, Debug, Default)]
pub(super) struct Before(HashMap<String, BTreeSet<u64>>);

/// The same of classes that an earlier trace has woven, and that may be woven when a later one begins.
static WITHOUT_PROBES: Mutex<Option<Before>> = Mutex::new(None);

impl Before {
    pub(super) fn of(environment: &Environment, classes: &[Class]) -> Before {
        let mut before: HashMap<String, BTreeSet<u64>> = HashMap::new();
        let mut woven = BTreeSet::new();
        for class in classes {
            match in_force(environment, class, "") {
                Some((name, Ok(InForce { digest, other_probe: false, .. }))) => {
                    before.entry(name).or_default().insert(digest);
                }
                Some((name, _)) => {
                    woven.insert(name);
                }
                None => {}
            }
        }
        let mut known = WITHOUT_PROBES.lock().unwrap_or_else(PoisonError::into_inner);
        let known = &mut known.get_or_insert_default().0;
        for name in woven {
            let earlier = known.get(&name).cloned().unwrap_or_default();
            before.entry(name).or_default().extend(earlier);
        }
        for (name, digests) in &before {
            known.entry(name.clone()).or_default().extend(digests);
        }
        Before(before)
    }
}

/// What the methods of a class say.
struct InForce {
    digest: u64,
    /// One of them calls the Probe that was asked about.
    own_probe: bool,
    /// One of them calls another Probe.
    other_probe: bool,
}

/// A class that has a name, with what its methods say.
fn in_force(
    environment: &Environment,
    class: &Class,
    probe: &str,
) -> Option<(String, Result<InForce, String>)> {
    let signature = class.signature(environment).ok()?.to_string();
    let name = internal_name(&signature)?.to_owned();
    Some((name, read(environment, class, probe)))
}

fn read(environment: &Environment, class: &Class, probe: &str) -> Result<InForce, String> {
    let told = |error: Error| error.to_string();
    let broken = |error: jgraft_classfile::Error| error.to_string();
    let pool = class.constant_pool(environment).map_err(told)?;
    let pool = ConstantPool::of(&pool).map_err(broken)?;
    let (mut own_probe, mut other_probe) = (false, false);
    let mut digests = BTreeMap::new();
    for method in class.methods(environment).map_err(told)? {
        let (name, descriptor) = method.name(environment).map_err(told)?;
        // Native and abstract ones have no code.
        let Ok(code) = method.bytecodes(environment) else { continue };
        each_call(&pool, &code, |called| {
            let class = called.class.to_str_lossy();
            own_probe |= class == probe;
            other_probe |= class != probe && class.starts_with(probe::PREFIX);
        })
        .map_err(broken)?;
        let digest = CodeDigest::of(&pool, &code).map_err(broken)?;
        digests.insert((name.to_string(), descriptor.to_string()), digest);
    }
    let mut state = DefaultHasher::new();
    digests.hash(&mut state);
    Ok(InForce { digest: state.finish(), own_probe, other_probe })
}

/// What the end came to.
#[derive(Debug, Default)]
pub(super) struct Undone {
    restored: usize,
    proved: usize,
    /// No probe; not known before.
    clean: usize,
    changed: usize,
    shared: usize,
    /// Numbers of patterns that have met no method.
    unmatched: String,
    /// Classes that still have a probe, or whose code cannot be read.
    left: Vec<String>,
    /// Names of classes that were looked at.
    pub(super) seen: BTreeSet<String>,
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
    undone.unmatched = trace.wanted.unmatched();
    Ok(undone)
}

/// Takes classes back that were woven while they were being loaded and are loaded only now; how many are yet to come.
pub(super) fn undo_late(
    trace: &Trace,
    environment: &Environment,
    jni: &Env<'_>,
    late: &mut BTreeSet<String>,
) -> Result<usize, Error> {
    let undone = back(trace, environment, jni, &Before::default(), |name| late.contains(name))?;
    late.retain(|name| !undone.seen.contains(name));
    Ok(late.len())
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
        let Some((name, code)) = in_force(environment, class, &trace.channel.probe) else { continue };
        undone.seen.insert(name.clone());
        match code {
            Ok(InForce { own_probe: true, .. }) => {
                undone.left.push(format!("{}: still has a probe", shown(&name)))
            }
            Ok(InForce { other_probe: true, .. }) => undone.shared += 1,
            Ok(code) => match before.0.get(&name).filter(|digests| !digests.is_empty()) {
                Some(digests) if digests.contains(&code.digest) => undone.proved += 1,
                Some(_) => undone.changed += 1,
                None => undone.clean += 1,
            },
            Err(error) => undone.left.push(format!("{}: {error}", shown(&name))),
        }
    }
    let refused = done.refused.into_iter().map(|(class, why)| format!("{class}: {why}"));
    undone.left.extend(refused);
    Ok(undone)
}

/// The pairs of the end.
pub(super) fn pairs(undone: Result<Undone, String>, end: End) -> Vec<(String, String)> {
    let mut pairs = vec![(keys::WHY.to_owned(), end.text().to_owned())];
    let mut put = |key: &str, value: String| pairs.push((key.to_owned(), value));
    match undone {
        Ok(undone) => {
            put(reply::OUTCOME, if undone.left.is_empty() { reply::OK } else { reply::FAILED }.to_owned());
            put(keys::RESTORED, undone.restored.to_string());
            put(keys::PROVED, undone.proved.to_string());
            put(keys::CLEAN, undone.clean.to_string());
            put(keys::CHANGED, undone.changed.to_string());
            put(keys::SHARED, undone.shared.to_string());
            put(keys::UNMATCHED, undone.unmatched);
            if !undone.left.is_empty() {
                put(reply::MESSAGE, undone.left.into_iter().take(20).collect::<Vec<_>>().join("; "));
            }
        }
        Err(error) => {
            put(reply::OUTCOME, reply::FAILED.to_owned());
            put(reply::MESSAGE, error);
        }
    }
    pairs
}
