//! Every command that asks a JVM, on every JDK: what it prints, as text and as an object, and that the JVM is unharmed.

mod common;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use common::{Run, jgraft, no_thread_dump, run, service, text, unharmed};
use jgraft_jvm_harness::{Jvm, each_jdk, skip, targets};
use serde_json::Value;

fn ask(service: &Jvm, command: &str, more: &[&str]) -> Result<Run> {
    let pid = service.pid().to_string();
    jgraft([command, &pid].into_iter().chain(more.iter().copied()))
}

fn object(service: &Jvm, command: &str, more: &[&str]) -> Result<Value> {
    let more: Vec<&str> = more.iter().copied().chain(["--json"]).collect();
    let shown = ask(service, command, &more)?.expect(0)?.json()?;
    ensure!(shown["schema"] == format!("jgraft.{command}/1"), "{shown}");
    ensure!(shown["pid"] == service.pid(), "{shown}");
    Ok(shown)
}

#[test]
fn what_is_printed() {
    each_jdk("commands::printed", .., |jdk| {
        let service = service(jdk, &["-Dgreeting=gr\u{fc}\u{df}e"])?;
        for (command, more, words) in [
            ("threads", &[][..], "\"main\""),
            ("threads", &["-l"], "Locked ownable synchronizers"),
            ("histogram", &[], "java.lang.String"),
            ("properties", &[], "java.vm.name="),
            ("agent-properties", &[], "sun.java.command=OrderService"),
            ("flag", &["MaxHeapSize"], "-XX:MaxHeapSize="),
        ] {
            let shown = ask(&service, command, more)?.expect(0)?;
            ensure!(shown.stdout.contains(words), "{command}: no {words} in {shown:#?}");
            ensure!(shown.stderr.is_empty(), "{command}: {shown:#?}");
        }
        let live = ask(&service, "histogram", &["--live"])?.expect(0)?;
        ensure!(live.stderr.contains("full GC") && live.stdout.trim_start().starts_with("num"), "{live:#?}");

        let histogram = object(&service, "histogram", &[])?;
        let classes = histogram["classes"].as_array().context("no classes")?;
        let sum: u64 = classes.iter().filter_map(|class| class["bytes"].as_u64()).sum();
        ensure!(classes.len() > 100 && histogram["bytes"] == sum, "{} of {sum}", histogram["bytes"]);
        let properties = object(&service, "properties", &[])?;
        ensure!(properties["properties"]["java.class.path"].is_string(), "{properties}");
        if jdk.feature >= 18 {
            ensure!(properties["properties"]["greeting"] == "gr\u{fc}\u{df}e", "{properties}");
        }
        ensure!(object(&service, "threads", &[])?["output"].as_str().is_some_and(|o| o.contains("\"main\"")));
        object(&service, "agent-properties", &[])?;
        unharmed(&service)
    });
}

#[test]
fn flags_are_set_and_told() {
    each_jdk("commands::flag", .., |jdk| {
        let service = service(jdk, &[])?;
        let set = object(&service, "flag", &["HeapDumpOnOutOfMemoryError=true"])?;
        ensure!(set["value"] == "true" && set["was"] == "false", "{set}");
        let set = object(&service, "flag", &["MinHeapFreeRatio=33"])?;
        ensure!(set["option"] == "-XX:MinHeapFreeRatio=33", "{set}");
        for (flag, cause) in [
            ("NoSuchFlag", "did not tell its flag NoSuchFlag"),
            ("MaxHeapSize=3", "did not set its flag MaxHeapSize to 3"),
            ("MinHeapFreeRatio=101", "did not set its flag MinHeapFreeRatio to 101"),
        ] {
            ask(&service, "flag", &[flag])?.expect(1)?.explained(cause)?;
        }
        ask(&service, "flag", &["=3"])?.expect(2)?;
        unharmed(&service)
    });
}

#[test]
fn an_error_behind_a_zero_is_an_error() {
    each_jdk("commands::error_in_text", .., |jdk| {
        let service = service(jdk, &[])?;
        for line in ["GC.heap_dump /no/such/folder/x.hprof", "help No.such.command"] {
            let failed = ask(&service, "jcmd", &[line])?.expect(1)?.explained("did not carry out")?;
            ensure!(!failed.stdout.is_empty(), "the jvm's own words are data: {failed:#?}");
        }
        if jdk.feature >= 11 {
            ask(&service, "jcmd", &["VM.set_flag MaxHeapSize 1"])?.expect(1)?;
            ask(&service, "jcmd", &["VM.set_flag MinHeapFreeRatio 31"])?.expect(0)?;
            ask(&service, "threads", &["-e"])?.expect(0)?;
        } else {
            ask(&service, "threads", &["-e"])?.expect(3)?.explained("knows no -e")?;
        }
        unharmed(&service)
    });
}

