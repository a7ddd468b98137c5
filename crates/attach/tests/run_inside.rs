//! A program that is run inside: what it is, what it has, and that nothing of it stays, whatever it does.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jgraft_attach::{Ended, InsideProgram, Patience, RunError, Target, run_inside};
use jgraft_jvm_harness::skip;
use nix::unistd::geteuid;

const UID: u32 = 23456;
const GID: u32 = 23457;
const LONG: Duration = Duration::from_secs(60);

/// A process that waits for its stdin to end.
struct Waiting {
    child: Child,
}

impl Waiting {
    /// `around` are the words before it: who it is, and where.
    fn start(around: &[&str]) -> Result<Waiting> {
        let words = [around, &["sh", "-c", "echo ready; exec cat"]].concat();
        let mut child =
            Command::new(words[0]).args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no stdout")?).read_line(&mut line)?;
        ensure!(line == "ready\n", "{line:?}");
        Ok(Waiting { child })
    }

    fn of_another_user() -> Result<Waiting> {
        let (uid, gid) = (format!("--reuid={UID}"), format!("--regid={GID}"));
        Waiting::start(&["setpriv", &uid, &gid, "--groups=27,23458"])
    }

    fn run_until(
        &self,
        words: &[&str],
        limit: usize,
        patience: &Patience<'_>,
    ) -> Result<Result<Ended, RunError>> {
        let target = Target::inspect(self.child.id().cast_signed())?;
        let arguments: Vec<String> = words[1..].iter().map(|&word| word.to_owned()).collect();
        let program =
            InsideProgram { path: Path::new(words[0]), arguments: &arguments, environment: &["LANG=C"] };
        Ok(run_inside(&target, &program, limit, patience))
    }

    fn run(&self, words: &[&str]) -> Result<Result<Ended, RunError>> {
        self.run_until(words, 1 << 20, &within(LONG))
    }

    /// What a script says.
    fn says(&self, script: &str) -> Result<String> {
        let ended = self.run(&["/bin/sh", "-c", script])??;
        let said = String::from_utf8(ended.output)?;
        ensure!(ended.status.success(), "{}: {said}", ended.status);
        Ok(said)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn within(time: Duration) -> Patience<'static> {
    Patience { deadline: Instant::now().checked_add(time), cancel: None }
}

fn not_root(test: &str) -> bool {
    let not_root = !geteuid().is_root();
    if not_root {
        skip(test, "needs root for other users and namespaces");
    }
    not_root
}

/// A line of `/proc/PID/status`, its words.
fn words(status: &str, name: &str) -> String {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Processes whose command line has this word.
fn processes(word: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(word)).collect()
}

fn nothing_left(word: &str) -> Result<()> {
    let left = processes(word);
    ensure!(left.is_empty(), "left: {left:?}");
    Ok(())
}

#[test]
fn it_is_the_target_s_user_and_has_nothing() -> Result<()> {
    if not_root("run_inside::status") {
        return Ok(());
    }
    let target = Waiting::of_another_user()?;
    // Of our own that it must not get.
    let open = fs::File::open("/etc/shadow")?;
    nix::fcntl::fcntl(&open, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()))?;
    let status = target.says("cat /proc/self/status")?;
    for (name, expected) in [
        ("Uid:", "23456 23456 23456 23456"),
        ("Gid:", "23457 23457 23457 23457"),
        ("Groups:", "27 23458"),
        ("CapInh:", "0000000000000000"),
        ("CapPrm:", "0000000000000000"),
        ("CapEff:", "0000000000000000"),
        ("CapBnd:", "0000000000000000"),
        ("CapAmb:", "0000000000000000"),
        ("NoNewPrivs:", "1"),
        ("Seccomp:", "2"),
        ("SigBlk:", "0000000000000000"),
        ("SigIgn:", "0000000000000000"),
        ("Umask:", "0077"),
    ] {
        ensure!(words(&status, name) == expected, "{name} {expected} expected: {status}");
    }
    // The last is what ls itself has opened.
    let said = target.says("ls /proc/self/fd | tr '\\n' ' '; readlink /proc/self/fd/0; pwd; env")?;
    ensure!(said.starts_with("0 1 2 3 /dev/null\n/\nLANG=C\nPWD=/\n"), "{said}");
    // Session and group of its own, no terminal, no other process, no way to the network.
    let said = target.says("set -- $(cat /proc/self/stat); echo $6 $7; ls /proc | grep -c '^[0-9]'")?;
    ensure!(said.starts_with("1 0\n") && said.trim_end().ends_with(['2', '3', '4']), "{said}");
    let said =
        target.says("cat /proc/self/net/dev | tail -n +3 | cut -d: -f1; cat /proc/self/oom_score_adj")?;
    ensure!(said.split_whitespace().eq(["lo", "1000"]), "{said}");
    let said = target
        .says("ulimit -c; ulimit -n; cat /proc/keys; readlink /proc/1/exe; ls -l /proc/1/exe | cut -c1-10")?;
    ensure!(said.starts_with("0\n") && !said.contains("jgraft"), "{said}");
    Ok(())
}

