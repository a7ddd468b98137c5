//! The session's directory: whether it may be believed, and the reply in it.
//!
//! Who else could write there could make us write elsewhere. So it has to be the JVM's own user's, and nobody else's.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jgraft_protocol::session::{REPLY, REQUEST};

use crate::sys::{O_NOFOLLOW, effective_user};

/// A longer request is none: a part of it would ask for something else.
const REQUEST_LIMIT: u64 = 1 << 20;

/// A directory that was looked at and found good.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    dir: PathBuf,
}

impl Session {
    /// Looks at it. Nothing is written.
    pub(crate) fn open(dir: &Path) -> io::Result<Session> {
        is_ours_alone(dir)?;
        Ok(Session { dir: dir.to_owned() })
    }

    /// Puts the reply there, whole or not at all, in place of an older one.
    pub(crate) fn reply(&self, text: &str) -> io::Result<()> {
        self.put(REPLY, text)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.dir
    }

    /// What the injector wants, where the options do not say it.
    pub(crate) fn request(&self) -> io::Result<Vec<u8>> {
        let mut request = Vec::new();
        let file = OpenOptions::new().read(true).custom_flags(O_NOFOLLOW).open(self.dir.join(REQUEST))?;
        file.take(REQUEST_LIMIT + 1).read_to_end(&mut request)?;
        match request.len() as u64 > REQUEST_LIMIT {
            true => Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than 1 MiB")),
            false => Ok(request),
        }
    }

    /// Writes a file that is not there yet. It is whole only once a reply names it.
    pub(crate) fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        is_ours_alone(&self.dir)?;
        let path = self.dir.join(name);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let written = file.write_all(bytes);
        if written.is_err() {
            // A full disk: what is there is of no use to anyone.
            let _ = fs::remove_file(&path);
        }
        written
    }

    /// As [`reply`](Self::reply), under another name.
    pub(crate) fn put(&self, name: &str, text: &str) -> io::Result<()> {
        // At the start of a JVM much time may have passed since it was opened.
        is_ours_alone(&self.dir)?;
        let unfinished = self.dir.join(format!("{name}.tmp"));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        let written =
            file.write_all(text.as_bytes()).and_then(|()| fs::rename(&unfinished, self.dir.join(name)));
        if written.is_err() {
            // A full disk: what is there is of no use to anyone.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }
}

fn is_ours_alone(dir: &Path) -> io::Result<()> {
    let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    if !dir.is_absolute() {
        return refuse("no absolute path");
    }
    let facts = fs::symlink_metadata(dir)?;
    if !facts.is_dir() {
        return refuse("no directory");
    }
    if facts.uid() != effective_user() {
        return refuse("not owned by the jvm's user");
    }
    if facts.mode() & 0o022 != 0 {
        return refuse("others may write there");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_reply_is_whole_private_and_replaces_an_older_one() {
        let dir = tempfile::tempdir().unwrap();
        let session = Session::open(dir.path()).unwrap();
        session.reply("one\n").unwrap();
        session.reply("two\n").unwrap();
        let reply = dir.path().join(REPLY);
        assert_eq!(fs::read_to_string(&reply).unwrap(), "two\n");
        assert_eq!(fs::metadata(&reply).unwrap().mode() & 0o777, 0o600);
        assert_eq!(names(dir.path()), [REPLY]);
    }

    #[test]
    fn directories_that_are_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("real")).unwrap();
        symlink(at("real"), at("link")).unwrap();
        fs::write(at("file"), "").unwrap();
        fs::create_dir(at("open")).unwrap();
        fs::set_permissions(at("open"), Permissions::from_mode(0o770)).unwrap();
        for path in [at("link"), at("file"), at("open"), at("absent"), PathBuf::from("real"), PathBuf::new()]
        {
            assert!(Session::open(&path).is_err(), "{}", path.display());
        }
        assert!(Session::open(&at("real")).is_ok());
    }

    #[test]
    fn a_directory_that_changed_meanwhile_gets_no_reply() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("s"), dir.path().join("other"));
        fs::create_dir(&path).unwrap();
        fs::create_dir(&other).unwrap();
        let session = Session::open(&path).unwrap();
        fs::remove_dir(&path).unwrap();
        symlink(&other, &path).unwrap();
        assert!(session.reply("x").is_err());
        assert!(names(&other).is_empty());
    }

    #[test]
    fn a_new_file_is_private_and_replaces_none() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, session) = (dir.path().join("victim"), Session::open(dir.path()).unwrap());
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, dir.path().join("class-2")).unwrap();
        session.write_new("class-1", b"bytes").unwrap();
        let facts = fs::metadata(dir.path().join("class-1")).unwrap();
        assert_eq!((facts.mode() & 0o777, facts.len()), (0o600, 5));
        for taken in ["class-1", "class-2"] {
            assert_eq!(session.write_new(taken, b"x").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn a_request_is_read_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let session = Session::open(dir.path()).unwrap();
        for (length, is_read) in [(0, true), (REQUEST_LIMIT, true), (REQUEST_LIMIT + 1, false)] {
            fs::write(dir.path().join(REQUEST), vec![b'x'; length as usize]).unwrap();
            assert_eq!(
                session.request().is_ok_and(|request| request.len() as u64 == length),
                is_read,
                "{length}"
            );
        }
    }

    #[test]
    fn a_file_in_the_way_is_not_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, dir.path().join("reply.tmp")).unwrap();
        assert!(Session::open(dir.path()).unwrap().reply("x").is_err());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }
}
