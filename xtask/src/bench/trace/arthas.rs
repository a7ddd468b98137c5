//! Arthas in a target, asked through its HTTP API on loopback, as its web console asks.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jgraft_jvm_harness::Jdk;
use serde_json::{Value, json};

use super::calls::{CLASS, Contestant, METHOD, started, target};
use super::fetch::ARTHAS;

/// How long its server may take to come up, and a command to weave.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes the results of a command and throws them away; ends with its JVM.
struct Puller {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// One of its commands, `watch` for example, on the method; each in a JVM of its own.
pub(super) fn contestant(jdk: &'static Jdk, command: &str, options: &str) -> Result<Contestant> {
    let home = ARTHAS.unpacked()?;
    let port = free_port()?;
    let agent = format!(
        "-javaagent:{0}/arthas-agent.jar={0}/arthas-core.jar;ip=127.0.0.1;httpPort={port};telnetPort={1}",
        home.display(),
        free_port()?
    );
    // Its logs go below the user's home, here a folder that goes with the JVM.
    let jvm = started(target(jdk)?.args([agent, "-Duser.home=.".to_owned()]))?;
    let session = session(port)?;
    let line = format!("{command} {CLASS} {METHOD} {options}");
    let asked =
        post(port, &json!({"action": "async_exec", "command": line, "sessionId": session["sessionId"]}))?;
    ensure!(asked["state"] == "SCHEDULED", "{line}: {asked}");
    let delivered = Arc::new(AtomicU64::new(0));
    let puller = Puller::start(port, &session, command, &delivered)?;
    let mut contestant = Contestant::new(format!("Arthas {} {command}", ARTHAS.version()), jvm);
    contestant.held.push(Box::new(puller));
    contestant.delivered = (command != "monitor").then_some(delivered);
    Ok(contestant)
}

/// The arguments of `java` for what a user types to see one call.
pub(super) fn first_call(home: &Path, pid: u32, ports: [u16; 2]) -> Vec<String> {
    let [telnet, http] = ports.map(|port| port.to_string());
    let jar = home.join("arthas-boot.jar").display().to_string();
    let watch = format!("watch {CLASS} {METHOD} '#cost' -n 1");
    let (home, pid) = (home.display().to_string(), pid.to_string());
    let words = ["-jar", &jar, "--arthas-home", &home, "--target-ip", "127.0.0.1", "--telnet-port", &telnet];
    words.into_iter().chain(["--http-port", &http, "-c", &watch, &pid]).map(str::to_owned).collect()
}

/// A port of loopback that nobody had a moment ago.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits for the server.
fn session(port: u16) -> Result<Value> {
    let start = Instant::now();
    loop {
        match post(port, &json!({"action": "init_session"})) {
            Ok(session) if session["state"] == "SUCCEEDED" => return Ok(session),
            Ok(other) => bail!("it refuses a session: {other}"),
            Err(error) if start.elapsed() > PATIENCE => {
                return Err(error.context("its server does not answer"));
            }
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

impl Puller {
    /// Returns when the method is woven.
    fn start(port: u16, session: &Value, command: &str, delivered: &Arc<AtomicU64>) -> Result<Puller> {
        let pull = json!({
            "action": "pull_results", "sessionId": session["sessionId"], "consumerId": session["consumerId"]
        });
        let start = Instant::now();
        while !results(&post(port, &pull)?, "enhancer").any(|result| result["success"] == true) {
            ensure!(start.elapsed() < PATIENCE, "{command} does not say that it has woven the method");
        }
        let end = Arc::new(AtomicBool::new(false));
        let (ended, delivered, kind) = (Arc::clone(&end), Arc::clone(delivered), command.to_owned());
        let thread = thread::spawn(move || {
            while !ended.load(Ordering::Acquire) {
                // Its JVM ends before this thread does.
                let Ok(pulled) = post(port, &pull) else { continue };
                delivered.fetch_add(results(&pulled, &kind).count() as u64, Ordering::Release);
            }
        });
        Ok(Puller { end, thread: Some(thread) })
    }
}

impl Drop for Puller {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // What it counted is not wanted any more.
            let _ = thread.join();
        }
    }
}

fn results<'v>(pulled: &'v Value, kind: &str) -> impl Iterator<Item = &'v Value> {
    let results = pulled["body"]["results"].as_array();
    results.into_iter().flatten().filter(move |result| result["type"] == kind)
}

fn post(port: u16, body: &Value) -> Result<Value> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = body.to_string();
    // Of version 1.0, so that the answer comes in one piece and the connection ends with it.
    let request = format!("POST /api HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (header, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    serde_json::from_str(body).with_context(|| format!("{header}\n{body}"))
}
