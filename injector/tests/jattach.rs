//! `jgraft jattach` beside the real one, Debian's jattach 2.1: the same words, the same output, the same exit status, on
//! every JDK. What differs from one moment to the next is blurred.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use common::{Run, good_jar, jgraft, no_thread_dump, run, service, text, unharmed};
use jgraft_jvm_harness::{Jvm, each_jdk, skip};

/// The one on PATH.
fn jattach() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join("jattach")).find(|file| file.is_file())
}

/// How much of two outputs must be equal.
#[derive(Clone, Copy, Debug)]
enum Alike {
    /// All of it.
    Exactly,
    /// All of it but for numbers.
    Blurred,
    /// So many lines at its beginning, but for numbers: a dump of threads or objects is never twice the same.
    Begins(usize),
}

fn compare(theirs: &Run, ours: &Run, how: Alike) -> Result<()> {
    ensure!(theirs.code == ours.code, "exit {} and {}: {theirs:#?} {ours:#?}", theirs.code, ours.code);
    let shown = |run: &Run| match how {
        Alike::Exactly => run.stdout.clone(),
        Alike::Blurred => blurred(&run.stdout),
        Alike::Begins(lines) => blurred(&run.stdout.lines().take(lines).collect::<Vec<_>>().join("\n")),
    };
    ensure!(shown(theirs) == shown(ours), "{how:?}: {} and {}", theirs.stdout, ours.stdout);
    Ok(())
}

/// Numbers and names of days and months as 0.
fn blurred(text: &str) -> String {
    let is_date = |line: &str| line.starts_with('#') && line.contains(" 20");
    let lines = text.lines().map(|line| if is_date(line) { "#date" } else { line });
    let mut plain: String = lines
        .flat_map(|line| line.chars().chain(['\n']))
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    while plain.contains("00") {
        plain = plain.replace("00", "0");
    }
    plain
}

#[test]
fn every_command_comes_out_the_same() {
    let test = "jattach::differential";
    let Some(real) = jattach() else { return skip(test, "no jattach on PATH: cargo xtask jdks installs it") };
    if !nix::unistd::geteuid().is_root() {
        return skip(test, "needs root: jattach enters the namespaces of its target");
    }
    let link = tempfile::tempdir().map(|dir| dir.keep());
    let Ok(link) = link else { return skip(test, "no temporary directory") };
    let ours = link.join("jattach");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_jgraft"), &ours).unwrap_or_default();
    each_jdk(test, .., |jdk| {
        let service = service(jdk, &[])?;
        let jar = format!("{}=x", text(&good_jar()?));
        let cases: &[(&[&str], Alike)] = &[
            (&["jcmd", "VM.version"], Alike::Exactly),
            (&["jcmd", "VM.command_line"], Alike::Exactly),
            (&["jcmd"], Alike::Exactly),
            (&["jcmd", "No.such"], Alike::Exactly),
            (&["jcmd", "VM.version", "x", "y", "z"], Alike::Exactly),
            (&["jcmd", "help"], Alike::Exactly),
            (&["jcmd", "help VM.flags"], Alike::Exactly),
            (&["threaddump"], Alike::Begins(4)),
            (&["threaddump", "-l"], Alike::Begins(4)),
            (&["inspectheap"], Alike::Begins(4)),
            (&["inspectheap", "-live"], Alike::Begins(4)),
            (&["datadump"], Alike::Exactly),
            (&["properties"], Alike::Blurred),
            (&["agentProperties"], Alike::Blurred),
            (&["printflag", "MaxHeapSize"], Alike::Exactly),
            (&["printflag", "NoSuchFlag"], Alike::Exactly),
            (&["printflag"], Alike::Exactly),
            (&["setflag", "MinHeapFreeRatio", "30"], Alike::Exactly),
            (&["setflag", "MaxHeapSize", "3"], Alike::Exactly),
            (&["setflag", "NoSuchFlag", "3"], Alike::Exactly),
            (&["setflag"], Alike::Exactly),
            (&["dumpheap"], Alike::Exactly),
            (&["dumpheap", "/no/such/folder/x"], Alike::Exactly),
            (&["load", "instrument", "false", &jar], Alike::Exactly),
            (&["load", "instrument", "false", "/no/such.jar"], Alike::Exactly),
            (&["load", "instrument", "false"], Alike::Exactly),
            (&["load", "/no/such.so", "true"], Alike::Exactly),
            (&["load", "nosuchlibrary", "false", "x"], Alike::Exactly),
            (&["getversion", "options"], Alike::Exactly),
            (&["nosuchcommand"], Alike::Exactly),
        ];
        let pid = service.pid().to_string();
        // The first of them makes the JVM find out one property more.
        jgraft(["properties", &pid])?.expect(0)?;
        let mut outcomes = (0, 0);
        for (words, how) in cases {
            let both = [&real, &ours].map(|program| run(Command::new(program).arg(&pid).args(*words)));
            let [theirs, ours] = both;
            let (theirs, ours) = (theirs?, ours?);
            compare(&theirs, &ours, *how).with_context(|| words.join(" "))?;
            if theirs.code == 0 { outcomes.0 += 1 } else { outcomes.1 += 1 }
        }
        ensure!(outcomes.0 > 10 && outcomes.1 > 3, "it compares one kind of outcome only: {outcomes:?}");
        dumps_alike(&service, &real, &ours)?;
        service.ask("order", |line| line.starts_with("order "))?;
        Ok(())
    });
    let _ = std::fs::remove_dir_all(link);
}

