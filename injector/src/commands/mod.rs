//! One file a verb. Each takes what was typed and gives an exit code or a [`crate::failure::Failure`].

pub(crate) mod doctor;
pub(crate) mod jcmd;
pub(crate) mod list;
