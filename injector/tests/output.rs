//! Output that does not arrive: a full disk behind stdout is exit 1 and says what was done, a reader that has gone away
//! is no error.

mod common;

use std::fs::File;
use std::process::Command;

use anyhow::{Result, ensure};
use common::{PATIENCE, good_jar, run, service, text, unharmed};
use jgraft_jvm_harness::each_jdk;

fn into_full(args: &[&str]) -> Result<common::Run> {
    let full = File::options().write(true).open("/dev/full")?;
    run(Command::new(env!("CARGO_BIN_EXE_jgraft")).args(args).stdout(full))
}

#[test]
fn lost_output_is_an_error_that_says_what_was_done() {
    each_jdk("output::lost", 17..=17, |jdk| {
        let service = service(jdk, &[])?;
        let (pid, jar) = (service.pid().to_string(), good_jar()?);
        let jar = text(&jar);
        let cases = [
            (vec!["list"], "what was found out is lost"),
            (vec!["list", "--json"], "what was found out is lost"),
            (vec!["check", jar], "what was found out is lost"),
            (vec!["check", "--json", jar], "what was found out is lost"),
            (vec!["doctor", &pid], "what was found out is lost"),
            (vec!["doctor", "--json", &pid], "what was found out is lost"),
            (vec!["load", "--dry-run", &pid, jar], "nothing was sent to"),
            (vec!["load", &pid, jar], "was loaded into"),
            (vec!["load", "--json", &pid, jar], "was loaded into"),
            (vec!["jcmd", &pid, "VM.version"], "has carried out \"VM.version\""),
            (vec!["jcmd", "--json", &pid, "VM.version"], "has carried out \"VM.version\""),
        ];
        for (args, words) in cases {
            let lost = into_full(&args)?.expect(1)?.explained(words)?;
            ensure!(lost.stderr.contains("the output could not be written"), "{args:?}: {lost:#?}");
        }
        // A failure that cannot be printed as an object is said on stderr, and keeps its exit code.
        into_full(&["doctor", "--json", "no-such-jvm-here"])?.expect(2)?.explained("no jvm is called")?;
        service.wait_for_stdout(|line| line.starts_with("probe run 2 "), PATIENCE)?;
        unharmed(&service)
    });
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    each_jdk("output::closed_pipe", 17..=17, |jdk| {
        let service = service(jdk, &[])?;
        let pid = service.pid().to_string();
        for args in [&["list"][..], &["list", "--json"], &["jcmd", &pid, "Thread.print"]] {
            let (read, write) = std::io::pipe()?;
            drop(read);
            let mut command = Command::new(env!("CARGO_BIN_EXE_jgraft"));
            let done = run(command.args(args).stdout(write))?;
            ensure!(done.code == 0 && done.stderr.is_empty(), "{args:?}: {done:#?}");
        }
        unharmed(&service)
    });
}
