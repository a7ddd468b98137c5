//! Agent jars of every kind that a JVM and `check` must agree on. Each case says what a JVM does with it, by
//! release; findings.rs holds `check` to that without a JVM, real_jvms.rs holds the JVMs to it.
//!
//! Each case has a package of its own, so that all of them can be loaded into one JVM.

#[path = "../../../../classfile/tests/assembler/mod.rs"]
pub(crate) mod assembler;
mod attributes;
mod classes;
mod containers;
mod manifests;
mod methods;
mod neighbours;
pub(crate) mod pack;
mod versions;

use std::fs;
use std::ops::{Bound, RangeBounds};
use std::path::{Path, PathBuf};

use assembler::{Class, PUBLIC, STATIC};
use jgraft_agentjar::Neighbour;

/// The instruction `return`.
pub(crate) const RETURN: u8 = 0xb1;
/// The descriptor of agentmain(String, Instrumentation).
pub(crate) const TWO: &str = "(Ljava/lang/String;Ljava/lang/instrument/Instrumentation;)V";
/// The descriptor of agentmain(String).
pub(crate) const ONE: &str = "(Ljava/lang/String;)V";
/// Before the first JDK with an attach API.
const FIRST: u32 = 0;

pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Its folder's name, which is its package as well.
    pub(crate) package: String,
    /// Files of its folder, the jar among them.
    files: Vec<(String, Vec<u8>)>,
    /// The jar's path in the folder.
    jar: String,
    pub(crate) options: Option<&'static [u8]>,
    refusals: Vec<Refusal>,
    /// A warning that comes with it on every JDK.
    pub(crate) warning: Option<&'static str>,
}

struct Refusal {
    /// First and last feature version.
    from: u32,
    to: u32,
    code: &'static str,
}

impl Case {
    /// The code of the error that this JDK is expected to give; none if it takes the jar.
    pub(crate) fn refused_by(&self, feature_version: u32) -> Option<&'static str> {
        let by = |refusal: &&Refusal| (refusal.from..=refusal.to).contains(&feature_version);
        self.refusals.iter().find(by).map(|refusal| refusal.code)
    }

    /// Writes its files below `root`; the jar's path.
    pub(crate) fn write(&self, root: &Path) -> PathBuf {
        let folder = root.join(&self.package);
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in &self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder.join(&self.jar)
    }

    fn refused(&mut self, by: impl RangeBounds<u32>, code: &'static str) -> &mut Self {
        let from = match by.start_bound() {
            Bound::Included(from) => *from,
            Bound::Excluded(_) | Bound::Unbounded => FIRST,
        };
        let to = match by.end_bound() {
            Bound::Included(to) => *to,
            Bound::Excluded(end) => end - 1,
            Bound::Unbounded => u32::MAX,
        };
        self.refusals.push(Refusal { from, to, code });
        self
    }

    fn warns(&mut self, code: &'static str) -> &mut Self {
        self.warning = Some(code);
        self
    }

    fn beside(&mut self, name: &str, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.files.push((name.to_owned(), bytes.into()));
        self
    }

    fn at(&mut self, path: &str) -> &mut Self {
        self.files[0].0 = path.to_owned();
        self.jar = path.to_owned();
        self
    }
}

/// The cases, being added.
#[derive(Default)]
struct Cases(Vec<Case>);

impl Cases {
    /// A case that every JDK takes, unless it goes on to say otherwise.
    fn add(&mut self, name: &'static str, jar: impl FnOnce(&str) -> Vec<u8>) -> &mut Case {
        let package = format!("case{}", self.0.len());
        let file = ("agent.jar".to_owned(), jar(&package));
        self.0.push(Case {
            name,
            package,
            files: vec![file],
            jar: "agent.jar".into(),
            options: None,
            refusals: Vec::new(),
            warning: None,
        });
        self.0.last_mut().unwrap()
    }
}

pub(crate) fn all() -> Vec<Case> {
    let mut cases = Cases::default();
    methods::add(&mut cases);
    classes::add(&mut cases);
    versions::add(&mut cases);
    manifests::add(&mut cases);
    attributes::add(&mut cases);
    containers::add(&mut cases);
    neighbours::add(&mut cases);
    cases.0
}

/// A class p.Agent that does nothing when called.
pub(crate) fn agent(package: &str) -> Class {
    Class::new(&format!("{package}/Agent")).method(PUBLIC | STATIC, "agentmain", TWO, &[RETURN])
}

/// Looks at real files, as a target on this host would see them.
pub(crate) fn look(path: &Path) -> Neighbour {
    match fs::File::open(path) {
        Ok(_) if path.is_dir() => Neighbour::Directory,
        Ok(file) => Neighbour::File(Box::new(file)),
        Err(_) => Neighbour::Missing,
    }
}
