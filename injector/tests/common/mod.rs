//! For the live tests of the command line: runs jgraft as a user would, and makes the agents that they load.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use jgraft_jvm_harness::{Jdk, Jvm, cache, javac, targets};
use serde_json::Value;

/// No wait in a test is longer, however busy the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What one run of jgraft came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The object that `--json` prints.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| format!("no JSON object: {self:?}"))
    }

    /// Fails with everything that was printed unless the exit code is this.
    pub(crate) fn expect(self, code: i32) -> Result<Run> {
        ensure!(self.code == code, "exit {} instead of {code}: {self:#?}", self.code);
        Ok(self)
    }

    /// Fails unless a failure names its cause, its evidence and its remedy on stderr.
    pub(crate) fn explained(self, cause: &str) -> Result<Run> {
        ensure!(self.stderr.contains("error: "), "no error line: {self:#?}");
        ensure!(self.stderr.contains("  evidence: "), "no evidence: {self:#?}");
        ensure!(self.stderr.contains("  remedy: "), "no remedy: {self:#?}");
        ensure!(self.stderr.contains(cause), "{cause:?} is not said: {self:#?}");
        Ok(self)
    }
}

/// Runs jgraft to its end.
pub(crate) fn jgraft<'a>(args: impl IntoIterator<Item = &'a str>) -> Result<Run> {
    run(Command::new(env!("CARGO_BIN_EXE_jgraft")).args(args))
}

/// jgraft with the signals that a person ends it with as they are by default: whoever runs the tests in the background, or
/// under nohup, has them ignored, and so would jgraft.
pub(crate) fn interruptible() -> Command {
    let mut command = Command::new("env");
    command.args(["--default-signal=INT,TERM,HUP", env!("CARGO_BIN_EXE_jgraft")]);
    command
}

/// jgraft where the JDKs of this machine are hidden. Needs root.
pub(crate) fn on_a_host_without_a_jdk() -> Command {
    let hide = "for place in /usr/lib/jvm /usr/java /opt; do [ ! -d $place ] || mount -t tmpfs none $place; done\n\
                PATH=/usr/bin:/bin JAVA_HOME= exec env --default-signal=INT,TERM,HUP \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-ec", hide, "sh", env!("CARGO_BIN_EXE_jgraft")]);
    command
}

/// Runs a command that is or becomes jgraft.
pub(crate) fn run(command: &mut Command) -> Result<Run> {
    said(command.output().context("can't run jgraft")?)
}

fn said(Output { status, stdout, stderr }: Output) -> Result<Run> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let Some(code) = status.code() else { bail!("jgraft was killed: {status}") };
    Ok(Run { code, stdout: text(stdout), stderr: text(stderr) })
}

/// How a jgraft ended, and what it has said.
pub(crate) fn ended(child: std::process::Child) -> Result<Run> {
    said(child.wait_with_output()?)
}

/// Runs jgraft and ends it with an error if it takes longer than a person would wait.
pub(crate) fn load(pid: u32, agent: &str, more: &[&str]) -> Result<Run> {
    let pid = pid.to_string();
    let mut args = vec!["load", &pid, agent];
    args.extend(more);
    jgraft(args)
}

/// Refused by load, by jcmd and by doctor, with this code.
pub(crate) fn refused(pid: u32, code: &str) -> Result<()> {
    let jar = good_jar()?;
    let shown = load(pid, text(&jar), &["--json"])?.expect(3)?.json()?;
    ensure!(shown["code"] == code, "{code} expected: {shown}");
    load(pid, text(&jar), &[])?.expect(3)?.explained("was not sent to")?;
    load(pid, text(&jar), &["--supervised"])?.expect(3)?;
    jgraft(["jcmd", &pid.to_string(), "VM.version"])?.expect(3)?.explained("")?;
    let doctor = jgraft(["doctor", "--json", "--probe", &pid.to_string()])?.expect(3)?.json()?;
    ensure!(doctor["blockers"][0]["code"] == code, "{code} expected: {doctor}");
    Ok(())
}

/// The order service, ready, with options of its own.
pub(crate) fn service(jdk: &Jdk, options: &[&str]) -> Result<Jvm> {
    let service =
        Jvm::builder(jdk).args(options).class_path(targets::order_service_classes()?).main("OrderService");
    let service = service.program_args(["--quiet"]).start()?;
    service.wait_ready()?;
    Ok(service)
}