#[test]
fn a_heap_dump_is_fetched_and_nothing_is_left() {
    each_jdk("commands::heap_dump", .., |jdk| {
        let service = service(jdk, &["-Xmx32m"])?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("a.hprof");
        let dump = object(&service, "heap-dump", &[text(&file)])?;
        is_dump(&file, dump["bytes"].as_u64())?;
        let written = dump["written_to"].as_str().context("written_to")?;
        let seen = format!("/proc/{}/root{written}", service.pid());
        let seen = Path::new(&seen).parent().context("no folder")?;
        ensure!(!seen.exists(), "{} was left", seen.display());

        ask(&service, "heap-dump", &[text(&file)])?.expect(3)?.explained("is there already")?;
        is_dump(&file, dump["bytes"].as_u64())?;

        let live = folder.path().join("live.hprof");
        let shown = ask(&service, "heap-dump", &["--live", text(&live)])?.expect(0)?;
        ensure!(shown.stderr.contains("full GC"), "{shown:#?}");
        is_dump(&live, None)?;

        // Into a pipe: nothing but the dump.
        let script = "\"$0\" heap-dump \"$1\" - | head -c 12";
        let pid = service.pid().to_string();
        let piped = run(Command::new("sh").args(["-c", script, env!("CARGO_BIN_EXE_jgraft"), &pid]))?;
        ensure!(piped.stdout == "JAVA PROFILE" && piped.stderr.is_empty(), "{piped:#?}");
        unharmed(&service)
    });
}

#[test]
fn a_heap_dump_that_did_not_arrive_is_named() {
    each_jdk("commands::heap_dump_left", .., |jdk| {
        let service = service(jdk, &["-Xmx32m"])?;
        let pid = service.pid().to_string();
        let from_here = |left: &str| PathBuf::from(format!("/proc/{pid}/root{left}"));
        // Our own side has no room.
        let full = std::fs::File::options().write(true).open("/dev/full")?;
        let output = Command::new(env!("CARGO_BIN_EXE_jgraft"))
            .args(["heap-dump", &pid, "-"])
            .stdout(full)
            .output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(1) && stderr.contains("could not be fetched"), "{stderr}");
        let left = stderr.lines().find_map(|line| line.strip_prefix("  left:     ")).context("no left")?;
        let left = from_here(left.split(' ').next().context("no path")?);
        is_dump(&left, None)?;
        std::fs::remove_dir_all(left.parent().context("no folder")?)?;
        // It did not answer in time.
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("a.hprof");
        let late = ask(&service, "heap-dump", &["--json", "--reply-timeout", "1ms", text(&file)])?;
        let late = late.expect(1)?.json()?;
        let left = from_here(late["left"].as_str().context("no left")?);
        ensure!(late["detail"][0].to_string().contains("left:"), "{late}");
        ensure!(!file.exists(), "a file that is no dump was kept");
        // Its listener answers one after the other: then it has finished.
        ask(&service, "jcmd", &["VM.version"])?.expect(0)?;
        is_dump(&left, None)?;
        std::fs::remove_dir_all(left.parent().context("no folder")?)?;
        unharmed(&service)
    });
}

#[test]
fn what_is_no_jvm_is_called_so() -> Result<()> {
    let mut child = Command::new("sleep").arg("60").spawn()?;
    let pid = child.id().to_string();
    let shown = jgraft(["stat", &pid]);
    child.kill()?;
    child.wait()?;
    shown?.expect(3)?.explained("is not a jvm")?;
    // Nothing is announced for a process that is not there.
    let gone = jgraft(["histogram", "--live", &pid])?.expect(2)?;
    ensure!(!gone.stderr.contains("full GC"), "{gone:#?}");
    Ok(())
}

#[test]
fn a_heap_dump_of_another_users_jvm() {
    let test = "commands::heap_dump_of_another_user";
    if !nix::unistd::geteuid().is_root() {
        return skip(test, "needs root to start a jvm as another user");
    }
    each_jdk(test, .., |jdk| {
        let service = Jvm::builder(jdk).args(["-Xmx32m"]).class_path(targets::order_service_classes()?);
        let service = service.main("OrderService").program_args(["--quiet"]).uid_gid(61234, 61234).start()?;
        service.wait_ready()?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("a.hprof");
        let dump = object(&service, "heap-dump", &[text(&file)])?;
        is_dump(&file, dump["bytes"].as_u64())?;
        // Root could write there, the JVM cannot.
        let closed = folder.path().join("closed");
        std::fs::create_dir(&closed)?;
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700))?;
        if jdk.root.is_none() {
            let other = folder.path().join("b.hprof");
            let more = ["--dir", text(&closed), text(&other)];
            ask(&service, "heap-dump", &more)?.expect(3)?.explained("has no directory for a heap dump")?;
            ensure!(std::fs::read_dir(&closed)?.count() == 0, "something was put there");
        }
        unharmed(&service)
    });
}

fn is_dump(file: &Path, bytes: Option<u64>) -> Result<()> {
    use std::io::Read;
    let mut start = [0; 12];
    std::fs::File::open(file)?.read_exact(&mut start)?;
    ensure!(&start == b"JAVA PROFILE", "{start:?}");
    let facts = file.metadata()?;
    ensure!(bytes.is_none_or(|bytes| bytes == facts.len()), "{bytes:?} of {}", facts.len());
    ensure!(facts.permissions().mode() & 0o777 == 0o600, "others can read it");
    ensure!(facts.uid() == nix::unistd::geteuid().as_raw(), "it is not ours");
    Ok(())
}

