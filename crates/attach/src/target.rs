//! One process, and everything about it that can be read without touching it.
//!
//! Nothing here decides: [`crate::preflight`] draws the conclusions.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::hsperfdata::{PerfData, PerfDataError};
use crate::proc::maps::JvmMaps;
use crate::proc::status::Status;
use crate::proc::{Process, TargetRoot, cgroup, users};
use crate::sys;
use crate::vm_options::{Given, Program, StartedBy, VmOptions};

/// An honest hsperfdata file has 32 KiB (`PerfDataMemorySize`).
pub(crate) const PERF_LIMIT: u64 = 4 << 20;
/// An honest @argfile or `release` file is smaller, though a class path can be long.
const TEXT_LIMIT: usize = 1 << 20;

/// A JVM that has not created itself by this age is not merely starting.
pub(crate) const START_UP: Duration = Duration::from_secs(60);
/// Where only age tells, a JVM is given so long to create itself: it takes 0.05 to 0.5 s.
pub(crate) const SETTLED: Duration = Duration::from_secs(2);

/// Facts about one process, as of the moment of [`Target::inspect`].
#[derive(Debug)]
pub struct Target {
    process: Process,
    root: io::Result<TargetRoot>,
    status: Status,
    maps: io::Result<JvmMaps>,
    cgroup: Vec<u8>,
    exe: Option<PathBuf>,
    launching: bool,
    perf: Counters,
    options: VmOptions,
    version: Option<String>,
    java_home: Option<PathBuf>,
}

/// The state of a JVM's hsperfdata.
#[derive(Debug)]
enum Counters {
    /// Turned off, or not for us to read.
    Off,
    /// Mapped, and not accessible yet: the VM is still creating itself.
    NotReady,
    Ready(PerfData),
}

/// What kind of process this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A HotSpot VM: the code of its libjvm is mapped.
    HotSpot,
    /// An OpenJ9 VM, whose attach API is another.
    OpenJ9,
    /// A `java` launcher that has not mapped its VM yet.
    Launcher,
    /// Something else.
    NotAJvm,
    /// We may not read its memory map: it belongs to another user.
    Unreadable,
}

impl Target {
    /// Takes hold of `pid` and reads its facts. `NotFound` where no such process exists (any more).
    pub fn inspect(pid: i32) -> io::Result<Target> {
        Target::of(Process::open(pid)?)
    }

    /// Reads the facts of a process that is already held.
    pub fn of(process: Process) -> io::Result<Target> {
        let status = read_status(&process)?;
        let maps = fact(process.jvm_maps(status.ns_pid))?;
        let root = fact(TargetRoot::open(&process))?;
        let mut target = Target {
            exe: process.link("exe").ok(),
            cgroup: fact(process.read("cgroup"))?.unwrap_or_default(),
            process,
            root,
            status,
            maps,
            launching: false,
            perf: Counters::Off,
            options: VmOptions::default(),
            version: None,
            java_home: None,
        };
        target.perf = target.read_perfdata()?;
        target.launching = target.is_launching();
        if matches!(target.kind(), Kind::HotSpot | Kind::OpenJ9) {
            target.java_home = target.find_java_home();
            target.version = target.find_version();
        }
        if target.is_or_seems_a_jvm() {
            target.options = target.gather_options()?;
        }
        Ok(target)
    }

    /// Reads the facts of the same process again.
    pub fn refresh(&mut self) -> io::Result<()> {
        *self = Target::of(self.process.try_clone()?)?;
        Ok(())
    }

    /// The process itself.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its pid in our namespace.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Run state, owners, signal masks.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Its root directory; an error where we lack the right.
    pub fn root(&self) -> Result<&TargetRoot, &io::Error> {
        self.root.as_ref()
    }

    /// What kind of process it is.
    pub fn kind(&self) -> Kind {
        match &self.maps {
            Ok(maps) if maps.openj9 => Kind::OpenJ9,
            // The counters are proof too: a statically linked launcher has no libjvm to map.
            Ok(maps) if maps.libjvm.is_some() || self.perfdata().is_some() => Kind::HotSpot,
            Ok(_) if self.launching => Kind::Launcher,
            Ok(_) => Kind::NotAJvm,
            Err(_) => Kind::Unreadable,
        }
    }

    /// What `list` shows. A process that we may not look into counts when its name is `java`.
    pub fn is_or_seems_a_jvm(&self) -> bool {
        match self.kind() {
            Kind::HotSpot | Kind::OpenJ9 | Kind::Launcher => true,
            Kind::Unreadable => self.command_name().as_deref() == Some("java"),
            Kind::NotAJvm => false,
        }
    }

    /// A launcher that has yet to map its VM, or a VM that has yet to fill its counters. Any program can be called
    /// `java`, so the name alone is believed no longer than a launcher takes to show its library.
    fn is_launching(&self) -> bool {
        let Ok(maps) = &self.maps else { return false };
        let proved = maps.launcher || self.perfdata_is_coming();
        let named = self.exe_name() == Some("java");
        (named || self.perfdata_is_coming()) && self.uptime() < if proved { START_UP } else { SETTLED }
    }

