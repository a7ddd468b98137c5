//! What a target says of itself may be a trap for root, or hide an operator's refusal: its files of options, its
//! counters, its capabilities. And what is merely unusual about it must not make a check look away.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, agent_jar, good_jar, jgraft, load, no_trigger_left, refused, text, unharmed};
use jgraft_jvm_harness::{Jdk, Jvm, each_jdk, skip, targets};
use nix::unistd::geteuid;

/// The order service, ready, in this folder, with these options and this environment.
fn service_in(jdk: &Jdk, cwd: &Path, options: &[&str], environment: &[(&str, &str)]) -> Result<Jvm> {
    let classes = targets::order_service_classes()?;
    let mut builder = Jvm::builder(jdk).cwd(cwd).args(options).class_path(classes).main("OrderService");
    for (name, value) in environment {
        builder = builder.env(name, value);
    }
    let service = builder.program_args(["--quiet"]).start()?;
    service.wait_ready()?;
    Ok(service)
}

/// A folder in /tmp that everybody can read.
fn open_folder() -> Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix("jgraft-test-").tempdir_in("/tmp")?;
    let open: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open)?;
    Ok(folder)
}

#[test]
fn a_refusal_in_a_file_is_found() {
    each_jdk("hostile::refusal_in_a_file", .., |jdk| {
        let folder = open_folder()?;
        std::fs::write(folder.path().join("off"), "-XX:+DisableAttachMechanism")?;
        std::fs::write(folder.path().join("flags"), "# ours\n+DisableAttachMechanism\n")?;
        let mut cases = vec![(vec!["-XX:Flags=flags"], vec![])];
        if jdk.feature >= 9 {
            cases.push((vec!["@off"], vec![]));
            cases.push((vec!["-XX:VMOptionsFile=off"], vec![]));
            cases.push((vec![], vec![("JDK_JAVA_OPTIONS", "@off")]));
            cases.push((vec![], vec![("JAVA_TOOL_OPTIONS", "-XX:VMOptionsFile=off")]));
        }
        for (mut options, environment) in cases {
            // Without counters the options are all there is to go by.
            options.push("-XX:-UsePerfData");
            let service = service_in(jdk, folder.path(), &options, &environment)?;
            refused(service.pid(), "attach-disabled")
                .with_context(|| format!("{options:?} {environment:?}"))?;
            unharmed(&service)?;
            no_trigger_left(&service, service.pid())?;
        }
        Ok(())
    });
}

#[test]
fn a_file_of_options_that_is_gone_is_a_reason_to_refuse() {
    each_jdk("hostile::options_gone", .., |jdk| {
        let folder = open_folder()?;
        let file = folder.path().join("flags");
        for counters in ["-XX:-UsePerfData", "-XX:+UsePerfData"] {
            std::fs::write(&file, "+DisableExplicitGC")?;
            let service = service_in(jdk, folder.path(), &["-XX:Flags=flags", counters], &[])?;
            std::fs::remove_file(&file)?;
            match counters {
                "-XX:-UsePerfData" => refused(service.pid(), "options-unread")?,
                // The counters say by themselves whether attach is on.
                _ => drop(jgraft(["jcmd", &service.pid().to_string(), "VM.version"])?.expect(0)?),
            }
            no_trigger_left(&service, service.pid())?;
            unharmed(&service)?;
        }
        Ok(())
    });
}

