//! A folder of classes of the target, copied to our side for a compiler of ours, which would follow a link in it to wherever that
//! leads here, and wait for a FIFO. Read in the target's own root, with its user's rights, within bounds.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use jgraft_attach::{Target, TargetRoot};

use super::fat_jar::Room;

/// Packages in packages; links may lead round in a circle.
const DEEPEST: usize = 32;
/// Bytes of one class file.
const CLASS_LIMIT: u64 = 16 << 20;

/// Copies class files, in their packages, into a folder that is new. What cannot be read is passed over, as by a class loader that may
/// not read it.
pub(super) fn copy(
    target: &Target,
    root: &TargetRoot,
    from: &Path,
    to: &Path,
    room: &mut Room,
) -> io::Result<()> {
    // The handles are had with the user's rights; what is open is read and copied with ours.
    let mut found = Vec::new();
    target.as_its_user(|| below(root, from, Path::new(""), room, &mut found, 0))??;
    fs::create_dir(to)?;
    for (path, bytes) in found {
        let path = to.join(path);
        fs::create_dir_all(path.parent().unwrap_or(to))?;
        File::create_new(path)?.write_all(&bytes)?;
    }
    Ok(())
}

type Found = Vec<(PathBuf, Vec<u8>)>;

fn below(
    root: &TargetRoot,
    from: &Path,
    to: &Path,
    room: &mut Room,
    found: &mut Found,
    depth: usize,
) -> io::Result<()> {
    let Ok(folder) = root.open_dir(from) else { return Ok(()) };
    let Ok(entries) = fs::read_dir(format!("/proc/self/fd/{}", folder.as_raw_fd())) else { return Ok(()) };
    for entry in entries {
        let Ok(name) = entry.map(|entry| entry.file_name()) else { return Ok(()) };
        let Some(text) = name.to_str() else { continue };
        let (path, copy) = (from.join(&name), to.join(&name));
        room.classes = room.classes.checked_sub(1).ok_or_else(|| {
            io::Error::other(format!("{}: there are too many class files and folders", from.display()))
        })?;
        if text.ends_with(".class") {
            if let Some(bytes) = root.open_file(&path).ok().and_then(|file| class_file(file).ok().flatten()) {
                let left = room.bytes.checked_sub(bytes.len() as u64);
                room.bytes = left.ok_or_else(|| io::Error::other("its class files are too large"))?;
                found.push((copy, bytes));
            }
        } else if is_package(text) && depth < DEEPEST {
            below(root, &path, &copy, room, found, depth + 1)?;
        }
    }
    Ok(())
}

/// None of one that no JVM would take.
fn class_file(file: File) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(CLASS_LIMIT + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= CLASS_LIMIT).then_some(bytes))
}

/// No package has a hyphen or a dot in its name: `META-INF`, `BOOT-INF`.
fn is_package(name: &str) -> bool {
    !name.contains(['-', '.'])
}
