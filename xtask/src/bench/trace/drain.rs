//! A bare reader of an event memory: a thread that takes the events and counts them. And an event memory for a contestant
//! who writes the same records in another way.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use jgraft_attach::{EventMemory, Target};
use jgraft_protocol::events::{Layout, Reader, format};
use nix::fcntl::{FcntlArg, SealFlag, fcntl, posix_fallocate};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// How often the memory is looked at: a shard takes what the fastest thread writes in several times that.
const LOOK: Duration = Duration::from_millis(1);
const BEAT: Duration = Duration::from_millis(200);

/// The thread; it ends with this.
pub(super) struct Drain {
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Counts {
    read: AtomicU64,
    lost: AtomicU64,
    end: AtomicBool,
}

impl Drain {
    pub(super) fn start(memory: EventMemory) -> Result<Drain> {
        // Here, so that a memory that cannot be read is an error and not a thread that has ended.
        Reader::new(&memory).context("what is to be drained")?;
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let thread = thread::spawn(move || drain(&memory, &shared));
        Ok(Drain { counts, thread: Some(thread) })
    }

    /// How many events were read and how many found no room.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.counts.read.load(Ordering::Acquire), self.counts.lost.load(Ordering::Acquire))
    }

    /// Waits until so many more than `before` are accounted for; how many of them were read.
    pub(super) fn account(&self, before: (u64, u64), calls: u64) -> Result<u64> {
        let start = Instant::now();
        loop {
            let (read, lost) = self.counts();
            if read + lost == before.0 + before.1 + calls {
                return Ok(read - before.0);
            }
            if start.elapsed() > Duration::from_secs(3) {
                bail!("of {calls} calls {} were read and {} lost", read - before.0, lost - before.1);
            }
            thread::sleep(LOOK);
        }
    }
}

fn drain(memory: &EventMemory, counts: &Counts) {
    let Ok(mut reader) = Reader::new(memory) else { return };
    let mut told = Instant::now();
    let mut costs = 0_i64;
    while !counts.end.load(Ordering::Acquire) {
        let now = Instant::now();
        let read = reader.drain(now, |event| costs = costs.wrapping_add(event.end - event.start));
        std::hint::black_box(costs);
        counts.read.fetch_add(read as u64, Ordering::Release);
        counts.lost.store(reader.lost(), Ordering::Release);
        if now.duration_since(told) > BEAT {
            reader.beat();
            told = now;
        }
        if read == 0 {
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.counts.end.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // It does nothing that could panic but what a test of the reader covers.
            let _ = thread.join();
        }
    }
}

/// An event memory of this process, for a target that maps the file by the path that is given back.
pub(super) fn memory(layout: Layout) -> Result<(File, String, EventMemory)> {
    let file = File::from(memfd_create("jgraft-events-bench", MFdFlags::MFD_ALLOW_SEALING)?);
    let bytes = i64::try_from(layout.words() * 8)?;
    posix_fallocate(&file, 0, bytes)?;
    fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW))?;
    let own = Target::inspect(std::process::id().cast_signed())?;
    let mapped = EventMemory::open(&own, file.as_raw_fd())?;
    format(&mapped, layout).context("the event memory is too small")?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    Ok((file, path, mapped))
}
