//! Real inputs for the fuzz targets: the counters of a JVM of every JDK found, what its listener answers, agent jars.
//! Classes are taken from a JDK by the target itself.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use jgraft_jvm_harness::{Jdk, Jvm, agents, targets};

use crate::build;

/// Requests of protocol version 1: each a command and three arguments.
const REQUESTS: [[&str; 4]; 6] = [
    ["jcmd", "VM.version", "", ""],
    ["jcmd", "help", "", ""],
    ["jcmd", "no.such.command", "", ""],
    ["properties", "", "", ""],
    ["threaddump", "", "", ""],
    ["load", "instrument", "false", "/no/agent.jar"],
];

/// Fills a folder for each target that takes files, once.
pub(super) fn gather(folder: &Path) -> Result<()> {
    let (counters, replies) = (folder.join("hsperfdata"), folder.join("reply"));
    let jars = folder.join("jar");
    if jars.exists() {
        return Ok(());
    }
    fs::create_dir_all(&counters)?;
    fs::create_dir_all(&replies)?;
    let jgraft = build::run()?.jgraft;
    for jdk in super::jdks() {
        let service = start(jdk)?;
        let tmp = Path::new("/proc").join(service.pid().to_string()).join("root/tmp");
        let own = service.pid().to_string();
        for entry in fs::read_dir(&tmp)?.flatten() {
            let file = entry.path().join(&own);
            if entry.file_name().to_string_lossy().starts_with("hsperfdata_") && file.is_file() {
                fs::copy(file, counters.join(jdk.feature.to_string()))?;
            }
        }
        let woken =
            Command::new(&jgraft).args(["jcmd", &own, "VM.version"]).stdout(Stdio::null()).status()?;
        anyhow::ensure!(woken.success(), "JDK {jdk} does not answer");
        for (number, request) in REQUESTS.iter().enumerate() {
            let answer = ask(&tmp.join(format!(".java_pid{own}")), request)
                .with_context(|| format!("JDK {jdk}, {request:?}"))?;
            fs::write(replies.join(format!("{}-{number}", jdk.feature)), answer)?;
        }
    }
    // Last, and whole or not at all: it is the mark that all is there.
    let aside = folder.join("jar.new");
    fs::create_dir_all(&aside)?;
    fs::copy(agents::bundled()?, aside.join("bundled.jar"))?;
    fs::copy(agents::example("01-load-jar-agent", "MANIFEST.MF")?, aside.join("reprice.jar"))?;
    fs::rename(aside, jars)?;
    Ok(())
}

fn start(jdk: &Jdk) -> Result<Jvm> {
    let service = Jvm::builder(jdk).args(["-Xmx32m"]).class_path(targets::order_service_classes()?);
    let service = service.main("OrderService").program_args(["--quiet"]).start()?;
    service.wait_ready()?;
    Ok(service)
}

/// The bytes of an answer, as they are.
fn ask(socket: &Path, request: &[&str; 4]) -> Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut bytes = b"1\0".to_vec();
    for word in request {
        bytes.extend_from_slice(word.as_bytes());
        bytes.push(0);
    }
    stream.write_all(&bytes)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
