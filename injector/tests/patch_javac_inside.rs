//! Sources of a patch where this host has no javac: the target's own compiles them, in the target's view, as its user,
//! whatever it is. jgraft is run where the JDKs of this machine are hidden; where a runtime has no javac, one is put there.

mod common;
#[path = "patch/mod.rs"]
mod patched;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, Run, run, text};
use jgraft_jvm_harness::{Jdk, JvmBuilder, each_jdk, skip};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use patched::{Classes, Service};
use tempfile::TempDir;

/// A user that no process of the machine has.
const UID: u32 = 45678;
const GID: u32 = 45679;

/// Surroundings of a JVM, and what they are called. Each has mounts of its own.
type Surroundings = (&'static str, fn(JvmBuilder<'_>) -> JvmBuilder<'_>);

const ALL: [Surroundings; 5] = [
    ("as root, or in a chroot", |jvm| jvm.own_tmp("")),
    ("as another user", |jvm| jvm.own_tmp("").uid_gid(UID, GID)),
    ("in a container, as another user", |jvm| jvm.pid_namespace().uid_gid(UID, GID)),
    ("in a user namespace", |jvm| jvm.pid_namespace().uid_gid(UID, GID).user_namespace()),
    ("with a read-only root", |jvm| jvm.own_tmp("").read_only().uid_gid(UID, GID)),
];

/// A service, and files of ours.
struct Scene {
    service: Service,
    folder: TempDir,
    home: PathBuf,
    root: PathBuf,
}

impl Scene {
    fn start(test: &str, jdk: &Jdk, with: fn(JvmBuilder<'_>) -> JvmBuilder<'_>) -> Result<Option<Scene>> {
        if !geteuid().is_root() {
            skip(test, "needs root to make namespaces");
            return Ok(None);
        }
        let service = Classes::made()?.start_in(jdk, &[], with)?;
        let root = jdk.root.clone().unwrap_or_else(|| "/".into());
        let of_8 = jdk.home.join("jre");
        let is_of_8 = root.join(of_8.strip_prefix("/")?).is_dir();
        let home = if is_of_8 { of_8 } else { jdk.home.clone() };
        Ok(Some(Scene { service, folder: tempfile::tempdir()?, home, root }))
    }

    /// A path of its view, on our side of its mounts.
    fn path(&self, path: &Path) -> Result<PathBuf> {
        Ok(self.root.join(path.strip_prefix("/")?))
    }

    fn mount(&self, what: &Path, at: &Path) -> Result<()> {
        let (pid, at) = (self.service.pid(), self.path(at)?);
        let mut command = Command::new("nsenter");
        command.args(["-t", &pid, "-m", "mount", "--bind"]).arg(what).arg(&at);
        ensure!(command.status()?.success(), "{} is not mounted at {}", what.display(), at.display());
        Ok(())
    }

    /// A script for its javac.
    fn javac(&self, script: &str) -> Result<()> {
        let bin = self.folder.path().join("bin");
        fs::create_dir(&bin)?;
        // By another process: one that a test forks meanwhile must not inherit it open for writing (ETXTBSY).
        ensure!(Command::new("cp").args(["-L", "/bin/sh"]).arg(&bin).status()?.success());
        fs::write(bin.join("javac"), format!("#!{}/bin/sh\n{script}\n", self.home.display()))?;
        for path in [bin.clone(), bin.join("javac"), bin.join("sh")] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        }
        self.mount(&bin, &self.home.join("bin"))
    }

    /// A javac, where it has none itself.
    fn any_javac(&self) -> Result<()> {
        if self.path(&self.home.join("bin/javac"))?.exists() {
            return Ok(());
        }
        let jdk = Jdk::compiler().context("no javac on this machine")?;
        fs::create_dir(format!("/proc/{}/root/tmp/jdk", self.service.pid()))?;
        self.mount(&jdk.home, Path::new("/tmp/jdk"))?;
        self.javac("exec /tmp/jdk/bin/javac \"$@\"")
    }

    fn source(&self, body: &str) -> Result<PathBuf> {
        let file = self.folder.path().join("Shade.java");
        fs::write(&file, format!("enum Shade {{ DARK, LIGHT; String says() {{ {body} }} }}\n"))?;
        Ok(file)
    }

    /// What came of patching with a source, where the JDKs are hidden.
    fn patch(&self, source: &Path, more: &[&str]) -> Result<Run> {
        run(hidden().args(["patch", &self.service.pid(), "apply", text(source)]).args(more))
    }

    /// Nothing of ours and of the compiler's is there any more, and the service is as it was.
    fn is_clean(&self) -> Result<()> {
        for place in ["tmp", "var/tmp", "dev/shm"] {
            let entries = fs::read_dir(format!("/proc/{}/root/{place}", self.service.pid()));
            for entry in entries.into_iter().flatten() {
                let path = entry?.path();
                if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".jgraft-")) {
                    let of_ours = fs::read_dir(&path)?.flatten().map(|entry| entry.file_name());
                    let left: Vec<_> =
                        of_ours.filter(|name| name.to_string_lossy().contains("-workshop")).collect();
                    ensure!(left.is_empty(), "left in {}: {left:?}", path.display());
                }
            }
        }
        let left = processes("-workshop/");
        ensure!(left.is_empty(), "left: {left:?}");
        self.service.is_unharmed()
    }
}

/// jgraft on a host without a JDK.
fn hidden() -> Command {
    let hide = "for place in /usr/lib/jvm /usr/java /opt; do [ ! -d $place ] || mount -t tmpfs none $place; done\n\
                PATH=/usr/bin:/bin JAVA_HOME= exec env --default-signal=INT,TERM,HUP \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-ec", hide, "sh", env!("CARGO_BIN_EXE_jgraft")]);
    command
}

/// Processes whose command line has this word.
fn processes(word: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(word)).collect()
}

#[test]
fn sources_are_compiled_by_the_target_s_own_javac() {
    for (what, with) in ALL {
        each_jdk(&format!("patch_javac_inside::compiled {what}"), .., |jdk| {
            let Some(scene) = Scene::start("patch_javac_inside::compiled", jdk, with)? else { return Ok(()) };
            scene.any_javac()?;
            let source = scene.source("return \"NEW\";")?;
            scene.patch(&source, &["--yes"])?.expect(0)?;
            ensure!(scene.service.says("enum")? == "NEW");
            scene.service.patch(&["revert"])?.expect(0)?;
            ensure!(scene.service.says("enum")? == "OLD");

            let source = scene.source("return Nowhere.says();")?;
            let refused = scene.patch(&source, &["--yes"])?.expect(1)?.explained("javac refuses them")?;
            let line = format!("  {}:1: error: cannot find symbol", source.display());
            ensure!(refused.stderr.lines().any(|said| said == line), "{line} expected: {refused:#?}");
            ensure!(refused.stderr.contains("return Nowhere.says();"), "{refused:#?}");
            scene.is_clean()
        });
    }
}
