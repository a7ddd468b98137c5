//! How a fake behaves at the moment: its release, its own answers, its fault. Shared by all of its threads.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::thread;

use nix::sys::signal::{Signal, raise};

use super::script::{Fault, Vm};

/// The conduct of one fake.
pub(super) struct Conduct {
    pub(super) vm: Vm,
    pub(super) feature: u32,
    state: Mutex<State>,
}

struct State {
    answers: BTreeMap<String, Vec<u8>>,
    fault: Fault,
    /// Connections that are never answered.
    held: Vec<OwnedFd>,
}

impl Conduct {
    pub(super) fn new(vm: Vm, feature: u32) -> Conduct {
        let state = State { answers: BTreeMap::new(), fault: Fault::None, held: Vec::new() };
        Conduct { vm, feature, state: Mutex::new(state) }
    }

    pub(super) fn set_answer(&self, verb: String, answer: Vec<u8>) {
        self.lock().answers.insert(verb, answer);
    }

    pub(super) fn set_fault(&self, fault: Fault) {
        self.lock().fault = fault;
    }

    pub(super) fn fault(&self) -> Fault {
        self.lock().fault
    }

    /// One notification is slept through, if any is to be.
    pub(super) fn sleeps_on(&self) -> bool {
        let mut state = self.lock();
        match state.fault {
            Fault::Asleep(times) if times > 0 => {
                state.fault = Fault::Asleep(times - 1);
                true
            }
            _ => false,
        }
    }

    /// The script's own answer to a verb, else to any.
    pub(super) fn own_answer(&self, verb: &str) -> Option<Vec<u8>> {
        let state = self.lock();
        state.answers.get(verb).or_else(|| state.answers.get("*")).cloned()
    }

    /// Sends an answer with whatever is to go wrong. True where the connection may be used on.
    pub(super) fn send(&self, client: OwnedFd, answer: Vec<u8>) -> io::Result<Option<OwnedFd>> {
        let mut file = std::fs::File::from(client);
        match self.fault() {
            Fault::Mute => {
                self.lock().held.push(file.into());
                return Ok(None);
            }
            Fault::Slow(pause) => {
                for byte in &answer {
                    file.write_all(&[*byte])?;
                    thread::sleep(pause);
                }
            }
            Fault::Cut(bytes) => {
                file.write_all(&answer[..bytes.min(answer.len())])?;
                return Ok(None);
            }
            Fault::Die(bytes) => {
                file.write_all(&answer[..bytes.min(answer.len())])?;
                let _: nix::Result<()> = raise(Signal::SIGKILL);
            }
            Fault::Huge(bytes) => {
                // An answer of OpenJ9 ends with its NUL, and only there.
                let end = answer.len() - usize::from(answer.last() == Some(&0));
                file.write_all(&answer[..end])?;
                let piece = [b'x'; 8192];
                let mut left = bytes;
                while left > 0 {
                    file.write_all(&piece[..left.min(piece.len())])?;
                    left -= left.min(piece.len());
                }
                file.write_all(&answer[end..])?;
            }
            _ => file.write_all(&answer)?,
        }
        Ok(Some(file.into()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line on stdout, at once: the protocol between a fake and whoever runs it.
pub(super) fn say(line: &str) {
    let mut stdout = io::stdout().lock();
    // Nobody listens any more: then nobody misses it.
    let _: io::Result<()> = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// Reads one byte more; none at the end.
pub(super) fn next_byte(client: impl AsFd) -> io::Result<Option<u8>> {
    let mut byte = [0];
    loop {
        match nix::unistd::read(&client, &mut byte) {
            Err(nix::Error::EINTR) => {}
            other => return Ok((other? == 1).then_some(byte[0])),
        }
    }
}
