//! Where everything stands in the event memory: one page of words for both sides, then the shards, each with a page of its
//! positions and a ring of records. All numbers are native-endian words of 64 bits; both sides run on one machine.
//!
//! | word | written by | what |
//! |---|---|---|
//! | 0 | agent, last | [`MAGIC`] |
//! | 1 | agent | shards, a power of two |
//! | 2 | agent | records a shard, a power of two |
//! | 3 | agent | records that are kept free for threads that have passed the check and not yet reserved |
//! | 8 | injector | [`WORD_BEAT`]: goes on by one as long as the injector wants events |
//! | 9 | injector | [`WORD_REQUEST`]: what it wants, waited for with a futex on its low half: [`END`], and [`THREADS`] is added |
//! | 16 | agent | [`WORD_GATE`]: 1 while probes may write |
//! | 17 | agent | [`WORD_ROUND`]: which round the names are of, one more with each [reset](super::reset) |
//! | 18 | agent | [`WORD_ANSWERED`]: the word 9 that it has carried out |
//! | 32 | agent | odd while it writes the [status](super::status), one more after that |
//! | 33 | agent | bytes of the status |
//! | 64 to 511 | agent | the status |
//!
//! A shard: word 0 is the position of writers ([`WRITE`]), word 16 that of the reader ([`READ`]), word 32 counts what was
//! dropped ([`DROPPED`]); they are 128 bytes apart, since different threads write them. A page on the records begin. Behind the shards are the names of the classes of exceptions, one in [`NAME`] words: its round in the
//! upper half and its length in bytes in the lower, written last; the bytes; 1 while a thread writes it. A name of another round
//! is none: each trace has the whole table. An entry is written again only after the round in it has been taken out.

/// "JGRAFTE" and the version of this layout.
pub const MAGIC: u64 = u64::from_be_bytes(*b"JGRAFTE\x01");
/// Bytes of a word.
pub const WORD: usize = 8;
/// Words of a page of control words.
pub const PAGE: usize = 512;
/// Words of a record.
pub const RECORD: usize = 4;

pub(super) const WORD_MAGIC: usize = 0;
pub(super) const WORD_SHARDS: usize = 1;
pub(super) const WORD_RECORDS: usize = 2;
pub(super) const WORD_SLACK: usize = 3;
/// The injector's heartbeat.
pub const WORD_BEAT: usize = 8;
/// What the injector wants of the agent.
pub const WORD_REQUEST: usize = 9;
/// In [`WORD_REQUEST`]: no more events, and the classes as they were.
pub const END: u64 = 1;
/// Added to [`WORD_REQUEST`]: the names of threads that have no line yet.
pub const THREADS: u64 = 2;
/// Probes may write.
pub const WORD_GATE: usize = 16;
/// Which round the names are of. A [`Commit`] with a number is of the round that was in force when its record was reserved.
pub const WORD_ROUND: usize = 17;
/// The last [`WORD_REQUEST`] that the agent has carried out.
pub const WORD_ANSWERED: usize = 18;
/// Words of a name.
pub const NAME: usize = 16;
/// Those of its bytes.
pub(super) const NAME_BYTES: std::ops::Range<usize> = 1..NAME - 1;

pub(super) const WORD_STATUS_CHANGES: usize = 32;
pub(super) const WORD_STATUS_LENGTH: usize = 33;
pub(super) const STATUS: std::ops::Range<usize> = 64..PAGE;

/// In a shard: the position of writers.
pub const WRITE: usize = 0;
/// In a shard: the position of the reader.
pub const READ: usize = 16;
/// In a shard: events that found it full.
pub const DROPPED: usize = 32;

/// How large an event memory is. Positions only ever grow; the record of a position is the position modulo `records`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How many shards, a power of two.
    pub shards: usize,
    /// Records in each, a power of two.
    pub records: usize,
    /// How many of them are kept free: no fewer than threads that write at the same time.
    pub slack: usize,
}

impl Layout {
    /// A layout that can be; none where a number is no power of two, is 0, or is larger than any memory that we make.
    pub fn new(shards: usize, records: usize, slack: usize) -> Option<Self> {
        let fits = shards.is_power_of_two() && records.is_power_of_two() && slack < records;
        (fits && shards <= 1 << 10 && records <= 1 << 24).then_some(Self { shards, records, slack })
    }

    /// Words of one shard.
    pub fn shard_words(&self) -> usize {
        PAGE + self.records * RECORD
    }

    /// Words of all of it.
    pub fn words(&self) -> usize {
        self.names() + EXCEPTIONS * NAME
    }

