//! On Debian: JDK 8 and 26 from sid, each unpacked with the libc that it needs into a root file
//! system of its own, where it runs by chroot, as root; musl from there; and jattach. apt works with lists, cache and sources of ours,
//! so that for apt the machine stays what it is (save for jattach, which is installed).

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, thread};

use anyhow::{Context, Result, ensure};
use nix::unistd::geteuid;

use super::{Missing, apt_sources, fetch_once, missed, must_run, output};

/// Features that are in no other source. jre-headless: its licence file names GPL-2 with the classpath
/// exception.
const FEATURES: [u32; 2] = [8, 26];

/// What java links to beside its own libraries, and the locale C.UTF-8 (libc-bin): without it a JVM before
/// 18 reads no argument that is not ASCII.
const LIBRARIES: [&str; 5] = ["libc6", "libc-bin", "libgcc-s1", "libstdc++6", "zlib1g"];

/// Enough to start with; the harness binds the machine's own file over it.
const PASSWD: &str =
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";

pub(super) fn fetch_all(dir: &Path) -> Vec<Missing> {
    let fetch = |feature: &u32| {
        fetch_once(dir, &format!("debian-sid-openjdk-{feature}"), |work, made| {
            is_debian_root()?;
            fill(*feature, work, made)
        })
    };
    let name = |feature: &u32| format!("OpenJDK {feature} from Debian sid");
    FEATURES.iter().filter_map(|feature| Some(missed(name(feature), &fetch(feature).err()?))).collect()
}

/// musl's library, and what a C program is linked with.
pub(super) fn fetch_musl(dir: &Path) -> Result<()> {
    fetch_once(dir, "musl", |work, made| {
        is_debian()?;
        let debs = download(work, &["musl".to_owned(), "musl-dev".to_owned()])?;
        fs::create_dir(made)?;
        debs.iter().try_for_each(|deb| unpack(deb, made))?;
        Ok(origin(&debs))
    })
}

/// Installs jattach unless it is there.
pub(super) fn install_jattach() -> Result<()> {
    if jattach().is_some() {
        return Ok(());
    }
    is_debian_root()?;
    let install =
        || output(Command::new("apt-get").args(["install", "-y", "--no-install-recommends", "jattach"]));
    if install().is_err() {
        // A fresh machine has no lists yet.
        output(Command::new("apt-get").arg("update"))?;
        install()?;
    }
    ensure!(jattach().is_some(), "installed, but there is none on PATH");
    Ok(())
}

/// The jattach on PATH.
pub(super) fn jattach() -> Option<String> {
    let path = env::var_os("PATH")?;
    let file = env::split_paths(&path).map(|dir| dir.join("jattach")).find(|file| file.is_file())?;
    Some(file.display().to_string())
}

fn is_debian() -> Result<()> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    ensure!(release.lines().any(|line| line == "ID=debian"), "this machine is no Debian");
    Ok(())
}

fn is_debian_root() -> Result<()> {
    is_debian()?;
    ensure!(geteuid().is_root(), "needs root, for chroot and apt");
    Ok(())
}

fn fill(feature: u32, work: &Path, root: &Path) -> Result<String> {
    let mut packages = vec![format!("openjdk-{feature}-jre-headless")];
    packages.extend(LIBRARIES.map(str::to_owned));
    let debs = download(work, &packages)?;

    fs::create_dir(root)?;
    fs::set_permissions(root, Permissions::from_mode(0o755))?;
    for deb in &debs {
        unpack(deb, root)?;
    }
    // Debian's packages hold /usr only and count on these links.
    for lib in ["lib", "lib64"] {
        if root.join("usr").join(lib).is_dir() && !root.join(lib).exists() {
            symlink(format!("usr/{lib}"), root.join(lib))?;
        }
    }
    for (dir, mode) in [("dev", 0o755), ("etc", 0o755), ("proc", 0o755), ("tmp", 0o1777)] {
        fs::create_dir_all(root.join(dir))?;
        fs::set_permissions(root.join(dir), Permissions::from_mode(mode))?;
    }
    fs::write(root.join("etc/passwd"), PASSWD)?;

    let arch = output(Command::new("dpkg").arg("--print-architecture"))?;
    let home = root.join(format!("usr/lib/jvm/java-{feature}-openjdk-{}", arch.trim()));
    must_run(Some(root), &home, &origin(&debs))
}