/// Each writes a file of its own, where the JVM sees it.
fn dumps_alike(service: &Jvm, real: &Path, ours: &Path) -> Result<()> {
    let pid = service.pid().to_string();
    let dump = |program: &Path, name: &str| -> Result<Run> {
        let file = format!("/tmp/{name}-{pid}.hprof");
        let done = run(Command::new(program).args([&*pid, "dumpheap", &file, "-live"]))?;
        let seen = format!("/proc/{pid}/root{file}");
        ensure!(Path::new(&seen).metadata()?.len() > 1000, "no dump: {done:#?}");
        std::fs::remove_file(seen)?;
        Ok(Run { stdout: done.stdout.replace(name, "x"), ..done })
    };
    compare(&dump(real, "theirs")?, &dump(ours, "ours")?, Alike::Blurred)
}

#[test]
fn what_names_no_process() {
    let Some(real) = jattach() else {
        return skip("jattach::no_process", "no jattach on PATH: cargo xtask jdks installs it");
    };
    // Larger than any pid.
    for words in
        [&["2147483000", "threaddump"][..], &["abc", "threaddump"], &["0", "jcmd", "x"], &["-5", "jcmd"]]
    {
        let theirs = run(Command::new(&real).args(words)).unwrap();
        let ours = jgraft(["jattach"].into_iter().chain(words.iter().copied())).unwrap();
        assert_eq!((theirs.code, &theirs.stdout, &theirs.stderr), (ours.code, &ours.stdout, &ours.stderr));
    }
    for words in [&[][..], &["1"]] {
        let theirs = run(Command::new(&real).args(words)).unwrap();
        let ours = jgraft(["jattach"].into_iter().chain(words.iter().copied())).unwrap();
        let commands = |run: &Run| run.stdout.split("Usage:").nth(1).map(str::to_owned);
        assert_eq!((theirs.code, commands(&theirs)), (ours.code, commands(&ours)));
    }
}

#[test]
fn where_it_differs() {
    each_jdk("jattach::safe", .., |jdk| {
        // jattach's signal would make this one dump its threads.
        let closed = service(jdk, &["-XX:+DisableAttachMechanism"])?;
        let pid = closed.pid().to_string();
        jgraft(["jattach", &pid, "threaddump"])?.expect(1)?.explained("attach is turned off")?;
        unharmed(&closed)?;
        if jdk.feature >= 9 {
            // jcmd's way round the operator's flag is open on 11 and 17.
            let closed = service(jdk, &["-XX:-EnableDynamicAgentLoading"])?;
            let pid = closed.pid().to_string();
            for words in [&["load", "/x.so", "true"][..], &["jcmd", "JVMTI.agent_load /x.so"]] {
                let words = ["jattach", &pid].into_iter().chain(words.iter().copied());
                jgraft(words)?.expect(1)?.explained("loading agents is turned off")?;
            }
            no_thread_dump(&closed)?;
        }
        let service = service(jdk, &[])?;
        let (pid, long) = (service.pid().to_string(), "x".repeat(1025));
        let answered = jgraft(["jattach", &pid, "jcmd", &format!("help {long}")])?;
        match jdk.feature {
            24.. => ensure!(answered.stdout.contains(&long) && answered.code == 0, "{answered:#?}"),
            _ => drop(answered.expect(1)?.explained("too long for version 1")?),
        }
        unharmed(&service)
    });
}