/// Its own list of options says what was in it. The command of 11 and 17 that loads a native agent does not ask the flag.
#[test]
fn a_refusal_to_load_agents_in_a_file_that_is_gone_is_found() {
    each_jdk("hostile::agent_loading_gone", 9.., |jdk| {
        let folder = open_folder()?;
        for (file, words, option) in [
            ("flags", "-EnableDynamicAgentLoading", "-XX:Flags=flags"),
            ("options", "-XX:-EnableDynamicAgentLoading", "-XX:VMOptionsFile=options"),
            ("words", "-XX:-EnableDynamicAgentLoading", "@words"),
        ] {
            let file = folder.path().join(file);
            std::fs::write(&file, words)?;
            let service = service_in(jdk, folder.path(), &[option], &[])?;
            std::fs::remove_file(&file)?;
            let refused =
                load(service.pid(), text(&good_jar()?), &["--json"])?.expect(3).context(option)?.json()?;
            ensure!(refused["code"] == "agent-loading-disabled", "{option}: {refused}");
            let pid = service.pid().to_string();
            let jcmd = jgraft(["jcmd", "--json", &pid, "JVMTI.agent_load", "/no/such.so"])?;
            let jcmd = jcmd.expect(3)?.json()?;
            ensure!(jcmd["code"] == "agent-loading-disabled", "{option}: {jcmd}");
            no_trigger_left(&service, service.pid())?;
            unharmed(&service)?;
        }
        // What else may be in such a file is no reason to refuse.
        let file = folder.path().join("words");
        std::fs::write(&file, "-Xmx64m")?;
        let service = service_in(jdk, folder.path(), &["@words"], &[])?;
        std::fs::remove_file(&file)?;
        load(service.pid(), text(&good_jar()?), &[])?.expect(0)?;
        unharmed(&service)
    });
}

#[test]
fn roots_eyes_are_not_lent_to_the_target() {
    each_jdk("hostile::argfile", 9.., |jdk| {
        if !geteuid().is_root() {
            skip("hostile::argfile", "needs root to start a JVM as another user");
            return Ok(());
        }
        let folder = open_folder()?;
        let file = folder.path().join("options");
        std::fs::write(&file, "-Xmx64m")?;
        let service = Jvm::builder(jdk)
            .cwd(folder.path())
            .uid_gid(12345, 12346)
            .args(["@options"])
            .class_path(targets::order_service_classes()?)
            .main("OrderService")
            .program_args(["--quiet"])
            .start()?;
        service.wait_ready()?;
        // Now it is one that root can read and the JVM's user cannot.
        std::fs::write(&file, "root-s-secret")?;
        let closed: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&file, closed)?;
        let pid = service.pid().to_string();
        // HotSpot publishes no counters for a uid without a name, so doctor says that the file cannot be read.
        for (args, code) in [
            (&["list"][..], 0),
            (&["list", "--json"], 0),
            (&["doctor", &pid], 3),
            (&["doctor", "--json", &pid], 3),
        ] {
            let shown = jgraft(args.iter().copied())?.expect(code)?;
            ensure!(shown.stdout.contains(&pid), "{shown:?}");
            ensure!(!format!("{shown:?}").contains("root-s-secret"), "{shown:?}");
        }
        unharmed(&service)
    });
}

#[test]
fn a_socket_does_not_mean_that_the_jvm_is_ready() {
    each_jdk("hostile::early_socket", .., |jdk| {
        let jar = good_jar()?;
        for option in ["-Xrs", "-XX:+StartAttachListener"].repeat(3) {
            let service = Jvm::builder(jdk)
                .args([option])
                .class_path(targets::order_service_classes()?)
                .main("OrderService")
                .program_args(["--quiet"])
                .start()?;
            let socket = PathBuf::from(format!("/proc/{0}/root/tmp/.java_pid{0}", service.pid()));
            let start = Instant::now();
            while !socket.exists() {
                ensure!(start.elapsed() < PATIENCE, "{option}: no socket");
                std::thread::yield_now();
            }
            load(service.pid(), &format!("{}=early", text(&jar)), &[])?.expect(0).context(option)?;
            service.wait_ready()?;
            service.wait_for_stdout(|line| line.contains("options [early]"), PATIENCE)?;
            unharmed(&service)?;
        }
        Ok(())
    });
}