    /// The first word of the names.
    pub fn names(&self) -> usize {
        PAGE + self.shards * self.shard_words()
    }

    /// The first word of a shard.
    pub fn shard(&self, number: usize) -> usize {
        PAGE + (number & (self.shards - 1)) * self.shard_words()
    }

    /// The first word of a record, by its position in a shard that begins at word `shard`.
    pub fn record(&self, shard: usize, position: u64) -> usize {
        shard + PAGE + (position as usize & (self.records - 1)) * RECORD
    }
}

/// An exception that left a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thrown {
    /// The number of its class.
    pub class: u16,
    /// Whether the method has thrown it itself; else it has passed through.
    pub own: bool,
}

/// The first word of a record, which is written last: 0 as long as the record is not there.
///
/// Bits 0 to 31 are the probe's id, 32 to 47 a mark of the position that is another in the next round of the ring (a writer
/// that was stopped for so long that its record has been given up is known by it), 48 to 57 the number of the exception's class, 61 is set where that is the
/// method's own, 62 where one was thrown, 63 always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit(pub u64);

/// Set in every [`Commit`].
pub const COMMITTED: u64 = 1 << 63;
/// Set in that of an exceptional exit.
pub const THROWN: u64 = 1 << 62;
/// Set where the method has thrown it itself.
pub const OWN: u64 = 1 << 61;
/// How many classes of exceptions have a number; 0 stands for all others.
pub const EXCEPTIONS: usize = 1 << 10;

/// 16 bits that differ between rounds, however many records a ring has: up to 65,536 the low bits of the position alone are
/// those of the place.
fn mark(position: u64) -> u64 {
    (position ^ position >> 16) & 0xffff
}

impl Commit {
    /// For a normal exit or, with the number of the exception's class, an exceptional one.
    pub fn new(probe: u32, position: u64, exception: Option<Thrown>) -> Self {
        let thrown = exception.map_or(0, |exception| {
            let own = if exception.own { OWN } else { 0 };
            THROWN | own | u64::from(exception.class % EXCEPTIONS as u16) << 48
        });
        Self(COMMITTED | thrown | mark(position) << 32 | u64::from(probe))
    }

    /// Whether it is that of the record at this position.
    pub fn is_of(self, position: u64) -> bool {
        self.0 & COMMITTED != 0 && self.0 >> 32 & 0xffff == mark(position)
    }

    /// The probe's id.
    pub fn probe(self) -> u32 {
        self.0 as u32
    }

    /// What was thrown, where something was.
    pub fn exception(self) -> Option<Thrown> {
        let class = (self.0 >> 48) as u16 % EXCEPTIONS as u16;
        (self.0 & THROWN != 0).then_some(Thrown { class, own: self.0 & OWN != 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_do_not_overlap_and_end_where_the_memory_does() {
        let layout = Layout::new(4, 8, 2).unwrap();
        let mut words: Vec<usize> = (0..4)
            .flat_map(|shard| (0..8).map(move |record| (shard, record)))
            .map(|(shard, record)| layout.record(layout.shard(shard), record))
            .collect();
        words.sort_unstable();
        assert!(words.windows(2).all(|pair| pair[1] - pair[0] >= RECORD));
        assert_eq!(words.last().unwrap() + RECORD, layout.names());
        assert_eq!(layout.record(0, 8), layout.record(0, 0));
    }

    #[test]
    fn layouts_that_can_not_be() {
        for (shards, records, slack) in
            [(0, 8, 0), (3, 8, 0), (4, 0, 0), (4, 9, 1), (4, 8, 8), (1 << 11, 8, 1)]
        {
            assert_eq!(Layout::new(shards, records, slack), None);
        }
    }

    #[test]
    fn a_commit_says_what_it_was_made_of() {
        for (probe, position, exception) in [
            (0, 0, None),
            (u32::MAX, 0x1_ffff, Some((1023, true))),
            (7, 0x10_0000, Some((0, false))),
            (9, u64::MAX - 0x1_0000, None),
        ] {
            let exception = exception.map(|(class, own)| Thrown { class, own });
            let commit = Commit::new(probe, position, exception);
            assert!(commit.is_of(position));
            for records in (3..=16).map(|bits| 1 << bits) {
                assert!(!commit.is_of(position.wrapping_add(records)), "{position} and {records} records");
            }
            assert_eq!((commit.probe(), commit.exception()), (probe, exception));
        }
        assert!(!Commit(0).is_of(0));
    }
}
