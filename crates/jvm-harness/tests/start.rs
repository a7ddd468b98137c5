//! The harness itself, on every JDK found: what is started is a java process with the pid we say, it says it
//! is ready, answers, and nothing of it is left after the guard is gone.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::jvm::DEADLINE;
use jgraft_jvm_harness::{Jdk, Jvm, JvmBuilder, each_jdk, skip, targets};
use nix::sys::signal::Signal;
use nix::unistd::geteuid;

const LAMPS: &str = "2 x lamp = 2598.00 EUR";

fn service(jdk: &Jdk) -> Result<JvmBuilder<'_>> {
    Ok(Jvm::builder(jdk).class_path(targets::order_service_classes()?).main("OrderService"))
}

fn exe(jvm: &Jvm) -> Result<PathBuf> {
    fs::read_link(format!("/proc/{}/exe", jvm.pid())).context("no exe")
}

#[test]
fn starts_answers_and_is_gone_after_drop() {
    each_jdk("starts_answers_and_is_gone_after_drop", .., |jdk| {
        let jvm = service(jdk)?.start()?;
        let pid = jvm.pid();
        let ready = jvm.wait_ready()?;
        ensure!(ready == format!("ready pid {pid}"), "{ready}");
        ensure!(exe(&jvm)?.ends_with("bin/java"), "{}", exe(&jvm)?.display());
        jvm.wait_for_stdout(|line| line.ends_with(LAMPS), DEADLINE)?;
        let refused = jvm.ask("refuse", |line| line.starts_with("refused"))?;
        ensure!(refused == "refused: 40 x lamp, but only 30 on the shelf", "{refused}");
        let cwd = jvm.cwd().to_owned();
        ensure!(cwd.is_dir());
        drop(jvm);
        for left in
            [format!("/proc/{pid}"), format!("/tmp/.java_pid{pid}"), format!("/tmp/hsperfdata_root/{pid}")]
        {
            ensure!(!Path::new(&left).exists(), "{left} is still there");
        }
        ensure!(!cwd.exists(), "{} is still there", cwd.display());
        Ok(())
    });
}

#[test]
fn counts_are_exact_while_paused_and_quit_ends_it() {
    each_jdk("counts_are_exact_while_paused_and_quit_ends_it", .., |jdk| {
        let jvm = service(jdk)?.program_args(["--quiet"]).start()?;
        jvm.wait_ready()?;
        jvm.ask("pause", |line| line == "paused")?;
        let before = jvm.ask("count", |line| line.starts_with("count "))?;
        let order = jvm.ask("order", |line| line.starts_with("order "))?;
        ensure!(order.ends_with(LAMPS), "{order}");
        let after = jvm.ask("count", |line| line.starts_with("count "))?;
        for (method, grown) in [("place", 1), ("price", 1), ("take", 1), ("refused", 0)] {
            ensure!(
                count(&after, method)? == count(&before, method)? + grown,
                "{method}: {before} / {after}"
            );
        }
        jvm.send_line("quit")?;
        let finished = jvm.finish()?;
        ensure!(finished.status.code() == Some(0), "{}", finished.status);
        ensure!(finished.stderr.is_empty(), "{}", finished.stderr);
        Ok(())
    });
}

#[test]
fn runs_on_without_stdin_and_ends_by_a_signal() {
    each_jdk("runs_on_without_stdin_and_ends_by_a_signal", .., |jdk| {
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        jvm.close_stdin();
        let mark = jvm.stdout_mark();
        jvm.wait_for_stdout_after(mark, |line| line.ends_with(LAMPS), DEADLINE)?;
        jvm.signal(Signal::SIGTERM)?;
        let finished = jvm.finish()?;
        ensure!(finished.status.code() == Some(143), "{}", finished.status);
        Ok(())
    });
}

