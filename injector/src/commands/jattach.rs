//! `jgraft jattach`, or jgraft called by the name jattach: the words, output and exit status of jattach 2.1, so that
//! scripts need not change. What differs: a process that must not be signalled is not, an operator's refusal is not
//! passed by, and a request that the protocol cannot carry is not sent.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use jgraft_attach::{Request, agent_loading, examine};

use super::jcmd::loads_an_agent;
use crate::ask::{Asking, Trouble, cut_off};
use crate::cli::Patience;
use crate::failure::{EXIT_FAILED, Failure};
use crate::interrupt::Interrupt;
use crate::relay::to_stdout;
use crate::{output, target};

const NAME: &str = "jattach";
/// So many arguments jattach sends; it drops the others without a word.
const ARGUMENTS: usize = 3;
/// jattach's own patience.
static PATIENCE: Patience = Patience { timeout: Duration::from_secs(6), reply_timeout: None };

const USAGE: &str = concat!(
    "jattach 2.1, as jgraft ",
    env!("CARGO_PKG_VERSION"),
    " does it\n\nUsage: jattach <pid> <cmd> [args ...]\n\nCommands:\n    \
     load  threaddump   dumpheap  setflag    properties\n    \
     jcmd  inspectheap  datadump  printflag  agentProperties"
);

/// The words of jattach, where jgraft was called for that.
pub(crate) fn called_so() -> Option<Vec<OsString>> {
    let mut words = std::env::args_os();
    let program = words.next()?;
    if Path::new(&program).file_name() == Some(OsStr::new(NAME)) {
        return Some(words.collect());
    }
    (words.next()? == NAME).then(|| words.collect())
}

/// PID CMD ARGS….
pub(crate) fn run(words: &[OsString]) -> ExitCode {
    let [pid, command, arguments @ ..] = words else {
        output::line(USAGE);
        return ExitCode::from(EXIT_FAILED);
    };
    let number = atoi(pid.as_bytes());
    let Some(number) = i32::try_from(number).ok().filter(|number| *number > 0) else {
        return complain(&format!("{} is not a valid process ID", pid.display()));
    };
    match attach(number, command, arguments) {
        Ok(Some(result)) => ExitCode::from(result.to_le_bytes()[0]),
        Ok(None) => complain(&format!("Process {number} not found")),
        // jattach knows but one exit status of its own.
        Err(failure) => {
            failure.report(false);
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn complain(text: &str) -> ExitCode {
    crate::human::Stream::stderr().line(&crate::human::clean(text));
    ExitCode::from(EXIT_FAILED)
}

/// The number that jattach would end with; none where there is no such process.
fn attach(pid: i32, command: &OsStr, arguments: &[OsString]) -> Result<Option<i32>, Failure> {
    let verb = String::from_utf8_lossy(command.as_bytes()).into_owned();
    if let Some(dropped) = arguments.get(ARGUMENTS) {
        let text = format!(
            "warning: {} and what follows is not sent: jattach sends three arguments",
            dropped.display()
        );
        crate::human::Stream::stderr().line(&crate::human::clean(&text));
    }
    let arguments: Vec<&[u8]> = arguments.iter().take(ARGUMENTS).map(|word| word.as_bytes()).collect();
    let request = Request::new(&verb, &arguments).map_err(|finding| Failure::blocked(&finding))?;
    let interrupt = Interrupt::catch();
    let line = String::from_utf8_lossy(arguments.first().copied().unwrap_or_default());
    let mut asking = Asking::named(&pid.to_string(), &PATIENCE, &interrupt)?;
    if Path::new("/proc").exists() && !Path::new(&format!("/proc/{pid}")).exists() {
        return Ok(None);
    }
    if verb == "load" || (verb == "jcmd" && loads_an_agent(&line)) {
        let mut target = target::find(&pid.to_string())?;
        if examine(&target).starting {
            target = PATIENCE.client(target, &interrupt).await_created()?;
        }
        agent_loading(&target).map_err(|blocker| Failure::blocked(&blocker))?;
        asking = Asking::on(target, &PATIENCE, &interrupt);
    }
    let result = asking.send(&request, |reply| {
        let header = reply.header();
        output::line("Connected to remote JVM");
        output::line(&format!("JVM response code = {header}"));
        let said = to_stdout(reply, &interrupt);
        let said = said.map_err(|error| Trouble::Failed(cut_off(pid, &error, &interrupt)))?;
        output::line("");
        Ok(if header == 0 && verb == "load" { result_of_load(&said) } else { header })
    })?;
    Ok(Some(result))
}

/// Since 9 the text is `return code: N`, before that N; free text counts as 0 to jattach.
fn result_of_load(text: &[u8]) -> i32 {
    let code = text.strip_prefix(b"return code").and_then(|rest| rest.strip_prefix(b": "));
    atoi(code.unwrap_or(text)) as i32
}

/// C's: blanks, a sign, digits; anything else ends it.
fn atoi(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let number = digits
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .fold(0i64, |number, b| number.saturating_mul(10).saturating_add(i64::from(b - b'0')));
    if negative { -number } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_c_reads_them() {
        for (text, number) in
            [("12", 12), (" -3x", -3), ("x", 0), ("", 0), ("+7 8", 7), ("99999999999999999999", i64::MAX)]
        {
            assert_eq!(atoi(text.as_bytes()), number, "{text}");
        }
        assert_eq!(result_of_load(b"return code: 102\n"), 102);
        assert_eq!(result_of_load(b"100\n"), 100);
        assert_eq!(result_of_load(b"/x.so was not loaded.\n"), 0);
        assert_eq!(atoi(b"\xff"), 0);
    }
}
