//! The description of a JVM to start, and its start. What its surroundings need is worked out by
//! `launch`; what the running JVM can do is in [`Jvm`].

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::inotify::Inotify;
use nix::unistd::Pid;

use crate::cache;
use crate::jdks::Jdk;
use crate::jvm::{Jvm, parent_of, reap, socket_path};
use crate::launch::Place;
use crate::output::{Output, Stream, watch_writes};

/// A JVM to start. In a chroot or namespace it sees the workspace, its class path, its working directory and
/// whatever [`JvmBuilder::visible`] names, under the same paths as the host.
#[derive(Debug, Clone)]
pub struct JvmBuilder<'a> {
    jdk: &'a Jdk,
    options: Vec<OsString>,
    class_path: Vec<PathBuf>,
    program: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    ids: Option<(u32, u32)>,
    pid_namespace: bool,
    own_tmp: Option<String>,
    shared_tmp: Option<PathBuf>,
    user_namespace: bool,
    read_only: bool,
    cwd: Option<PathBuf>,
    visible: Vec<PathBuf>,
    files: [Option<PathBuf>; 2],
    ready: String,
}

impl<'a> JvmBuilder<'a> {
    pub(crate) fn new(jdk: &'a Jdk) -> Self {
        Self {
            jdk,
            options: Vec::new(),
            class_path: Vec::new(),
            program: Vec::new(),
            // Else non-ASCII arguments reach a JVM before 18 only where the caller's locale is UTF-8.
            env: vec![("LC_ALL".into(), "C.UTF-8".into())],
            ids: None,
            pid_namespace: false,
            own_tmp: None,
            shared_tmp: None,
            user_namespace: false,
            read_only: false,
            cwd: None,
            visible: Vec::new(),
            files: [None, None],
            ready: "ready".to_owned(),
        }
    }

    /// Adds JVM options.
    #[must_use]
    pub fn args(mut self, options: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.options.extend(options.into_iter().map(|option| option.as_ref().to_owned()));
        self
    }

    /// Adds an entry to the class path.
    #[must_use]
    pub fn class_path(mut self, entry: impl Into<PathBuf>) -> Self {
        self.class_path.push(entry.into());
        self
    }

    /// The main class.
    #[must_use]
    pub fn main(mut self, class: &str) -> Self {
        self.program.insert(0, class.into());
        self
    }

    /// The jar to run instead of a main class.
    #[must_use]
    pub fn jar(mut self, jar: impl AsRef<Path>) -> Self {
        self.visible.push(jar.as_ref().to_owned());
        self.program.splice(0..0, [OsString::from("-jar"), jar.as_ref().into()]);
        self
    }

    /// Adds arguments of the program.
    #[must_use]
    pub fn program_args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.program.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable. Those that add JVM options are not inherited from the caller.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs it as another user, without supplementary groups. Needs root. What it reads must be readable for
    /// that user; folders on the way to it that are closed to the user are opened up in a mount namespace.
    #[must_use]
    pub fn uid_gid(mut self, uid: u32, gid: u32) -> Self {
        self.ids = Some((uid, gid));
        self
    }

    /// Gives it a /tmp of its own, a tmpfs with these further mount options ("noexec,size=1m", or none), that holds
    /// only what is visible. Needs root.
    #[must_use]
    pub fn own_tmp(mut self, options: &str) -> Self {
        self.own_tmp = Some(options.to_owned());
        self
    }

    /// Gives it this folder for its /tmp, which several JVMs may share. Needs root, and [`JvmBuilder::pid_namespace`]
    /// or [`JvmBuilder::own_tmp`].
    #[must_use]
    pub fn tmp_of(mut self, folder: &Path) -> Self {
        self.shared_tmp = Some(folder.to_owned());
        self
    }

    /// Makes it root of a user namespace of its own: on the host it is still whom [`JvmBuilder::uid_gid`] names.
    #[must_use]
    pub fn user_namespace(mut self) -> Self {
        self.user_namespace = true;
        self
    }

