//! What every action on patches begins with: the target, what the agent tells of it, and what is in force.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jgraft_attach::{Client, Request, Target};
use jgraft_classfile::compare::Vm;
use jgraft_protocol::properties;

use super::agent::Agent;
use super::compile::{self, Sources};
use super::in_force::{self, Told};
use super::inputs::{Inputs, NewClass, are_known};
use super::plan::Facts;
use super::said::Said;
use super::store::{self, Note};
use crate::cli::{PatchInput, Patience};
use crate::consent::{self, Flush};
use crate::failure::{EXIT_FAILED, Failure};
use crate::human::Stream;
use crate::interrupt::Interrupt;
use crate::session::{announce, may_change_classes};
use crate::target;

/// The answer to a question about a flag is a line; properties are some kilobytes.
const ANSWER_LIMIT: u64 = 4 << 20;

/// See the head of this file.
pub(super) struct Work<'i> {
    pub(super) client: Client<'i>,
    pub(super) agent: Agent<'i>,
    pub(super) told: Vec<Told>,
    /// The patches that are there, the oldest first.
    pub(super) notes: Vec<Note>,
    pub(super) vm: Vm,
    pub(super) timeout: Duration,
}

/// The target, and the classes that were typed, compiled where they are sources.
pub(super) fn typed<'i>(
    typed: &str,
    input: &PatchInput,
    patience: &Patience,
    interrupt: &'i Interrupt,
) -> Result<(Client<'i>, Vec<NewClass>), Failure> {
    let (sources, mut paths): (Vec<PathBuf>, Vec<PathBuf>) = input
        .paths
        .iter()
        .cloned()
        .partition(|path| path.extension().is_some_and(|extension| extension == "java"));
    let target = target::find(typed)?;
    may_be_patched(&target)?;
    let feature = target.feature();
    let read = |paths: &[PathBuf]| {
        let classes = Inputs::read(paths, feature)?;
        are_known(&classes, feature)?;
        Ok::<_, Failure>(classes)
    };
    if sources.is_empty() {
        let classes = read(&paths)?;
        return Ok((patience.client(target, interrupt), classes));
    }
    // Kept until the classes were read.
    // What is unpacked of the target is nobody else's business.
    let private = std::fs::Permissions::from_mode(0o700);
    let folder =
        tempfile::Builder::new().prefix("jgraft-").permissions(private).tempdir().map_err(|error| {
            Failure::new(EXIT_FAILED, "not-compiled", "there is no place to compile in")
                .evidence(error.to_string())
        })?;
    let mut client = patience.client(target, interrupt);
    let made = compiled(&mut client, &sources, input, patience.timeout, folder.path(), interrupt);
    paths.push(made.map_err(|failure| failure.in_the_middle(client.target()))?);
    Ok((client, read(&paths)?))
}

impl<'i> Work<'i> {
    /// On classes.
    pub(super) fn on_classes(
        client: Client<'i>,
        classes: &[NewClass],
        timeout: Duration,
        interrupt: &'i Interrupt,
    ) -> Result<Work<'i>, Failure> {
        let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
        let cause = format!("pid {} was not patched", client.target().pid());
        Work::on_names(client, &names, timeout, interrupt, &cause)
    }

    /// On classes by their internal names; the cause of a failure.
    pub(super) fn on_names(
        mut client: Client<'i>,
        names: &[&str],
        timeout: Duration,
        interrupt: &'i Interrupt,
        cause: &str,
    ) -> Result<Work<'i>, Failure> {
        let looked = look(&mut client, names, timeout, interrupt, cause);
        let (agent, told, vm) = looked.map_err(|failure| match failure.is_interrupted() {
            true => failure.behind(cause, "nothing was changed"),
            false => failure.in_the_middle(client.target()),
        })?;
        for error in &agent.errors {
            Stream::stderr().warning(&format!("a patch may not be in force as it should be: {error}"));
        }
        let notes =
            agent.blobs.get(store::NOTES).map(|text| Note::all(&properties::parse(text))).unwrap_or_default();
        Ok(Work { client, agent, told, notes, vm, timeout })
    }

    pub(super) fn facts(&self) -> Facts<'_> {
        Facts { agent: &self.agent, told: &self.told, notes: &self.notes, vm: self.vm, pid: self.pid() }
    }

    /// What a first change of a class would cost; none where we have made one, as the agent knows.
    pub(super) fn first_flush(&self) -> Option<Flush> {
        consent::first_flush(self.client.target()).filter(|_| !self.agent.has_redefined)
    }

    /// It has to be thought out anew.
    pub(super) fn stale<T>(self, said: Said) -> Attempt<T> {
        Attempt::Stale(Box::new((self.client.into_target(), said)))
    }

    pub(super) fn pid(&self) -> i32 {
        self.client.target().pid()
    }
}

