//! One program for all tests of `check`: the cases they share are many.

mod attach;
mod cases;
mod findings;
mod hostile;
mod known_agents;
mod questions;
mod real_jvms;
