//! Links it as any agent should be.

fn main() {
    jgraft_agent_link::link();
}
