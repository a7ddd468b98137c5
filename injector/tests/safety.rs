//! Nothing is ever killed or made to dump its threads: every process that must not be signalled is refused before any
//! signal or request, and every JVM that merely needs patience gets it.

mod common;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use common::{
    PATIENCE, Run, good_jar, jgraft, load, no_thread_dump, no_trigger_left, refused, service, text, unharmed,
};
use jgraft_jvm_harness::{Jdk, Jvm, each_jdk, jdks::no_jdk_hint, skip, targets};
use nix::sys::signal::Signal;
use nix::unistd::geteuid;

/// A process of a test's own, killed and reaped at the end.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Guarded {
    fn start(command: &mut Command) -> Result<Guarded> {
        Ok(Guarded(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?))
    }

    /// Waits for its first line.
    fn first_line(&mut self) -> Result<String> {
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().context("no stdout")?).read_line(&mut line)?;
        Ok(line)
    }

    fn is_alive(&mut self) -> Result<bool> {
        Ok(self.0.try_wait()?.is_none())
    }
}

#[test]
fn a_sleep_is_no_target() -> Result<()> {
    if no_compiler("safety::a_sleep_is_no_target") {
        return Ok(());
    }
    let mut sleep = Guarded::start(Command::new("sleep").arg("300"))?;
    refused(sleep.0.id(), "not-a-jvm")?;
    ensure!(sleep.is_alive()?);
    Ok(())
}

#[test]
fn catching_sigquit_does_not_make_a_jvm() -> Result<()> {
    if no_compiler("safety::catching_sigquit_does_not_make_a_jvm") {
        return Ok(());
    }
    let script = "trap 'echo caught' QUIT; echo ready; while :; do read -r line || exit; done";
    let mut shell = Guarded::start(Command::new("sh").args(["-c", script]))?;
    ensure!(shell.first_line()? == "ready\n");
    refused(shell.0.id(), "not-a-jvm")?;
    ensure!(shell.is_alive()?);
    Ok(())
}

#[test]
fn a_program_called_java_is_not_signalled() -> Result<()> {
    if no_compiler("safety::called_java") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let java = folder.path().join("java");
    ensure!(Command::new("cp").arg("/bin/sleep").arg(&java).status()?.success());
    let mut sleep = Guarded::start(Command::new(&java).arg("300"))?;
    // It may be a launcher in its first milliseconds, so it is waited for, but only as long as a launcher takes.
    let pid = sleep.0.id();
    let refused = load(pid, text(&good_jar()?), &["--timeout", "20s", "--json"])?.expect(3)?.json()?;
    ensure!(refused["code"] == "not-a-jvm", "{refused}");
    let listed = jgraft(["list", "--json"])?.expect(0)?.json()?;
    ensure!(listed["jvms"].as_array().context("no array")?.iter().all(|jvm| jvm["pid"] != pid), "{listed}");
    ensure!(sleep.is_alive()?);
    ensure!(!PathBuf::from(format!("/tmp/.attach_pid{pid}")).exists());
    Ok(())
}

/// The jar that these tests try to load is made by a JDK.
fn no_compiler(test: &str) -> bool {
    let missing = Jdk::compiler().is_none();
    if missing {
        skip(test, no_jdk_hint());
    }
    missing
}

#[test]
fn a_dead_pid_is_said_to_be_dead() -> Result<()> {
    if no_compiler("safety::a_dead_pid_is_said_to_be_dead") {
        return Ok(());
    }
    let mut child = Command::new("true").spawn()?;
    child.wait()?;
    let pid = child.id();
    load(pid, text(&good_jar()?), &[])?.expect(2)?.explained("there is no process")?;
    jgraft(["doctor", &pid.to_string()])?.expect(2)?.explained("there is no process")?;
    // Larger than any pid, and said as it was typed.
    let huge = jgraft(["doctor", "--json", "99999999999"])?.expect(2)?.json()?;
    ensure!(
        huge["code"] == "no-such-process" && huge["evidence"] == "/proc/99999999999 does not exist",
        "{huge}"
    );
    Ok(())
}

