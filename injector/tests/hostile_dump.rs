//! A target that swaps what it likes while its heap is dumped: nothing outside its own view is read, written or removed,
//! and nobody hangs. And where there is no room for a dump, on either side, none is begun.

mod common;

use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use common::{PATIENCE, interruptible, jgraft, run, service, text, unharmed};
use jgraft_jvm_harness::{Jdk, Jvm, each_jdk, skip, targets};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use tempfile::TempDir;

const UID: u32 = 45679;

/// A dump that is whole, and of which jgraft has not heard yet: it is stopped.
struct Scene {
    service: Jvm,
    jgraft: Child,
    /// The directory with the dump in it, as we see it.
    place: PathBuf,
    /// Root's alone.
    prey: TempDir,
    file: PathBuf,
}

impl Scene {
    fn set(jdk: &Jdk) -> Result<Scene> {
        let service = Jvm::builder(jdk).args(["-Xmx32m"]).class_path(targets::order_service_classes()?);
        let service = service.main("OrderService").program_args(["--quiet"]).uid_gid(UID, UID).start()?;
        service.wait_ready()?;
        let prey = tempfile::tempdir_in("/tmp")?;
        std::fs::set_permissions(prey.path(), PermissionsExt::from_mode(0o700))?;
        for name in ["precious", "heap.hprof"] {
            std::fs::write(prey.path().join(name), "JAVA PROFILE of somebody else")?;
            std::fs::set_permissions(prey.path().join(name), PermissionsExt::from_mode(0o600))?;
        }
        let pid = service.pid().to_string();
        // A dump can be faster than we are.
        for attempt in 0..20 {
            let file = prey.path().with_extension(format!("{attempt}.hprof"));
            let mut command = interruptible();
            command.args(["heap-dump", &pid, text(&file)]).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut jgraft = command.spawn()?;
            let Some(place) = begun(&service, &mut jgraft)? else {
                ensure!(jgraft.wait()?.success());
                std::fs::remove_file(&file)?;
                continue;
            };
            // Its listener answers one after the other: then the dump is finished.
            common::jgraft(["jcmd", "--timeout", "60s", &pid, "VM.version"])?.expect(0)?;
            ensure!(place.join("heap.hprof").exists(), "{} has no dump", place.display());
            return Ok(Scene { service, jgraft, place, prey, file });
        }
        bail!("jgraft was never caught while it waited for the dump")
    }

    fn dump(&self) -> PathBuf {
        self.place.join("heap.hprof")
    }

    fn link(&self, to: &Path, at: &Path) -> Result<()> {
        symlink(to, at)?;
        Ok(lchown(at, Some(UID), Some(UID))?)
    }

    /// Lets jgraft go on to its end.
    fn go_on(&mut self) -> Result<Output> {
        signal(&self.jgraft, Signal::SIGCONT)?;
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.jgraft.try_wait()? {
                break status;
            }
            ensure!(start.elapsed() < PATIENCE, "jgraft hangs");
            std::thread::yield_now();
        };
        let mut output = Output { status, stdout: Vec::new(), stderr: Vec::new() };
        use std::io::Read;
        self.jgraft.stdout.take().context("no stdout")?.read_to_end(&mut output.stdout)?;
        self.jgraft.stderr.take().context("no stderr")?.read_to_end(&mut output.stderr)?;
        Ok(output)
    }

    fn is_not_fetched(&mut self, words: &str) -> Result<()> {
        let output = self.go_on()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(1) && said.contains("could not be fetched"), "{output:?}");
        ensure!(said.contains(words), "{words:?} is not said: {said}");
        ensure!(!self.file.exists(), "what is no dump was kept");
        ensure!(!self.place.exists(), "{} was left", self.place.display());
        Ok(())
    }

    /// Nothing of ours was written, read away or removed.
    fn untouched(&self) -> Result<()> {
        let mut names: Vec<_> =
            std::fs::read_dir(self.prey.path())?.map(|e| Ok(e?.file_name())).collect::<Result<_>>()?;
        names.sort();
        ensure!(names == ["heap.hprof", "precious"], "{names:?}");
        for name in names {
            ensure!(std::fs::read_to_string(self.prey.path().join(name))? == "JAVA PROFILE of somebody else");
        }
        unharmed(&self.service)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _: std::io::Result<()> = self.jgraft.kill();
        let _ = self.jgraft.wait();
        for left in [&self.file, &self.dump()] {
            let _: std::io::Result<()> = std::fs::remove_file(left);
        }
        let _: std::io::Result<()> = std::fs::remove_dir(&self.place);
    }
}