fn look<'i>(
    client: &mut Client<'_>,
    names: &[&str],
    timeout: Duration,
    interrupt: &'i Interrupt,
    cause: &str,
) -> Result<(Agent<'i>, Vec<Told>, Vm), Failure> {
    let agent = Agent::open(client, names, timeout, interrupt, cause)?;
    let loaded: Vec<&str> = agent.found.iter().map(|found| found.name.as_str()).collect();
    let told = match loaded.is_empty() {
        true => Vec::new(),
        false => in_force::read(client, &loaded, timeout)?,
    };
    Ok((agent, told, vm(client)?))
}

/// What came of thinking something out and carrying it out.
pub(super) enum Attempt<T> {
    Done(T),
    /// What is patched has changed meanwhile, and nothing was done.
    Stale(Box<(Target, Said)>),
}

/// So often it is thought out anew.
const TRIES: usize = 5;

/// Thinks it out anew as long as what is patched changes meanwhile: a class came that was waited for.
pub(super) fn until_done<T>(
    mut target: Target,
    cause: &str,
    mut attempt: impl FnMut(Target) -> Result<Attempt<T>, Failure>,
) -> Result<T, Failure> {
    let mut tries = 1;
    loop {
        let (again, said) = match attempt(target)? {
            Attempt::Done(done) => return Ok(done),
            Attempt::Stale(stale) => *stale,
        };
        if tries == TRIES {
            return Err(said.failure(cause));
        }
        (target, tries) = (again, tries + 1);
    }
}

/// What stands against it, before anything is sent.
pub(super) fn may_be_patched(target: &Target) -> Result<(), Failure> {
    let evidence = "patches are tried on hotspot alone";
    may_change_classes(target, evidence, "restart it with the mended classes")?.iter().for_each(announce);
    Ok(())
}

/// The folder of the classes that sources make, compiled for the release of those that they take the place of.
fn compiled(
    client: &mut Client<'_>,
    sources: &[PathBuf],
    input: &PatchInput,
    timeout: Duration,
    folder: &Path,
    interrupt: &Interrupt,
) -> Result<PathBuf, Failure> {
    let java_class_path = class_path(client)?;
    let names: Vec<_> = sources.iter().filter_map(|path| compile::class_of(path)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let told = in_force::read(client, &names, timeout)?;
    let feature = client.target().feature();
    let release = told.iter().filter_map(Told::release).max().or(feature).unwrap_or(8);
    let (processors, class_path) = (input.processors, &input.class_path);
    let wanted = Sources { files: sources, release, processors, class_path };
    compile::compile(&wanted, client.target(), java_class_path.as_deref(), folder, timeout, interrupt)
}

/// As far as the JVM matters for what it takes. It is asked, not guessed.
fn vm(client: &mut Client<'_>) -> Result<Vm, Failure> {
    let feature = client.target().feature().unwrap_or(8);
    let mut vm = Vm { feature: u16::try_from(feature).unwrap_or(u16::MAX), allows_adding_methods: false };
    if feature >= 13 {
        let answer = ask(client, "printflag", &[b"AllowRedefinitionToAddDeleteMethods"], ANSWER_LIMIT)?;
        vm.allows_adding_methods = answer.contains("+AllowRedefinitionToAddDeleteMethods");
    }
    Ok(vm)
}

/// The JVM's class path, as it has it. An empty one is its working directory, unless it was started with a module.
fn class_path(client: &mut Client<'_>) -> Result<Option<String>, Failure> {
    let text = ask(client, "properties", &[], ANSWER_LIMIT)?;
    let properties = properties::parse(text.as_bytes());
    let of = |key| properties::get(&properties, key);
    let class_path = of("java.class.path").filter(|path| !path.is_empty() || of("jdk.module.main").is_none());
    Ok(class_path.map(str::to_owned))
}

/// What the JVM answers; a longer one than `limit` bytes is cut.
pub(super) fn ask(
    client: &mut Client<'_>,
    verb: &str,
    arguments: &[&[u8]],
    limit: u64,
) -> Result<String, Failure> {
    let request = Request::new(verb, arguments).map_err(|finding| Failure::blocked(&finding))?;
    let reply = client.send(&request)?;
    Ok(reply.into_text(limit)?.0)
}