    /// The name that the kernel knows it by, at most 15 bytes: for what is no JVM, whose words mean nothing to us.
    pub fn command_name(&self) -> Option<String> {
        let name = self.process.read("comm").ok()?;
        Some(String::from_utf8_lossy(name.trim_ascii_end()).into_owned())
    }

    /// The executable, as a path in our own view.
    pub fn exe(&self) -> Option<&Path> {
        self.exe.as_deref()
    }

    fn exe_name(&self) -> Option<&str> {
        self.exe.as_ref()?.file_name()?.to_str().map(|name| name.trim_end_matches(" (deleted)"))
    }

    /// The name of the user it acts as, or the number.
    pub fn user(&self) -> String {
        users::name_of(self.status.uid)
    }

    /// How long it has been running.
    pub fn uptime(&self) -> Duration {
        self.process.age().unwrap_or_default()
    }

    /// The id of the container it is in, from its cgroup.
    pub fn container(&self) -> Option<String> {
        cgroup::container_id(&self.cgroup)
    }

    /// The control file that says it is frozen.
    pub fn frozen_by(&self) -> Option<PathBuf> {
        cgroup::frozen_by(&self.cgroup)
    }

    /// Its memory map names a libjvm that was since replaced or removed on disk.
    pub fn libjvm_deleted(&self) -> bool {
        self.maps.as_ref().is_ok_and(|maps| maps.libjvm_deleted)
    }

    /// Its hsperfdata counters; none where they are off, unreadable, or not written yet.
    pub fn perfdata(&self) -> Option<&PerfData> {
        match &self.perf {
            Counters::Ready(data) => Some(data),
            Counters::Off | Counters::NotReady => None,
        }
    }

    /// Its counters as they are now; none where they cannot be read (any more).
    pub fn current_perfdata(&self) -> io::Result<Option<PerfData>> {
        Ok(match self.read_perfdata()? {
            Counters::Ready(data) => Some(data),
            Counters::Off | Counters::NotReady => None,
        })
    }

    /// The counters are mapped and the VM has not opened them to readers yet.
    pub(crate) fn perfdata_is_coming(&self) -> bool {
        matches!(self.perf, Counters::NotReady)
    }

    /// The options it was started with.
    pub fn options(&self) -> &VmOptions {
        &self.options
    }

    /// The options as its counters list them, those from files included; none without counters. Words with blanks in them
    /// are several here.
    pub(crate) fn own_options(&self) -> Option<VmOptions> {
        let perf = self.perfdata()?;
        // Files of `-XX:Flags=` have a list of their own.
        let flags = perf.text("java.rt.vmFlags").unwrap_or_default();
        Some(VmOptions::listed(flags, perf.text("java.rt.vmArgs")?))
    }

    /// A variable of the environment it was started with.
    pub fn environment(&self, name: &str) -> Option<String> {
        let environ = self.process.read("environ").ok()?;
        environ.split(|&b| b == 0).find_map(|entry| {
            let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            (!value.is_empty()).then(|| String::from_utf8_lossy(value).into_owned())
        })
    }

    /// A path as the target would take it: relative ones from its working directory.
    pub fn resolve(&self, path: &Path) -> Option<PathBuf> {
        if path.is_absolute() {
            return Some(path.to_owned());
        }
        let cwd = self.process.link("cwd").ok()?;
        Some(Path::new("/").join(self.root.as_ref().ok()?.as_target_sees(&cwd)).join(path))
    }

    /// The full Java version, such as `17.0.15` or `1.8.0_504`.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The feature version, such as 8 or 17.
    pub fn feature(&self) -> Option<u32> {
        feature(self.version()?)
    }

    /// `java.home`, a path in the target's view.
    pub fn java_home(&self) -> Option<&Path> {
        self.java_home.as_deref()
    }

    /// The main class or jar as it was given, else the first word of the JVM's own command.
    pub fn program(&self) -> Option<&str> {
        if let Some(program) = self.options.program() {
            return Some(program.name());
        }
        self.perfdata()?.text("sun.rt.javaCommand")?.split(' ').next().filter(|name| !name.is_empty())
    }

    /// The name a user would type: a class without its module, a jar without its directories.
    pub fn short_name(&self) -> Option<&str> {
        let name = self.program()?;
        let is_jar = match self.options.program() {
            Some(program) => matches!(program, Program::Jar(_)),
            None => name.ends_with(".jar"),
        };
        let separators: &[char] = if is_jar { &['/'] } else { &['.', '/'] };
        name.rsplit(separators).next()
    }

    /// Whether the library behind `load instrument` is in its runtime image: `None` where we cannot look.
    pub fn has_instrument(&self) -> Option<bool> {
        let (home, root) = (self.java_home()?, self.root.as_ref().ok()?);
        let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { std::env::consts::ARCH };
        let places = ["lib/libinstrument.so".to_owned(), format!("lib/{arch}/libinstrument.so")];
        let mut missing = false;
        for place in places {
            match root.file_id(&home.join(place)) {
                Ok(_) => return Some(true),
                Err(e) if e.kind() == io::ErrorKind::NotFound => missing = true,
                Err(_) => return None,
            }
        }
        missing.then_some(false)
    }

