//! Runs a program one system call at a time, so that a fault strikes at a step that is chosen and can be named again, and
//! the memory that the program needed is known at its end. By ptrace; what the program forks runs on its own.
//!
//! A step is a stop at a system call: its entry is one, its return another. All threads count together, so with one
//! thread the same step is the same place in every run; where threads or waiting loops differ, it is one near it.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// A program that takes longer hangs, and is killed.
const HANGS: Duration = Duration::from_secs(60);

/// What one run came to.
#[derive(Debug)]
pub struct Stepped {
    /// Steps that were taken, up to the end.
    pub steps: usize,
    /// Whether the chosen step was reached.
    pub struck: bool,
    /// Its exit status; none where a signal ended it.
    pub code: Option<i32>,
    /// Everything it printed.
    pub stdout: String,
    /// Everything it complained about.
    pub stderr: String,
    /// The most memory that it held at once, in KiB: anonymous and mapped from files, as the kernel counts it (VmHWM).
    pub peak_kib: u64,
}

/// Runs `program` with the variables in `env`; before it does step `at` (from 1), `fault` is called with its pid. Without
/// `at` it runs through.
///
/// # Errors
/// It cannot be started or traced, it hangs, or what `fault` says.
pub fn stepped(
    program: &Path,
    args: &[&str],
    env: &[(&str, &str)],
    at: Option<usize>,
    fault: impl FnOnce(Pid) -> Result<()>,
) -> Result<Stepped> {
    let (stdout, stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    // It may be traced once it waits for the line, and is itself from the exec on.
    let mut command = Command::new("sh");
    command.args(["-c", "read -r go; exec \"$@\"", "sh"]).arg(program).args(args);
    command.envs(env.iter().copied()).process_group(0);
    command.stdin(Stdio::piped()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    let mut child = command.spawn().with_context(|| format!("can't run {}", program.display()))?;
    let pid = Pid::from_raw(child.id().cast_signed());
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXIT
        | Options::PTRACE_O_EXITKILL;
    if let Err(error) = ptrace::seize(pid, options) {
        child.kill()?;
        child.wait()?;
        bail!("can't trace {}: {error}", program.display());
    }
    child.stdin.take().context("stdin")?.write_all(b"go\n")?;

    let (done, ended) = channel::<()>();
    let watch = std::thread::spawn(move || {
        let hangs = ended.recv_timeout(HANGS) == Err(RecvTimeoutError::Timeout);
        if hangs {
            let _: nix::Result<()> = kill(pid, Signal::SIGKILL);
        }
        hangs
    });
    let followed = program.canonicalize().map_err(Into::into).and_then(|exe| follow(pid, &exe, at, fault));
    if followed.is_err() {
        let _: nix::Result<()> = kill(pid, Signal::SIGKILL);
    }
    drop(done);
    let hung = watch.join().unwrap_or(false);
    let mut end = followed?;
    end.stdout = text(stdout)?;
    end.stderr = text(stderr)?;
    if hung {
        bail!("{} {args:?} hung and was killed after {HANGS:?}: {end:#?}", program.display());
    }
    Ok(end)
}

/// From the first stop to the end of its first thread, which the kernel reports last.
fn follow(pid: Pid, exe: &Path, at: Option<usize>, fault: impl FnOnce(Pid) -> Result<()>) -> Result<Stepped> {
    let (mut fault, mut begun) = (Some(fault), false);
    let mut end = Stepped {
        steps: 0,
        struck: false,
        code: None,
        stdout: String::new(),
        stderr: String::new(),
        peak_kib: 0,
    };
    loop {
        // Its threads are in its group, and nothing else of ours is.
        let (thread, signal) = match waitpid(Pid::from_raw(-pid.as_raw()), Some(WaitPidFlag::__WALL))? {
            WaitStatus::Exited(thread, code) if thread == pid => {
                end.code = Some(code);
                return Ok(end);
            }
            WaitStatus::Signaled(thread, ..) if thread == pid => return Ok(end),
            WaitStatus::PtraceSyscall(thread) => {
                end.steps += 1;
                if at == Some(end.steps)
                    && let Some(fault) = fault.take()
                {
                    end.struck = true;
                    fault(pid)?;
                }
                (thread, None)
            }
            WaitStatus::PtraceEvent(thread, _, event) => {
                // The shell may have been caught in its own exec.
                begun |= std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|now| now == exe);
                if event == libc::PTRACE_EVENT_EXIT {
                    end.peak_kib = end.peak_kib.max(peak_kib(thread).unwrap_or_default());
                }
                (thread, None)
            }
            WaitStatus::Stopped(thread, signal) => (thread, Some(signal)),
            _ => continue,
        };
        // One that was killed meanwhile is not there to go on.
        let go_on = if begun { ptrace::syscall } else { ptrace::cont };
        match go_on(thread, signal) {
            Ok(()) | Err(nix::Error::ESRCH) => {}
            Err(error) => bail!("thread {thread} does not go on: {error}"),
        }
    }
}

/// While a thread is about to exit, its memory is still there to be looked at.
fn peak_kib(thread: Pid) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().strip_suffix(" kB")?.parse().ok()
}

fn text(mut file: File) -> Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cat(at: Option<usize>, fault: impl FnOnce(Pid) -> Result<()>) -> Stepped {
        stepped(Path::new("/bin/cat"), &["/proc/self/comm"], &[], at, fault).unwrap()
    }

    #[test]
    fn the_same_program_takes_the_same_steps() {
        let (one, other) = (cat(None, |_| Ok(())), cat(None, |_| Ok(())));
        assert_eq!((one.code, &*one.stdout), (Some(0), "cat\n"), "{one:?}");
        assert!(one.steps == other.steps && one.steps > 20 && !one.struck, "{one:?} {other:?}");
        assert!(one.peak_kib > 100, "{one:?}");
    }

    #[test]
    fn a_fault_strikes_where_it_should() {
        let whole = cat(None, |_| Ok(()));
        let kill = |pid| Ok(kill(pid, Signal::SIGKILL)?);
        for at in [1, whole.steps / 2, whole.steps] {
            let cut = cat(Some(at), kill);
            assert!(cut.struck && cut.code.is_none() && cut.steps == at, "{at}: {cut:?}");
        }
        let late = cat(Some(whole.steps + 1), kill);
        assert!(!late.struck && late.code == Some(0), "{late:?}");
        let failed = stepped(Path::new("/bin/cat"), &[], &[], Some(3), |_| bail!("no"));
        assert_eq!(failed.unwrap_err().to_string(), "no");
    }
}
