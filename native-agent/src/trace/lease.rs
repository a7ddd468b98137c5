//! How long a trace may last: as long as the injector holds a lock on a file of the session, and says now and then that it
//! still reads. The kernel lets go of the lock when the injector dies, in whatever pid namespace; one that is stopped keeps
//! it, and says nothing.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jgraft_protocol::events::{WORD_BEAT, WORD_END};
use jgraft_protocol::native::trace as keys;

use crate::memory::EventMemory;
use crate::session::Session;
use crate::sys;

/// How often lock and heartbeat are looked at.
const LOOK: Duration = Duration::from_millis(250);

pub(super) struct Lease {
    lock: File,
    time_to_live: Duration,
}

impl Lease {
    pub(super) fn open(session: &Session, time_to_live: Duration) -> io::Result<Lease> {
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(sys::O_NOFOLLOW)
            .open(session.path().join(keys::LEASE))?;
        Ok(Lease { lock, time_to_live })
    }

    /// Returns when the injector wants no more, is gone, or has said nothing for too long.
    pub(super) fn wait(&self, memory: &EventMemory) {
        let (mut beat, mut since) = (memory.word(WORD_BEAT).load(Ordering::Acquire), Instant::now());
        loop {
            if memory.word(WORD_END).load(Ordering::Acquire) != 0 || !sys::is_locked(&self.lock) {
                return;
            }
            let now = memory.word(WORD_BEAT).load(Ordering::Acquire);
            if now != beat {
                (beat, since) = (now, Instant::now());
            }
            if since.elapsed() > self.time_to_live {
                return;
            }
            sys::wait_for_change(memory.word(WORD_END), LOOK);
        }
    }
}
