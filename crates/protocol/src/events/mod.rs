//! The event memory: what probes in the target write and the injector reads, without a system call, a lock or a wait on
//! either side.
//!
//! The agent makes it, in a file that lives in memory only, and populates it before anybody writes; the injector maps the
//! same file. It is split into shards so that threads seldom meet. A writer checks that there is room, reserves a record by
//! adding one to the shard's position, fills it, and at last writes its [`Commit`]. Where there is no room the event is
//! counted and dropped. The reader takes records in order, empties the commit words and then moves its position on.
//!
//! Here it is a slice of atomic words; who maps it is not said here.

mod layout;
mod reader;
mod status;
#[cfg(test)]
mod tests;
mod writer;

pub use layout::{
    COMMITTED, Commit, DROPPED, END, EXCEPTIONS, Layout, MAGIC, NAME, OWN, PAGE, READ, RECORD, THREADS,
    THROWN, Thrown, WORD, WORD_ANSWERED, WORD_BEAT, WORD_GATE, WORD_REQUEST, WORD_ROUND, WRITE,
};
pub use reader::{Event, LayoutError, Reader};
pub use status::{STATUS_LIMIT, put_status, status};
pub use writer::{format, reset, write};