fn signal(child: &Child, signal: Signal) -> Result<()> {
    Ok(kill(Pid::from_raw(child.id().cast_signed()), signal)?)
}

/// Stops jgraft once the JVM has begun to write; none where it was too late for that.
fn begun(service: &Jvm, jgraft: &mut Child) -> Result<Option<PathBuf>> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        for place in common::dump_places(service, jgraft.id())? {
            if std::fs::read_dir(&place).is_ok_and(|mut entries| entries.next().is_some()) {
                return Ok(is_stopped_in_time(jgraft)?.then_some(place));
            }
        }
        if jgraft.try_wait()?.is_some() {
            return Ok(None);
        }
    }
    bail!("no dump is begun")
}

/// Before it has opened the dump. Else it goes on.
fn is_stopped_in_time(jgraft: &mut Child) -> Result<bool> {
    signal(jgraft, Signal::SIGSTOP)?;
    let proc = PathBuf::from(format!("/proc/{}", jgraft.id()));
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if jgraft.try_wait()?.is_some() {
            return Ok(false);
        }
        let status = std::fs::read_to_string(proc.join("status"))?;
        if status.lines().any(|line| line.starts_with("State:\tT")) {
            let mut links = std::fs::read_dir(proc.join("fd"))?.map(|fd| std::fs::read_link(fd?.path()));
            if !links.any(|link| link.is_ok_and(|link| link.ends_with("heap.hprof"))) {
                return Ok(true);
            }
            signal(jgraft, Signal::SIGCONT)?;
            return Ok(false);
        }
    }
    bail!("it does not stop")
}

fn each_scene(test: &str, hostile: fn(&mut Scene) -> Result<()>) {
    let test = format!("hostile_dump::{test}");
    if !geteuid().is_root() {
        return skip(&test, "needs root to start a jvm as another user");
    }
    each_jdk(&test, .., |jdk| {
        let mut scene = Scene::set(jdk)?;
        hostile(&mut scene)?;
        scene.untouched()
    });
}

#[test]
fn a_link_in_place_of_the_dump_is_not_followed() {
    each_scene("link", |scene| {
        std::fs::remove_file(scene.dump())?;
        scene.link(&scene.prey.path().join("precious"), &scene.dump())?;
        scene.link(scene.prey.path(), &scene.place.join("folder"))?;
        scene.is_not_fetched("")
    });
}

#[test]
fn a_fifo_in_place_of_the_dump_holds_nobody_up() {
    each_scene("fifo", |scene| {
        std::fs::remove_file(scene.dump())?;
        nix::unistd::mkfifo(&scene.dump(), nix::sys::stat::Mode::S_IRWXU)?;
        lchown(scene.dump(), Some(UID), Some(UID))?;
        scene.is_not_fetched("not a regular file")
    });
}

#[test]
fn a_file_of_somebody_else_is_no_dump() {
    each_scene("foreign", |scene| {
        std::fs::remove_file(scene.dump())?;
        std::fs::write(scene.dump(), "JAVA PROFILE of root")?;
        std::fs::set_permissions(scene.dump(), PermissionsExt::from_mode(0o644))?;
        scene.is_not_fetched("it belongs to another user")
    });
}

#[test]
fn a_file_without_end_does_not_fill_our_disk() {
    each_scene("sparse", |scene| {
        let dump = std::fs::File::options().write(true).open(scene.dump())?;
        dump.set_len(10 << 30)?;
        scene.is_not_fetched("10737418240 bytes long")
    });
}

