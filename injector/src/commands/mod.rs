//! One file a verb. Each takes what was typed and gives an exit code or a [`crate::failure::Failure`].

pub(crate) mod check;
pub(crate) mod data_dump;
pub(crate) mod doctor;
pub(crate) mod flag;
pub(crate) mod heap_dump;
pub(crate) mod histogram;
pub(crate) mod jattach;
pub(crate) mod jcmd;
pub(crate) mod list;
pub(crate) mod load;
pub(crate) mod patch;
pub(crate) mod properties;
pub(crate) mod reset;
pub(crate) mod start_management;
pub(crate) mod stat;
pub(crate) mod status;
pub(crate) mod threads;
pub(crate) mod trace;
