//! The top README shows real output: what its console blocks with `$ jgraft` say is what jgraft prints, but for pids,
//! times and the folder. With JGRAFT_BLESS set the blocks are written anew.

mod common;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use common::{bundled_agent_beside_jgraft, good_jar, run, text};
use jgraft_jvm_harness::{Jvm, JvmBuilder, agents, cache, each_jdk, maven, skip, targets};

/// Where the README's jars lie.
const FOLDER: &str = "/srv/agents";
const JACOCO: &str = "org.jacoco:org.jacoco.agent:0.8.12:runtime";

#[test]
fn its_samples_are_what_is_printed() {
    let test = "readme::samples";
    if !nix::unistd::geteuid().is_root() {
        return skip(test, "needs root: one sample is of a service with a /tmp of its own");
    }
    let jacoco = match maven::artifact(JACOCO) {
        Ok(jar) => jar,
        Err(reason) => return skip(test, &reason),
    };
    each_jdk(test, 17..=17, |jdk| {
        bundled_agent_beside_jgraft()?;
        let folder = tempfile::tempdir()?;
        let reprice = agents::example("01-load-jar-agent", "MANIFEST.MF")?;
        for (name, jar) in
            [("reprice.jar", &reprice), ("jacocoagent.jar", &jacoco), ("agent.jar", &good_jar()?)]
        {
            std::fs::copy(jar, folder.path().join(name))?;
        }
        let start = |with: fn(JvmBuilder<'_>) -> JvmBuilder<'_>| -> Result<Jvm> {
            let service =
                Jvm::builder(jdk).class_path(targets::order_service_classes()?).main("OrderService");
            let service = with(service.program_args(["--quiet"])).start()?;
            service.wait_ready()?;
            Ok(service)
        };
        let open = start(|jvm| jvm)?;
        let closed = start(|jvm| jvm.args(["-XX:+DisableAttachMechanism"]))?;
        let contained = start(|jvm| jvm.own_tmp(""))?;
        let path = cache::workspace().join("README.md");
        let readme = std::fs::read_to_string(&path)?;
        let (mut blessed, mut seen) = (readme.clone(), 0);
        for block in readme.split("```console\n$ jgraft ").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            let (command, expected) = block.split_once('\n').context("a command without output")?;
            let target = match command {
                doctor if doctor.starts_with("doctor") => &closed,
                // An absolute path is one that the service does not see.
                load if load.contains(FOLDER) => &contained,
                _ => &open,
            };
            let command = with_pid(command, target.pid());
            let actual = printed(&command, folder.path())?;
            let same = match &*command {
                // Others run on this host as well.
                "list" => row(expected, "OrderService") == row_of(&actual, open.pid()),
                _ => blurred(expected) == blurred(&actual),
            };
            if !same && std::env::var_os("JGRAFT_BLESS").is_some() {
                blessed = blessed.replace(block, &format!("{command}\n{actual}"));
            } else {
                ensure!(same, "$ jgraft {command}\nREADME.md says:\n{expected}\nit prints:\n{actual}");
            }
            seen += 1;
        }
        ensure!(seen >= 5, "README.md has only {seen} samples");
        if blessed != readme {
            std::fs::write(&path, blessed)?;
        }
        Ok(())
    });
}

/// The command with its number replaced by the pid.
fn with_pid(command: &str, pid: u32) -> String {
    let is_pid = |word: &str| word.bytes().all(|b| b.is_ascii_digit());
    let words = command.split(' ').map(|word| if is_pid(word) { pid.to_string() } else { word.to_owned() });
    words.collect::<Vec<_>>().join(" ")
}

/// What a command prints in the folder.
fn printed(command: &str, folder: &Path) -> Result<String> {
    let words = command.split(' ').map(|word| word.replace(FOLDER, text(folder)));
    let done = run(Command::new(env!("CARGO_BIN_EXE_jgraft")).args(words).current_dir(folder))?;
    Ok((done.stderr + &done.stdout).replace(text(folder), FOLDER))
}

/// Numbers, digests and blanks do not count.
fn blurred(text: &str) -> Vec<String> {
    let digits = |word: &str| -> String {
        let is_digest = |part: &str| part.len() == 32 && part.bytes().all(|b| b.is_ascii_hexdigit());
        let parts: Vec<_> = word.split('/').map(|part| if is_digest(part) { "0" } else { part }).collect();
        let word = parts.join("/");
        let mut plain: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        while plain.contains("00") {
            plain = plain.replace("00", "0");
        }
        plain
    };
    text.split_whitespace().map(digits).collect()
}

/// The line of a table with this word in it.
fn row(table: &str, word: &str) -> Vec<String> {
    let line = table.lines().find(|line| line.split_whitespace().any(|w| w == word));
    blurred(line.unwrap_or_default())
}

fn row_of(table: &str, pid: u32) -> Vec<String> {
    row(table, &pid.to_string())
}
