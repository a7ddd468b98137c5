//! The injector's side of the event memory. Nothing that the target may have written there makes it panic, loop or read
//! elsewhere: sizes are taken once and checked, and positions are its own.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::{Duration, Instant};

use super::layout::*;

/// One call that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The probe's id: which method.
    pub probe: u32,
    /// What left the method, where it was an exception.
    pub exception: Option<Thrown>,
    /// The id of the thread, as `Thread.getId` has it.
    pub thread: u64,
    /// When the method was entered, in nanoseconds of the target's `System.nanoTime`.
    pub start: i64,
    /// When it ended.
    pub end: i64,
}

/// What is wrong with an event memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutError {
    /// It begins with something else: another version, or no event memory.
    Magic(u64),
    /// It says that it has so many shards and records, which it can't or which it does not hold.
    Sizes(u64, u64),
}

impl std::fmt::Display for LayoutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Magic(found) => write!(f, "the event memory begins with {found:#018x}, not {MAGIC:#018x}"),
            Self::Sizes(shards, records) => {
                write!(f, "the event memory does not hold {shards} shards of {records} records")
            }
        }
    }
}

impl std::error::Error for LayoutError {}

/// How long a reserved record is waited for: its writer may have been stopped, or may have ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reads events and gives their room back. There is one reader.
#[derive(Debug)]
pub struct Reader<'m> {
    words: &'m [AtomicU64],
    layout: Layout,
    /// Of the names.
    round: u64,
    shards: Vec<Shard>,
}

#[derive(Debug)]
struct Shard {
    first: usize,
    position: u64,
    /// Since when the record at `position` has been reserved and not there, and the position of writers then.
    waiting: Option<(Instant, u64)>,
    /// Records before this position have been waited for long enough.
    overdue: u64,
    /// Records that were given up.
    given_up: u64,
}

impl<'m> Reader<'m> {
    /// Begins to read where the reader before has ended, or where the [reset](super::reset) was.
    pub fn new(words: &'m [AtomicU64]) -> Result<Self, LayoutError> {
        let word = |at: usize| words.get(at).map_or(0, |word| word.load(Ordering::Acquire));
        if word(WORD_MAGIC) != MAGIC {
            return Err(LayoutError::Magic(word(WORD_MAGIC)));
        }
        let (shards, records, slack) = (word(WORD_SHARDS), word(WORD_RECORDS), word(WORD_SLACK));
        let number = |word: u64| usize::try_from(word).unwrap_or(0);
        let layout = Layout::new(number(shards), number(records), number(slack))
            .filter(|layout| layout.words() <= words.len())
            .ok_or(LayoutError::Sizes(shards, records))?;
        let round = word(WORD_ROUND);
        let mut reader = Self { words, layout, round, shards: Vec::with_capacity(layout.shards) };
        for number in 0..layout.shards {
            let first = layout.shard(number);
            let position = reader.load(first + READ);
            reader.shards.push(Shard { first, position, waiting: None, overdue: position, given_up: 0 });
        }
        Ok(reader)
    }

    /// Hands over what is there, at most one ring of each shard; how many it was. Events of one thread come in order.
    pub fn drain(&mut self, now: Instant, mut each: impl FnMut(Event)) -> usize {
        let mut count = 0;
        for number in 0..self.shards.len() {
            count += self.drain_shard(number, now, &mut each);
        }
        count
    }

    /// Events that are lost since the [reset](super::reset): those that found no room, and those whose writer did not come
    /// back.
    pub fn lost(&self) -> u64 {
        let lost = |shard: &Shard| self.load(shard.first + DROPPED).wrapping_add(shard.given_up);
        self.shards.iter().map(lost).fold(0, u64::wrapping_add)
    }

    /// The name of a class of exceptions by its number; none where there was no room for it, where another trace has the
    /// memory meanwhile, or if the target says so, which it may of any.
    pub fn exception_name(&self, number: u16) -> Option<String> {
        let first = self.layout.names() + usize::from(number) % EXCEPTIONS * NAME;
        let head = self.load(first);
        let length = usize::try_from(head & u64::from(u32::MAX)).ok()?;
        if head >> 32 != self.round || !(1..=NAME_BYTES.len() * WORD).contains(&length) {
            return None;
        }
        let bytes = NAME_BYTES.flat_map(|word| self.load(first + word).to_ne_bytes());
        let shown = |byte: u8| if byte.is_ascii_graphic() { char::from(byte) } else { '?' };
        let name = bytes.take(length).map(shown).collect();
        fence(Ordering::Acquire);
        // Else another name was written over it meanwhile.
        (self.load(first) == head).then_some(name)
    }

    /// Says that somebody reads.
    pub fn beat(&self) {
        if let Some(beat) = self.words.get(WORD_BEAT) {
            beat.fetch_add(1, Ordering::Release);
        }
    }

    fn drain_shard(&mut self, number: usize, now: Instant, each: &mut impl FnMut(Event)) -> usize {
        let (layout, words) = (self.layout, self.words);
        let Some(shard) = self.shards.get_mut(number) else { return 0 };
        let load = |at: usize, order| words.get(at).map_or(0, |word: &AtomicU64| word.load(order));
        let (start, mut count) = (shard.position, 0);
        // What lies behind that was not written in this round, whatever is there.
        let written = load(shard.first + WRITE, Ordering::Acquire);
        for _ in 0..layout.records {
            if written == shard.position {
                shard.waiting = None;
                break;
            }
            let at = layout.record(shard.first, shard.position);
            let commit = Commit(load(at, Ordering::Acquire));
            if commit.is_of(shard.position) {
                let word = |n: usize| load(at + n, Ordering::Relaxed);
                each(Event {
                    probe: commit.probe(),
                    exception: commit.exception(),
                    thread: word(1),
                    start: word(2) as i64,
                    end: word(3) as i64,
                });
                count += 1;
            } else {
                // Not there yet. It may be that of a writer who has come back after its record was given up: that of this
                // round is written over it.
                let waited = shard.overdue.wrapping_sub(shard.position) as i64 > 0;
                if !waited {
                    let (since, then) = *shard.waiting.get_or_insert((now, written));
                    if now.saturating_duration_since(since) < PATIENCE {
                        break;
                    }
                    // What was reserved when the wait began was waited for too, and is given up at once.
                    shard.overdue = then;
                }
                shard.given_up += 1;
            }
            shard.waiting = None;
            if let Some(word) = words.get(at) {
                word.store(0, Ordering::Relaxed);
            }
            shard.position = shard.position.wrapping_add(1);
        }
        if shard.position != start
            && let Some(read) = words.get(shard.first + READ)
        {
            // Whoever sees the room sees that its commit words are empty.
            read.store(shard.position, Ordering::Release);
        }
        count
    }

    fn load(&self, at: usize) -> u64 {
        self.words.get(at).map_or(0, |word| word.load(Ordering::Acquire))
    }
}
