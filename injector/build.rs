//! Embeds the bundled agents where `cargo xtask build` names them, packed (zlib); a plain `cargo build` looks for them at
//! run time.

use std::io::Write;
use std::path::PathBuf;

fn main() {
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    for (variable, name) in
        [("JGRAFT_EMBED_AGENT_JAR", "agent_jar"), ("JGRAFT_EMBED_NATIVE_AGENT", "native_agent")]
    {
        println!("cargo::rerun-if-env-changed={variable}");
        let code = match std::env::var(variable) {
            Ok(file) => {
                println!("cargo::rerun-if-changed={file}");
                let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
                let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
                packed.write_all(&bytes).expect("memory takes it");
                let packed = packed.finish().expect("memory takes it");
                let to = out.join(format!("{name}.z"));
                std::fs::write(&to, packed).expect("OUT_DIR is writable");
                format!("Some(Packed {{ length: {}, bytes: include_bytes!({to:?}) }})", bytes.len())
            }
            Err(_) => "None".to_owned(),
        };
        std::fs::write(out.join(format!("{name}.rs")), code).expect("OUT_DIR is writable");
    }
}
