//! Classes as the JVM has them now, read by the native agent without a retransformation.

use std::time::Duration;

use jgraft_attach::Client;
use jgraft_classfile::ClassFile;
use jgraft_protocol::native::{in_force as keys, stage};
use jgraft_protocol::pattern::shown_method;
use jgraft_protocol::properties;
use jgraft_protocol::session::request;
use serde::Serialize;

use super::inputs::dotted;
use crate::bundle::Bundled;
use crate::failure::{EXIT_FAILED, Failure};
use crate::human::{self, clean};
use crate::native_agent::{self, Answer};
use crate::session::Draft;

/// What JVMTI tells of a class, as a class file, is not longer.
const CLASS_LIMIT: u64 = 32 << 20;

/// A loaded class.
#[derive(Debug)]
pub(super) struct Told {
    /// The internal name.
    pub(super) name: String,
    /// The loader's identity hash code; 0 for the boot loader.
    pub(super) loader_id: i64,
    /// A class file put together of what the JVM tells, or why it tells nothing.
    pub(super) class: Result<Vec<u8>, String>,
}

impl Told {
    /// Whether it is the class of that name that this loader has.
    pub(super) fn is(&self, name: &str, loader_id: i64) -> bool {
        self.name == name && self.loader_id == loader_id
    }

    /// The release that it was compiled for, as its version says.
    pub(super) fn release(&self) -> Option<u32> {
        let major = ClassFile::parse(self.class.as_ref().ok()?).ok()?.major_version();
        u32::from(major).checked_sub(44).map(|release| release.max(8))
    }
}

/// A thread that still runs a method as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct OldFrame {
    pub(super) thread: String,
    pub(super) class: String,
    pub(super) method: String,
}

impl OldFrame {
    /// For people; `which` code it is.
    pub(super) fn line(&self, which: &str) -> String {
        format!("{} is still in the {which} {}::{}", self.thread, self.class, shown_method(&self.method))
    }
}

/// What is known of the threads that still run methods as they were.
#[derive(Debug, Default, Serialize)]
pub(super) struct OldFrames {
    /// Threads that still run a body that is not in force any more, and will until they leave it. Virtual threads are not seen.
    #[serde(rename = "old_frames")]
    old: Vec<OldFrame>,
    /// Why there may be more.
    #[serde(rename = "old_frames_unseen")]
    unseen: Option<String>,
}

impl OldFrames {
    /// For people; `which` code it is.
    pub(super) fn lines(&self, which: &str) -> impl Iterator<Item = String> {
        let unseen = self.unseen.as_ref().map(|why| format!("there may be more in {which} code: {why}"));
        self.old.iter().map(|frame| frame.line(which)).chain(unseen)
    }

    fn take(&mut self, reply: &[(String, String)]) {
        let numbered = |key: &str, n: usize| properties::get(reply, &format!("{key}{n}"));
        let text = |key, n| numbered(key, n).map(clean).unwrap_or_default();
        let of = |n| {
            numbered(keys::OLD_THREAD, n)?;
            let (class, method) = (text(keys::OLD_CLASS, n), text(keys::OLD_METHOD, n));
            Some(OldFrame { thread: text(keys::OLD_THREAD, n), class, method })
        };
        self.old.extend((1..).map_while(of));
        let unread = properties::get(reply, keys::THREADS_UNREAD).and_then(|n| n.parse().ok()).unwrap_or(0);
        if properties::get(reply, keys::OLD_MORE) == Some("true") {
            self.unseen = Some(format!("no more than {} are looked at", keys::MOST_OLD));
        } else if unread > 0 {
            self.unseen = Some(format!("{} could not be read to the bottom", human::count(unread, "stack")));
        }
    }
}

/// The loaded classes of these names, and the threads that run old versions of their methods. Virtual threads are not seen.
pub(super) fn read_with_threads(
    client: &mut Client<'_>,
    names: &[&str],
    timeout: Duration,
) -> Result<(Vec<Told>, OldFrames), Failure> {
    let mut frames = OldFrames::default();
    let told = ask(client, names, timeout, Some(&mut frames))?;
    frames.old.sort();
    frames.old.dedup();
    Ok((told, frames))
}

/// The loaded classes of these names, one for each loader that has it.
pub(super) fn read(client: &mut Client<'_>, names: &[&str], timeout: Duration) -> Result<Vec<Told>, Failure> {
    ask(client, names, timeout, None)
}

fn ask(
    client: &mut Client<'_>,
    names: &[&str],
    timeout: Duration,
    mut frames: Option<&mut OldFrames>,
) -> Result<Vec<Told>, Failure> {
    let mut all = Vec::new();
    for names in names.chunks(keys::MOST_CLASSES / 2) {
        let numbered: Vec<_> =
            (1..).zip(names).map(|(n, name)| (format!("{}{n}", keys::CLASS), dotted(name))).collect();
        let mut wanted = vec![(request::VERB, keys::VERB)];
        wanted.extend(numbered.iter().map(|(key, name)| (key.as_str(), name.as_str())));
        wanted.extend(frames.is_some().then_some((keys::THREADS, "true")));
        let draft = Draft::new(client.target(), Bundled::Native, &wanted)?;
        let session = draft.open(client.target(), timeout)?;
        let cause = format!("the classes of pid {} cannot be read", client.target().pid());
        let reply = match native_agent::load(client, &draft, &session, "not-read", &cause)? {
            Answer::Done(reply) => reply,
            Answer::Refused(reply) => match native_agent::said(&reply) {
                (stage::NOT_LOADED, _) => continue,
                (stage, message) => {
                    return Err(Failure::new(EXIT_FAILED, "not-read", cause)
                        .evidence(format!("stage {stage}: {message}"))
                        .remedy("nothing was changed; jgraft doctor says how the jvm is"));
                }
            },
        };
        let numbered = |key: &str, n: usize| properties::get(&reply, &format!("{key}{n}"));
        if let Some(frames) = &mut frames {
            frames.take(&reply);
        }
        // A reply that tells more is not the agent's.
        for n in 1..=keys::MOST_CLASSES {
            let Some(name) = numbered(keys::CLASS, n) else { break };
            let class = match numbered(keys::FILE, n) {
                // A name of a file of the session, whatever the target has made of it.
                Some(_) => session.dir().read(&keys::file(n), CLASS_LIMIT).map_err(|error| error.to_string()),
                None => Err(numbered(keys::ERROR, n).map(clean).unwrap_or_default()),
            };
            all.push(Told {
                name: name.replace('.', "/"),
                loader_id: numbered(keys::LOADER_ID, n).and_then(|id| id.parse().ok()).unwrap_or(0),
                class,
            });
        }
    }
    Ok(all)
}