    /// Makes its root file system read-only, but for /dev, a /tmp and a /dev/shm of its own, and what is visible. Needs root.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self.own_tmp.get_or_insert_default();
        self
    }

    /// Runs it as pid 1 of a new pid namespace, with net and ipc namespaces, its own /proc and /dev/shm, and an empty
    /// /tmp of its own that holds only what is visible. Needs root.
    #[must_use]
    pub fn pid_namespace(mut self) -> Self {
        self.pid_namespace = true;
        self
    }

    /// Its working directory instead of a new empty folder in /tmp.
    #[must_use]
    pub fn cwd(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cwd = Some(dir.into());
        self
    }

    /// A host path that it must see under the same name, whatever its surroundings.
    #[must_use]
    pub fn visible(mut self, path: impl Into<PathBuf>) -> Self {
        self.visible.push(path.into());
        self
    }

    /// Sends stdout to a new file, which is followed, instead of a pipe.
    #[must_use]
    pub fn stdout_to_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.files[Stream::Stdout as usize] = Some(file.into());
        self
    }

    /// Sends stderr to a new file, which is followed, instead of a pipe.
    #[must_use]
    pub fn stderr_to_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.files[Stream::Stderr as usize] = Some(file.into());
        self
    }

    /// What the ready line begins with, instead of "ready".
    #[must_use]
    pub fn ready_when(mut self, beginning: &str) -> Self {
        beginning.clone_into(&mut self.ready);
        self
    }

    /// Starts it. It need not be ready yet, nor even be java yet.
    ///
    /// # Errors
    /// The JDK can't run here, or a process, file or folder can't be made.
    pub fn start(self) -> Result<Jvm> {
        self.jdk.runnable().map_err(|reason| anyhow!(reason))?;
        let namespaces = self.pid_namespace || self.own_tmp.is_some() || self.read_only;
        if (self.ids.is_some() || namespaces) && !nix::unistd::geteuid().is_root() {
            bail!("another user or a pid namespace needs root; skip this test without it");
        }
        let scratch = tempfile::Builder::new().prefix("jgraft-test-").tempdir_in("/tmp")?;
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o755))?;
        let cwd = match &self.cwd {
            Some(dir) => std::path::absolute(dir)?,
            None => self.own_cwd(scratch.path())?,
        };
        let visible = self.all_visible(&cwd)?;
        let place = Place {
            root: self.jdk.root.as_deref(),
            pid_namespace: self.pid_namespace,
            own_tmp: self.own_tmp.as_deref(),
            shared_tmp: self.shared_tmp.as_deref(),
            user_namespace: self.user_namespace,
            read_only: self.read_only,
            ids: self.ids,
            ..Place::plain(&cwd, &visible, scratch.path())
        };
        let mut command = place.command(&self.jdk.java());
        self.complete(&mut command)?;
        let followed = self.followed_files()?;
        let mut child = command.spawn().with_context(|| format!("can't start {command:?}"))?;

        let output = Arc::new(Output::default());
        read_output(&mut child, followed, &output);
        let stdin = Mutex::new(child.stdin.take());
        let started = Pid::from_raw(child.id().cast_signed());
        // One that was killed and had this number may have been of a user whose socket HotSpot cannot remove at its start.
        let _: std::io::Result<()> = fs::remove_file(socket_path(started));
        let reaping = Arc::new(Mutex::new(()));
        reap(child, Arc::clone(&output), Arc::clone(&reaping));
        // From here on the guard kills it.
        let mut jvm = Jvm {
            name: format!(
                "{} on JDK {}",
                self.program.first().map_or("java".into(), |p| p.to_string_lossy()),
                self.jdk
            ),
            ready: self.ready,
            java: started,
            started,
            output,
            reaping,
            stdin,
            cwd,
            private_tmp: self.pid_namespace || self.own_tmp.is_some(),
            _scratch: scratch,
        };
        if self.pid_namespace {
            jvm.java = only_child(&jvm)?;
        }
        Ok(jvm)
    }

    fn own_cwd(&self, scratch: &Path) -> Result<PathBuf> {
        let cwd = scratch.join("cwd");
        fs::create_dir(&cwd)?;
        if let Some((uid, gid)) = self.ids {
            chown(&cwd, Some(uid), Some(gid))?;
        }
        Ok(cwd)
    }

    fn all_visible(&self, cwd: &Path) -> Result<Vec<PathBuf>> {
        let mut visible = vec![cwd.to_owned(), cache::workspace(), cache::target_dir()];
        // Inside a chroot its own home is there anyway.
        visible.extend(self.jdk.root.is_none().then(|| self.jdk.home.clone()));
        for path in self.class_path.iter().chain(&self.visible) {
            visible.push(std::path::absolute(path)?);
        }
        visible.retain(|path| path.exists());
        Ok(visible)
    }

    fn complete(&self, command: &mut Command) -> Result<()> {
        command.args(&self.options);
        if !self.class_path.is_empty() {
            let entries = self.class_path.iter().map(std::path::absolute).collect::<Result<Vec<_>, _>>()?;
            command.arg("-cp").arg(std::env::join_paths(entries)?);
        }
        command.args(&self.program);
        for (name, value) in &self.env {
            command.env(name, value);
        }
        let stdio = |file: &Option<PathBuf>| match file {
            Some(path) => File::create(path).map(Stdio::from).with_context(|| path.display().to_string()),
            None => Ok(Stdio::piped()),
        };
        command.stdin(Stdio::piped()).stdout(stdio(&self.files[0])?).stderr(stdio(&self.files[1])?);
        Ok(())
    }

    fn followed_files(&self) -> Result<Vec<(Stream, File, Inotify)>> {
        let streams = [Stream::Stdout, Stream::Stderr].into_iter().zip(&self.files);
        let files = streams.filter_map(|(stream, path)| Some((stream, path.as_ref()?)));
        files.map(|(stream, path)| Ok((stream, File::open(path)?, watch_writes(path)?))).collect()
    }
}

/// One reader thread a stream; they end with their pipe or with the program.
fn read_output(child: &mut Child, followed: Vec<(Stream, File, Inotify)>, output: &Arc<Output>) {
    for (stream, file, watch) in followed {
        let output = Arc::clone(output);
        thread::spawn(move || output.follow_file(stream, file, &watch));
    }
    if let Some(pipe) = child.stdout.take() {
        let output = Arc::clone(output);
        thread::spawn(move || output.read_pipe(Stream::Stdout, pipe));
    }
    if let Some(pipe) = child.stderr.take() {
        let output = Arc::clone(output);
        thread::spawn(move || output.read_pipe(Stream::Stderr, pipe));
    }
}

/// The process that unshare forked: the only one whose parent it is. The kernel sends no event for a new
/// process, so this looks until it is there; that is one fork away.
fn only_child(jvm: &Jvm) -> Result<Pid> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while jvm.is_alive() && Instant::now() < deadline {
        for entry in fs::read_dir("/proc")?.flatten() {
            let pid = entry.file_name().to_str().and_then(|name| name.parse().ok()).map(Pid::from_raw);
            if let Some(pid) = pid.filter(|pid| parent_of(*pid) == Some(jvm.started)) {
                return Ok(pid);
            }
        }
        thread::sleep(Duration::from_millis(2));
    }
    bail!("unshare started no process: {}", jvm.stderr())
}
