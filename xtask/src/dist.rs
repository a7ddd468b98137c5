//! `cargo xtask dist`: the jgraft that is given away, one static file with both agents in it, and the proof that it is one:
//! its size, that it runs in a root directory with nothing but itself, and the memory that its commands take.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use jgraft_jvm_harness::{Jdk, Jvm, agents, cache, jdks::no_jdk_hint, targets};
use tempfile::TempDir;

use crate::build;
use crate::cargo::{cargo, run as run_command};

mod memory;

/// What one may be asked to copy onto a production host.
const LARGEST: u64 = 4 << 20;

/// Static, at any address. Three thousand pointers are moved at each start: packed, they are read from one page and not from
/// nineteen (needs glibc 2.36 to build with; `--version` below would not come back otherwise).
const RUSTFLAGS: &str = "-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs";

/// Builds and proves it.
pub(crate) fn run() -> Result<()> {
    let jgraft = build()?;
    let bytes = fs::metadata(&jgraft)?.len();
    println!("{}: {bytes} bytes, at most {LARGEST}", jgraft.display());
    ensure!(bytes <= LARGEST, "it is too large");
    let Some(jdk) = Jdk::compiler() else { bail!("{}", no_jdk_hint()) };
    let agent = agents::example("01-load-jar-agent", "MANIFEST.MF")?;
    if nix::unistd::geteuid().is_root() {
        alone(&jgraft, jdk, &agent)?;
    } else {
        println!("not tried in a root directory of its own: that needs root");
    }
    memory::measure(&jgraft, jdk, &agent)
}

/// The file alone, made anew where it is missing or stale. For the machine's own target, named, so that only jgraft itself
/// is static and no build script is.
pub(crate) fn build() -> Result<PathBuf> {
    let target = host()?;
    let what = ["--package", "jgraft", "--profile", "dist", "--target", &target];
    let mut build = cargo(&[&["build", "--quiet"], &what[..]].concat());
    build::embed_agents(&mut build, "dist")?;
    build.env("RUSTFLAGS", RUSTFLAGS);
    run_command(&mut build)?;
    Ok(cache::target_dir().join(target).join("dist/jgraft"))
}

/// What rustc calls this machine.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("can't run rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host =
        text.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
    Ok(host.to_owned())
}

/// A root directory with jgraft in it, and whatever is put there on purpose.
struct Root(TempDir);

impl Root {
    fn new(jgraft: &Path) -> Result<Root> {
        let root = tempfile::tempdir()?;
        fs::copy(jgraft, root.path().join("jgraft"))?;
        fs::set_permissions(root.path().join("jgraft"), fs::Permissions::from_mode(0o755))?;
        Ok(Root(root))
    }

    /// `/jgraft ARGS` in there, alone.
    fn run(&self, args: &[&str]) -> Result<Output> {
        Ok(Command::new("chroot").arg(self.0.path()).arg("/jgraft").args(args).output()?)
    }

    /// The same with this host's /proc, in a mount namespace that ends with it.
    fn run_with_proc(&self, args: &[&str]) -> Result<Output> {
        let script = "mount -t proc proc \"$1/proc\" && exec chroot \"$1\" /jgraft \"${@:2}\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "bash", "-c", script, "bash"]).arg(self.0.path()).args(args);
        Ok(command.output()?)
    }
}

/// Nothing of a libc, of /etc or of /tmp is there.
fn alone(jgraft: &Path, jdk: &Jdk, agent: &Path) -> Result<()> {
    let root = Root::new(jgraft)?;
    let version = succeeds("--version", &root.run(&["--version"])?)?;
    for name in ["jgraft-agent.jar", "libjgraft_agent.so"] {
        ensure!(version.contains(name), "{name} is not inside: {version}");
    }
    println!("in an empty root directory:\n{}", version.trim_end());
    // Without /proc there is nothing to list, and that is said.
    let blind = root.run(&["list"])?;
    ensure!(blind.status.code() == Some(1) && !blind.stderr.is_empty(), "{blind:?}");

    fs::copy(agent, root.0.path().join("agent.jar"))?;
    succeeds("check", &root.run(&["check", "/agent.jar"])?)?;
    fs::create_dir(root.0.path().join("proc"))?;
    let service = start(jdk)?;
    let pid = service.pid().to_string();
    let listed = succeeds("list", &root.run_with_proc(&["list"])?)?;
    ensure!(listed.lines().any(|line| line.trim_start().starts_with(&pid)), "{pid} is not among\n{listed}");
    succeeds("doctor", &root.run_with_proc(&["doctor", "--probe", &pid])?)?;
    for more in [&["load"][..], &["load", "--supervised"]] {
        let args = [more, &[&*pid, "/agent.jar=class=Pricing,from=129900,to=99900"]].concat();
        let said = succeeds("load", &root.run_with_proc(&args)?)?;
        ensure!(said.contains("it was given a copy"), "{said}");
    }
    service.ask("order", |line| line.contains(" = 1998.00 EUR"))?;
    println!("and with /proc in it: check, list, doctor --probe, load, load --supervised work");
    Ok(())
}

fn start(jdk: &Jdk) -> Result<Jvm> {
    let service = Jvm::builder(jdk).class_path(targets::order_service_classes()?).main("OrderService");
    let mut service = service.args(["-Xmx64m"]).program_args(["--quiet"]);
    if nix::unistd::geteuid().is_root() {
        service = service.own_tmp("");
    }
    let service = service.start()?;
    service.wait_ready()?;
    Ok(service)
}

fn succeeds(what: &str, output: &Output) -> Result<String> {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{what}: {}\n{said}{err}", output.status);
    Ok(said)
}
