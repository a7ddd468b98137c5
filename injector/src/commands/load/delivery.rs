//! How the JVM gets at the agent's file: where it is, if the target sees the very same file there, else as a copy
//! staged in the target's view. Decided before anything is written, so that the checks see the path the JVM will see.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jgraft_agentjar::companions;
use jgraft_attach::staging::{self, Folder, Home, Parcel, Place};
use jgraft_attach::{Finding, Target, files};
use serde::Serialize;

use super::agent::Agent;
use crate::commands::doctor::FindingJson;
use crate::failure::Failure;
use crate::session::staging_failed;

/// The way to the target.
pub(crate) enum Delivery {
    /// The target sees the file itself.
    InPlace,
    /// It was named by a path through the target's own root, and is this in the target's view.
    Inside(String),
    Staged(Box<Staging>),
}

/// A copy to be made.
pub(crate) struct Staging {
    parcel: Parcel,
    place: Place,
    path: String,
}

/// What `--json` says of a copy that was made.
#[derive(Serialize)]
pub(crate) struct StagedJson {
    /// In the target's view.
    path: String,
    files: usize,
    bytes: u64,
    /// Files that had to be written; the others were there already.
    written: usize,
    passed_over: Vec<String>,
}

impl Delivery {
    /// Finds the way. Findings are reasons against loading; a failure is a command line that makes no sense.
    pub(crate) fn find(
        agent: &Agent,
        target: &Target,
        stage_dir: Option<&Path>,
    ) -> Result<Result<Delivery, FindingJson>, Failure> {
        let path = Path::new(agent.path());
        let folder = stage_dir.map(|folder| below(folder, path)).transpose()?;
        if agent.is_bare_name() || !path.is_file() {
            return Ok(Ok(Delivery::InPlace));
        }
        if let Some(inside) = inside(target, path) {
            return Ok(Ok(Delivery::Inside(inside)));
        }
        let seen = files::seen_by(target, path).and_then(|()| match &folder {
            Some((folder, _)) => files::seen_by(target, folder),
            None => Ok(()),
        });
        Ok(match (seen, target.root()) {
            (Ok(()), _) => Ok(Delivery::InPlace),
            (Err(finding), Err(_)) => Err(FindingJson::of(&finding)),
            (Err(_), Ok(_)) => staged(agent, target, folder).map(|s| Delivery::Staged(Box::new(s))),
        })
    }

    /// The agent's path as the JVM will be told.
    pub(crate) fn path<'a>(&'a self, agent: &'a Agent) -> &'a str {
        match self {
            Delivery::InPlace => agent.path(),
            Delivery::Inside(path) => path,
            Delivery::Staged(staging) => &staging.path,
        }
    }

    /// The same where it is not the path that the user gave.
    pub(crate) fn other_path(&self) -> Option<&str> {
        match self {
            Delivery::InPlace => None,
            Delivery::Inside(path) => Some(path),
            Delivery::Staged(staging) => Some(&staging.path),
        }
    }

    /// Where the agent will be at the target's next start: a copy is gone then.
    pub(crate) fn lasting_path<'a>(&'a self, agent: &'a Agent) -> &'a str {
        match self {
            Delivery::Inside(path) => path,
            Delivery::InPlace | Delivery::Staged(_) => agent.path(),
        }
    }

    /// One line for people: what is copied, and where to.
    pub(crate) fn describe(&self) -> Option<String> {
        let Delivery::Staged(staging) = self else { return None };
        let Staging { parcel, place, path } = &**staging;
        let size = format!("{} file(s), {} bytes", parcel.files(), parcel.bytes());
        let passed = match place.passed_over() {
            [] => String::new(),
            reasons => format!(" (not in {})", reasons.join("; not in ")),
        };
        Some(format!("{size} as {path}{passed}"))
    }

    /// Makes the copy. It stays until the target has ended.
    pub(crate) fn carry_out(
        &self,
        target: &Target,
        timeout: Duration,
    ) -> Result<Option<StagedJson>, Failure> {
        let Delivery::Staged(staging) = self else { return Ok(None) };
        let Staging { parcel, place, path } = &**staging;
        let made = Home::open(target, place, timeout).and_then(|home| home.put(target, parcel));
        let staged = made.map_err(|finding: Finding| staging_failed(&finding))?;
        Ok(Some(StagedJson {
            path: path.clone(),
            files: parcel.files(),
            bytes: parcel.bytes(),
            written: staged.written,
            passed_over: place.passed_over().to_vec(),
        }))
    }
}

