//! Where a trace writes to: an event memory, the Probe that writes into it, and the ids of methods there. One trace at a time
//! has it, and another one later: memory and class cannot be given back.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use jgraft_classfile::ClassFile;
use jgraft_protocol::events::Layout;
use jgraft_protocol::native::stage;
use jni::JavaVM;

use crate::memory::EventMemory;
use crate::probe;
use crate::report::Failure;

/// So many traces at the same time.
const MOST: usize = 8;
/// Bytes of records in all, or less. A reader that looks every ten milliseconds, and
/// sometimes late, sees all of a million events a second from one thread.
const BYTES: usize = 16 << 20;
/// Records a shard.
const MOST_RECORDS: usize = 1 << 16;
/// At most so many threads may be between the check for room and the reservation.
const SLACK: usize = 1 << 10;

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) memory: EventMemory,
    /// The Probe's internal name.
    pub(crate) probe: String,
    ids: Mutex<Ids>,
    busy: AtomicBool,
}

static CHANNELS: Mutex<Vec<&'static Channel>> = Mutex::new(Vec::new());

impl Channel {
    /// One that no trace has.
    pub(crate) fn take(vm: &JavaVM) -> Result<&'static Channel, Failure> {
        let known = CHANNELS.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(free) = known.iter().find(|channel| !channel.busy.swap(true, Ordering::AcqRel)) {
            return Ok(free);
        }
        if known.len() >= MOST {
            return Err(Failure::new(
                stage::ENVIRONMENT,
                format!("{MOST} traces are running in this jvm already"),
            ));
        }
        let memory = EventMemory::new(layout()).map_err(|error| {
            Failure::new(stage::ENVIRONMENT, format!("the event memory cannot be made: {error}"))
        })?;
        let probe = vm
            .with_top_local_frame(|jni| probe::define(jni, &memory))
            .map_err(|error| Failure::call(stage::ENVIRONMENT, "the probe cannot be defined", &error))?;
        let ids = Mutex::new(Ids { first: HashMap::new(), next: 1 });
        let channel = Channel { memory, probe, ids, busy: AtomicBool::new(true) };
        let channel: &'static Channel = Box::leak(Box::new(channel));
        CHANNELS.lock().unwrap_or_else(PoisonError::into_inner).push(channel);
        Ok(channel)
    }

    /// For the next trace.
    pub(crate) fn give_back(&self) {
        self.busy.store(false, Ordering::Release);
    }

    /// The id of the first method of a class; those of the others follow in the order of the class file.
    pub(crate) fn ids_of(&self, class: &ClassFile<'_>) -> i32 {
        let mut shape = DefaultHasher::new();
        let mut count = 0;
        for method in class.methods().filter_map(Result::ok) {
            (method.name().to_string(), method.descriptor().to_string()).hash(&mut shape);
            count += 1;
        }
        let name = class.this_class_name().map_or(String::new(), |name| name.to_string());
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let Ids { first, next } = &mut *ids;
        *first.entry((name, shape.finish())).or_insert_with(|| {
            let first = *next;
            *next += count;
            first
        })
    }
}

/// Ids of methods. One is given once and never again: a method that was woven may run for as long as the JVM, and still
/// report the id that it was woven with.
#[derive(Debug)]
struct Ids {
    /// By a class's name and the names and descriptors of its methods in their order, hashed: there may be tens of thousands,
    /// and they are kept.
    first: HashMap<(String, u64), i32>,
    next: i32,
}

/// Four shards for each processor, within limits: threads that run at the same time seldom share one.
fn layout() -> Layout {
    let shards = (4 * thread::available_parallelism().map_or(4, usize::from)).next_power_of_two().min(64);
    let records = (BYTES / 32 / shards).min(MOST_RECORDS);
    Layout { shards, records, slack: SLACK }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_layout_is_one() {
        let Layout { shards, records, slack } = layout();
        assert_eq!(Layout::new(shards, records, slack), Some(layout()));
    }
}
