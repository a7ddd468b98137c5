//! A reader of stdout that does not read: the target goes on as if nothing were, and Ctrl-C and SIGTERM end jgraft.

mod common;

use std::io::Read;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, agent_jar, jgraft};
use jgraft_jvm_harness::{Jdk, Jvm, each_jdk};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Its thread dump is far longer than what a pipe and a socket hold.
const CROWD: &str = r#"
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.concurrent.CountDownLatch;
public class Crowd {
    static final CountDownLatch DEEP = new CountDownLatch(400);
    static void down(int depth) throws Exception {
        if (depth > 0) {
            down(depth - 1);
            return;
        }
        DEEP.countDown();
        Thread.currentThread().join();
    }
    public static void main(String[] arguments) throws Exception {
        for (int i = 0; i < 400; i++) {
            Thread one = new Thread() {
                public void run() {
                    try {
                        down(80);
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                }
            };
            one.setDaemon(true);
            one.start();
        }
        DEEP.await();
        System.out.println("READY");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            System.out.println("heard " + line);
        }
    }
}
"#;

fn crowd(jdk: &Jdk) -> Result<Jvm> {
    let jar = agent_jar("crowd", "Crowd", CROWD, "Main-Class: Crowd\n")?;
    let crowd = Jvm::builder(jdk).jar(jar).ready_when("READY").start()?;
    crowd.wait_ready()?;
    Ok(crowd)
}

/// It has begun to print into a pipe that is not read any further.
fn stalled(args: &[&str]) -> Result<(Child, ChildStdout)> {
    let mut jgraft =
        common::interruptible().args(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut stdout = jgraft.stdout.take().context("no pipe")?;
    stdout.read_exact(&mut [0])?;
    Ok((jgraft, stdout))
}

/// It runs, and its listener, which has one client at a time, is done with the one before.
fn goes_on(crowd: &Jvm, word: &str) -> Result<()> {
    let pid = crowd.pid().to_string();
    jgraft(["jcmd", "--timeout", "30s", "--reply-timeout", "30s", &pid, "VM.version"])?.expect(0)?;
    crowd.ask(word, |line| line == format!("heard {word}"))?;
    Ok(())
}

fn ends_by(mut jgraft: Child, signal: Signal) -> Result<()> {
    kill(Pid::from_raw(jgraft.id().cast_signed()), signal)?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = jgraft.try_wait()? {
            break status;
        }
        if start.elapsed() > PATIENCE {
            jgraft.kill()?;
            break jgraft.wait()?;
        }
        std::thread::yield_now();
    };
    ensure!(status.code() == Some(130), "{signal}: {status}");
    Ok(())
}

#[test]
fn the_target_does_not_wait_for_them() {
    each_jdk("slow_readers::threads", 17.., |jdk| {
        let crowd = crowd(jdk)?;
        let pid = crowd.pid().to_string();
        for args in
            [&["threads", &pid][..], &["jcmd", &pid, "Thread.print"], &["jattach", &pid, "threaddump"]]
        {
            let (mut jgraft, mut stdout) = stalled(args)?;
            goes_on(&crowd, args[0])?;
            let mut rest = String::new();
            stdout.read_to_string(&mut rest)?;
            ensure!(jgraft.wait()?.success(), "{args:?}");
            let dumped = rest.matches("at Crowd.down(").count();
            ensure!(dumped == 400 * 81 && rest.len() > 1 << 20, "{args:?}: {dumped} in {}", rest.len());
        }
        Ok(())
    });
}

#[test]
fn a_stdout_that_does_not_wait_gets_it_all() {
    each_jdk("slow_readers::nonblocking", 17.., |jdk| {
        let crowd = crowd(jdk)?;
        let pid = crowd.pid().to_string();
        for args in [
            &["threads", &pid][..],
            &["threads", "--json", &pid],
            &["jattach", &pid, "threaddump"],
            &["heap-dump", &pid, "-"],
        ] {
            // Whoever has the other copy of this descriptor wants it so: a program that waits for many at once.
            let (mut reader, writer) = std::io::pipe()?;
            let ours = writer.try_clone()?;
            fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
            let jgraft = common::interruptible().args(args).stdout(writer).stderr(Stdio::piped()).spawn()?;
            reader.read_exact(&mut [0])?;
            goes_on(&crowd, args[0])?;
            let flags = OFlag::from_bits_truncate(fcntl(&ours, FcntlArg::F_GETFL)?);
            ensure!(flags.contains(OFlag::O_NONBLOCK), "{args:?}: others are made to wait");
            drop(ours);
            let mut rest = Vec::new();
            reader.read_to_end(&mut rest)?;
            let run = jgraft.wait_with_output()?;
            ensure!(run.status.success(), "{args:?}: {}", String::from_utf8_lossy(&run.stderr));
            if args[0] != "heap-dump" {
                let dumped = String::from_utf8_lossy(&rest).matches("at Crowd.down(").count();
                ensure!(dumped == 400 * 81, "{args:?}: {dumped} in {}", rest.len());
            }
        }
        Ok(())
    });
}

#[test]
fn what_a_pipe_has_room_for_needs_no_reader() {
    each_jdk("slow_readers::one_page", 17..=17, |jdk| {
        let crowd = crowd(jdk)?;
        let (mut reader, writer) = std::io::pipe()?;
        // The least there is: for poll(2) it is full once anything is in it.
        fcntl(&reader, FcntlArg::F_SETPIPE_SZ(4096))?;
        let pid = crowd.pid().to_string();
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_jgraft"))
            .args(["doctor", &pid])
            .stdout(writer)
            .stderr(Stdio::null())
            .spawn()?;
        let start = Instant::now();
        while doctor.try_wait()?.is_none() && start.elapsed() < PATIENCE {
            std::thread::yield_now();
        }
        if doctor.try_wait()?.is_none() {
            doctor.kill()?;
        }
        ensure!(doctor.wait()?.success(), "it waited for a reader");
        let mut said = String::new();
        reader.read_to_string(&mut said)?;
        ensure!(said.lines().count() > 3 && said.contains("\nit can be attached to"), "{said}");
        Ok(())
    });
}

#[test]
fn a_signal_ends_it() {
    each_jdk("slow_readers::signals", 17.., |jdk| {
        let crowd = crowd(jdk)?;
        let pid = crowd.pid().to_string();
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            // As it comes, and whole.
            for args in [&["threads", &pid][..], &["threads", "--json", &pid]] {
                let (jgraft, _stdout) = stalled(args)?;
                goes_on(&crowd, "threads")?;
                ends_by(jgraft, signal).with_context(|| format!("{args:?}"))?;
            }
        }
        // While the dump is fetched: nothing of it stays.
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            let (jgraft, _stdout) = stalled(&["heap-dump", &pid, "-"])?;
            let id = jgraft.id();
            ensure!(!common::dump_places(&crowd, id)?.is_empty(), "no dump is under way");
            ends_by(jgraft, signal)?;
            let left = common::dump_places(&crowd, id)?;
            ensure!(left.is_empty(), "{signal} left: {left:?}");
        }
        goes_on(&crowd, "dumped")
    });
}