/// The dump is fetched by a handle on the directory that was made; a link at its old name leads nowhere.
#[test]
fn a_directory_that_is_swapped_is_not_followed() {
    each_scene("swapped", |scene| {
        let aside = scene.place.with_file_name(format!("jgraft-test-aside-{}", scene.service.pid()));
        std::fs::rename(&scene.place, &aside)?;
        scene.link(scene.prey.path(), &scene.place)?;
        let output = scene.go_on();
        let link = scene.place.symlink_metadata().map(|facts| facts.is_symlink());
        std::fs::remove_file(&scene.place)?;
        let output = output?;
        ensure!(output.status.success(), "{output:?}");
        let dump = std::fs::read(&scene.file)?;
        ensure!(dump.starts_with(b"JAVA PROFILE 1.0") && dump.len() > 100_000, "{} bytes", dump.len());
        ensure!(link? && std::fs::read_dir(&aside)?.next().is_none(), "the dump was left");
        Ok(std::fs::remove_dir(aside)?)
    });
}

#[test]
fn a_dump_that_has_no_room_here_is_not_begun() {
    if !geteuid().is_root() {
        return skip("hostile_dump::no_room_here", "needs root to mount");
    }
    each_jdk("hostile_dump::no_room_here", .., |jdk| {
        let service = service(jdk, &["-Xmx32m"])?;
        let folder = tempfile::tempdir()?;
        let (pid, file) = (service.pid().to_string(), folder.path().join("a.hprof"));
        let script = "mount -t tmpfs -o size=1m none \"$1\" && \"$0\" heap-dump \"$2\" \"$1/a.hprof\"; \
            code=$?; ls -A \"$1\"; exit $code";
        let jgraft = env!("CARGO_BIN_EXE_jgraft");
        let refused = run(Command::new("unshare").args([
            "--mount",
            "sh",
            "-c",
            script,
            jgraft,
            text(folder.path()),
            &pid,
        ]))?;
        let refused = refused.expect(3)?.explained("has no room for the heap dump")?;
        ensure!(refused.stdout.is_empty() && !file.exists(), "something was left: {refused:#?}");
        ensure!(refused.stderr.contains("are free"), "{refused:#?}");
        unharmed(&service)
    });
}

#[test]
fn a_dump_that_has_no_room_there_is_not_begun() {
    const TEST: &str = "hostile_dump::no_room_there";
    if !geteuid().is_root() {
        return skip(TEST, "needs root to mount");
    }
    // The small disk is mounted where only the target sees it.
    each_jdk(TEST, .., |jdk| {
        if jdk.root.is_some() {
            skip(TEST, "its root is not that of its mount namespace");
            return Ok(());
        }
        let folder = tempfile::tempdir()?;
        let (image, disk) = (folder.path().join("image"), folder.path().join("disk"));
        std::fs::File::create(&image)?.set_len(4 << 20)?;
        std::fs::create_dir(&disk)?;
        let service = Jvm::builder(jdk).args(["-Xmx32m"]).class_path(targets::order_service_classes()?);
        let service = service.main("OrderService").program_args(["--quiet"]);
        let service = service.own_tmp("").visible(folder.path()).start()?;
        service.wait_ready()?;
        let pid = service.pid().to_string();
        let mkfs = Command::new("mkfs.ext4").arg("-q").arg(&image).output();
        let mount = || {
            Command::new("nsenter")
                .args(["--target", &pid, "--mount", "mount", "-o", "loop"])
                .args([&image, &disk])
                .output()
        };
        let ready = mkfs.is_ok_and(|made| made.status.success()) && mount()?.status.success();
        if !ready {
            skip(TEST, "needs mkfs.ext4 and a loop device");
            return Ok(());
        }
        let file = folder.path().join("a.hprof");
        let refused = jgraft(["heap-dump", "--dir", text(&disk), &pid, text(&file)])?.expect(3)?;
        let refused = refused.explained("has no directory for a heap dump")?;
        ensure!(refused.stderr.contains("room for"), "{refused:#?}");
        ensure!(!file.exists(), "a file was left");
        let seen = PathBuf::from(format!("/proc/{pid}/root{}", disk.display()));
        let names: Vec<_> = std::fs::read_dir(seen)?.map(|e| Ok(e?.file_name())).collect::<Result<_>>()?;
        ensure!(names == ["lost+found"], "{names:?}");
        unharmed(&service)
    });
}