#[test]
fn an_init_is_no_target() -> Result<()> {
    if no_compiler("safety::an_init_is_no_target") {
        return Ok(());
    }
    if !geteuid().is_root() {
        skip("safety::init", "needs root to make a pid namespace");
        return Ok(());
    }
    let init = ["--pid", "--fork", "--kill-child", "sh", "-c", "echo ready; exec sleep 300"];
    let mut unshare = Guarded::start(Command::new("unshare").args(init))?;
    ensure!(unshare.first_line()? == "ready\n");
    let pid = unshare.0.id();
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    let init = children.trim().parse()?;
    refused(init, "not-a-jvm")?;
    ensure!(unshare.is_alive()?);
    // The machine's own: some are closed even to root.
    load(1, text(&good_jar()?), &[])?.expect(3)?.explained("was not sent to pid 1")?;
    Ok(())
}

#[test]
fn a_stopped_jvm_is_refused_cold_and_warm() {
    each_jdk("safety::stopped", .., |jdk| {
        let service = service(jdk, &[])?;
        for warm in [false, true] {
            if warm {
                jgraft(["jcmd", &service.pid().to_string(), "VM.version"])?.expect(0)?;
            }
            service.signal(Signal::SIGSTOP)?;
            let refusal = wait_stopped(service.pid()).and_then(|()| refused(service.pid(), "stopped"));
            service.signal(Signal::SIGCONT)?;
            refusal?;
            unharmed(&service)?;
        }
        no_trigger_left(&service, service.pid())
    });
}

/// SIGSTOP takes effect a moment after it was sent.
fn wait_stopped(pid: u32) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        if stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T')) {
            return Ok(());
        }
        std::thread::yield_now();
    }
    anyhow::bail!("pid {pid} does not stop")
}

#[test]
fn a_frozen_jvm_is_refused() {
    each_jdk("safety::frozen", .., |jdk| {
        let Some(cgroup) = Cgroup::make()? else {
            skip("safety::frozen", "no cgroup freezer that root may write to");
            return Ok(());
        };
        let service = service(jdk, &[])?;
        cgroup.freeze(service.pid())?;
        let refusal = refused(service.pid(), "frozen");
        cgroup.thaw()?;
        refusal?;
        unharmed(&service)
    });
}

/// A cgroup of a test's own, v1 or v2, removed at the end.
struct Cgroup {
    folder: PathBuf,
    v1: bool,
}

impl Cgroup {
    fn make() -> Result<Option<Cgroup>> {
        static SERIAL: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("jgraft-test-{}-{serial}", std::process::id());
        for (mount, control, v1) in
            [("/sys/fs/cgroup/freezer", "freezer.state", true), ("/sys/fs/cgroup", "cgroup.freeze", false)]
        {
            let folder = PathBuf::from(mount).join(&name);
            if PathBuf::from(mount).join("cgroup.procs").exists() && std::fs::create_dir(&folder).is_ok() {
                if folder.join(control).exists() {
                    return Ok(Some(Cgroup { folder, v1 }));
                }
                std::fs::remove_dir(&folder)?;
            }
        }
        Ok(None)
    }

    fn freeze(&self, pid: u32) -> Result<()> {
        std::fs::write(self.folder.join("cgroup.procs"), pid.to_string())?;
        self.set("FROZEN", "1")?;
        let start = Instant::now();
        let frozen = |state: String| state.contains("FROZEN") || state.contains("frozen 1");
        let state = self.folder.join(if self.v1 { "freezer.state" } else { "cgroup.events" });
        while !frozen(std::fs::read_to_string(&state)?) {
            ensure!(start.elapsed() < PATIENCE, "pid {pid} does not freeze");
            std::thread::yield_now();
        }
        Ok(())
    }

