//! The JVM's own account: `oracle.c` compiled by the machine's C compiler, and a run with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, ensure};
use jgraft_jvm_harness::{Jdk, cache};
use tempfile::TempDir;

use crate::jvms;
use crate::programs::{Programs, class_files};

/// The agent, compiled; its file is gone with it.
pub(crate) struct Agent(TempDir);

impl Agent {
    fn library(&self) -> PathBuf {
        self.0.path().join("liboracle.so")
    }
}

/// Compiles the agent, or says why that can't be.
pub(crate) fn agent() -> Result<Agent> {
    let headers = Jdk::all().iter().map(|jdk| jdk.host_home().join("include"));
    let headers = headers.into_iter().find(|folder| folder.join("jvmti.h").is_file());
    let headers =
        headers.ok_or_else(|| anyhow!("no JDK here has include/jvmti.h; a full JDK of any release does"))?;
    let agent = Agent(tempfile::Builder::new().prefix("oracle-").tempdir_in(cache::target_dir())?);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour/oracle.c");
    let compiled = Command::new("cc")
        .args(["-std=gnu11", "-O1", "-Wall", "-Werror", "-fPIC", "-shared", "-I"])
        .arg(&headers)
        .arg("-I")
        .arg(headers.join("linux"))
        .arg(source)
        .arg("-o")
        .arg(agent.library())
        .output()
        .context("no C compiler; install one: apt install gcc libc6-dev")?;
    ensure!(compiled.status.success(), "cc: {}", String::from_utf8_lossy(&compiled.stderr));
    Ok(agent)
}

/// What the programs printed with the agent in the JVM, and what it saw.
pub(crate) fn run(jdk: &Jdk, programs: &Programs, agent: &Agent) -> Result<(String, String)> {
    let scratch = tempfile::Builder::new().prefix("oracle-").tempdir_in(cache::target_dir())?;
    let seen = scratch.path().join("seen");
    let folder = scratch.path().join("classes");
    without_local_variables(programs.folder(), &folder)?;
    let option = format!("-agentpath:{}={}", agent.library().display(), seen.display());
    let ran = jvms::run(jdk, programs, &folder, &[&option])?;
    Ok((ran.printed, fs::read_to_string(seen)?))
}

/// Copies classes without their LocalVariableTable: where there is one, JVMTI reads only the parameters that it names, and
/// javac leaves those out that it adds itself. The attributes get names that mean nothing.
fn without_local_variables(from: &Path, to: &Path) -> Result<()> {
    const NAME: &[u8] = b"LocalVariableT";
    for file in class_files(from)? {
        let mut bytes = fs::read(&file)?;
        let found: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(NAME)).collect();
        found.into_iter().for_each(|at| bytes[at] = b'X');
        let copy = to.join(file.strip_prefix(from)?);
        fs::create_dir_all(copy.parent().context("a folder")?)?;
        fs::write(copy, bytes)?;
    }
    Ok(())
}