#[test]
fn a_jvm_that_does_not_start_shows_its_output() {
    each_jdk("a_jvm_that_does_not_start_shows_its_output", .., |jdk| {
        let jvm = Jvm::builder(jdk).main("NoSuchClass").start()?;
        let error = format!("{:#}", jvm.wait_ready().err().context("it was ready")?);
        ensure!(error.contains("NoSuchClass") && error.contains("it ended (exit status: 1)"), "{error}");
        ensure!(!jvm.is_alive());
        Ok(())
    });
}

#[test]
fn output_may_go_to_a_file() {
    let dir = tempfile::tempdir().unwrap();
    each_jdk("output_may_go_to_a_file", .., |jdk| {
        let (out, err) = (dir.path().join(format!("{jdk}.out")), dir.path().join(format!("{jdk}.err")));
        let jvm = service(jdk)?.stdout_to_file(&out).stderr_to_file(&err).start()?;
        jvm.wait_ready()?;
        ensure!(fs::read_link(format!("/proc/{}/fd/2", jvm.pid()))? == err);
        // A thread dump: this JVM is ours to ask for one. It goes to stdout.
        jvm.signal(Signal::SIGQUIT)?;
        jvm.wait_for_stdout(|line| line.contains("Full thread dump"), DEADLINE)?;
        jvm.send_line("quit")?;
        let finished = jvm.finish()?;
        ensure!(finished.status.success() && finished.stdout == fs::read_to_string(&out)?);
        Ok(())
    });
}

#[test]
fn a_pid_namespace_of_its_own() {
    let name = "a_pid_namespace_of_its_own";
    if !geteuid().is_root() {
        return skip(name, "needs root");
    }
    let ours = tempfile::NamedTempFile::new_in("/tmp").unwrap();
    each_jdk(name, .., |jdk| {
        let jvm = service(jdk)?.pid_namespace().start()?;
        let ready = jvm.wait_ready()?;
        ensure!(ready == "ready pid 1", "{ready}");
        let pid = jvm.pid();
        ensure!(exe(&jvm)?.ends_with("bin/java"));
        let own = fs::read_link(format!("/proc/{pid}/ns/pid"))?;
        ensure!(own != fs::read_link("/proc/self/ns/pid")?, "same namespace");
        let seen = |path: &Path| Path::new(&format!("/proc/{pid}/root{}", path.display())).exists();
        ensure!(!seen(ours.path()), "its /tmp is the host's");
        ensure!(seen(jvm.cwd()), "its own folder is not visible to it");
        drop(jvm);
        ensure!(!Path::new(&format!("/proc/{pid}")).exists());
        Ok(())
    });
}

#[test]
fn another_user() {
    let name = "another_user";
    if !geteuid().is_root() {
        return skip(name, "needs root");
    }
    each_jdk(name, .., |jdk| {
        for builder in [service(jdk)?, service(jdk)?.pid_namespace()] {
            let jvm = builder.uid_gid(54321, 54322).start()?;
            jvm.wait_ready()?;
            let status = fs::read_to_string(format!("/proc/{}/status", jvm.pid()))?;
            let line =
                |key: &str| status.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned();
            ensure!(line("Uid:") == "Uid:\t54321\t54321\t54321\t54321", "{status}");
            ensure!(line("Gid:") == "Gid:\t54322\t54322\t54322\t54322", "{status}");
            ensure!(line("Groups:").trim() == "Groups:", "{status}");
            let pid = jvm.pid();
            drop(jvm);
            ensure!(!Path::new(&format!("/proc/{pid}")).exists());
        }
        Ok(())
    });
}

#[test]
fn options_with_any_characters_arrive() {
    each_jdk("options_with_any_characters_arrive", .., |jdk| {
        let jvm =
            Jvm::builder(jdk).args(["-Dx=ä b,c=d'e", "-XshowSettings:properties", "-version"]).start()?;
        let finished = jvm.finish()?;
        ensure!(finished.stderr.contains("x = ä b,c=d'e"), "{}", finished.stderr);
        Ok(())
    });
}

fn count(line: &str, method: &str) -> Result<u64> {
    let field = line.split(' ').find_map(|field| field.strip_prefix(method)?.strip_prefix('='));
    Ok(field.context("no such counter")?.parse()?)
}
