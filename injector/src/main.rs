//! `jgraft`: the command line.

fn main() {}
