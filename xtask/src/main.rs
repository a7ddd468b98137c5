//! Every chore of the project, as `cargo xtask NAME`. One file a chore; CI calls nothing else.

fn main() {}