/// For the marker.
fn origin(debs: &[PathBuf]) -> String {
    let names = debs.iter().filter_map(|deb| Some(deb.file_name()?.to_string_lossy().into_owned()));
    format!("Debian sid {}", names.collect::<Vec<_>>().join(" "))
}

/// The .deb files of packages of sid, by apt, which checks their signatures.
fn download(work: &Path, packages: &[String]) -> Result<Vec<PathBuf>> {
    let debs = work.join("debs");
    fs::create_dir(&debs)?;
    let config = write_apt_config(work)?;
    let apt_get = || {
        let mut command = Command::new("apt-get");
        command.arg("-qq").arg("-c").arg(&config).current_dir(&debs);
        command
    };

    // sid changes four times a day: index and packages may not fit for a moment.
    for tries_left in (0..3).rev() {
        let updated = output(apt_get().arg("update"));
        match updated.and_then(|_| output(apt_get().arg("download").args(packages))) {
            Ok(_) => break,
            Err(error) if tries_left == 0 => return Err(error),
            Err(error) => eprintln!("once more: {error:#}"),
        }
        thread::sleep(Duration::from_secs(3));
    }
    let files: Vec<PathBuf> = fs::read_dir(&debs)?.flatten().map(|entry| entry.path()).collect();
    ensure!(files.len() == packages.len(), "apt downloaded {} of {} packages", files.len(), packages.len());
    Ok(files)
}

/// Our own sources, lists and cache. The rest of the machine's apt configuration (proxies, certificates)
/// stays in force, but not what it does after an update, which would be done to the machine.
fn write_apt_config(work: &Path) -> Result<PathBuf> {
    let sources = work.join("sid.sources");
    fs::write(&sources, apt_sources::sid_source(&apt_sources::of_this_machine(), &os_codename()?)?)?;
    for dir in ["lists/partial", "apt-cache/archives/partial"] {
        fs::create_dir_all(work.join(dir))?;
    }
    let work = work.display();
    let config = format!(
        "#clear APT::Update::Pre-Invoke;\n\
         #clear APT::Update::Post-Invoke;\n\
         #clear APT::Update::Post-Invoke-Success;\n\
         Dir::State::lists \"{work}/lists\";\n\
         Dir::Cache \"{work}/apt-cache\";\n\
         Dir::Etc::sourcelist \"{work}/sid.sources\";\n\
         Dir::Etc::sourceparts \"/dev/null\";\n\
         Dir::Etc::preferencesparts \"/dev/null\";\n\
         Dir::Etc::preferences \"/dev/null\";\n\
         APT::Sandbox::User \"root\";\n\
         APT::Default-Release \"\";\n\
         APT::Update::Error-Mode \"any\";\n\
         Acquire::Retries \"1\";\n\
         Acquire::Languages \"none\";\n\
         Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n\
         Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled \"false\";\n"
    );
    let path = sources.with_file_name("apt.conf");
    fs::write(&path, config)?;
    Ok(path)
}

fn os_codename() -> Result<String> {
    let release = fs::read_to_string("/etc/os-release")?;
    let line = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    Ok(line.unwrap_or("sid").trim_matches('"').to_owned())
}

fn unpack(deb: &Path, root: &Path) -> Result<()> {
    let mut dpkg = Command::new("dpkg-deb").arg("--fsys-tarfile").arg(deb).stdout(Stdio::piped()).spawn()?;
    let tarball = dpkg.stdout.take().context("dpkg-deb without stdout")?;
    let tar =
        Command::new("tar").args(["-x", "--keep-directory-symlink", "-C"]).arg(root).stdin(tarball).status();
    let (dpkg, tar) = (dpkg.wait()?, tar?);
    ensure!(dpkg.success() && tar.success(), "can't unpack {}: dpkg-deb {dpkg}, tar {tar}", deb.display());
    Ok(())
}
