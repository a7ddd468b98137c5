//! Attaching to OpenJ9, against the scripted one of jvm-harness: every verb, and that whatever happens no post, no file
//! and no lock of ours stays, the caller's process is as it was, and no SIGQUIT was sent.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use jgraft_attach::{AttachError, Client, FindingKind, LoadOutcome, Request, Target};
use jgraft_jvm_harness::fake_jvm::FakeJvm;
use jgraft_jvm_harness::skip;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

const VM: &str = "play openj9 17\n";
const ASLEEP: &str = "play openj9 17\nfault asleep 1000\n";

fn target(fake: &FakeJvm) -> Result<Target> {
    Ok(Target::inspect(fake.pid().cast_signed())?)
}

fn ask(fake: &FakeJvm, verb: &str, arguments: &[&str]) -> Result<(i32, String)> {
    let arguments: Vec<&[u8]> = arguments.iter().map(|argument| argument.as_bytes()).collect();
    let request = Request::new(verb, &arguments)?;
    let mut client = Client::new(target(fake)?);
    let mut reply = client.send(&request)?;
    let mut text = String::new();
    reply.read_to_string(&mut text)?;
    Ok((reply.header(), text))
}

/// Asks a VM that will not answer; `meanwhile` is done once it was woken.
fn fail(
    mut client: Client<'_>,
    fake: &mut FakeJvm,
    meanwhile: impl FnOnce(&mut FakeJvm) -> Result<()>,
) -> Result<AttachError> {
    std::thread::scope(|scope| {
        let request = Request::jcmd("help")?;
        let waiting = scope.spawn(move || client.send(&request).map(drop));
        fake.expect("woken, asleep")?;
        meanwhile(fake)?;
        let outcome = waiting.join().map_err(|_| anyhow!("panic"))?;
        outcome.err().context("it was answered")
    })
}

fn not_root(test: &str) -> bool {
    let not_root = !nix::unistd::geteuid().is_root();
    if not_root {
        skip(test, "needs root for other users and namespaces");
    }
    not_root
}

/// Nothing of ours is there, and nothing was written that SIGQUIT would have had written.
fn clean(fake: &FakeJvm) -> Result<()> {
    fake.nothing_is_left()?;
    ensure!(lock_is_free(fake)?, "the lock is still held");
    let printed = fake.printed();
    ensure!(!printed.iter().any(|line| line.contains("sigquit")), "{printed:?}");
    Ok(())
}

fn lock_is_free(fake: &FakeJvm) -> Result<bool> {
    is_free(&fake.attach_directory().join("_attachlock"))
}

fn is_free(path: &Path) -> Result<bool> {
    let (kind, whence) = (libc::F_WRLCK as _, libc::SEEK_SET as _);
    let byte = libc::flock { l_type: kind, l_whence: whence, l_start: 0, l_len: 1, l_pid: 0 };
    let file = File::options().write(true).open(path)?;
    Ok(fcntl(&file, FcntlArg::F_OFD_SETLK(&byte)).is_ok())
}

