//! A file of ours as the target will find it: the same file, readable for its user, open in it already?

use std::ffi::OsString;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use crate::finding::{Finding, FindingKind};
use crate::proc::root::open_regular;
use crate::sys;
use crate::target::Target;

/// Does the target find the very same file (device and inode) at `path`, which is absolute in our view?
///
/// An agent jar that is another file there, or none, would be refused by the JVM with code 100, or be another agent.
pub fn seen_by(target: &Target, path: &Path) -> Result<(), Finding> {
    use std::os::unix::fs::MetadataExt;
    let pid = target.pid();
    let not_visible = |evidence: String| {
        Finding::new(
            FindingKind::FileNotVisible,
            format!("pid {pid} does not see {} as we do", path.display()),
            evidence,
            format!("put the file where both see it: under /proc/{pid}/root on this side"),
        )
    };
    let ours = std::fs::metadata(path).map_err(|e| not_visible(format!("it cannot be read here: {e}")))?;
    let root = target.root().map_err(|e| not_visible(format!("/proc/{pid}/root: {e}")))?;
    match root.file_id(path) {
        Ok(id) if id == (ours.dev(), ours.ino()) => Ok(()),
        Ok((device, inode)) => Err(not_visible(format!(
            "another file is there: device {device:x} inode {inode}, ours is device {:x} inode {}",
            ours.dev(),
            ours.ino()
        ))),
        Err(e) => Err(not_visible(format!("in its view of the file system: {e}"))),
    }
}

/// Can the target's user read it there? `None` where we cannot act as that user to find out.
pub fn readable_by(target: &Target, path: &Path) -> Option<io::Result<()>> {
    let root = target.root().ok()?;
    sys::run_as(target.status().identity(), || root.open_file(path).map(drop)).ok()
}

/// Which of the target's descriptors have this file of ours open, as paths under `/proc`.
pub fn open_in(target: &Target, path: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt;
    let Ok(ours) = std::fs::metadata(path) else { return Vec::new() };
    open_file_in(target, path, (ours.dev(), ours.ino()))
}

/// The same for a file that was staged, a path in the target's view.
pub fn staged_open_in(target: &Target, path: &Path) -> Vec<String> {
    let Ok(id) = target.root().map_err(|_| ()).and_then(|root| root.file_id(path).map_err(|_| ())) else {
        return Vec::new();
    };
    open_file_in(target, path, id)
}

/// Where the target has mapped the library that it sees at `path`, as the kernel names the file.
pub fn mapped_in(target: &Target, path: &Path) -> Option<PathBuf> {
    let root = target.root().ok()?;
    let id = root.file_id(path).ok()?;
    let same = |mapped: &PathBuf| root.file_id(root.as_target_sees(mapped)).is_ok_and(|mapped| mapped == id);
    mapped_files(target).find(|mapped| mapped.file_name() == path.file_name() && same(mapped))
}

/// Where the target has mapped a library that it found by its bare name, such as `jdwp`.
pub fn mapped_by_name(target: &Target, name: &str) -> Option<PathBuf> {
    let file = format!("lib{name}.so");
    mapped_files(target).find(|mapped| mapped.file_name().is_some_and(|name| *name == *file))
}

/// Files of this name that the target has mapped or open, as the kernel names them, each once. It may have none of them, and
/// a file of that name may be any file.
pub fn in_use(target: &Target, name: &str) -> Vec<PathBuf> {
    let process = target.process();
    let open = process.entries("fd").unwrap_or_default().into_iter();
    let open = open.filter_map(|fd| process.link(&format!("fd/{}", fd.to_str()?)).ok());
    let is_named = |path: &PathBuf| {
        let file = path.file_name().and_then(|file| file.to_str());
        file.is_some_and(|file| file.trim_end_matches(" (deleted)") == name)
    };
    let mut found: Vec<_> = mapped_files(target).chain(open).filter(is_named).collect();
    found.sort();
    found.dedup();
    found
}

fn mapped_files(target: &Target) -> impl Iterator<Item = PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let maps = target.process().open_file("maps").ok().map(io::BufReader::new);
    let lines = maps.into_iter().flat_map(|maps| maps.split(b'\n').map_while(Result::ok));
    lines.filter_map(|mut line| {
        let path = line.split_off(line.iter().position(|&b| b == b'/')?);
        Some(PathBuf::from(OsString::from_vec(path)))
    })
}

fn open_file_in(target: &Target, path: &Path, id: (u64, u64)) -> Vec<String> {
    let name = path.file_name();
    let process = target.process();
    let descriptors = process.entries("fd").unwrap_or_default();
    descriptors
        .iter()
        .filter_map(|fd| {
            let link = format!("fd/{}", fd.to_str()?);
            // The name first: a service may have ten thousand descriptors, and a stat costs more than a readlink.
            let same = process.link(&link).ok()?.file_name() == name && process.file_id(&link).ok()? == id;
            same.then(|| format!("/proc/{}/{link}", target.pid()))
        })
        .collect()
}

/// What the target writes from now on to a descriptor of its own that is a plain file: that file, opened for reading
/// at its end, with the rights of the target's user. An error of kind `InvalidInput` for pipes, terminals and sockets,
/// of kind `PermissionDenied` for a file that somebody else opened for it.
pub fn follow(target: &Target, descriptor: u32) -> io::Result<std::fs::File> {
    use std::io::Seek;
    // By a path-only handle: to open a FIFO or a device is to take part in it, and it may be another by now.
    let handle = target.process().open_handle(&format!("fd/{descriptor}"))?;
    let mut file = sys::run_as(target.status().identity(), || open_regular(&handle))??;
    file.seek(io::SeekFrom::End(0))?;
    Ok(file)
}

/// Plain files that the target has open under a name which it has removed since, opened for reading with the rights of the
/// target's user. It may have given that name to any file.
pub fn open_without_name(target: &Target, name: &str) -> Vec<std::fs::File> {
    use std::io::Seek;
    let ending = format!("/{name} (deleted)");
    let descriptors = target.process().entries("fd").unwrap_or_default();
    descriptors
        .iter()
        .filter_map(|fd| fd.to_str()?.parse().ok())
        .filter(|fd| destination(target, *fd).is_some_and(|path| path.ends_with(&ending)))
        .filter_map(|fd| {
            let mut file = follow(target, fd).ok()?;
            file.rewind().ok()?;
            Some(file)
        })
        .collect()
}

/// Whether the target has anything open whose path, as the kernel names it, is meant.
pub fn has_open(target: &Target, is_meant: impl Fn(&str) -> bool) -> bool {
    let descriptors = target.process().entries("fd").unwrap_or_default();
    let mut paths = descriptors.iter().filter_map(|fd| destination(target, fd.to_str()?.parse().ok()?));
    paths.any(|path| is_meant(&path))
}

/// Where that descriptor leads, as the kernel names it.
pub fn destination(target: &Target, descriptor: u32) -> Option<String> {
    Some(target.process().link(&format!("fd/{descriptor}")).ok()?.display().to_string())
}