    fn thaw(&self) -> Result<()> {
        self.set("THAWED", "0")
    }

    fn set(&self, v1: &str, v2: &str) -> Result<()> {
        let (file, value) = if self.v1 { ("freezer.state", v1) } else { ("cgroup.freeze", v2) };
        Ok(std::fs::write(self.folder.join(file), value)?)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = self.thaw();
        let root = self.folder.with_file_name("cgroup.procs");
        for pid in std::fs::read_to_string(self.folder.join("cgroup.procs")).unwrap_or_default().lines() {
            let _ = std::fs::write(&root, pid);
        }
        let _ = std::fs::remove_dir(&self.folder);
    }
}

#[test]
fn pid_1_of_a_namespace_is_a_target_like_any_other() {
    each_jdk("safety::pid_1", .., |jdk| {
        if !geteuid().is_root() {
            skip("safety::pid_1", "needs root to make a pid namespace");
            return Ok(());
        }
        let jar = good_jar()?;
        let service = Jvm::builder(jdk)
            .class_path(targets::order_service_classes()?)
            .main("OrderService")
            .program_args(["--quiet"])
            .visible(&jar)
            .pid_namespace()
            .start()?;
        let ready = service.wait_ready()?;
        ensure!(ready == "ready pid 1", "{ready}");
        let doctor = jgraft(["doctor", "--json", &service.pid().to_string()])?.expect(0)?.json()?;
        ensure!(doctor["target"]["inner_pid"] == 1, "{doctor}");
        load(service.pid(), &format!("{}=x", text(&jar)), &[])?.expect(0)?;
        service.wait_for_stdout(|line| line.contains("options [x]"), PATIENCE)?;
        ensure!(!PathBuf::from(format!("/proc/{}/root/tmp/.attach_pid1", service.pid())).exists());
        unharmed(&service)
    });
}

#[test]
fn a_jvm_in_its_first_milliseconds_is_waited_for() {
    each_jdk("safety::starting", .., |jdk| {
        let jar = good_jar()?;
        let classes = targets::order_service_classes()?;
        for _ in 0..5 {
            let service = Jvm::builder(jdk)
                .class_path(&classes)
                .main("OrderService")
                .program_args(["--quiet"])
                .start()?;
            wait_for_launcher(service.pid())?;
            load(service.pid(), &format!("{}=early", text(&jar)), &[])?.expect(0)?;
            service.wait_ready()?;
            service.wait_for_stdout(|line| line.contains("options [early]"), PATIENCE)?;
            unharmed(&service)?;
            no_trigger_left(&service, service.pid())?;
        }
        Ok(())
    });
}

/// In a chroot the process is a shell for a moment, which is no JVM and is refused as one.
fn wait_for_launcher(pid: u32) -> Result<()> {
    let start = Instant::now();
    while std::fs::read_link(format!("/proc/{pid}/exe"))?.file_name().is_none_or(|name| name != "java") {
        ensure!(start.elapsed() < PATIENCE, "pid {pid} does not become java");
        std::thread::yield_now();
    }
    Ok(())
}

#[test]
fn reduced_signals_are_no_obstacle() {
    each_jdk("safety::xrs", .., |jdk| {
        let service = service(jdk, &["-Xrs"])?;
        load(service.pid(), text(&good_jar()?), &[])?.expect(0)?;
        service.wait_for_stdout(|line| line.starts_with("probe run 1 "), PATIENCE)?;
        unharmed(&service)
    });
}

