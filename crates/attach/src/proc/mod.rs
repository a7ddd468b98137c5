//! What `/proc` says of a process. Read-only; nothing here signals, connects or writes.

pub(crate) mod cgroup;
pub(crate) mod maps;
mod process;
pub(crate) mod root;
pub(crate) mod status;
mod threads;
pub(crate) mod unix_sockets;
pub(crate) mod users;

pub use process::Process;
pub use root::TargetRoot;
pub use threads::{ThreadState, threads};