#[test]
fn a_heap_dump_has_its_place() {
    each_jdk("commands::heap_dump_place", .., |jdk| {
        let service = service(jdk, &["-Xmx32m"])?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("a.hprof");
        for (dir, words) in [("/dev/shm", "tmpfs"), ("/no/such/folder", "No such file")] {
            let refused = ask(&service, "heap-dump", &["--dir", dir, text(&file)])?.expect(3)?;
            let refused = refused.explained("has no directory for a heap dump")?;
            // A JVM in a root of its own sees no /dev/shm.
            let words = if jdk.root.is_some() { "--dir DIR" } else { words };
            ensure!(refused.stderr.contains(words), "{refused:#?}");
        }
        ensure!(!file.exists(), "a file was left");
        ask(&service, "heap-dump", &["--dir", "relative", text(&file)])?.expect(2)?;
        ask(&service, "heap-dump", &["/no/such/folder/a.hprof"])?.expect(3)?.explained("cannot be made")?;
        unharmed(&service)
    });
}

#[test]
fn a_data_dump_is_wanted_there() {
    each_jdk("commands::data_dump", .., |jdk| {
        let service = service(jdk, &[])?;
        let mark = service.stdout_mark();
        let told = object(&service, "data-dump", &[])?;
        ensure!(told["printed_to"].is_string(), "{told}");
        service.wait_for_stdout_after(mark, |line| line.contains("Full thread dump"), common::PATIENCE)?;
        service.ask("order", |line| line.starts_with("order "))?;
        Ok(())
    });
}

#[test]
fn the_management_agent_starts() {
    each_jdk("commands::start_management", .., |jdk| {
        let service = service(jdk, &[])?;
        if !jdk.has_module("jdk.management.agent") && jdk.feature > 8 {
            ask(&service, "start-management", &[])?.expect(1)?.explained("did not start")?;
            return unharmed(&service);
        }
        let told = object(&service, "start-management", &[])?;
        let address = told["address"].as_str().context("no address")?;
        ensure!(address.starts_with("service:jmx:rmi://"), "{told}");
        let again = ask(&service, "agent-properties", &[])?.expect(0)?;
        ensure!(again.stdout.contains(address), "{again:#?}");
        ask(&service, "start-management", &["jmxremote.port"])?.expect(2)?;
        unharmed(&service)
    });
}

#[test]
fn counters_are_read_without_touching_the_jvm() {
    each_jdk("commands::stat", .., |jdk| {
        let service = service(jdk, &["-Xmx48m"])?;
        let shown = object(&service, "stat", &[])?;
        let number = |path: &str| shown.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        ensure!(number("/heap/max_bytes") > 40 << 20 && number("/heap/max_bytes") < 64 << 20, "{shown}");
        ensure!(number("/heap/committed_bytes") > 0, "{shown}");
        ensure!(number("/classes/loaded") > 300 && number("/threads/live") > 3, "{shown}");
        ensure!(shown["collectors"].as_array().is_some_and(|all| !all.is_empty()), "{shown}");
        let table = ask(&service, "stat", &["--every", "5ms", "--count", "3"])?.expect(0)?;
        ensure!(table.stdout.lines().count() == 4 && table.stdout.contains("METASPACE"), "{table:#?}");
        let stream = ask(&service, "stat", &["--every", "5ms", "--count", "2", "--json"])?.expect(0)?;
        for line in stream.stdout.lines() {
            let line: Value = serde_json::from_str(line)?;
            ensure!(line["schema"] == "jgraft.stat/1", "{line}");
        }
        let socket = format!("/proc/{0}/root/tmp/.java_pid{0}", service.pid());
        ensure!(!Path::new(&socket).exists(), "its listener was woken");
        unharmed(&service)
    });
}

#[test]
fn no_counters_no_numbers() {
    each_jdk("commands::no_counters", 17..=17, |jdk| {
        let service = service(jdk, &["-XX:-UsePerfData"])?;
        ask(&service, "stat", &[])?.expect(3)?.explained("has no counters")?;
        // Without them the room for a dump is judged by its memory.
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("a.hprof");
        ask(&service, "heap-dump", &[text(&file)])?.expect(0)?;
        is_dump(&file, None)
    });
}

#[test]
fn a_stream_ends_with_its_jvm() {
    each_jdk("commands::stat_ends", 17..=17, |jdk| {
        let service = service(jdk, &[])?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_jgraft"));
        command.args(["stat", &service.pid().to_string(), "--every", "20ms"]);
        let mut stat =
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn()?;
        let mut first = [0; 16];
        std::io::Read::read_exact(stat.stdout.as_mut().context("no stdout")?, &mut first)?;
        no_thread_dump(&service)?;
        service.kill()?;
        let done = stat.wait_with_output()?;
        let said = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.code() == Some(1) && said.contains("has ended"), "{:?} {said}", done.status);
        Ok(())
    });
}