    /// Does something with the rights of the target's user and its groups: what the target names may be a file that we may
    /// read and it may not.
    pub fn as_its_user<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        sys::run_as_with(self.status.identity(), &self.status.groups, work)
    }

    /// From the file that is mapped, if it is the target's own.
    fn read_perfdata(&self) -> io::Result<Counters> {
        let directory = self.maps.as_ref().ok().and_then(|maps| maps.hsperfdata.as_ref());
        let (Some(directory), Ok(root)) = (directory, &self.root) else { return Ok(Counters::Off) };
        let path = Path::new("tmp").join(directory).join(self.status.ns_pid.to_string());
        let open = || root.open_file_of(&path, self.status.uid);
        let file = match open() {
            // It is its user's alone, and we may be able to act as that user without being above permissions.
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                sys::run_as(self.status.identity(), open).and_then(|opened| opened)
            }
            other => other,
        };
        let bytes = file.and_then(|file| sys::read_at_most(file, PERF_LIMIT));
        Ok(match fact(bytes)?.map(PerfData::parse) {
            Ok(Ok(data)) => Counters::Ready(data),
            // The file is made, sized, and filled in that order.
            Ok(Err(PerfDataError::NotAccessible | PerfDataError::Damaged | PerfDataError::Magic)) => {
                Counters::NotReady
            }
            Ok(Err(PerfDataError::Version(..))) | Err(_) => Counters::Off,
        })
    }

    /// From the counters, else from where libjvm lies: `HOME/lib/server/libjvm.so`, on 8 `HOME/lib/ARCH/server/…`.
    fn find_java_home(&self) -> Option<PathBuf> {
        if let Some(home) = self.perfdata().and_then(|perf| perf.text("java.property.java.home")) {
            return Some(home.into());
        }
        let libjvm = self.maps.as_ref().ok()?.libjvm.as_ref()?;
        let seen = self.root.as_ref().ok()?.as_target_sees(libjvm);
        let home =
            seen.ancestors().find(|path| path.file_name().is_some_and(|name| name == "lib"))?.parent()?;
        Some(Path::new("/").join(home))
    }

    /// From the counters, else from `HOME/release` (on 8 that file is beside `jre`).
    fn find_version(&self) -> Option<String> {
        if let Some(version) = self.perfdata().and_then(|perf| perf.text("java.property.java.version")) {
            return Some(version.to_owned());
        }
        let home = self.java_home.as_ref()?;
        let text = self
            .read_as_target(&home.join("release"))
            .or_else(|_| self.read_as_target(&home.join("../release")))
            .ok()?;
        let version = text.lines().find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
        Some(version.trim_matches('"').to_owned())
    }

    fn gather_options(&self) -> io::Result<VmOptions> {
        let given = Given {
            cmdline: &fact(self.process.read("cmdline"))?.unwrap_or_default(),
            environ: &fact(self.process.read("environ"))?.unwrap_or_default(),
            started_by: match self.exe_name() {
                Some("java") => StartedBy::Launcher,
                _ => StartedBy::Another,
            },
            vm_args: self.perfdata().and_then(|perf| perf.text("java.rt.vmArgs")),
        };
        Ok(VmOptions::gather(given, &mut |file| {
            let path =
                self.resolve(Path::new(file)).ok_or_else(|| io::Error::other("its directory is unknown"))?;
            self.read_as_target(&path)
        }))
    }

    /// A text file that the target chose, read with the target's own rights: ours may be greater, and what is in the
    /// file may end up on a screen.
    fn read_as_target(&self, path: &Path) -> io::Result<String> {
        let root = self.root.as_ref().map_err(|e| io::Error::new(e.kind(), e.to_string()))?;
        let read = || sys::read_whole(root.open_file(path)?, TEXT_LIMIT);
        let text = sys::run_as(self.status.identity(), read)??;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// That something of a target cannot be read is a fact about it; that we have run out of descriptors is none.
fn fact<T>(result: io::Result<T>) -> io::Result<io::Result<T>> {
    match result {
        Err(e) if sys::is_exhaustion(&e) => Err(e),
        fact => Ok(fact),
    }
}

/// The status lines of a process that is held.
pub(crate) fn read_status(process: &Process) -> io::Result<Status> {
    Status::parse(&process.read("status")?)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/PID/status cannot be read"))
}

/// 8 of `1.8.0_504`, 17 of `17.0.15`, 26 of `26-ea`.
fn feature(version: &str) -> Option<u32> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match numbers.next()?.ok()? {
        1 => numbers.next()?.ok(),
        feature => Some(feature),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feature_versions() {
        let cases =
            [("1.8.0_504", Some(8)), ("17.0.15", Some(17)), ("26-ea", Some(26)), ("", None), ("x", None)];
        for (version, expected) in cases {
            assert_eq!(feature(version), expected, "{version}");
        }
    }

    #[test]
    fn we_are_no_jvm() {
        let me = Target::inspect(std::process::id() as i32).unwrap();
        assert_eq!(me.kind(), Kind::NotAJvm);
        assert_eq!(me.version(), None);
        assert!(me.root().is_ok());
    }
}
