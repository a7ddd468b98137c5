//! One file a verb. Each takes what was typed and gives an exit code or a [`crate::failure::Failure`].

pub(crate) mod check;
pub(crate) mod doctor;
pub(crate) mod jcmd;
pub(crate) mod list;
pub(crate) mod load;