/// `/proc/PID/root/opt/agent.jar` is `/opt/agent.jar` for that PID, if links do not lead elsewhere on the two sides.
fn inside(target: &Target, path: &Path) -> Option<String> {
    let below = path.strip_prefix(format!("/proc/{}/root", target.pid())).ok()?;
    let inside = Path::new("/").join(below);
    let ours = std::fs::metadata(path).ok()?;
    let theirs = target.root().ok()?.file_id(&inside).ok()?;
    ((ours.dev(), ours.ino()) == theirs).then_some(())?;
    inside.to_str().map(str::to_owned)
}

/// `--stage-dir` made absolute, and the agent's path below it.
fn below(folder: &Path, agent: &Path) -> Result<(PathBuf, PathBuf), Failure> {
    let usage = |evidence: String| {
        Failure::usage(
            format!("{} is not in --stage-dir {}", agent.display(), folder.display()),
            evidence,
            "name the directory that the agent's jar lies in, or one above it",
        )
    };
    let real =
        |path: &Path| std::fs::canonicalize(path).map_err(|e| usage(format!("{}: {e}", path.display())));
    let (folder, agent) = (real(folder)?, real(agent)?);
    match agent.strip_prefix(&folder) {
        Ok(below) if !below.as_os_str().is_empty() => Ok((folder.clone(), below.to_owned())),
        _ => Err(usage(format!("it really lies in {}", agent.parent().unwrap_or(&agent).display()))),
    }
}

fn staged(
    agent: &Agent,
    target: &Target,
    folder: Option<(PathBuf, PathBuf)>,
) -> Result<Staging, FindingJson> {
    let path = Path::new(agent.path());
    let mut parcel = Parcel::new();
    let packed = match &folder {
        Some((folder, first)) => parcel.add_folder(folder, first).map_err(|e| e.to_string()),
        None => {
            let name = Path::new(path.file_name().unwrap_or_default());
            let added = parcel.add_file(path, name).map_err(|e| e.to_string());
            added.and_then(|()| if agent.native { Ok(()) } else { add_companions(&mut parcel, path) })
        }
    };
    packed.map_err(|evidence| FindingJson {
        code: "cannot-be-staged",
        cause: format!("pid {} does not see {}, and it cannot be copied", target.pid(), path.display()),
        evidence,
        remedy: "--stage-dir DIR takes a whole agent directory; or put the agent into the target's image"
            .to_owned(),
    })?;
    let place = staging::place_for(target, &parcel).map_err(|finding| FindingJson::of(&finding))?;
    let path = staging::path_in(&place, &parcel).display().to_string();
    Ok(Staging { parcel, place, path })
}

/// What the jar names by relative paths, and what those name in turn. Entries that are not there are left out, as the
/// JVM does; the check has warned of them. A copy is the target's to read: no link may lead to what the operator's jar
/// does not bring with it.
fn add_companions(parcel: &mut Parcel, jar: &Path) -> Result<(), String> {
    let here = |path: &Path| path.parent().map(Path::to_owned).unwrap_or_default();
    let text = |e: std::io::Error| e.to_string();
    let named = Folder::open(&here(jar)).map_err(text)?;
    let real = std::fs::canonicalize(jar).and_then(|jar| Folder::open(&here(&jar))).map_err(text)?;
    // Where they will be, and where they lie below the folder that the jar was named in: the same.
    let name = PathBuf::from(jar.file_name().unwrap_or_default());
    let first = std::fs::File::open(jar).map_err(|e| format!("{}: {e}", jar.display()))?;
    let mut left = VecDeque::from([(first, name.clone())]);
    while let Some((jar, at)) = left.pop_front() {
        for companion in companions(jar) {
            let boot = companion.attribute == "Boot-Class-Path";
            // Only the agent's own: libinstrument reads no other manifest.
            if boot && at != name {
                continue;
            }
            let folder = if boot { &real } else { &named };
            let says = format!("its {} names {}", companion.attribute, companion.path.display());
            let Some(below) = companion.below() else {
                if folder.path().join(here(&at)).join(&companion.path).exists() {
                    return Err(format!("{says}, outside its own directory"));
                }
                continue;
            };
            let to = here(&at).join(below);
            let file = match folder.open_below(&to) {
                Ok(file) => file,
                Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
                Err(e) if e.kind() == ErrorKind::CrossesDevices => {
                    return Err(format!("{says}, a link out of its own directory"));
                }
                Err(e) => return Err(e.to_string()),
            };
            if file.metadata().map_err(text)?.is_dir() {
                return Err(format!("{says}, which is a directory"));
            }
            if parcel.holds(&to) {
                continue;
            }
            parcel.add_below(folder, &to, &to).map_err(text)?;
            if !boot {
                left.push_back((file, to));
            }
        }
    }
    Ok(())
}
