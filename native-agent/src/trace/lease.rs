//! How long a trace may last: as long as the injector holds a lock on a file of the session, and says now and then that it
//! still reads. The kernel lets go of the lock when the injector dies, in whatever pid namespace; one that is stopped keeps
//! it, and says nothing.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jgraft_protocol::events::{END, WORD_ANSWERED, WORD_BEAT, WORD_REQUEST};
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

/// Why a trace ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It was asked for.
    Wanted,
    /// The injector is gone.
    Lost,
    /// The injector has said nothing for too long.
    Silent,
}

impl End {
    /// As the status says it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Lost => "lost",
            Self::Silent => "silent",
        }
    }
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

    /// Returns when the trace is to end. Whatever else the injector asks for is done meanwhile, and `now_and_then` what is to be
    /// done unasked.
    pub(super) fn wait(
        &self,
        memory: &EventMemory,
        mut asked: impl FnMut(),
        mut now_and_then: impl FnMut(),
    ) -> End {
        let (mut beat, mut since) = (memory.word(WORD_BEAT).load(Ordering::Acquire), Instant::now());
        let mut request = 0;
        loop {
            let wanted = memory.word(WORD_REQUEST).load(Ordering::Acquire);
            if wanted & END != 0 {
                return End::Wanted;
            }
            if wanted != request {
                request = wanted;
                asked();
                memory.word(WORD_ANSWERED).store(request, Ordering::Release);
                continue;
            }
            if !sys::is_locked(&self.lock) {
                return End::Lost;
            }
            let now = memory.word(WORD_BEAT).load(Ordering::Acquire);
            if now != beat {
                (beat, since) = (now, Instant::now());
            }
            if since.elapsed() > self.time_to_live {
                return End::Silent;
            }
            now_and_then();
            sys::wait_while(memory.word(WORD_REQUEST), request as u32, LOOK);
        }
    }
}
