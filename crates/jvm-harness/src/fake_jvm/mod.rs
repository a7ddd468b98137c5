//! A process that passes for a JVM from outside, and does on its attach listener what a script tells it: for what a
//! real JVM cannot be made to do, and for releases and VMs that are not at hand.
//!
//! The scripts lie in `fakes/`; `fakes/README` explains their language. [`run`] is the program `fake-jvm`,
//! [`FakeJvm`] is a test's hold on one. No client is in here: what is tested knows nothing of its peer's code.

mod answers;
mod child;
mod conduct;
mod disguise;
mod hotspot;
mod openj9;
mod script;
mod sys;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, bail};

pub use child::{FakeJvm, scripts};
pub use script::{Fault, Listen, Script, Socket, Statement, Switch, Trial, Vm};
pub use sys::Semaphore;

use conduct::{Conduct, say};
use disguise::Disguise;

/// The program: `fake-jvm [OPTION…] SCRIPT`, ended by `quit` or the end of its stdin.
///
/// # Errors
/// A script that cannot be read, and what the system says.
pub fn run() -> Result<()> {
    let mut args: Vec<OsString> = env::args_os().skip(1).collect();
    let Some(path) = args.pop().filter(|path| !path.to_string_lossy().starts_with('-')) else {
        bail!("usage: fake-jvm [JVM OPTION…] SCRIPT");
    };
    let path = PathBuf::from(path);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let script: Script = text.parse().with_context(|| path.display().to_string())?;
    look_the_part(&script, &args, &path)?;

    let mut fake = Fake::new(&script, args)?;
    for statement in script.statements {
        fake.obey(statement)?;
    }
    fake.begin(&path.display().to_string())?;
    say("ready");
    for line in std::io::stdin().lock().lines() {
        match line?.parse().and_then(|statement| fake.obey(statement)) {
            Ok(Went::On) => {}
            Ok(Went::Out) => break,
            Err(error) => say(&format!("error {error:#}")),
        }
    }
    Ok(())
}

