//! musl, the other libc of Linux, where `cargo xtask jdks` has put it (or Debian's musl-dev), and C programs that run on it.
//! It fetches nothing, and no JVM is here that runs on it.

use std::env::consts::ARCH;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cache;
use crate::jdks::quiet;

/// musl and what it takes to link with it.
#[derive(Debug)]
pub struct Musl {
    /// The library, which is its own dynamic linker.
    libc: PathBuf,
    /// Where `Scrt1.o` is.
    start_files: PathBuf,
}

impl Musl {
    /// The one of the cache, else that of the machine.
    ///
    /// # Errors
    /// There is none: the reason for a skip.
    pub fn find() -> Result<Musl, String> {
        let cached = cache::musl().ok();
        let found = cached.into_iter().chain([PathBuf::from("/")]).find_map(|root| Musl::below(&root));
        found.ok_or_else(|| "no musl is here: `cargo xtask jdks` fetches it on Debian".to_owned())
    }

    /// As Debian's packages musl and musl-dev lay it out.
    fn below(root: &Path) -> Option<Musl> {
        let triple = format!("{ARCH}-linux-musl");
        let folders = ["usr/lib", "lib"].map(|lib| root.join(lib).join(&triple));
        let having = |name: &str| folders.iter().find(|folder| folder.join(name).is_file());
        Some(Musl { libc: having("libc.so")?.join("libc.so"), start_files: having("Scrt1.o")?.clone() })
    }

    /// Compiles a C program that declares what it uses of the libc by itself.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn compile(&self, source: &Path, program: &Path) -> Result<()> {
        let mut cc = quiet("cc");
        // The machine's own headers and start files are those of another libc.
        cc.args(["-nostdinc", "-nostdlib", "-fPIE", "-pie", "-o"]).arg(program);
        cc.args(["Scrt1.o", "crti.o"].map(|name| self.start_files.join(name)));
        cc.arg(source).arg(&self.libc).arg(self.start_files.join("crtn.o"));
        let output = cc.output().context("can't run cc")?;
        ensure!(output.status.success(), "{cc:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// What runs such a program: its dynamic linker lies where no program looks for it.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = quiet(&self.libc);
        command.arg("--").arg(program);
        command
    }
}
