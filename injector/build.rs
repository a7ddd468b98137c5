//! Embeds the bundled agents where `cargo xtask build` names them; a plain `cargo build` looks for them at run time.

use std::path::PathBuf;

fn main() {
    for (variable, name) in
        [("JGRAFT_EMBED_AGENT_JAR", "agent_jar.rs"), ("JGRAFT_EMBED_NATIVE_AGENT", "native_agent.rs")]
    {
        println!("cargo::rerun-if-env-changed={variable}");
        let code = match std::env::var(variable) {
            Ok(file) => {
                println!("cargo::rerun-if-changed={file}");
                format!("Some(include_bytes!({file:?}))")
            }
            Err(_) => "None".to_owned(),
        };
        let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join(name);
        std::fs::write(out, code).expect("OUT_DIR is writable");
    }
}
