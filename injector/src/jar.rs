//! An agent jar put to the checks of [`jgraft_agentjar`], with the facts that only a look at files and at a target gives.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jgraft_agentjar::{Neighbour, Question, Report, TargetFacts, check, unopened};
use jgraft_attach::{Kind, Target, files, modified_utf8};

/// A jar as it is to be sent.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// Absolute, on our side.
    pub(crate) path: &'a str,
    /// Its path in the target's view, where that is another: of the copy that the target gets, with what belongs to it.
    pub(crate) seen_as: Option<&'a str>,
    pub(crate) options: Option<&'a str>,
    /// How many bytes path, `=` and options may have together; none where they do not travel in a request.
    pub(crate) limit: Option<usize>,
}

/// Checks a jar as it would be sent to `target`.
pub(crate) fn examine(asked: &Asked<'_>, target: Option<&Target>) -> Report {
    let Asked { path, seen_as, options, limit } = *asked;
    let facts = target.map(|target| facts(path.as_ref(), seen_as.map(Path::new), target));
    let real = real_path(path.as_ref());
    let options = options.map(modified_utf8);
    let beside = real.as_deref().and_then(Path::parent).filter(|_| seen_as.is_some());
    let look = |path: &Path| match (beside, seen_as.map(Path::new).and_then(Path::parent)) {
        // What lies beside the jar on our side will lie beside the copy.
        (Some(ours), _) if path.starts_with(ours) => look(path, None),
        (Some(ours), Some(theirs)) if path.starts_with(theirs) => {
            look(&ours.join(path.strip_prefix(theirs).unwrap_or(path)), None)
        }
        _ => look(path, target),
    };
    let question = Question {
        real_path: real.as_deref(),
        options: options.as_deref(),
        argument_limit: limit,
        target: facts.as_ref(),
        look: &look,
        ..Question::new(seen_as.unwrap_or(path).as_ref())
    };
    match open(path.as_ref()) {
        Ok(jar) => check(jar, &question),
        Err(error) => unopened(&error, &question),
    }
}

/// With all links followed; `None` where that leads elsewhere, as it does through another process's root.
fn real_path(path: &Path) -> Option<PathBuf> {
    let id = |path: &Path| std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let real = std::fs::canonicalize(path).ok()?;
    (id(&real)? == id(path)?).then_some(real)
}

/// A plain file only: a FIFO by that name must not hold us.
pub(crate) fn open(path: &Path) -> std::io::Result<File> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(std::io::Error::new(std::io::ErrorKind::IsADirectory, "it is a directory"));
    }
    if !metadata.is_file() {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is no plain file"));
    }
    File::open(path)
}

/// What the target tells about itself and about this jar.
fn facts(path: &Path, seen_as: Option<&Path>, target: &Target) -> TargetFacts {
    let options = target.options();
    let facts = TargetFacts {
        feature_version: target.feature(),
        preview_enabled: (target.kind() == Kind::HotSpot).then(|| options.has("--enable-preview").is_some()),
        file_name_encoding: file_name_encoding(target),
        class_path: class_path(target),
        ..TargetFacts::default()
    };
    // Of a directory or a device there is nothing else to be said.
    if !path.is_file() {
        return facts;
    }
    TargetFacts {
        // A copy will be the target's own, whatever lies at its path now.
        unreadable: match files::readable_by(target, path).filter(|_| seen_as.is_none()) {
            Some(Err(e)) if e.kind() != std::io::ErrorKind::NotFound => Some(e.to_string()),
            _ => None,
        },
        already_loaded: match seen_as {
            None => already_loaded(path, files::open_in(target, path), target),
            Some(copy) => already_loaded(copy, files::staged_open_in(target, copy), target),
        },
        ..facts
    }
}

/// The first variable that is set decides (setlocale(3)): what stands behind its dot.
fn file_name_encoding(target: &Target) -> Option<String> {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| target.environment(name));
    match locale {
        None => Some("ANSI_X3.4-1968".to_owned()),
        Some(locale) => match locale.split_once('.') {
            Some((_, encoding)) => Some(encoding.split('@').next().unwrap_or(encoding).to_owned()),
            None if matches!(&*locale, "C" | "POSIX") => Some("ANSI_X3.4-1968".to_owned()),
            None => None,
        },
    }
}

fn class_path(target: &Target) -> Vec<PathBuf> {
    let text =
        target.perfdata().and_then(|perf| perf.text("java.property.java.class.path")).unwrap_or_default();
    text.split(':')
        .filter(|entry| !entry.is_empty())
        .filter_map(|entry| target.resolve(entry.as_ref()))
        .collect()
}

/// In the options by the same file, or open in one of its descriptors.
fn already_loaded(path: &Path, open: Vec<String>, target: &Target) -> Vec<String> {
    let by_option = target.options().java_agents().filter(|agent| {
        let resolved = target.resolve(agent.as_ref());
        resolved.is_some_and(|resolved| resolved == path)
    });
    let by_option: Vec<_> =
        by_option.map(|agent| format!("-javaagent:{agent} is among its options")).collect();
    let by_descriptor = open.into_iter().map(|fd| format!("it is open as {fd}"));
    by_option.into_iter().chain(by_descriptor).collect()
}

fn look(path: &Path, target: Option<&Target>) -> Neighbour {
    let opened = match target {
        None => open(path),
        Some(target) => match target.root() {
            Ok(root) => match root.open_file(path) {
                Err(_) if root.open_dir(path).is_ok() => return Neighbour::Directory,
                other => other,
            },
            Err(_) => return Neighbour::Unknown,
        },
    };
    match opened {
        Ok(file) => Neighbour::File(Box::new(file)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Neighbour::Missing,
        Err(e) if e.kind() == std::io::ErrorKind::IsADirectory => Neighbour::Directory,
        Err(_) => Neighbour::Unknown,
    }
}
