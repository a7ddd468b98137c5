//! A target that plants what it likes where its files are staged: nothing outside its own view is written, read or
//! removed, nobody hangs, and the agent is loaded all the same or the refusal says why.

mod common;

use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use common::{bundled_agent_beside_jgraft, good_jar, load, probe_jar, text, unharmed};
use jgraft_jvm_harness::{Jdk, Jvm, JvmBuilder, each_jdk, skip, targets};
use nix::unistd::geteuid;
use tempfile::TempDir;

const UID: u32 = 45678;

/// A target's uid, and its surroundings.
type Owner = (u32, fn(JvmBuilder<'_>) -> JvmBuilder<'_>);

/// As root the injector keeps all its rights while it works, as another user it has that user's: both are tried.
const OWNERS: [Owner; 2] = [
    (0, |jvm| jvm.pid_namespace().read_only()),
    (UID, |jvm| jvm.pid_namespace().read_only().uid_gid(UID, UID)),
];

/// A hostile target, something of ours that it must not reach, and an agent that it does not see.
struct Scene {
    service: Jvm,
    uid: u32,
    tmp: PathBuf,
    prey: TempDir,
    jar: PathBuf,
    /// The digits that the jar's directory is named by.
    entry: String,
}

impl Scene {
    fn set(jdk: &Jdk, uid: u32, with: fn(JvmBuilder<'_>) -> JvmBuilder<'_>) -> Result<Scene> {
        let builder = Jvm::builder(jdk).class_path(targets::order_service_classes()?).main("OrderService");
        let service = with(builder.program_args(["--quiet"])).start()?;
        service.wait_ready()?;
        // In our /tmp: the target has another.
        let prey = tempfile::tempdir_in("/tmp")?;
        let jar = prey.path().join("good.jar");
        std::fs::copy(good_jar()?, &jar)?;
        std::fs::write(prey.path().join("precious"), "precious")?;
        std::fs::set_permissions(prey.path(), PermissionsExt::from_mode(0o700))?;
        let tmp = PathBuf::from(format!("/proc/{}/root/tmp", service.pid()));
        let planned = load(service.pid(), text(&jar), &["--dry-run", "--json"])?.expect(0)?.json()?;
        let request = planned["request"].as_str().context("no request")?.to_owned();
        let entry = request.rsplit('/').nth(1).context("no entry")?.to_owned();
        ensure!(entry.len() == 32, "{request}");
        Ok(Scene { service, uid, tmp, prey, jar, entry })
    }

    fn home(&self) -> PathBuf {
        self.tmp.join(format!(".jgraft-{}", self.uid))
    }

    fn own(&self, path: &Path) -> Result<()> {
        Ok(lchown(path, Some(self.uid), Some(self.uid))?)
    }

    fn folder(&self, path: &Path) -> Result<()> {
        std::fs::create_dir(path).with_context(|| path.display().to_string())?;
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o700))?;
        self.own(path)
    }

    fn link(&self, to: &Path, at: &Path) -> Result<()> {
        symlink(to, at)?;
        self.own(at)
    }

    fn precious(&self) -> PathBuf {
        self.prey.path().join("precious")
    }

    /// Nothing of ours was written, read away or removed.
    fn untouched(&self) -> Result<()> {
        let mut names: Vec<_> =
            std::fs::read_dir(self.prey.path())?.map(|e| Ok(e?.file_name())).collect::<Result<_>>()?;
        names.sort();
        ensure!(names == ["good.jar", "precious"], "{names:?}");
        ensure!(std::fs::read_to_string(self.precious())? == "precious");
        unharmed(&self.service)
    }

    fn loads(&self, more: &[&str]) -> Result<serde_json::Value> {
        load(self.service.pid(), text(&self.jar), &[&["--json"], more].concat())?.expect(0)?.json()
    }
}

fn each_scene(test: &str, check: fn(&Scene) -> Result<()>) {
    for (uid, with) in OWNERS {
        each_jdk(&format!("hostile_staging::{test} (uid {uid})"), .., |jdk| {
            if !geteuid().is_root() {
                skip(test, "needs root to make namespaces");
                return Ok(());
            }
            bundled_agent_beside_jgraft()?;
            let scene = Scene::set(jdk, uid, with)?;
            check(&scene)?;
            scene.untouched()
        });
    }
}