/// It takes orders as before, and has printed no thread dump.
pub(crate) fn unharmed(service: &Jvm) -> Result<()> {
    ensure!(service.is_alive(), "the service has ended: {}{}", service.stdout(), service.stderr());
    service.ask("order", |line| line.starts_with("order "))?;
    no_thread_dump(service)
}

/// Nothing that looks like SIGQUIT's answer.
pub(crate) fn no_thread_dump(service: &Jvm) -> Result<()> {
    let printed = service.stdout() + &service.stderr();
    ensure!(!printed.contains("Full thread dump"), "a thread dump was printed:\n{printed}");
    Ok(())
}

/// No trigger file of ours where the JVM would look for one.
pub(crate) fn no_trigger_left(service: &Jvm, inner_pid: u32) -> Result<()> {
    for folder in [Path::new("/tmp"), service.cwd()] {
        let trigger = folder.join(format!(".attach_pid{inner_pid}"));
        ensure!(!trigger.exists(), "{} was left", trigger.display());
    }
    Ok(())
}

/// An agent that prints what it was given, and how often it ran, in a form that any locale can print.
const PROBE: &str = r#"
import java.lang.instrument.Instrumentation;
public class Probe {
    static int runs;
    public static void agentmain(String options, Instrumentation inst) throws Exception {
        StringBuilder shown = new StringBuilder();
        for (char c : (options == null ? "<none>" : options).toCharArray()) {
            shown.append(c < 128 ? String.valueOf(c) : String.format("\\u%04x", (int) c));
        }
        System.out.println("probe run " + (++runs) + " options [" + shown + "] retransform "
            + inst.isRetransformClassesSupported() + " redefine " + inst.isRedefineClassesSupported()
            + " thread " + Thread.currentThread().getName());
        if ("boom".equals(options)) {
            throw new IllegalStateException("out of paint", new RuntimeException("the deeper reason"));
        }
    }
}
"#;

/// A jar with the class `Probe` and this manifest (without the version line).
pub(crate) fn probe_jar(name: &str, manifest: &str) -> Result<PathBuf> {
    agent_jar(name, "Probe", PROBE, manifest)
}

/// The jar that does what it should.
pub(crate) fn good_jar() -> Result<PathBuf> {
    probe_jar("good", "Agent-Class: Probe\nCan-Retransform-Classes: true\n")
}

/// Any jar made of one class.
pub(crate) fn agent_jar(name: &str, class: &str, source: &str, manifest: &str) -> Result<PathBuf> {
    let folder = cache::target_dir().join("harness/injector-tests").join(name);
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{class}.java"));
    // Written once: tests in other processes may be compiling it.
    if std::fs::read_to_string(&file).is_ok_and(|text| text != source) || !file.exists() {
        let aside = tempfile::NamedTempFile::new_in(&folder)?;
        std::fs::write(aside.path(), source)?;
        aside.persist(&file)?;
    }
    let classes = folder.join("classes");
    javac::compile(&[file], &classes, &[])?;
    let jar = folder.join(format!("{name}.jar"));
    javac::jar(manifest, &classes, &jar)?;
    Ok(jar)
}

/// The bundled agent, put where a jgraft from a plain build looks for it.
pub(crate) fn bundled_agent_beside_jgraft() -> Result<()> {
    let made = jgraft_jvm_harness::agents::bundled()?;
    let wanted = Path::new(env!("CARGO_BIN_EXE_jgraft")).with_file_name("jgraft-agent.jar");
    let aside = tempfile::NamedTempFile::new_in(wanted.parent().context("no folder")?)?;
    std::fs::copy(made, aside.path())?;
    aside.persist(wanted)?;
    Ok(())
}

/// Text of a path that is surely UTF-8.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// Directories for the dumps of one jgraft, found in the target's view: where a path of another mount namespace is for us, only the
/// kernel knows.
pub(crate) fn dump_places(service: &Jvm, jgraft: u32) -> Result<Vec<PathBuf>> {
    let mut places = Vec::new();
    for parent in ["root/var/tmp", "root/tmp", "cwd"] {
        // A chroot need not have them all.
        let Ok(entries) = std::fs::read_dir(format!("/proc/{}/{parent}", service.pid())) else { continue };
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&format!(".jgraft-dump-{jgraft}-")) {
                places.push(entry.path());
            }
        }
    }
    Ok(places)
}
