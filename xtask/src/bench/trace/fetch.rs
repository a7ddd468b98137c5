//! What is measured against, from Maven Central: pinned, in the project's cache, and checked by digest each time.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail, ensure};
use jgraft_jvm_harness::{cache, javac, maven};
use sha2::{Digest, Sha256};

/// What is fetched.
pub(super) struct Artifact {
    coordinates: &'static str,
    sha256: &'static str,
}

pub(super) const BYTE_BUDDY: Artifact = Artifact {
    coordinates: "net.bytebuddy:byte-buddy:1.18.17",
    sha256: "bb78cc9d290d13e27e86fe89fb171521516a33c9822a528c0f151bece5790276",
};
pub(super) const ASYNC_PROFILER: Artifact = Artifact {
    coordinates: "tools.profiler:async-profiler:4.6",
    sha256: "a5d3d9f4582c2033fa9db518046e73ef97219801f3e7542b82e3e09261ebe493",
};
pub(super) const ARTHAS: Artifact = Artifact {
    coordinates: "com.taobao.arthas:arthas-packaging:4.1.5:bin@zip",
    sha256: "a5ee2a905598fbd04fea7f7812f16f7fe9cdddfaab45b704685e6cec00bc3d81",
};
/// The agent, and what it wants in the boot loader.
pub(super) const BTRACE: [Artifact; 2] = [
    Artifact {
        coordinates: "io.btrace:btrace-agent:2.2.6",
        sha256: "5140c285be3eccbba5cb95dda1ad0b4a1e423fd96a91b370d66411c7938dfb55",
    },
    Artifact {
        coordinates: "io.btrace:btrace-boot:2.2.6",
        sha256: "0be0782d0577e79bc9e6d91e0addb86a039250e235e930beaaaf6919abd55cc6",
    },
];

impl Artifact {
    /// The version, to be printed.
    pub(super) fn version(&self) -> &str {
        self.coordinates.split(':').nth(2).unwrap_or_default()
    }

    /// The file, if it is the very one that was pinned.
    pub(super) fn file(&self) -> Result<PathBuf> {
        let file = maven::artifact(self.coordinates).map_err(|reason| anyhow!(reason))?;
        let mut digest = Sha256::new();
        let opened = File::open(&file).with_context(|| file.display().to_string())?;
        io::copy(&mut io::BufReader::new(opened), &mut Hasher(&mut digest))?;
        let found: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if found != self.sha256 {
            bail!("{} has the digest {found}, not {}: remove it", file.display(), self.sha256);
        }
        Ok(file)
    }

    /// A folder with all that is in it, unpacked once.
    pub(super) fn unpacked(&self) -> Result<PathBuf> {
        let file = self.file()?;
        let folder = cache::target_dir().join("contestants").join(&self.sha256[..16]);
        if !folder.is_dir() {
            let parent = folder.parent().context("no folder")?;
            fs::create_dir_all(parent)?;
            let work = tempfile::tempdir_in(parent)?;
            let status = Command::new("unzip").arg("-q").arg(&file).arg("-d").arg(work.path()).status();
            let status = status.context("can't run unzip; install it")?;
            ensure!(status.success(), "unzip {}: {status}", file.display());
            fs::rename(work.path(), &folder)?;
        }
        Ok(folder)
    }
}

struct Hasher<'h>(&'h mut Sha256);

impl io::Write for Hasher<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The folder of the classes of a Java program beside this file, for JDK 8.
pub(super) fn program(name: &str) -> Result<PathBuf> {
    let classes = cache::target_dir().join("contestants").join(name);
    javac::compile(&[source(&format!("{name}.java"))], &classes, &[])?;
    Ok(classes)
}

/// A file beside this one.
pub(super) fn source(file: &str) -> PathBuf {
    cache::workspace().join("xtask/src/bench/trace").join(file)
}

/// The agent that weaves with Byte Buddy, which has to be on the class path.
pub(super) fn advice_agent(byte_buddy: &Path) -> Result<PathBuf> {
    let classes = cache::target_dir().join("contestants/byte-buddy");
    let path = byte_buddy.display().to_string();
    javac::compile(&[source("AdviceAgent.java")], &classes, &["--release", "17", "-cp", &path])?;
    let jar = cache::target_dir().join("contestants/advice-agent.jar");
    javac::jar("Premain-Class: AdviceAgent\n", &classes, &jar)?;
    Ok(jar)
}