#[test]
fn a_home_that_is_no_directory_of_its_user_is_passed_over() {
    each_scene("home", |scene| {
        let passed_over = |what: &str| -> Result<()> {
            let done = scene.loads(&[])?;
            let path = done["staged"]["path"].as_str().unwrap_or_default();
            ensure!(!path.starts_with("/tmp/"), "{what}: {done}");
            ensure!(done["staged"]["passed_over"][0].to_string().contains("/tmp: "), "{what}: {done}");
            scene.loads(&["--supervised"]).map(drop)
        };
        let home = scene.home();
        scene.link(scene.prey.path(), &home)?;
        passed_over("a link")?;
        std::fs::remove_file(&home)?;

        scene.folder(&home)?;
        chown(&home, Some(UID + 1), None)?;
        passed_over("somebody else's")?;
        chown(&home, Some(scene.uid), None)?;
        std::fs::set_permissions(&home, PermissionsExt::from_mode(0o777))?;
        passed_over("open to all")?;
        std::fs::remove_dir(&home)?;

        nix::unistd::mkfifo(&home, nix::sys::stat::Mode::S_IRWXU)?;
        scene.own(&home)?;
        passed_over("a fifo")?;
        Ok(())
    });
}

#[test]
fn what_is_planted_in_the_home_is_not_followed() {
    each_scene("entries", |scene| {
        let (home, entry) = (scene.home(), scene.home().join(&scene.entry));
        let jar = entry.join("good.jar");
        let loaded_from_a_copy = |what: &str| -> Result<()> {
            scene.loads(&[]).with_context(|| what.to_owned())?;
            let facts = std::fs::symlink_metadata(&jar)?;
            ensure!(
                facts.is_file() && facts.len() == std::fs::metadata(&scene.jar)?.len(),
                "{what}: {facts:?}"
            );
            std::fs::remove_dir_all(&home).with_context(|| what.to_owned())
        };

        // The entry itself: a mark makes it stay, so that it is met and not swept.
        scene.folder(&home)?;
        scene.link(scene.prey.path(), &entry)?;
        loaded_from_a_copy("a link in place of the entry")?;

        for what in ["a link", "a fifo", "a huge file", "a directory"] {
            // Loaded once, so that the entry has a living user and is not swept.
            scene.loads(&[])?;
            std::fs::remove_file(&jar)?;
            match what {
                "a link" => scene.link(&scene.precious(), &jar)?,
                "a fifo" => nix::unistd::mkfifo(&jar, nix::sys::stat::Mode::S_IRWXU)?,
                "a huge file" => std::fs::File::create(&jar)?.set_len(10 << 30)?,
                _ => scene.folder(&jar.with_file_name("good.jar"))?,
            }
            scene.own(&jar)?;
            scene.link(&scene.precious(), &entry.join(".jgraft-unfinished"))?;
            let start = Instant::now();
            match what {
                "a directory" => {
                    let refused = load(scene.service.pid(), text(&scene.jar), &[])?.expect(1)?;
                    refused.explained("nothing can be put into")?;
                    std::fs::remove_dir_all(&home)?;
                }
                _ => loaded_from_a_copy(what)?,
            }
            ensure!(start.elapsed() < Duration::from_secs(10), "{what} took {:?}", start.elapsed());
        }
        Ok(())
    });
}

