//! A target's words on a terminal: shown, never obeyed; in a pipe: as they came.

mod common;

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use common::{PATIENCE, agent_jar, jgraft, load, service, text, unharmed};
use jgraft_jvm_harness::each_jdk;

/// Leaves a thread behind whose name clears the screen.
const STEERING: &str = r#"
public class Steering {
    public static void agentmain(String options) throws Exception {
        Thread thread = new Thread(() -> {
            try { Thread.sleep(Long.MAX_VALUE); } catch (InterruptedException e) { }
        }, "before\u001b[2Jafter");
        thread.setDaemon(true);
        thread.start();
        System.out.println("steering");
    }
}
"#;

#[test]
fn a_thread_name_does_not_steer_a_terminal() {
    each_jdk("terminal::threads", .., |jdk| {
        let service = service(jdk, &[])?;
        let jar = agent_jar("steering", "Steering", STEERING, "Agent-Class: Steering\n")?;
        load(service.pid(), text(&jar), &[])?.expect(0)?;
        service.wait_for_stdout(|line| line == "steering", PATIENCE)?;
        let pid = service.pid().to_string();
        let piped = jgraft(["threads", &pid])?.expect(0)?;
        ensure!(piped.stdout.contains("before\x1b[2Jafter"), "{piped:?}");
        for command in [&["threads", &pid][..], &["jcmd", &pid, "Thread.print"]] {
            let printed = on_a_terminal(command)?;
            ensure!(printed.contains("before\\u{1b}[2Jafter"), "{command:?}: {printed}");
            ensure!(!printed.contains('\x1b'), "{command:?}: {printed:?}");
        }
        unharmed(&service)
    });
}

/// Runs jgraft with a terminal for its stdout, and gives what came out there.
fn on_a_terminal(args: &[&str]) -> Result<String> {
    let pty = nix::pty::openpty(None, None)?;
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_jgraft")).args(args).stdout(Stdio::from(pty.slave)).spawn()?;
    let (mut master, mut printed, mut piece) = (File::from(pty.master), Vec::new(), [0; 8192]);
    // EIO: the other side is closed, all of it was read.
    while let Ok(got) = master.read(&mut piece) {
        printed.extend_from_slice(&piece[..got]);
    }
    ensure!(child.wait()?.success(), "{}", String::from_utf8_lossy(&printed));
    Ok(String::from_utf8_lossy(&printed).into_owned())
}
