//! JVMs in containers, chroots, other users' hands and on read-only file systems, attached to from outside with files
//! that they do not see: list, doctor, load (plain, supervised, native) and jcmd, on every JDK found.

mod common;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use common::{
    PATIENCE, Run, agent_jar, bundled_agent_beside_jgraft, good_jar, jgraft, load, no_thread_dump, text,
    unharmed,
};
use jgraft_jvm_harness::{Jdk, Jvm, JvmBuilder, artifacts, each_jdk, skip, targets};
use nix::unistd::geteuid;
use tempfile::TempDir;

/// A user that no process of the machine has.
const UID: u32 = 23456;
/// Its group.
const GID: u32 = 23457;

/// Surroundings of a JVM, and what they are called.
type Surroundings = (&'static str, fn(JvmBuilder<'_>) -> JvmBuilder<'_>);

const ALL: [Surroundings; 5] = [
    ("a container", |jvm| jvm.pid_namespace()),
    ("a container, as another user", |jvm| jvm.pid_namespace().uid_gid(UID, GID)),
    ("a user namespace in a container", |jvm| jvm.pid_namespace().uid_gid(UID, GID).user_namespace()),
    ("a tmp of its own, or a chroot", |jvm| jvm.own_tmp("")),
    ("a read-only root, as another user", |jvm| jvm.read_only().uid_gid(UID, GID)),
];

/// The order service, started in these surroundings; none where we lack the right.
fn start(test: &str, jdk: &Jdk, with: fn(JvmBuilder<'_>) -> JvmBuilder<'_>) -> Result<Option<Jvm>> {
    if !geteuid().is_root() {
        skip(test, "needs root to make namespaces");
        return Ok(None);
    }
    let builder = Jvm::builder(jdk).class_path(targets::order_service_classes()?).main("OrderService");
    let service = with(builder.program_args(["--quiet"])).start()?;
    service.wait_ready()?;
    Ok(Some(service))
}

/// A copy of a file where only we see it.
fn hidden(file: &Path) -> Result<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir_in("/tmp")?;
    let copy = folder.path().join(file.file_name().context("no name")?);
    std::fs::copy(file, &copy)?;
    Ok((folder, copy))
}

/// A path in the service's view, as we reach it.
fn inside(service: &Jvm, path: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{}/root{path}", service.pid()))
}

/// What was staged is there, for its owner alone.
fn staged_well(service: &Jvm, staged: &serde_json::Value, mode: u32) -> Result<()> {
    let path = staged["path"].as_str().context("no path")?;
    let metadata = std::fs::metadata(inside(service, path)).with_context(|| path.to_owned())?;
    let owner = std::fs::metadata(format!("/proc/{}", service.pid()))?.uid();
    ensure!(metadata.uid() == owner, "{path} belongs to {}, not to {owner}", metadata.uid());
    ensure!(metadata.mode() & 0o7777 == mode, "{path} has mode {:o}", metadata.mode());
    Ok(())
}

#[test]
fn a_file_that_the_jvm_does_not_see_is_staged() {
    for (what, with) in ALL {
        each_jdk(&format!("namespaces::load in {what}"), .., |jdk| {
            let Some(service) = start("namespaces::load", jdk, with)? else { return Ok(()) };
            let pid = service.pid().to_string();
            let listed = jgraft(["list", "--json"])?.expect(0)?.json()?;
            let listed = listed["jvms"].as_array().context("no jvms")?;
            let ours = listed.iter().find(|jvm| jvm["pid"] == service.pid()).context("not listed")?;
            ensure!(ours["attachable"] == true && ours["name"] == "OrderService", "{ours}");
            jgraft(["doctor", "--probe", &pid])?.expect(0)?;
            jgraft(["jcmd", &pid, "VM.version"])?.expect(0)?;

            let (_folder, jar) = hidden(&good_jar()?)?;
            let planned = load(service.pid(), &format!("{}=x", text(&jar)), &["--dry-run"])?.expect(0)?;
            ensure!(planned.stdout.contains("would copy 1 file(s)"), "{planned:#?}");
            let done = load(service.pid(), &format!("{}=x", text(&jar)), &["--json"])?.expect(0)?.json()?;
            service.wait_for_stdout(|line| line.contains("options [x]"), PATIENCE)?;
            staged_well(&service, &done["staged"], 0o600)?;
            ensure!(done["staged"]["written"] == 1, "{done}");
            let again = load(service.pid(), &format!("{}=y", text(&jar)), &["--json"])?.expect(0)?.json()?;
            ensure!(again["staged"]["written"] == 0, "an equal one is not used again: {again}");
            let once = load(service.pid(), text(&jar), &["--once"])?.expect(0)?;
            ensure!(once.stdout.contains("nothing was sent (--once)"), "{once:#?}");

            bundled_agent_beside_jgraft()?;
            load(service.pid(), &format!("{}=z", text(&jar)), &["--supervised"])?.expect(0)?;
            service.wait_for_stdout(|line| line.contains("options [z]"), PATIENCE)?;
            let home = inside(&service, done["staged"]["path"].as_str().unwrap_or_default());
            let home = home.ancestors().nth(2).context("no home")?.to_owned();
            let sessions: Vec<_> = names(&home)?.into_iter().filter(|name| name.starts_with("s-")).collect();
            ensure!(sessions.is_empty(), "requests were left: {sessions:?}");
            ensure!(names(&home)?.iter().all(|name| !name.contains("-s-")), "marks were left");
            unharmed(&service)?;
            no_thread_dump(&service)
        });
    }
}