#[test]
fn every_verb() -> Result<()> {
    let fake = FakeJvm::start(VM)?;
    let folder = tempfile::tempdir()?;
    let (jar, dump) = (folder.path().join("a.jar"), folder.path().join("dump.phd"));
    fs::write(&jar, "a jar, as far as a fake can tell")?;
    let (jar, dump) = (jar.display().to_string(), dump.display().to_string());
    let with_options = format!("{jar}=x,(y)");
    for (verb, arguments, header, text, command) in [
        ("threaddump", &["-l"][..], 0, "main", "ATTACH_DIAGNOSTICS:Thread.print,-l"),
        ("inspectheap", &["-live"], 0, "java.lang.Object", "ATTACH_DIAGNOSTICS:GC.class_histogram,live"),
        ("inspectheap", &["-all"], 0, "java.lang.Object", "ATTACH_DIAGNOSTICS:GC.class_histogram,all"),
        ("dumpheap", &[&dump, "-all"], 0, "Dump written to", "ATTACH_DIAGNOSTICS:Dump.heap,"),
        ("jcmd", &["GC.run"], 0, "Command succeeded\n", "ATTACH_DIAGNOSTICS:GC.run"),
        ("jcmd", &["No.such"], 1, "Command No.such not recognized", "ATTACH_DIAGNOSTICS:No.such"),
        ("jcmd", &["VM.version"], 0, "version 17.0.1\nJDK 17.0.1\n", "ATTACH_GETSYSTEMPROPERTIES"),
        ("jcmd", &["ManagementAgent.start_local"], 0, "service:jmx", "ATTACH_START_LOCAL_MANAGEMENT_AGENT"),
        ("properties", &[], 0, "java.version=17.0.1\n", "ATTACH_GETSYSTEMPROPERTIES"),
        ("agentProperties", &[], 0, "sun.jvm.args=", "ATTACH_GETAGENTPROPERTIES"),
        (
            "load",
            &["instrument", "false", &with_options],
            0,
            "return code: 0",
            "ATTACH_LOADAGENT(instrument,",
        ),
        ("load", &["instrument", "false", "/no.jar"], 0, "return code: 100", "ATTACH_LOADAGENT(instrument,"),
        ("load", &[&jar, "true", "x"], 0, "return code: 0", "ATTACH_LOADAGENTPATH("),
        ("load", &["/no.so", "true", "x"], -1, "AgentLoadException", "ATTACH_LOADAGENTPATH(/no.so,x)"),
        ("load", &["jdwp", "false", "x"], 0, "return code: 0", "ATTACH_LOADAGENTLIBRARY(jdwp,x)"),
    ] {
        let answer = ask(&fake, verb, arguments).with_context(|| format!("{verb} {arguments:?}"))?;
        ensure!(answer.0 == header && answer.1.contains(text), "{verb} {arguments:?}: {answer:?}");
        fake.expect_among(&format!("command {command}"), &["woken, for me", "command ATTACH_DETACH"])?;
        fake.nothing_is_left()?;
    }
    ensure!(fs::read(&dump)?.starts_with(b"JAVA PROFILE"));
    let error = ask(&fake, "setflag", &["x", "1"]).err().context("it has no setflag")?;
    let error = error.downcast_ref::<AttachError>().context("another error")?;
    ensure!(
        matches!(error, AttachError::Blocked(finding) if finding.kind == FindingKind::OpenJ9),
        "{error:?}"
    );
    clean(&fake)
}

#[test]
fn of_several_in_one_directory_the_wanted_one_answers() -> Result<()> {
    let one = FakeJvm::start(VM)?;
    let vms = [
        &one.start_beside("play openj9 11\n")?,
        &one,
        &one.start_beside("play openj9 21\noption -Dcom.ibm.tools.attach.id=third\n")?,
        &one.start_beside("play openj9 8\n")?,
    ];
    // One that was killed leaves its entry, and a post is made for it as well.
    fs::create_dir(one.attach_directory().join("999999"))?;
    let versions = ["11.0.1", "17.0.1", "21.0.1", "1.8.0_1"];
    for (vm, version) in vms.into_iter().zip(versions).chain(vms.into_iter().zip(versions).rev()) {
        let (_, text) = ask(vm, "jcmd", &["VM.version"])?;
        ensure!(text.contains(version), "{text} instead of {version}");
        one.nothing_is_left()?;
        vm.expect_among("command ATTACH_GETSYSTEMPROPERTIES", &["woken"])?;
        vm.expect_among("command ATTACH_DETACH", &["woken"])?;
        for other in vms {
            let printed = other.printed();
            ensure!(printed.iter().all(|line| line == "woken, not for me"), "{printed:?}");
        }
    }
    vms.into_iter().try_for_each(clean)
}

#[test]
fn every_entry_is_woken_once_and_held() -> Result<()> {
    let mut one = FakeJvm::start(ASLEEP)?;
    let others = [one.start_beside(VM)?, one.start_beside(VM)?];
    fs::create_dir(one.attach_directory().join("999999"))?;
    fs::create_dir(one.attach_directory().join(".trash_1"))?;
    let (read, write) = nix::unistd::pipe()?;
    let client = Client::new(target(&one)?).cancel(read.as_fd());
    fail(client, &mut one, |one| {
        // Three of four posts have found their VM, which waits on its sync file: it cannot take another's.
        let semaphore = one.semaphore()?;
        let start = Instant::now();
        while semaphore.value()? != 1 {
            ensure!(start.elapsed() < Duration::from_secs(30), "{} posts are left", semaphore.value()?);
            std::thread::yield_now();
        }
        for vm in others.iter().chain([&*one]) {
            let sync = one.attach_directory().join(vm.pid().to_string()).join("attachNotificationSync");
            ensure!(!is_free(&sync)?, "{} is free", sync.display());
        }
        drop(write);
        Ok(())
    })?;
    others.iter().try_for_each(clean)
}

