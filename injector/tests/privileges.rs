//! What attaching takes and no more: with few capabilities as root, and as an ordinary user for one's own JVMs.

mod common;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, Run, bundled_agent_beside_jgraft, good_jar, run, text, unharmed};
use jgraft_jvm_harness::{Jdk, Jvm, JvmBuilder, each_jdk, skip, targets};
use nix::unistd::geteuid;
use tempfile::TempDir;

const UID: u32 = 34567;
const GID: u32 = 34568;

/// Surroundings of a JVM, and what they are called.
type Surroundings = (&'static str, fn(JvmBuilder<'_>) -> JvmBuilder<'_>);

fn start(test: &str, jdk: &Jdk, with: fn(JvmBuilder<'_>) -> JvmBuilder<'_>) -> Result<Option<Jvm>> {
    if !geteuid().is_root() {
        skip(test, "needs root to start JVMs of other users");
        return Ok(None);
    }
    let builder = Jvm::builder(jdk).class_path(targets::order_service_classes()?).main("OrderService");
    let service = with(builder.program_args(["--quiet"])).start()?;
    service.wait_ready()?;
    Ok(Some(service))
}

/// jgraft and an agent where anybody can read them, and no JVM with a /tmp of its own sees them.
struct Copies {
    _folder: TempDir,
    jgraft: PathBuf,
    jar: PathBuf,
}

impl Copies {
    fn make() -> Result<Copies> {
        bundled_agent_beside_jgraft()?;
        let folder = tempfile::tempdir_in("/tmp")?;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let built = PathBuf::from(env!("CARGO_BIN_EXE_jgraft"));
        let (jgraft, jar) = (folder.path().join("jgraft"), folder.path().join("good.jar"));
        // By another process: one that a test forks meanwhile must not inherit the copy open for writing (ETXTBSY).
        for (from, to) in [
            (&built, &jgraft),
            (&built.with_file_name("jgraft-agent.jar"), &folder.path().join("jgraft-agent.jar")),
            (&good_jar()?, &jar),
        ] {
            ensure!(Command::new("cp").arg(from).arg(to).status()?.success());
            std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o755))?;
        }
        Ok(Copies { _folder: folder, jgraft, jar })
    }

    /// As root with these capabilities only.
    fn with_capabilities(&self, capabilities: &str, args: &[&str]) -> Result<Run> {
        let mut command = Command::new("setpriv");
        let bounding = format!("--bounding-set=-all{capabilities}");
        run(command.args(["--inh-caps=-all", &bounding]).arg(&self.jgraft).args(args))
    }

    fn as_user(&self, uid: u32, gid: u32, args: &[&str]) -> Result<Run> {
        run(Command::new(&self.jgraft).args(args).uid(uid).gid(gid).current_dir("/"))
    }
}

const CONTAINERS: [Surroundings; 2] = [
    ("a container", |jvm| jvm.pid_namespace().uid_gid(UID, GID)),
    ("a user namespace", |jvm| jvm.pid_namespace().uid_gid(UID, GID).user_namespace()),
];

#[test]
fn three_capabilities_are_enough_and_none_of_them_is_too_many() {
    for (what, with) in CONTAINERS {
        each_jdk(&format!("privileges::least in {what}"), .., |jdk| {
            let Some(service) = start("privileges::least", jdk, with)? else { return Ok(()) };
            let copies = Copies::make()?;
            let pid = service.pid().to_string();
            for (fewer, missing) in [
                (",+setuid,+setgid", "CAP_SYS_PTRACE"),
                (",+sys_ptrace,+setgid", "CAP_SETUID"),
                (",+sys_ptrace,+setuid", "CAP_SETGID"),
                ("", "CAP_SETUID and CAP_SETGID"),
            ] {
                copies.with_capabilities(fewer, &["jcmd", &pid, "VM.version"])?.expect(3)?.explained("")?;
                let doctor = copies.with_capabilities(fewer, &["doctor", "--privileges", "--json", &pid])?;
                let doctor = doctor.expect(3)?.json()?;
                let steps = doctor["privileges"].as_array().context("no privileges")?;
                ensure!(steps.iter().any(|step| step["missing"] == missing), "{fewer}: {doctor}");
            }
            let least = ",+sys_ptrace,+setuid,+setgid";
            let doctor =
                copies.with_capabilities(least, &["doctor", "--privileges", "--json", "--probe", &pid])?;
            let doctor = doctor.expect(0)?.json()?;
            let steps = doctor["privileges"].as_array().context("no privileges")?;
            ensure!(steps.len() == 7 && steps.iter().all(|step| step["missing"].is_null()), "{doctor}");
            // The counters are the user's own to read; 8 keeps none for a user without a name.
            ensure!(doctor["target"]["feature"] == jdk.feature || jdk.feature == 8, "{doctor}");
            for supervised in [&[][..], &["--supervised"]] {
                let args = [&["load", &pid, text(&copies.jar)][..], supervised].concat();
                copies.with_capabilities(least, &args)?.expect(0)?;
            }
            service.wait_for_stdout(|line| line.starts_with("probe run 2 "), PATIENCE)?;
            unharmed(&service)
        });
    }
}

#[test]
fn ones_own_jvm_takes_no_privilege() {
    const OWN: [Surroundings; 3] = [
        ("beside us", |jvm| jvm.uid_gid(UID, UID)),
        ("in a user namespace of one's own", |jvm| jvm.uid_gid(UID, UID).own_tmp("").user_namespace()),
        ("in a container", |jvm| jvm.uid_gid(UID, UID).pid_namespace()),
    ];
    for (what, with) in OWN {
        each_jdk(&format!("privileges::own {what}"), .., |jdk| {
            // The JDKs of one test run in parallel, and this one removes a directory that they would share.
            static ALONE: Mutex<()> = Mutex::new(());
            let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(service) = start("privileges::own", jdk, with)? else { return Ok(()) };
            let copies = Copies::make()?;
            let pid = service.pid().to_string();
            let doctor = copies.as_user(UID, UID, &["doctor", "--privileges", "--probe", &pid])?.expect(0)?;
            ensure!(doctor.stdout.contains(&format!("we are uid {UID} gid {UID}")), "{doctor:#?}");
            ensure!(!doctor.stdout.contains("lacking:"), "{doctor:#?}");
            for supervised in [&[][..], &["--supervised"]] {
                let args = [&["load", &pid, text(&copies.jar)][..], supervised].concat();
                copies.as_user(UID, UID, &args)?.expect(0)?;
            }
            service.wait_for_stdout(|line| line.starts_with("probe run 2 "), PATIENCE)?;
            copies.as_user(UID, UID, &["jcmd", &pid, "VM.version"])?.expect(0)?;
            let stranger = copies.as_user(UID + 2, UID, &["doctor", "--privileges", &pid])?.expect(3)?;
            ensure!(stranger.stdout.contains("lacking:  CAP_SYS_PTRACE"), "{stranger:#?}");
            unharmed(&service)?;
            drop(service);
            if std::path::Path::new(&format!("/tmp/.jgraft-{UID}")).exists() {
                std::fs::remove_dir_all(format!("/tmp/.jgraft-{UID}")).context("the test's own directory")?;
            }
            Ok(())
        });
    }
}