#[test]
fn of_a_root_target_too_nothing_is_left_but_the_uid() -> Result<()> {
    if not_root("run_inside::root") {
        return Ok(());
    }
    let target = Waiting::start(&["env"])?;
    let status = target.says("cat /proc/self/status")?;
    ensure!(words(&status, "Uid:") == "0 0 0 0");
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        ensure!(words(&status, set) == "0000000000000000", "{status}");
    }
    let me = std::process::id();
    let said = target.says(&format!(
        "kill -9 {me} && echo hit; kill -9 -1; ls /proc/{me} && echo seen; chown 1 /tmp && echo changed; true"
    ))?;
    ensure!(!["hit", "seen", "changed"].iter().any(|word| said.lines().any(|line| line == *word)), "{said}");
    // Nothing to set, no device of the view, no namespace to be root in, no mount, no key.
    let said = target.says(
        "cat /proc/sys/kernel/core_pattern >/proc/sys/kernel/core_pattern && echo hit; \
         touch /proc/self/oom_score_adj && echo 5 >/proc/self/oom_score_adj && echo hit; \
         head -c 1 /dev/zero >/tmp/jgraft-zero && echo hit; unshare --user true && echo hit; \
         mount -t tmpfs none /mnt && echo hit; mknod /tmp/jgraft-node c 1 3 && echo hit; \
         rm -f /tmp/jgraft-zero; echo end",
    )?;
    ensure!(said.ends_with("end\n") && !said.lines().any(|line| line == "hit"), "{said}");
    Ok(())
}

/// What keeps root in a container would not keep in what is started from outside.
#[test]
fn for_root_elsewhere_nothing_is_run() -> Result<()> {
    if not_root("run_inside::elsewhere") {
        return Ok(());
    }
    let target = Waiting::start(&["unshare", "--mount"])?;
    let error = target.run(&["/bin/true"])?.err().context("it was run")?;
    ensure!(matches!(error, RunError::Root { .. }), "{error}");
    Ok(())
}

/// A script that names `/proc/self/exe` as its interpreter gets the one program that nobody can write to.
#[test]
fn our_own_executable_is_not_to_be_had() -> Result<()> {
    if not_root("run_inside::exe") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("javac");
    // What is run is the trampoline, which runs its first argument, which is the script's path: with bounds on that by the kernel.
    fs::write(&script, "#!/proc/self/exe\n")?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    let target = Waiting::start(&["env"])?;
    let patience = within(Duration::from_secs(2));
    let ran = target.run_until(&[script.to_str().context("no text")?], 1 << 20, &patience)?;
    match ran {
        Ok(ended) => ensure!(!ended.status.success() && ended.output.is_empty(), "{ended:?}"),
        Err(error) => ensure!(matches!(error, RunError::TooLong), "{error}"),
    }
    nothing_left(script.to_str().context("no text")?)
}