#[test]
fn a_companion_that_is_a_link_out_is_not_handed_over() {
    each_scene("companions", |scene| {
        let agent = tempfile::tempdir_in("/tmp")?;
        let jar = agent.path().join("agent.jar");
        let (lib, inner) = (agent.path().join("lib.jar"), agent.path().join("inner.jar"));
        for attribute in ["Class-Path", "Boot-Class-Path"] {
            let manifest = format!("Agent-Class: Probe\n{attribute}: lib.jar\n");
            std::fs::copy(probe_jar(&format!("linked-{attribute}"), &manifest)?, &jar)?;
            let relative = Path::new("..").join(scene.precious().strip_prefix("/tmp")?);
            for out in [scene.precious(), relative] {
                symlink(&out, &lib)?;
                let refused = load(scene.service.pid(), text(&jar), &[])?.expect(3)?;
                refused.explained("lib.jar, a link out of its own directory")?;
                ensure!(!scene.home().exists(), "something was staged for {}", out.display());
                std::fs::remove_file(&lib)?;
            }
        }
        // Named by what is named.
        let manifest = "Agent-Class: Probe\nClass-Path: lib.jar\n";
        std::fs::copy(probe_jar("linked-Class-Path", manifest)?, &jar)?;
        std::fs::copy(probe_jar("linked-inner", "Class-Path: inner.jar\n")?, &lib)?;
        symlink(scene.precious(), &inner)?;
        let refused = load(scene.service.pid(), text(&jar), &[])?.expect(3)?;
        refused.explained("inner.jar, a link out of its own directory")?;
        ensure!(!scene.home().exists());
        // A link that stays inside is followed.
        std::fs::remove_file(&inner)?;
        symlink("lib.jar", &inner)?;
        let done = load(scene.service.pid(), text(&jar), &["--json"])?.expect(0)?.json()?;
        ensure!(done["staged"]["files"] == 3, "{done}");
        Ok(())
    });
}

#[test]
fn to_sweep_rubbish_removes_only_the_rubbish() {
    each_scene("sweep", |scene| {
        let home = scene.home();
        scene.folder(&home)?;
        scene.folder(&home.join("junk"))?;
        scene.link(scene.prey.path(), &home.join("junk/folder"))?;
        scene.link(&scene.precious(), &home.join("file"))?;
        scene.link(scene.prey.path(), &home.join("u-1-2-3-junk"))?;
        nix::unistd::mkfifo(&home.join("fifo"), nix::sys::stat::Mode::S_IRWXU)?;
        scene.own(&home.join("fifo"))?;
        let mut deep = home.join("deep");
        for _ in 0..100 {
            scene.folder(&deep)?;
            deep.push("d");
        }
        scene.loads(&[])?;
        let mut left: Vec<_> = std::fs::read_dir(&home)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_>>()?;
        left.retain(|name| !name.starts_with("u-1-") || name.ends_with("junk"));
        left.sort();
        // Deeper than anything of ours is left to its owner.
        let mut expected = vec![scene.entry.clone(), "deep".to_owned()];
        // Its namespace's processes are seen from here, so that mark is known to be nobody's.
        expected.sort();
        ensure!(left == expected, "{left:?}");
        Ok(())
    });
}

#[test]
fn a_lock_that_is_held_for_ever_is_not_waited_for_for_ever() {
    each_scene("lock", |scene| {
        scene.folder(&scene.home())?;
        let held = std::fs::File::open(scene.home())?;
        held.lock()?;
        for supervised in [&[][..], &["--supervised"]] {
            let args = [&["--timeout", "300ms"][..], supervised].concat();
            let refused = load(scene.service.pid(), text(&scene.jar), &args)?.expect(1)?;
            refused.explained("another process holds its lock")?;
        }
        ensure!(held.as_raw_fd() >= 0);
        drop(held);
        scene.loads(&[]).map(drop)
    });
}

#[test]
fn a_target_that_swaps_directories_gains_nothing() {
    each_scene("swap", |scene| {
        let (entry, aside) = (scene.home().join(&scene.entry), scene.tmp.join("aside"));
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| -> Result<()> {
            // Entry, link to the prey, entry, …: ends with the loads.
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    if std::fs::rename(&entry, &aside).is_ok() {
                        let _ = symlink(scene.prey.path(), &entry);
                        let _ = std::fs::remove_file(&entry);
                        let _ = std::fs::remove_dir_all(&entry);
                        let _ = std::fs::rename(&aside, &entry);
                    }
                    std::thread::yield_now();
                }
            });
            let runs: Result<Vec<_>> =
                (0..15).map(|_| load(scene.service.pid(), text(&scene.jar), &[])).collect();
            done.store(true, Ordering::Relaxed);
            for run in runs? {
                // It may have hidden its own agent from itself (code 100), or made our copy fail.
                ensure!([0, 1].contains(&run.code), "{run:#?}");
            }
            Ok(())
        })
    });
}