/// Options and variables belong where they are looked for, so a script that has some is started once more with them.
fn look_the_part(script: &Script, args: &[OsString], path: &PathBuf) -> Result<()> {
    let missing = |statement: &&Statement| match statement {
        Statement::Option(word) => !args.iter().any(|arg| arg == word.as_str()),
        Statement::Variable(pair) => match pair.split_once('=') {
            Some((name, value)) => env::var(name).ok().as_deref() != Some(value),
            None => false,
        },
        _ => false,
    };
    let missing: Vec<_> = script.statements.iter().filter(missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut command = Command::new(env::current_exe()?);
    command.args(args);
    for statement in missing {
        match statement {
            Statement::Option(word) => command.arg(word),
            Statement::Variable(pair) => {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                command.env(name, value)
            }
            _ => &mut command,
        };
    }
    Err(command.arg(path).exec()).context("starting anew")
}

/// Whether there is more to come.
enum Went {
    On,
    Out,
}

/// One fake and what it has made.
struct Fake {
    conduct: Arc<Conduct>,
    disguise: Disguise,
    args: Vec<OsString>,
    counters: Switch,
    listen: Listen,
    announced: Option<openj9::Announced>,
    sockets: Vec<PathBuf>,
}

impl Fake {
    fn new(script: &Script, args: Vec<OsString>) -> Result<Fake> {
        let play = |statement: &Statement| match statement {
            Statement::Play(vm, feature) => Some((*vm, *feature)),
            _ => None,
        };
        let (vm, feature) = script.statements.iter().find_map(play).unwrap_or((Vm::HotSpot, 17));
        hotspot::remove_leftovers();
        Ok(Fake {
            conduct: Arc::new(Conduct::new(vm, feature)),
            disguise: Disguise::put_on(vm, feature)?,
            args,
            counters: Switch::On,
            listen: Listen::AtSignal,
            announced: None,
            sockets: Vec::new(),
        })
    }

    fn obey(&mut self, statement: Statement) -> Result<Went> {
        match statement {
            Statement::Counters(switch) => self.counters = switch,
            Statement::Listen(Listen::Now) => self.listen(None)?,
            Statement::Listen(when) => self.listen = when,
            Statement::Socket(what) => self.prepare(what)?,
            Statement::Answer(verb, answer) => {
                self.conduct.set_answer(verb, answer);
                say("will answer");
            }
            Statement::Fault(fault) => {
                self.conduct.set_fault(fault);
                say("will fail so");
            }
            Statement::Lend(pid) => {
                let path = hotspot::socket_path(pid);
                self.sockets.push(path.clone());
                hotspot::listen(&self.conduct, &path, None)?;
            }
            Statement::Quit => return Ok(Went::Out),
            Statement::Play(..) | Statement::Option(_) | Statement::Variable(_) => {}
        }
        Ok(Went::On)
    }

    /// What is to be there when it says that it is ready; SIGQUIT last, as a JVM that starts.
    fn begin(&mut self, command: &str) -> Result<()> {
        if self.conduct.vm == Vm::HotSpot && self.counters == Switch::On {
            self.disguise.show_counters(self.conduct.feature, command)?;
        }
        let enabled = self.option("enable").is_none_or(|value| value != "no");
        match (self.conduct.vm, self.listen) {
            (_, Listen::AtWord) | (Vm::HotSpot, Listen::AtSignal) => {}
            (Vm::OpenJ9, _) if !enabled => {}
            _ => self.listen(None)?,
        }
        let mut signals = sys::catch_sigquit()?;
        let (conduct, at_signal) = (Arc::clone(&self.conduct), self.listen == Listen::AtSignal);
        self.sockets.push(hotspot::socket_path(std::process::id()));
        thread::Builder::new().name("Signal Dispatcher".to_owned()).spawn(move || {
            let mut count = 0;
            while signals.read_exact(&mut [0]).is_ok() {
                count += 1;
                say(&format!("sigquit {count}"));
                if conduct.vm == Vm::OpenJ9 {
                    say("javacore written");
                } else if !hotspot::trigger_is_trusted(&conduct) {
                    say("thread dump printed");
                } else if at_signal && !hotspot::socket_path(std::process::id()).exists() {
                    let path = hotspot::socket_path(std::process::id());
                    if let Err(error) = hotspot::listen(&conduct, &path, None) {
                        say(&format!("error {error}"));
                    }
                }
            }
        })?;
        Ok(())
    }

    fn listen(&mut self, owner: Option<u32>) -> Result<()> {
        match self.conduct.vm {
            Vm::OpenJ9 => self.announced = Some(openj9::announce(&self.conduct, |name| self.option(name))?),
            Vm::HotSpot => hotspot::listen(&self.conduct, &hotspot::socket_path(std::process::id()), owner)?,
        }
        Ok(())
    }

    fn prepare(&mut self, what: Socket) -> Result<()> {
        let path = hotspot::socket_path(std::process::id());
        self.sockets.push(path.clone());
        match what {
            Socket::Stale => drop(std::os::unix::net::UnixListener::bind(path)?),
            Socket::File => fs::write(path, "no socket")?,
            Socket::Owner(uid) => self.listen(Some(uid))?,
            Socket::Deleted => {
                self.listen(None)?;
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// `-Dcom.ibm.tools.attach.NAME=`: the command line's word counts before the environment's.
    fn option(&self, name: &str) -> Option<String> {
        let prefix = format!("-Dcom.ibm.tools.attach.{name}=");
        let variable = env::var("OPENJ9_JAVA_OPTIONS").unwrap_or_default();
        let on_line = self.args.iter().map(|arg| arg.to_string_lossy().into_owned());
        let words: Vec<String> = variable.split(' ').map(str::to_owned).chain(on_line).collect();
        words.iter().rev().find_map(|word| word.strip_prefix(&prefix)).map(str::to_owned)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        for socket in &self.sockets {
            let _: std::io::Result<()> = fs::remove_file(socket);
        }
    }
}