#[test]
fn an_operators_refusal_is_respected() {
    each_jdk("safety::disabled", .., |jdk| {
        for options in [
            &["-XX:+DisableAttachMechanism"][..],
            &["-XX:+DisableAttachMechanism", "-Xrs"],
            &["-XX:+DisableAttachMechanism", "-XX:-UsePerfData"],
        ] {
            let service = service(jdk, options)?;
            refused(service.pid(), "attach-disabled")?;
            unharmed(&service)?;
            no_trigger_left(&service, service.pid())?;
        }
        if jdk.feature >= 9 {
            let service = service(jdk, &["-XX:-EnableDynamicAgentLoading"])?;
            let refused = load(service.pid(), text(&good_jar()?), &["--json"])?.expect(3)?.json()?;
            ensure!(refused["code"] == "agent-loading-disabled", "{refused}");
            // Nor by the diagnostic command that loads one, which the JVM itself lets pass up to 20.
            let command = ["jcmd", "--json", &service.pid().to_string(), "JVMTI.agent_load", "/no/lib.so"];
            let refused = jgraft(command)?.expect(3)?.json()?;
            ensure!(refused["code"] == "agent-loading-disabled", "{refused}");
            let doctor = jgraft(["doctor", "--json", &service.pid().to_string()])?.expect(3)?.json()?;
            ensure!(doctor["attachable"] == true && doctor["agents_loadable"] == false, "{doctor}");
            let doctor = jgraft(["doctor", &service.pid().to_string()])?.expect(3)?;
            ensure!(doctor.stdout.contains("it can be attached to; agents cannot be loaded"), "{doctor:?}");
            // Only agents are refused: a diagnostic command is not one.
            jgraft(["jcmd", &service.pid().to_string(), "VM.version"])?.expect(0)?;
            unharmed(&service)?;
        }
        Ok(())
    });
}

#[test]
fn no_counters_are_no_obstacle() {
    each_jdk("safety::no_perfdata", .., |jdk| {
        let service = service(jdk, &["-XX:-UsePerfData"])?;
        load(service.pid(), text(&good_jar()?), &[])?.expect(0)?;
        service.wait_for_stdout(|line| line.starts_with("probe run 1 "), PATIENCE)?;
        let seen = jgraft(["doctor", "--json", &service.pid().to_string()])?.expect(0)?.json()?;
        // Debian's JDK 8 has no release file, so there is no other source for its version.
        ensure!(seen["target"]["feature"] == jdk.feature || jdk.feature == 8, "{seen}");
        unharmed(&service)
    });
}

#[test]
fn another_users_jvm_takes_root_and_no_stranger() {
    each_jdk("safety::other_user", .., |jdk| {
        if !geteuid().is_root() {
            skip("safety::other_user", "needs root to start a JVM as another user");
            return Ok(());
        }
        let service = Jvm::builder(jdk)
            .class_path(targets::order_service_classes()?)
            .main("OrderService")
            .program_args(["--quiet"])
            .uid_gid(12345, 12346)
            .start()?;
        // Pids come round: a root JVM that was killed under this number left a socket that this user cannot remove.
        let _ = std::fs::remove_file(format!("/tmp/.java_pid{}", service.pid()));
        service.wait_ready()?;
        let stranger = as_user(23456, &["jcmd", &service.pid().to_string(), "VM.version"])?.expect(3)?;
        ensure!(stranger.stderr.contains("run jgraft as root or as 12345"), "{stranger:#?}");
        let owner = as_user(12345, &["jcmd", &service.pid().to_string(), "VM.version"])?;
        // Same user, other group: the JVM compares both, so this is a stranger too.
        ensure!(owner.code == 3 || owner.code == 0, "{owner:#?}");
        jgraft(["jcmd", &service.pid().to_string(), "VM.version"])?.expect(0)?;
        ensure!(geteuid().is_root());
        no_trigger_left(&service, service.pid())?;
        unharmed(&service)
    });
}

/// Runs jgraft as another user of a group of the same number; the binary is copied to where that user can read it.
fn as_user(uid: u32, args: &[&str]) -> Result<Run> {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let folder = tempfile::tempdir()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    let copy = folder.path().join("jgraft");
    // By another process: one that a test forks meanwhile must not inherit the copy open for writing (ETXTBSY).
    ensure!(Command::new("cp").arg(env!("CARGO_BIN_EXE_jgraft")).arg(&copy).status()?.success());
    common::run(Command::new(copy).args(args).uid(uid).gid(uid))
}

