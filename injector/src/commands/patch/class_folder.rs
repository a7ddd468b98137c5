//! A folder of classes of the target, copied to our side for a compiler of ours, which would follow a link in it to wherever that
//! leads here, and wait for a FIFO. Read in the target's own root, with its user's rights, within bounds.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use jgraft_attach::{Target, TargetRoot};

use super::fat_jar::Room;
use super::inputs;

/// Packages in packages; links may lead round in a circle.
const DEEPEST: usize = 32;

/// Copies class files, in their packages, into a folder that is new. What cannot be read is passed over, as by a class loader that may
/// not read it.
pub(super) fn copy(
    target: &Target,
    root: &TargetRoot,
    from: &Path,
    to: &Path,
    room: &mut Room,
) -> io::Result<()> {
    fs::create_dir(to)?;
    let mut waiting = vec![(PathBuf::new(), 0)];
    while let Some((below, depth)) = waiting.pop() {
        // Read with the user's rights, and written with ours: a folder at a time is in memory.
        let Folder { classes, packages } = target.as_its_user(|| read(root, &from.join(&below), room))??;
        let to = to.join(&below);
        fs::create_dir_all(&to)?;
        for (name, bytes) in classes {
            File::create_new(to.join(name))?.write_all(&bytes)?;
        }
        if depth < DEEPEST {
            waiting.extend(packages.into_iter().map(|name| (below.join(name), depth + 1)));
        }
    }
    Ok(())
}

/// What is in a folder: class files, and the names of what may be packages.
#[derive(Default)]
struct Folder {
    classes: Vec<(OsString, Vec<u8>)>,
    packages: Vec<OsString>,
}

fn read(root: &TargetRoot, from: &Path, room: &mut Room) -> io::Result<Folder> {
    let mut found = Folder::default();
    let Ok(folder) = root.open_dir(from) else { return Ok(found) };
    let entries = fs::read_dir(format!("/proc/self/fd/{}", folder.as_raw_fd())).into_iter().flatten();
    for name in entries.map_while(Result::ok).map(|entry| entry.file_name()) {
        let Some(text) = name.to_str() else { continue };
        room.classes = room.classes.checked_sub(1).ok_or_else(|| {
            io::Error::other(format!("{}: there are too many class files and folders", from.display()))
        })?;
        if text.ends_with(".class") {
            // None of one that no JVM would take.
            if let Ok(bytes) = root.open_file(&from.join(&name)).and_then(inputs::limited) {
                let left = room.bytes.checked_sub(bytes.len() as u64);
                room.bytes = left.ok_or_else(|| io::Error::other("its class files are too large"))?;
                found.classes.push((name, bytes));
            }
        } else if is_package(text) && root.open_dir(&from.join(&name)).is_ok() {
            found.packages.push(name);
        }
    }
    Ok(found)
}

/// No package has a hyphen or a dot in its name: `META-INF`, `BOOT-INF`.
fn is_package(name: &str) -> bool {
    !name.contains(['-', '.'])
}
