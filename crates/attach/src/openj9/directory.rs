//! Where OpenJ9 VMs announce themselves: a directory in the target's view with one entry a VM.
//!
//! Everybody may write into it, so an entry counts only if it, and what is in it, is the target's own.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};

use super::properties;
use crate::sys;
use crate::target::Target;
use crate::vm_options::Source;

const DEFAULT: &str = "/tmp/.com_ibm_tools_attach";
/// More VMs than one host runs; a directory that is filled on purpose does not hold us up.
const ENTRIES: usize = 4096;
/// An honest attachInfo has half a KiB.
const INFO_LIMIT: u64 = 64 << 10;

/// One VM's entry.
#[derive(Debug)]
pub(super) struct Entry {
    /// The directory of all VMs.
    pub(super) common: OwnedFd,
    /// The VM's own.
    pub(super) vm: OwnedFd,
    /// The VM's own in the target's view.
    pub(super) path: PathBuf,
}

/// The common directory as the target knows it.
pub(super) fn common_path(target: &Target) -> PathBuf {
    option(target, "directory").map_or_else(|| DEFAULT.into(), |(path, _)| path.into())
}

/// `-Dcom.ibm.tools.attach.NAME=VALUE`, on its command line or in a variable.
pub(super) fn option(target: &Target, name: &str) -> Option<(String, Source)> {
    let name = format!("com.ibm.tools.attach.{name}");
    if let Some((value, source)) = target.options().system_property(&name) {
        return Some((value.to_owned(), source));
    }
    ["OPENJ9_JAVA_OPTIONS", "IBM_JAVA_OPTIONS"].into_iter().find_map(|variable| {
        let words = target.environment(variable)?;
        let prefix = format!("-D{name}=");
        let value = words.split_ascii_whitespace().rev().find_map(|word| word.strip_prefix(&prefix))?;
        Some((value.to_owned(), Source::Environment(variable)))
    })
}

/// The target's entry; none where it has not announced itself.
pub(super) fn find(target: &Target) -> std::io::Result<Option<Entry>> {
    let path = common_path(target);
    let root = target.root().map_err(|e| std::io::Error::new(e.kind(), e.to_string()))?;
    let dir = match root.open_dir(&target.resolve(&path).unwrap_or_else(|| path.clone())) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let readable = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let common = openat(&dir, ".", readable, Mode::empty())?;
    let mut listing = nix::dir::Dir::openat(&dir, ".", readable, Mode::empty())?;
    for entry in listing.iter().take(ENTRIES) {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else { continue };
        if name.starts_with(['.', '_']) {
            continue;
        }
        if let Some(vm) = own_entry(common.as_fd(), name, target) {
            return Ok(Some(Entry { common, vm, path: path.join(name) }));
        }
    }
    Ok(None)
}

/// The entry by this name, if it is the target's: of its user, and with its pid in it.
fn own_entry(common: BorrowedFd<'_>, name: &str, target: &Target) -> Option<OwnedFd> {
    let status = target.status();
    let handle = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let vm = openat(common, name, handle, Mode::empty()).ok()?;
    if fstat(&vm).ok()?.st_uid != status.uid {
        return None;
    }
    let text = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let info = openat(&vm, "attachInfo", text, Mode::empty()).ok()?;
    let stat = fstat(&info).ok()?;
    if !is_regular(&stat) || stat.st_uid != status.uid {
        return None;
    }
    let info = sys::read_at_most(std::fs::File::from(info), INFO_LIMIT).ok()?;
    let pid: i32 = properties::value(&info, "processId")?.trim().parse().ok()?;
    (pid == status.ns_pid).then_some(vm)
}

fn is_regular(stat: &FileStat) -> bool {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG
}