#[test]
fn a_lost_socket_never_means_a_thread_dump() {
    each_jdk("safety::lost_socket", .., |jdk| {
        let service = service(jdk, &[])?;
        let pid = service.pid().to_string();
        jgraft(["jcmd", &pid, "VM.version"])?.expect(0)?;
        std::fs::remove_file(format!("/proc/{pid}/root/tmp/.java_pid{pid}"))?;
        let again = jgraft(["jcmd", &pid, "VM.version"])?;
        match again.code {
            0 => {}
            _ => {
                let again = again.expect(3)?.explained("has lost its socket")?;
                ensure!(jdk.feature < 14, "JDK-8225690 is in 14: {again:#?}");
            }
        }
        no_trigger_left(&service, service.pid())?;
        unharmed(&service)
    });
}

#[test]
fn foreign_files_in_the_way_are_named() {
    each_jdk("safety::foreign_files", .., |jdk| {
        let service = service(jdk, &[])?;
        let tmp = PathBuf::from(format!("/proc/{}/root/tmp", service.pid()));
        let trigger = format!(".attach_pid{}", service.pid());
        let prey = tempfile::NamedTempFile::new()?;
        std::fs::write(prey.path(), "precious")?;

        for folder in [&tmp, &service.cwd().to_owned()] {
            let planted = folder.join(&trigger);
            std::os::unix::fs::symlink(prey.path(), &planted)?;
            let refused = jgraft(["jcmd", &service.pid().to_string(), "VM.version"])?.expect(3)?;
            ensure!(refused.stderr.contains(&trigger), "{refused:#?}");
            std::fs::remove_file(&planted).context("what somebody else planted is not ours to remove")?;
        }
        let socket = tmp.join(format!(".java_pid{}", service.pid()));
        std::os::unix::fs::symlink(prey.path(), &socket)?;
        let refused = jgraft(["jcmd", &service.pid().to_string(), "VM.version"])?.expect(3)?;
        ensure!(refused.stderr.contains("is not the jvm's own socket"), "{refused:#?}");
        std::fs::remove_file(&socket)?;

        ensure!(std::fs::read_to_string(prey.path())? == "precious");
        jgraft(["jcmd", &service.pid().to_string(), "VM.version"])?.expect(0)?;
        unharmed(&service)
    });
}

#[test]
fn a_leftover_trigger_is_adopted_and_removed() {
    each_jdk("safety::leftover", .., |jdk| {
        let service = service(jdk, &[])?;
        let leftover = PathBuf::from(format!("/proc/{0}/root/tmp/.attach_pid{0}", service.pid()));
        std::fs::write(&leftover, "")?;
        jgraft(["jcmd", &service.pid().to_string(), "VM.version"])?.expect(0)?;
        no_trigger_left(&service, service.pid())?;
        unharmed(&service)
    });
}

#[test]
fn a_hundred_at_once_wake_one_jvm_once_and_each_is_answered() {
    each_jdk("safety::many", .., |jdk| {
        let service = service(jdk, &[])?;
        let pid = service.pid().to_string();
        let runs: Vec<Result<Run>> = std::thread::scope(|scope| {
            // The listener serves one at a time and lets five wait; each is to have its answer within ten seconds.
            let args = ["jcmd", "--timeout", "10s", "--reply-timeout", "10s", &pid, "VM.version"];
            let threads: Vec<_> = (0..100).map(|_| scope.spawn(move || jgraft(args))).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        ensure!(runs.len() == 100);
        for run in runs {
            run?.expect(0)?;
        }
        no_thread_dump(&service)?;
        no_trigger_left(&service, service.pid())?;
        unharmed(&service)
    });
}
