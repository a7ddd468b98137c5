//! `jgraft flag`: a flag of the VM, as it is or as it shall be.

use std::process::ExitCode;

use jgraft_attach::Request;
use serde::Serialize;

use crate::ask::{Asking, Task, not_done};
use crate::cli::Flag;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{human, json, output};

#[derive(Serialize)]
struct Answer<'a> {
    pid: i32,
    name: &'a str,
    value: &'a str,
    /// What it was before; only where it was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<&'a str>,
    /// As it would stand on a command line.
    option: &'a str,
}

/// Runs the command.
pub(crate) fn run(options: &Flag) -> Result<ExitCode, Failure> {
    let (name, wanted) = match options.flag.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (&*options.flag, None),
    };
    if name.is_empty() {
        let evidence = format!("{:?}", options.flag);
        return Err(Failure::usage("no flag was named", evidence, "jgraft flag TARGET MaxHeapSize"));
    }
    let interrupt = Interrupt::catch();
    let mut asking = Asking::of(&options.asked, &interrupt)?;
    let pid = asking.pid();
    // Asked first: whether there is such a flag, and whether it is true or false, which 8 wants as a digit.
    let before = option_of(&mut asking, name)?;
    let mut now = before.clone();
    if let Some(wanted) = wanted {
        set(&mut asking, name, for_the_wire(wanted, &before))?;
        now = option_of(&mut asking, name)?;
    }
    if options.asked.json {
        let was = wanted.map(|_| value_in(&before));
        json::print("flag", &Answer { pid, name, value: value_in(&now), was, option: &now });
    } else {
        human::Stream::stdout().line(&human::clean(&now));
    }
    let done = wanted.map_or(String::new(), |value| format!(" and set it to {value}"));
    output::finish(ExitCode::SUCCESS, &format!("pid {pid} has told its flag {name}{done}"))
}

/// `-XX:+Name`, `-XX:-Name` or `-XX:Name=value`.
fn option_of(asking: &mut Asking<'_>, name: &str) -> Result<String, Failure> {
    let pid = asking.pid();
    let what = format!("tell its flag {name}");
    let remedy = format!("case counts; jgraft jcmd {pid} VM.flags -all lists them");
    let task = Task { what: &what, remedy: &remedy };
    let request = Request::new("printflag", &[name.as_bytes()]).map_err(|f| Failure::blocked(&f))?;
    let text = asking.text(&request, &task)?;
    let text = text.trim();
    match text.starts_with("-XX:") {
        true => Ok(text.to_owned()),
        false => Err(not_done(pid, &task, text)),
    }
}

fn set(asking: &mut Asking<'_>, name: &str, value: &str) -> Result<(), Failure> {
    let pid = asking.pid();
    let what = format!("set its flag {name} to {value}");
    // The JVM's own words say which of the two it was.
    let remedy = format!(
        "see that the value fits the flag; where the flag itself cannot be set: only those marked manageable can, \
         jgraft jcmd {pid} VM.flags -all | grep manageable"
    );
    let request = Request::new("setflag", &[name.as_bytes(), value.as_bytes()]);
    let request = request.map_err(|finding| Failure::blocked(&finding))?;
    asking.text(&request, &Task { what: &what, remedy: &remedy }).map(drop)
}

fn is_switch(option: &str) -> bool {
    option.starts_with("-XX:+") || option.starts_with("-XX:-")
}

/// A switch is set by a digit on every release.
fn for_the_wire<'w>(wanted: &'w str, before: &str) -> &'w str {
    match wanted {
        "true" if is_switch(before) => "1",
        "false" if is_switch(before) => "0",
        other => other,
    }
}

fn value_in(option: &str) -> &str {
    match option.strip_prefix("-XX:") {
        Some(switch) if switch.starts_with('+') => "true",
        Some(switch) if switch.starts_with('-') => "false",
        Some(option) => option.split_once('=').map_or("", |(_, value)| value),
        None => option,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_and_values() {
        assert_eq!(value_in("-XX:+X"), "true");
        assert_eq!(value_in("-XX:-X"), "false");
        assert_eq!(value_in("-XX:X=a=b"), "a=b");
        assert_eq!(for_the_wire("true", "-XX:-X"), "1");
        assert_eq!(for_the_wire("false", "-XX:-X"), "0");
        assert_eq!(for_the_wire("true", "-XX:HeapDumpPath=x"), "true");
        assert_eq!(for_the_wire("7", "-XX:X=3"), "7");
    }
}
