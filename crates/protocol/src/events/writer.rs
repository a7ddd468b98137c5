//! The target's side of the event memory as Rust: the agent formats it, and tests write as the Probe does, which is Java
//! (`agent-java/probe`) and has these steps in this order.

use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::*;
use super::reader::Event;

/// Makes an event memory of what is all zeros; none where it is too small.
pub fn format(words: &[AtomicU64], layout: Layout) -> Option<()> {
    if words.len() < layout.words() {
        return None;
    }
    words.get(WORD_SHARDS)?.store(layout.shards as u64, Ordering::Relaxed);
    words.get(WORD_RECORDS)?.store(layout.records as u64, Ordering::Relaxed);
    words.get(WORD_SLACK)?.store(layout.slack as u64, Ordering::Relaxed);
    words.get(WORD_MAGIC)?.store(MAGIC, Ordering::Release);
    Some(())
}

/// Forgets all events and names, for another reader. For whoever formats it, while no probe is to write: what a late one still writes
/// is lost, and may be counted.
pub fn reset(words: &[AtomicU64], layout: Layout) -> Option<()> {
    // Before the positions: whoever reserves a record that this reader will see sees that the names are others.
    words.get(WORD_ROUND)?.fetch_add(1, Ordering::AcqRel);
    for number in 0..layout.shards {
        let first = layout.shard(number);
        for record in 0..layout.records {
            words.get(layout.record(first, record as u64))?.store(0, Ordering::Relaxed);
        }
        words.get(first + DROPPED)?.store(0, Ordering::Relaxed);
        // Written too, so that it stands in one order with what reserves.
        let position = words.get(first + WRITE)?.fetch_add(0, Ordering::AcqRel);
        words.get(first + READ)?.store(position, Ordering::Release);
    }
    Some(())
}

/// Writes an event into a shard, or counts it as dropped. Never waits.
pub fn write(words: &[AtomicU64], layout: Layout, shard: usize, event: &Event) -> Option<()> {
    let first = layout.shard(shard);
    let write = words.get(first + WRITE)?;
    // First the check, then the reservation: what was reserved is written, whatever happens in between. So many threads
    // may pass the check at once as there is slack.
    let used = write.load(Ordering::Relaxed).wrapping_sub(words.get(first + READ)?.load(Ordering::Acquire));
    if used as i64 >= (layout.records - layout.slack) as i64 {
        words.get(first + DROPPED)?.fetch_add(1, Ordering::Relaxed);
        return None;
    }
    let position = write.fetch_add(1, Ordering::Relaxed);
    let at = layout.record(first, position);
    for (n, value) in [(1, event.thread), (2, event.start as u64), (3, event.end as u64)] {
        words.get(at + n)?.store(value, Ordering::Relaxed);
    }
    let commit = Commit::new(event.probe, position, event.exception);
    words.get(at)?.store(commit.0, Ordering::Release);
    Some(())
}