#[test]
fn it_is_in_the_target_s_view_and_the_target_sees_no_mount_of_it() -> Result<()> {
    if not_root("run_inside::view") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("root");
    fs::create_dir(&root)?;
    let text = |path: &Path| path.display().to_string();
    // A namespace with a root of its own in which a directory is another, and a process in a chroot in there.
    let setup = "mount --bind / \"$0\" && mount -t proc proc \"$0/proc\" && mount -t tmpfs none \"$0/srv\" && mount --make-rshared / && echo inside >\"$0/srv/mark\" && exec chroot --userspec=23456:23457 \"$0\" \"$@\"";
    let target = Waiting::start(&["unshare", "--mount", "sh", "-c", setup, &text(&root)])?;
    let mounts = PathBuf::from(format!("/proc/{}/mountinfo", target.child.id()));
    let before = fs::read_to_string(&mounts)?;
    // It stays until it is told to go, so that the target can be looked at meanwhile.
    let said = target.says(
        "cat /srv/mark; ls /proc | grep -c '^[0-9]'; ls /proc/self/root/srv; cd /; cd ../../..; ls srv",
    )?;
    ensure!(said.starts_with("inside\n") && said.ends_with("mark\nmark\n"), "{said}");
    let pid = target.child.id();
    let said = target.says(&format!("test -e /proc/{pid} && echo seen; readlink /proc/self"))?;
    ensure!(!said.contains("seen") && said.trim().parse::<u32>()? < 10, "{said}");
    ensure!(fs::read_to_string(&mounts)? == before, "the target's mounts have changed");
    Ok(())
}

#[test]
fn how_it_ended_is_told() -> Result<()> {
    let target = if geteuid().is_root() { Waiting::of_another_user()? } else { Waiting::start(&["env"])? };
    let ended = target.run(&["/bin/sh", "-c", "echo out; echo err >&2; exit 7"])??;
    ensure!(ended.status.code() == Some(7) && ended.output == b"out\nerr\n", "{ended:?}");
    // The first of a pid namespace is killed by nobody within: it kills itself from without a handler only as another.
    let ended = target.run(&["/bin/sh", "-c", "sh -c 'kill -9 $$'; exit $?"])??;
    ensure!(ended.status.code() == Some(137) && ended.status.signal().is_none(), "{ended:?}");
    let error = target.run(&["/nowhere/javac"])?.err().context("it was run")?;
    ensure!(error.to_string().contains("may not execute it: No such file"), "{error}");
    let error = target.run(&["/etc/passwd"])?.err().context("it was run")?;
    ensure!(error.to_string().contains("may not execute it: Permission denied"), "{error}");
    Ok(())
}

#[test]
fn whatever_it_does_it_ends_and_nothing_of_it_is_left() -> Result<()> {
    let targets = match geteuid().is_root() {
        true => vec![Waiting::of_another_user()?, Waiting::start(&["env"])?],
        false => vec![Waiting::start(&["env"])?],
    };
    for target in targets {
        ends(&target)?;
    }
    Ok(())
}

fn ends(target: &Waiting) -> Result<()> {
    let mark = format!("jgraft-test-{}", target.child.id());
    let begun = Instant::now();
    let error =
        target.run(&["/bin/sh", "-c", "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done", &mark])?;
    ensure!(matches!(error, Err(RunError::TooMuch(1048576))), "{error:?}");
    nothing_left(&mark)?;
    // It ignores what can be ignored, and so do its children, which have left its session.
    let stays =
        "trap '' TERM INT HUP; setsid sh -c 'setsid sleep 4711 & sleep 4711' $0 & echo begun; sleep 4711";
    let short = within(Duration::from_millis(500));
    let error = target.run_until(&["/bin/sh", "-c", stays, &mark], 1 << 20, &short)?;
    ensure!(matches!(error, Err(RunError::TooLong)), "{error:?}");
    nothing_left(&mark)?;
    nothing_left("sleep 4711")?;
    // What it leaves behind does not outlive it.
    let leaves = "setsid sh -c 'setsid sleep 4712 & sleep 4712' $0 & exit 0";
    ensure!(target.run(&["/bin/sh", "-c", leaves, &mark])??.status.success());
    nothing_left(&mark)?;
    nothing_left("sleep 4712")?;
    let (cancel, word) = nix::unistd::pipe()?;
    let patience = Patience { deadline: None, cancel: Some(cancel.as_fd()) };
    let error = std::thread::scope(|scope| -> Result<_> {
        let running = scope.spawn(|| target.run_until(&["/bin/sleep", "4713"], 1 << 20, &patience));
        while processes("/bin/sleep 4713").is_empty() {
            ensure!(begun.elapsed() < LONG, "it is not run");
        }
        fs::File::from(word).write_all(b"x")?;
        running.join().map_err(|_| anyhow::anyhow!("panic"))?
    })?;
    ensure!(matches!(error, Err(RunError::Interrupted)), "{error:?}");
    nothing_left("sleep 4713")?;
    ensure!(begun.elapsed() < LONG, "it took {:?}", begun.elapsed());
    Ok(())
}
