//! One library for every JVM of this architecture, whatever its libc.

fn main() {
    jgraft_agent_link::link();
}