#[test]
fn a_library_that_the_jvm_does_not_see_is_staged() {
    for (what, with) in ALL {
        each_jdk(&format!("namespaces::native in {what}"), .., |jdk| {
            let Some(service) = start("namespaces::native", jdk, with)? else { return Ok(()) };
            let (_folder, library) = hidden(&artifacts::native_agent()?)?;
            // A session directory of the JVM's own.
            let session = inside(&service, "/tmp/native-session");
            std::fs::create_dir(&session)?;
            let owner = std::fs::metadata(format!("/proc/{}", service.pid()))?;
            std::os::unix::fs::chown(&session, Some(owner.uid()), Some(owner.gid()))?;
            std::fs::set_permissions(&session, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
            let agent = format!("{}=session=/tmp/native-session,class=Pricing", text(&library));
            let done = load(service.pid(), &agent, &["--native", "--json"])?.expect(0)?.json()?;
            staged_well(&service, &done["staged"], 0o500)?;
            let reply = std::fs::read_to_string(session.join("reply"))?;
            ensure!(reply.contains("outcome=ok"), "{reply}");
            unharmed(&service)
        });
    }
}

#[test]
fn noexec_and_full_directories_are_passed_over() {
    each_jdk("namespaces::places", .., |jdk| {
        let noexec: fn(JvmBuilder<'_>) -> JvmBuilder<'_> = |jvm| jvm.own_tmp("noexec");
        let Some(service) = start("namespaces::places", jdk, noexec)? else { return Ok(()) };
        let (_folder, library) = hidden(&artifacts::native_agent()?)?;
        let planned = load(service.pid(), text(&library), &["--native", "--dry-run"])?.expect(0)?;
        ensure!(planned.stdout.contains("/tmp: it is mounted noexec"), "{planned:#?}");
        // A chroot need not have a /var/tmp.
        let next = ["/var/tmp", "/dev/shm"].map(|place| format!(" as {place}/.jgraft-0/"));
        ensure!(next.iter().any(|next| planned.stdout.contains(next)), "{planned:#?}");
        // A jar is not mapped.
        let (_folder, jar) = hidden(&good_jar()?)?;
        let planned = load(service.pid(), text(&jar), &["--dry-run"])?.expect(0)?;
        ensure!(planned.stdout.contains(" as /tmp/.jgraft-0/"), "{planned:#?}");

        let small: fn(JvmBuilder<'_>) -> JvmBuilder<'_> = |jvm| jvm.own_tmp("size=512k").read_only();
        let Some(service) = start("namespaces::places", jdk, small)? else { return Ok(()) };
        let planned = load(service.pid(), text(&jar), &["--dry-run"])?.expect(0)?;
        ensure!(planned.stdout.contains("/tmp: 491520 bytes are free there"), "{planned:#?}");
        ensure!(
            !planned.stdout.contains(" as /tmp/") && !planned.stdout.contains(" as /var/tmp/"),
            "{planned:#?}"
        );
        let read_only = planned.stdout.contains("/var/tmp: its file system is read-only");
        ensure!(read_only || jdk.root.is_some(), "{planned:#?}");
        unharmed(&service)
    });
}

#[test]
fn an_agent_directory_goes_whole_and_neighbours_come_along() {
    each_jdk("namespaces::directories", .., |jdk| {
        let container: fn(JvmBuilder<'_>) -> JvmBuilder<'_> = |jvm| jvm.pid_namespace().uid_gid(UID, GID);
        let Some(service) = start("namespaces::directories", jdk, container)? else { return Ok(()) };
        let manifest = "Agent-Class: Neighbourly\nClass-Path: lib/part.jar missing.jar\n";
        let (folder, jar) = hidden(&agent_jar("neighbourly", "Neighbourly", NEIGHBOURLY, manifest)?)?;
        std::fs::create_dir(folder.path().join("lib"))?;
        std::fs::copy(good_jar()?, folder.path().join("lib/part.jar"))?;
        std::fs::write(folder.path().join("agent.config"), "from the directory")?;

        // What the manifest names comes along by itself.
        let done = load(service.pid(), text(&jar), &["--json"])?.expect(0)?.json()?;
        ensure!(done["staged"]["files"] == 2, "{done}");
        service.wait_for_stdout(|line| line == "config none, part there", PATIENCE)?;
        // What the agent looks for on its own needs the whole directory.
        let whole = ["--stage-dir", text(folder.path()), "--json"];
        let done = load(service.pid(), text(&jar), &whole)?.expect(0)?.json()?;
        ensure!(done["staged"]["files"] == 3, "{done}");
        let above = ["--stage-dir", "/var", "--json"];
        ensure!(load(service.pid(), text(&jar), &above)?.expect(2)?.json()?["code"] == "usage");

        // Outside its own directory: refused, with the reason.
        let manifest = "Agent-Class: Neighbourly\nBoot-Class-Path: ../part.jar\n";
        let made = agent_jar("neighbourly-outside", "Neighbourly", NEIGHBOURLY, manifest)?;
        let outside = folder.path().join("lib/outside.jar");
        std::fs::copy(made, &outside)?;
        std::fs::copy(good_jar()?, folder.path().join("part.jar"))?;
        let refused = load(service.pid(), text(&outside), &[])?.expect(3)?.explained("cannot be copied")?;
        ensure!(refused.stderr.contains("--stage-dir"), "{refused:#?}");
        load(service.pid(), text(&outside), &["--stage-dir", text(folder.path())])?.expect(0)?;
        unharmed(&service)
    });
}

/// Looks at the directory of its own jar, as the agents of some vendors do.
const NEIGHBOURLY: &str = r#"
import java.io.File;
import java.util.Scanner;
public class Neighbourly {
    public static void agentmain(String options) throws Exception {
        File jar = new File(Neighbourly.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        File config = new File(jar.getParentFile(), "agent.config");
        boolean part = Neighbourly.class.getClassLoader().getResource("Probe.class") != null;
        System.out.println("config " + (config.exists() ? new Scanner(config).nextLine() : "none")
            + ", part " + (part ? "there" : "missing"));
    }
}
"#;

#[test]
fn what_nobody_uses_any_more_is_removed() {
    each_jdk("namespaces::sweep", .., |jdk| {
        // Two JVMs of one user that share a /tmp.
        let other: fn(JvmBuilder<'_>) -> JvmBuilder<'_> = |jvm| jvm.uid_gid(UID + 10, GID);
        let _alone = one_at_a_time();
        let Some(first) = start("namespaces::sweep", jdk, other)? else { return Ok(()) };
        let Some(second) = start("namespaces::sweep", jdk, other)? else { return Ok(()) };
        let home = inside(&first, &format!("/tmp/.jgraft-{}", UID + 10));
        bundled_agent_beside_jgraft()?;
        let jar = good_jar()?;
        for service in [&first, &second] {
            load(service.pid(), &format!("{}=x", text(&jar)), &["--supervised"])?.expect(0)?;
        }
        ensure!(staged(&home)?.len() == 1, "{:?}", names(&home)?);
        // Left by a jgraft that was killed: a request of a dead process, a half-made copy, rubbish.
        for name in ["s-999999999-0-00000000000000000000000000000000", "0123456789abcdef0123456789abcdef"] {
            let (folder, file) = (home.join(name), home.join(name).join("request"));
            std::fs::create_dir(&folder)?;
            std::fs::write(&file, "x")?;
            for path in [&folder, &file] {
                std::os::unix::fs::chown(path, Some(UID + 10), Some(GID))?;
            }
        }
        first.kill()?;
        let home = inside(&second, &format!("/tmp/.jgraft-{}", UID + 10));
        load(second.pid(), &format!("{}=y", text(&jar)), &["--supervised"])?.expect(0)?;
        // The second still uses it.
        ensure!(staged(&home)?.len() == 1, "{:?}", names(&home)?);
        ensure!(names(&home)?.len() == 2, "marks of the dead are left: {:?}", names(&home)?);
        second.kill()?;
        let Some(third) = start("namespaces::sweep", jdk, other)? else { return Ok(()) };
        let home = inside(&third, &format!("/tmp/.jgraft-{}", UID + 10));
        std::fs::write(
            home.join(names(&home)?.into_iter().find(|n| n.len() == 32).context("gone")?).join("x"),
            "",
        )?;
        load(third.pid(), &format!("{}=z", text(&jar)), &["--supervised"])?.expect(0)?;
        ensure!(staged(&home)?.len() == 1 && names(&home)?.len() == 2, "{:?}", names(&home)?);
        let entry = home.join(&staged(&home)?[0]);
        ensure!(
            names(&entry)? == ["jgraft-agent.jar"],
            "it was not removed in between: {:?}",
            names(&entry)?
        );
        unharmed(&third)?;
        third.kill()?;
        std::fs::remove_dir_all(format!("/tmp/.jgraft-{}", UID + 10)).context("the test's own directory")
    });
}

/// The JDKs of one test run in parallel, and this one counts what lies in a directory that they would share.
fn one_at_a_time() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Entries that are no marks.
fn staged(home: &Path) -> Result<Vec<String>> {
    Ok(names(home)?.into_iter().filter(|name| !name.starts_with("u-")).collect())
}

#[test]
fn containers_that_share_a_tmp_do_not_get_each_others_agents() {
    each_jdk("namespaces::shared_tmp", .., |jdk| {
        if !geteuid().is_root() {
            skip("namespaces::shared_tmp", "needs root to make namespaces");
            return Ok(());
        }
        let shared = tempfile::tempdir_in("/var/tmp")?;
        std::fs::set_permissions(shared.path(), std::os::unix::fs::PermissionsExt::from_mode(0o1777))?;
        let service = || -> Result<Jvm> {
            let builder =
                Jvm::builder(jdk).class_path(targets::order_service_classes()?).main("OrderService");
            let service = builder.program_args(["--quiet"]).pid_namespace().tmp_of(shared.path()).start()?;
            service.wait_ready()?;
            Ok(service)
        };
        let (first, second) = (service()?, service()?);
        let ask =
            |service: &Jvm| -> Result<Run> { jgraft(["jcmd", &service.pid().to_string(), "VM.version"]) };
        ask(&first)?.expect(0)?;
        // Both are pid 1, and the socket is the first one's.
        let refused = ask(&second)?.expect(3)?.explained("leads to another process")?;
        ensure!(refused.stderr.contains(&format!("its listener is pid {}", first.pid())), "{refused:#?}");
        let jar = good_jar()?;
        load(second.pid(), text(&jar), &[])?.expect(3)?.explained("")?;
        for service in [&first, &second] {
            no_thread_dump(service)?;
            unharmed(service)?;
            ensure!(!service.stdout().contains("probe run"), "an agent was loaded");
        }
        Ok(())
    });
}

/// A library with `Agent_OnAttach`, and one that is broken in some way: none of them reaches the JVM.
#[test]
fn a_library_that_will_not_do_is_refused_before_it_is_sent() {
    each_jdk("namespaces::wrong_library", .., |jdk| {
        let container: fn(JvmBuilder<'_>) -> JvmBuilder<'_> = |jvm| jvm.pid_namespace().uid_gid(UID, GID);
        let Some(service) = start("namespaces::wrong_library", jdk, container)? else { return Ok(()) };
        let (folder, library) = hidden(&artifacts::native_agent()?)?;
        let good = std::fs::read(&library)?;
        let mut other_machine = good.clone();
        // e_machine: none of those that we run on.
        other_machine[18..20].copy_from_slice(&8_u16.to_le_bytes());
        let mut no_entry = good.clone();
        let at = no_entry.windows(15).position(|w| w == b"Agent_OnAttach\0").context("no such symbol")?;
        no_entry[at] = b'B';
        for (name, bytes, code) in [
            ("libother.so", &other_machine[..], "wrong-architecture"),
            ("libnoentry.so", &no_entry, "no-agent-onattach"),
            ("libcut.so", &good[..1000], "not-a-library"),
            ("libtext.so", b"plain text", "not-a-library"),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes)?;
            let refused = load(service.pid(), text(&path), &["--native", "--json"])?.expect(3)?.json()?;
            ensure!(refused["code"] == code, "{name}: {refused}");
            load(service.pid(), text(&path), &["--native"])?.expect(3)?.explained("")?;
        }
        let home = inside(&service, &format!("/tmp/.jgraft-{UID}"));
        ensure!(!home.exists(), "something was staged for nothing");
        unharmed(&service)
    });
}