#[test]
fn an_answer_of_another_process_is_not_taken() -> Result<()> {
    let one = FakeJvm::start(VM)?;
    // As two containers that share the directory look to each other: the entry bears the pid of both.
    let other = one.start_beside("play openj9 21\nlisten at-word\n")?;
    let info = one.attach_directory().join(one.pid().to_string()).join("attachInfo");
    let text = fs::read_to_string(&info)?;
    fs::write(
        &info,
        text.replace(&format!("processId={}", one.pid()), &format!("processId={}", other.pid())),
    )?;
    let error = ask(&other, "jcmd", &["VM.version"]).err().context("it was answered")?;
    let error = error.downcast_ref::<AttachError>().context("another error")?;
    ensure!(error.finding().kind == FindingKind::ForeignSocket, "{error:?}");
    ensure!(!one.printed().iter().any(|line| line.starts_with("command")));
    clean(&other)
}

#[test]
fn many_clients_at_once_take_turns() -> Result<()> {
    let fake = FakeJvm::start(VM)?;
    let pid = fake.pid().cast_signed();
    let failures: Vec<String> = std::thread::scope(|scope| {
        let one = || -> Result<()> {
            let mut client = Client::new(Target::inspect(pid)?).timeout(Duration::from_secs(60));
            let text = client.send(&Request::jcmd("VM.version")?)?.into_text(1000)?.0;
            ensure!(text.contains("17.0.1"), "{text}");
            Ok(())
        };
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        clients.into_iter().filter_map(|client| Some(format!("{:#}", client.join().ok()?.err()?))).collect()
    });
    ensure!(failures.is_empty(), "{failures:?}");
    clean(&fake)
}

#[test]
fn a_deadline_leaves_nothing() -> Result<()> {
    let mut fake = FakeJvm::start(ASLEEP)?;
    let client = Client::new(target(&fake)?).timeout(Duration::from_millis(300));
    let error = fail(client, &mut fake, |_| Ok(()))?;
    ensure!(matches!(&error, AttachError::NotSent(f) if f.kind == FindingKind::NoListener), "{error:?}");
    clean(&fake)
}

#[test]
fn a_cancelled_wait_leaves_nothing() -> Result<()> {
    let mut fake = FakeJvm::start(ASLEEP)?;
    let (read, write) = nix::unistd::pipe()?;
    let client = Client::new(target(&fake)?).cancel(read.as_fd());
    let error = fail(client, &mut fake, |_| {
        drop(write);
        Ok(())
    })?;
    ensure!(matches!(error, AttachError::Interrupted { sent: false, .. }), "{error:?}");
    clean(&fake)
}

#[test]
fn a_target_that_dies_leaves_nothing() -> Result<()> {
    let one = FakeJvm::start(VM)?;
    let mut asleep = one.start_beside(ASLEEP)?;
    let client = Client::new(target(&asleep)?);
    let error = fail(client, &mut asleep, FakeJvm::kill)?;
    ensure!(matches!(&error, AttachError::NotSent(f) if f.kind == FindingKind::Ended), "{error:?}");
    one.nothing_is_left()?;
    let (_, text) = ask(&one, "jcmd", &["VM.version"])?;
    ensure!(text.contains("17.0.1"));
    clean(&one)
}

#[test]
fn a_killed_client_is_tidied_up_after() -> Result<()> {
    let fake = FakeJvm::start(ASLEEP)?;
    let mut client = Command::new(example()?).arg(fake.pid().to_string()).spawn()?;
    let woken = fake.expect("woken, asleep");
    client.kill()?;
    client.wait()?;
    woken?;
    let start = Instant::now();
    while fake.nothing_is_left().is_err() || !lock_is_free(&fake)? {
        ensure!(start.elapsed() < Duration::from_secs(30), "{:?}", fake.nothing_is_left());
        std::thread::yield_now();
    }
    clean(&fake)
}

