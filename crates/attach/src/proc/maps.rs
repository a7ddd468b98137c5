//! `/proc/PID/maps`: the proof that a process is a JVM (the code of its libjvm is mapped), and where its hsperfdata
//! file is.
//!
//! Read line by line, for it has no limit: a JVM that maps a large index has tens of megabytes of it.

use std::io::{self, Read};
use std::path::PathBuf;

/// What the mappings tell of a JVM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct JvmMaps {
    /// The `libjvm.so` whose code is mapped, as a path in our view of the file system. A program that reads the file,
    /// or maps it as data, is no JVM.
    pub(crate) libjvm: Option<PathBuf>,
    /// The file was replaced or removed after it was mapped (a JDK upgraded under the running service).
    pub(crate) libjvm_deleted: bool,
    /// An OpenJ9 core (`libj9vm*.so`) is mapped: its attach API is another, and SIGQUIT makes it write a javacore.
    pub(crate) openj9: bool,
    /// The code of `libjli.so` is mapped: a launcher of a JDK.
    pub(crate) launcher: bool,
    /// `hsperfdata_<user>`, the directory of the process's own counters: a shared, writable mapping of a file that
    /// bears its number. Who only watches other JVMs maps theirs read-only.
    pub(crate) hsperfdata: Option<String>,
}

impl JvmMaps {
    /// Reads `/proc/PID/maps` of the process whose innermost pid is `ns_pid`, as far as it is needed.
    pub(crate) fn read(mut maps: impl Read, ns_pid: i32) -> io::Result<JvmMaps> {
        let own_name = ns_pid.to_string();
        let (mut found, mut text, mut chunk) = (JvmMaps::default(), Vec::new(), [0; 8192]);
        loop {
            let got = match maps.read(&mut chunk) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                got => got?,
            };
            text.extend_from_slice(&chunk[..got]);
            let whole = match got {
                0 => text.len(),
                _ => text.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1),
            };
            for line in text[..whole].split(|&b| b == b'\n') {
                found.take(line, &own_name);
            }
            text.drain(..whole);
            // OpenJ9 keeps no hsperfdata, so nothing that is still to come can change the verdict.
            if got == 0 || (found.libjvm.is_some() && found.hsperfdata.is_some()) {
                return Ok(found);
            }
        }
    }

    /// One line: address, permissions, offset, device, inode, path.
    fn take(&mut self, line: &[u8], own_name: &str) {
        // The path is the sixth column and may hold blanks; only mappings of files have a '/'.
        let Some(start) = line.iter().position(|&b| b == b'/') else { return };
        let Some(&[_, write, execute, shared]) = line.split(|&b| b == b' ').nth(1) else { return };
        let (path, deleted) = match line[start..].strip_suffix(b" (deleted)") {
            Some(path) => (path, true),
            None => (&line[start..], false),
        };
        let name = &path[path.iter().rposition(|&b| b == b'/').map_or(0, |i| i + 1)..];
        if execute == b'x' {
            if name == b"libjvm.so" && self.libjvm.is_none() {
                self.libjvm = Some(unescape(path).into());
                self.libjvm_deleted = deleted;
            }
            self.openj9 |= name.starts_with(b"libj9vm");
            self.launcher |= name == b"libjli.so";
        }
        if write == b'w' && shared == b's' && name == own_name.as_bytes() && self.hsperfdata.is_none() {
            self.hsperfdata = hsperfdata_directory(path);
        }
    }
}

/// `hsperfdata_<user>` of `…/hsperfdata_<user>/<pid>`.
fn hsperfdata_directory(path: &[u8]) -> Option<String> {
    let (directory, _) = std::str::from_utf8(path).ok()?.rsplit_once('/')?;
    let (_, directory) = directory.rsplit_once('/')?;
    directory.starts_with("hsperfdata_").then(|| directory.to_owned())
}

/// The kernel writes a newline in a path as `\012`, and nothing else (seq_file's escape set for maps is "\n").
fn unescape(path: &[u8]) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt;
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&first, tail)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(b"\\012") {
            out.push(b'\n');
            rest = after;
        } else {
            out.push(first);
            rest = tail;
        }
    }
    std::ffi::OsString::from_vec(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(maps: &[u8]) -> JvmMaps {
        JvmMaps::read(maps, 4711).unwrap()
    }

    #[test]
    fn finds_libjvm_and_hsperfdata() {
        let maps = b"7f31c4000000-7f31c4021000 rw-p 00000000 00:00 0 \n\
            7f31cb5f0000-7f31cb5f8000 rw-s 00000000 fe:00 262 /tmp/hsperfdata_app/4711\n\
            7f31cb600000-7f31cb8a1000 r--p 00000000 fe:00 881 /opt/my jdk/lib/server/libjvm.so\n\
            7f31cb8a1000-7f31cc6a1000 r-xp 002a1000 fe:00 881 /opt/my jdk/lib/server/libjvm.so\n";
        let found = read(maps);
        assert_eq!(found.libjvm, Some("/opt/my jdk/lib/server/libjvm.so".into()));
        assert_eq!(found.hsperfdata.as_deref(), Some("hsperfdata_app"));
        assert!(!found.libjvm_deleted && !found.openj9 && !found.launcher);
    }

    #[test]
    fn sees_an_upgraded_jdk_and_openj9() {
        let maps =
            b"1-2 r-xp 0 fe:00 1 /usr/lib/jvm/x/libjvm.so (deleted)\n1-2 r-xp 0 fe:00 2 /x/libj9vm29.so\n";
        let found = read(maps);
        assert!(found.libjvm_deleted && found.openj9);
    }

    #[test]
    fn a_look_alike_is_no_jvm() {
        let maps = b"1-2 r-xp 0 fe:00 1 /home/x/notlibjvm.so\n1-2 rw-s 0 0 3 /tmp/hsperfdata_x/../passwd\n\
            1-2 rw-s 0 0 3 /tmp/4711\n1-2 r--p 0 fe:00 1 /x/libjvm.so\n1-2 rw /x/libjvm.so\nrubbish";
        assert_eq!(read(maps), JvmMaps::default());
    }

    #[test]
    fn a_watcher_of_other_jvms_keeps_its_own_counters_and_borrows_none() {
        let watched =
            "1-2 r--s 0 fe:00 1 /tmp/hsperfdata_app/4712\n1-2 r--s 0 fe:00 1 /c/hsperfdata_c/4711\n";
        assert_eq!(read(watched.as_bytes()), JvmMaps::default());
        let maps = format!("{watched}1-2 rw-s 0 fe:00 1 /tmp/hsperfdata_mon/4711\n");
        assert_eq!(read(maps.as_bytes()).hsperfdata.as_deref(), Some("hsperfdata_mon"));
    }

    #[test]
    fn no_size_is_too_large() {
        let mut maps = String::new();
        while maps.len() < 17 << 20 {
            maps.push_str("7f31c4000000-7f31c4021000 r--s 00000000 fe:00 262 /index/_0.cfs\n");
        }
        maps.push_str("1-2 r-xp 0 fe:00 1 /x/libjvm.so\n1-2 r-xp 0 fe:00 1 /x/libjli.so");
        let found = read(maps.as_bytes());
        assert!(found.libjvm.is_some() && found.launcher);
    }
}