#[test]
fn a_jvm_that_is_closed_to_its_own_user_is_looked_at_all_the_same() {
    each_jdk("hostile::capability", .., |jdk| {
        let runs = jdk.root.is_none() && with_a_capability(jdk).arg("-version").output()?.status.success();
        if !runs {
            skip("hostile::capability", "needs root, setpriv, and a JDK on the host that is open to all");
            return Ok(());
        }
        let folder = open_folder()?;
        let classes = folder.path().join("classes");
        let compiled = targets::order_service_classes()?;
        ensure!(Command::new("cp").arg("-r").arg(compiled).arg(&classes).status()?.success());
        let mut service = with_a_capability(jdk)
            .args(["-cp", "classes", "OrderService", "--quiet"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let outcome = a_foreign_file_is_seen(&mut service, folder.path());
        service.kill()?;
        service.wait()?;
        let _: std::io::Result<()> = std::fs::remove_file(format!("/tmp/.java_pid{}", service.id()));
        outcome
    });
}

/// Java as a user who may do one thing more than others: a process that the rest of that user's may not look into.
fn with_a_capability(jdk: &Jdk) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=12345", "--regid=12346", "--clear-groups"]);
    command.args(["--inh-caps=+net_raw", "--ambient-caps=+net_raw"]).arg(jdk.java()).stderr(Stdio::null());
    command
}

fn a_foreign_file_is_seen(service: &mut Child, cwd: &Path) -> Result<()> {
    let mut lines = BufReader::new(service.stdout.take().context("no stdout")?).lines();
    let mut next = move || lines.next().context("the service has ended")?.map_err(anyhow::Error::from);
    while !next()?.starts_with("ready") {}
    let pid = service.id().to_string();
    let foreign = cwd.join(format!(".attach_pid{pid}"));
    std::fs::write(&foreign, "")?;
    std::os::unix::fs::chown(&foreign, Some(23456), Some(23456))?;
    let refused = jgraft(["jcmd", &pid, "VM.version"])?.expect(3)?;
    ensure!(refused.stderr.contains("in its working directory, where it looks first"), "{refused:#?}");
    std::fs::remove_file(foreign)?;
    jgraft(["jcmd", &pid, "VM.version"])?.expect(0)?;
    writeln!(service.stdin.as_mut().context("no stdin")?, "order")?;
    let answer = next()?;
    ensure!(answer.starts_with("order "), "a thread dump? {answer}");
    Ok(())
}

#[test]
fn a_log_that_is_closed_to_the_jvms_user_is_not_shown() {
    each_jdk("hostile::closed_log", .., |jdk| {
        if !geteuid().is_root() {
            skip("hostile::closed_log", "needs root to start a JVM as another user");
            return Ok(());
        }
        let (jar, folder) = (good_jar()?, open_folder()?);
        for (mode, shown) in [(0o644, true), (0o600, false)] {
            let log = folder.path().join(format!("log-{mode:o}"));
            let service = Jvm::builder(jdk)
                .uid_gid(12345, 12346)
                .class_path(targets::order_service_classes()?)
                .main("OrderService")
                .program_args(["--quiet"])
                .visible(&jar)
                .stderr_to_file(&log)
                .start()?;
            service.wait_ready()?;
            std::fs::set_permissions(&log, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
            // Whatever is in it: here the agent's own stack trace.
            let failed = load(service.pid(), &format!("{}=boom", text(&jar)), &[])?.expect(1)?;
            ensure!(failed.stderr.contains("out of paint") == shown, "{failed:#?}");
            ensure!(failed.stderr.contains("closed to the jvm's own user") != shown, "{failed:#?}");
            ensure!(std::fs::read_to_string(&log)?.contains("out of paint"));
            unharmed(&service)?;
        }
        Ok(())
    });
}

#[test]
fn a_jvm_is_no_older_than_its_exec() {
    each_jdk("hostile::late_exec", .., |jdk| {
        if let Some(root) = &jdk.root {
            skip(
                "hostile::late_exec",
                &format!("started by hand, and it needs the chroot {}", root.display()),
            );
            return Ok(());
        }
        let jar = good_jar()?;
        for attempt in 0..2 {
            // Without counters, age is all that tells whether it has created itself.
            let mut service = Command::new("sh")
                .args(["-c", "read -r go; exec \"$@\"", "sh"])
                .arg(jdk.java())
                .args(["-XX:-UsePerfData", "-cp"])
                .arg(targets::order_service_classes()?)
                .args(["OrderService", "--quiet"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()?;
            let socket = format!("/tmp/.java_pid{}", service.id());
            if attempt == 1 {
                // What a JVM leaves that was killed and had this number: it is there until the new one gets to it.
                let _: std::io::Result<()> = std::fs::remove_file(&socket);
                drop(std::os::unix::net::UnixListener::bind(&socket)?);
            }
            let outcome = loaded_in_time(&mut service, text(&jar));
            service.kill()?;
            service.wait()?;
            let _: std::io::Result<()> = std::fs::remove_file(&socket);
            outcome?;
        }
        Ok(())
    });
}

/// The process is older than any JVM takes to create itself before it becomes one.
fn loaded_in_time(service: &mut Child, jar: &str) -> Result<()> {
    let process = jgraft_attach::Process::open(service.id().cast_signed())?;
    while process.age()? < Duration::from_millis(2100) {
        std::thread::yield_now();
    }
    writeln!(service.stdin.as_mut().context("no stdin")?, "go")?;
    // From the moment its VM is there.
    let maps = format!("/proc/{}/maps", service.id());
    let start = Instant::now();
    while !std::fs::read_to_string(&maps)?.contains("/libjvm.so") {
        ensure!(start.elapsed() < PATIENCE, "no vm");
    }
    load(service.id(), &format!("{jar}=late"), &[])?.expect(0)?;
    let lines = BufReader::new(service.stdout.take().context("no stdout")?).lines();
    for line in lines {
        let line = line?;
        ensure!(!line.contains("Full thread dump"), "{line}");
        if line.contains("options [late]") {
            return Ok(());
        }
    }
    anyhow::bail!("the service has ended")
}

/// Watches other JVMs as a metrics exporter does: by mapping their counters.
const WATCHER: &str = r#"
import java.nio.channels.FileChannel;
import java.nio.file.*;
public class Watcher {
    static final java.util.List<Object> maps = new java.util.ArrayList<>();
    public static void main(String[] files) throws Exception {
        for (String file : files) {
            FileChannel channel = FileChannel.open(Paths.get(file), StandardOpenOption.READ);
            maps.add(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
        }
        System.out.println("ready");
        Thread.sleep(Long.MAX_VALUE);
    }
}
"#;

#[test]
fn a_jvm_that_watches_others_keeps_its_own_counters() {
    each_jdk("hostile::watcher", .., |jdk| {
        let watched = service_in(jdk, open_folder()?.path(), &[], &[])?;
        let Some(counters) = counters_of(watched.pid())? else {
            skip("hostile::watcher", "this user has no name, so HotSpot publishes no counters");
            return Ok(());
        };
        let jar = agent_jar("watcher", "Watcher", WATCHER, "Main-Class: Watcher\n")?;
        let watcher = Jvm::builder(jdk).class_path(&jar).main("Watcher").program_args([&counters]).start()?;
        watcher.wait_ready()?;
        let seen = jgraft(["doctor", "--json", &watcher.pid().to_string()])?.expect(0)?.json()?;
        ensure!(seen["target"]["name"] == "Watcher", "{seen}");
        ensure!(seen["good"].to_string().contains("sun.rt.jvmCapabilities"), "its counters are lost: {seen}");
        jgraft(["jcmd", &watcher.pid().to_string(), "VM.version"])?.expect(0)?;
        ensure!(!watcher.stdout().contains("Full thread dump"));
        unharmed(&watched)
    });
}

/// The file of its counters, as it sees it itself: a chroot's /tmp is bound to another name.
fn counters_of(pid: u32) -> Result<Option<String>> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let mut paths = maps.lines().filter_map(|line| line.find("/hsperfdata_").map(|start| &line[start..]));
    Ok(paths.next().map(|path| format!("/tmp{path}")))
}
