//! `/proc/PID/maps`: the proof that a process is a JVM (its libjvm is mapped), and where its hsperfdata file is.

use std::path::PathBuf;

/// What the mappings tell of a JVM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct JvmMaps {
    /// The mapped `libjvm.so`, as a path in our view of the file system.
    pub(crate) libjvm: Option<PathBuf>,
    /// The file was replaced or removed after it was mapped (a JDK upgraded under the running service).
    pub(crate) libjvm_deleted: bool,
    /// An OpenJ9 core (`libj9vm*.so`) is mapped: its attach API is another, and SIGQUIT makes it write a javacore.
    pub(crate) openj9: bool,
    /// `hsperfdata_<user>/<pid>`, the two last parts of the path of the mapped counters.
    pub(crate) hsperfdata: Option<(String, i32)>,
}

impl JvmMaps {
    /// Reads the text of `/proc/PID/maps`.
    pub(crate) fn parse(text: &[u8]) -> JvmMaps {
        let mut found = JvmMaps::default();
        for line in text.split(|&b| b == b'\n') {
            // The path is the sixth column and may hold blanks; only mappings of files have a '/'.
            let Some(start) = line.iter().position(|&b| b == b'/') else { continue };
            let (path, deleted) = match line[start..].strip_suffix(b" (deleted)") {
                Some(path) => (path, true),
                None => (&line[start..], false),
            };
            let name = &path[path.iter().rposition(|&b| b == b'/').map_or(0, |i| i + 1)..];
            if name == b"libjvm.so" && found.libjvm.is_none() {
                found.libjvm = Some(unescape(path).into());
                found.libjvm_deleted = deleted;
            } else if name.starts_with(b"libj9vm") {
                found.openj9 = true;
            } else if found.hsperfdata.is_none() {
                found.hsperfdata = hsperfdata_name(path);
            }
        }
        found
    }
}

/// `…/hsperfdata_<user>/<pid>`.
fn hsperfdata_name(path: &[u8]) -> Option<(String, i32)> {
    let path = std::str::from_utf8(path).ok()?;
    let (directory, pid) = path.rsplit_once('/')?;
    let (_, directory) = directory.rsplit_once('/')?;
    if !directory.starts_with("hsperfdata_") {
        return None;
    }
    Some((directory.to_owned(), pid.parse().ok()?))
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

    #[test]
    fn finds_libjvm_and_hsperfdata() {
        let maps = b"7f31c4000000-7f31c4021000 rw-p 00000000 00:00 0 \n\
            7f31cb5f0000-7f31cb5f8000 rw-s 00000000 fe:00 262 /tmp/hsperfdata_app/4711\n\
            7f31cb600000-7f31cb8a1000 r--p 00000000 fe:00 881 /opt/my jdk/lib/server/libjvm.so\n\
            7f31cb8a1000-7f31cc6a1000 r-xp 002a1000 fe:00 881 /opt/my jdk/lib/server/libjvm.so\n";
        let found = JvmMaps::parse(maps);
        assert_eq!(found.libjvm, Some("/opt/my jdk/lib/server/libjvm.so".into()));
        assert_eq!(found.hsperfdata, Some(("hsperfdata_app".into(), 4711)));
        assert!(!found.libjvm_deleted && !found.openj9);
    }

    #[test]
    fn sees_an_upgraded_jdk_and_openj9() {
        let maps =
            b"1-2 r-xp 0 fe:00 1 /usr/lib/jvm/x/libjvm.so (deleted)\n1-2 r-xp 0 fe:00 2 /x/libj9vm29.so\n";
        let found = JvmMaps::parse(maps);
        assert!(found.libjvm_deleted && found.openj9);
    }

    #[test]
    fn a_look_alike_is_no_jvm() {
        let maps =
            b"1-2 r-xp 0 fe:00 1 /home/x/notlibjvm.so\n1-2 r 0 0 3 /tmp/hsperfdata_x/../passwd\nrubbish";
        assert_eq!(JvmMaps::parse(maps), JvmMaps::default());
    }
}