#[test]
fn a_client_killed_at_any_moment_is_tidied_up_after() -> Result<()> {
    let fake = FakeJvm::start(VM)?;
    let example = example()?;
    for moment in 0..40 {
        let mut client = Command::new(&example).arg(fake.pid().to_string()).stdout(Stdio::null()).spawn()?;
        // From before it has read a fact to after it has its answer; the VM rests 300 ms between two.
        std::thread::sleep(Duration::from_micros(500 * moment));
        client.kill()?;
        client.wait()?;
    }
    let start = Instant::now();
    while fake.nothing_is_left().is_err() || !lock_is_free(&fake)? {
        ensure!(start.elapsed() < Duration::from_secs(30), "{:?}", fake.nothing_is_left());
        std::thread::yield_now();
    }
    let (_, text) = ask(&fake, "jcmd", &["VM.version"])?;
    ensure!(text.contains("17.0.1"));
    clean(&fake)
}

/// `examples/version.rs`, which cargo builds with this test.
fn example() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let profile = here.ancestors().nth(2).context("no target directory")?;
    Ok(profile.join("examples/version"))
}

#[test]
fn another_users_vm_finds_a_reply_file_of_its_own() -> Result<()> {
    if not_root("openj9::another_user") {
        return Ok(());
    }
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--reuid", "12345", "--regid", "12346", "--clear-groups"]);
    let fake = FakeJvm::start_through(setpriv, VM)?;
    let (_, text) = ask(&fake, "jcmd", &["VM.version"])?;
    ensure!(text.contains("17.0.1"));
    ensure!(nix::unistd::geteuid().is_root());
    clean(&fake)
}

#[test]
fn in_namespaces_of_its_own() -> Result<()> {
    if not_root("openj9::namespaces") {
        return Ok(());
    }
    let namespaces = || ["ipc", "net", "mnt"].map(|kind| fs::read_link(format!("/proc/self/ns/{kind}")).ok());
    let ours = namespaces();
    let mut unshare = Command::new("unshare");
    unshare.args(["--ipc", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec"]);
    // A /tmp of its own, in which the attach directory has its usual place; the fake's option ($2) is left out.
    let inside = "ip link set lo up; mount -t tmpfs none /mnt; cp \"$1\" /mnt/fake; cp \"$3\" /mnt/Script; \
        mount --move /mnt /tmp; chmod 1777 /tmp; TMPDIR=/tmp exec /tmp/fake /tmp/Script";
    unshare.args([inside, "sh"]);
    let fake = FakeJvm::start_through(unshare, VM)?;
    let (_, text) = ask(&fake, "jcmd", &["VM.version"])?;
    ensure!(text.contains("17.0.1"), "{text}");
    fake.expect("woken, for me")?;
    let common = format!("/proc/{}/root/tmp/.com_ibm_tools_attach", fake.pid());
    let entry = fs::read_dir(&common)?.flatten().find(|entry| entry.path().is_dir()).context("no entry")?;
    ensure!(entry.file_name() == "1" && !entry.path().join("replyInfo").exists(), "{entry:?}");
    ensure!(ours == namespaces());
    ensure!(!fake.printed().iter().any(|line| line.contains("sigquit")));
    Ok(())
}

#[test]
fn what_others_plant_is_not_followed() -> Result<()> {
    let fake = FakeJvm::start(VM)?;
    let folder = tempfile::tempdir()?;
    let victim = folder.path().join("victim");
    fs::write(&victim, "precious")?;
    let own = fake.attach_directory().join(fake.pid().to_string());
    // A link in the place of the reply file: replaced, not written through.
    std::os::unix::fs::symlink(&victim, own.join("replyInfo"))?;
    // Entries that are none: a link to a directory, a FIFO for a sync file.
    std::os::unix::fs::symlink(folder.path(), fake.attach_directory().join("link"))?;
    fs::create_dir(fake.attach_directory().join("trap"))?;
    let fifo = fake.attach_directory().join("trap/attachNotificationSync");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU)?;
    let (_, text) = ask(&fake, "jcmd", &["VM.version"])?;
    ensure!(text.contains("17.0.1"));
    ensure!(fs::read(&victim)? == b"precious");
    clean(&fake)
}

#[test]
fn outcomes_of_load_are_hotspots() -> Result<()> {
    let mut fake = FakeJvm::start(VM)?;
    fake.tell("answer ATTACH_LOADAGENTLIBRARY \"ATTACH_ERR AgentInitializationException102\\0\"", "will")?;
    let (header, text) = ask(&fake, "load", &["x", "false", ""])?;
    ensure!(LoadOutcome::parse(header, &text) == LoadOutcome::AgentFailed(102));
    Ok(())
}
