//! On Debian, as root: JDK 8 and 26 from sid, each unpacked with the libc that it needs into a root file
//! system of its own, where it runs by chroot; and jattach. apt works with lists, cache and sources of ours,
//! so that for apt the machine stays what it is (save for jattach, which is installed).

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, thread};

use anyhow::{Context, Result, bail, ensure};
use nix::unistd::geteuid;

use super::{Missing, fetch_once, missed, must_run, output};

/// Features that are in no other source. jre-headless: its licence file names GPL-2 with the classpath
/// exception.
const FEATURES: [u32; 2] = [8, 26];

/// What java links to beside its own libraries, and the locale C.UTF-8 (libc-bin): without it a JVM before
/// 18 reads no argument that is not ASCII.
const LIBRARIES: [&str; 5] = ["libc6", "libc-bin", "libgcc-s1", "libstdc++6", "zlib1g"];

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

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

/// Installs jattach unless it is there.
pub(super) fn install_jattach() -> Result<()> {
    if jattach().is_some() {
        return Ok(());
    }
    is_debian_root()?;
    let install = || output("apt-get", ["install", "-y", "--no-install-recommends", "jattach"]);
    if install().is_err() {
        // A fresh machine has no lists yet.
        output("apt-get", ["update"])?;
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

fn is_debian_root() -> Result<()> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    ensure!(release.lines().any(|line| line == "ID=debian"), "this machine is no Debian");
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

    let arch = output("dpkg", ["--print-architecture"])?;
    let home = root.join(format!("usr/lib/jvm/java-{feature}-openjdk-{}", arch.trim()));
    let names = debs.iter().filter_map(|deb| Some(deb.file_name()?.to_string_lossy().into_owned()));
    must_run(Some(root), &home, &format!("Debian sid {}", names.collect::<Vec<_>>().join(" ")))
}

/// The .deb files of packages of sid, by apt, which checks their signatures.
fn download(work: &Path, packages: &[String]) -> Result<Vec<PathBuf>> {
    let debs = work.join("debs");
    let config = write_apt_config(work)?;
    fs::create_dir(&debs)?;
    let config = config.display();
    let script = format!("cd '{}' && exec apt-get -qq -c '{config}' download \"$@\"", debs.display());
    let mut download = vec!["-c", &script, "sh"];
    download.extend(packages.iter().map(String::as_str));

    // sid changes four times a day: index and packages may not fit for a moment.
    for tries_left in (0..3).rev() {
        let done = output("apt-get", ["-qq", "-c", &config.to_string(), "update"])
            .and_then(|_| output("sh", &download));
        match done {
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
    let codename = os_codename()?;
    let sources = work.join("sid.sources");
    fs::write(&sources, sid_source(&machine_sources(), &codename)?)?;
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
         Acquire::Retries \"5\";\n\
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

/// The texts of the machine's apt sources: (is deb822, text).
fn machine_sources() -> Vec<(bool, String)> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    let parts = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    files.extend(parts.map(|entry| entry.path()));
    files.sort();
    let texts = files.into_iter().filter_map(|file| match file.extension()?.to_str()? {
        "sources" => Some((true, fs::read_to_string(file).ok()?)),
        "list" => Some((false, fs::read_to_string(file).ok()?)),
        _ => None,
    });
    texts.collect()
}

/// sid from where this machine gets its own release, checked with the same keys.
fn sid_source(sources: &[(bool, String)], codename: &str) -> Result<String> {
    let entries = sources.iter().flat_map(|(deb822, text)| if *deb822 { stanzas(text) } else { lines(text) });
    let own = entries.into_iter().find(|entry| {
        let has = |list: &str, word: &str| list.split_whitespace().any(|it| it == word);
        has(&entry.suites, codename) && has(&entry.components, "main")
    });
    let Some(own) = own else {
        bail!("no apt source of this machine names {codename} main, to derive that of sid from");
    };
    let uri = own.uris.split_whitespace().next().context("an apt source without a URI")?;
    let keyring = match own.signed_by.as_str() {
        "" => KEYRING.to_owned(),
        keyring => keyring.to_owned(),
    };
    Ok(format!("Types: deb\nURIs: {uri}\nSuites: sid\nComponents: main\nSigned-By: {keyring}\n"))
}

#[derive(Debug, Default)]
struct Entry {
    uris: String,
    suites: String,
    components: String,
    signed_by: String,
}

/// The entries of a deb822 file. A field's further lines begin with a blank.
fn stanzas(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for stanza in text.split("\n\n") {
        let mut entry = Entry::default();
        let mut enabled = true;
        let mut field = String::new();
        for line in stanza.lines().filter(|line| !line.starts_with('#')) {
            let value = if line.starts_with([' ', '\t']) {
                line.trim()
            } else {
                let Some((name, value)) = line.split_once(':') else { continue };
                field = name.to_ascii_lowercase();
                value.trim()
            };
            let list = match field.as_str() {
                "uris" => &mut entry.uris,
                "suites" => &mut entry.suites,
                "components" => &mut entry.components,
                "signed-by" => &mut entry.signed_by,
                "enabled" => {
                    enabled = value != "no";
                    continue;
                }
                _ => continue,
            };
            list.push_str(if list.is_empty() { "" } else { " " });
            list.push_str(value);
        }
        // A key in the file itself is not a path; the system's keyring does for Debian's own archive.
        if entry.signed_by.contains("BEGIN") {
            entry.signed_by.clear();
        }
        if enabled && !entry.uris.is_empty() {
            entries.push(entry);
        }
    }
    entries
}

/// The entries of a one-line file: `deb [signed-by=FILE …] URI SUITE COMPONENT…`.
fn lines(text: &str) -> Vec<Entry> {
    let entry = |line: &str| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let mut words = rest.split_whitespace();
        let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
        Some(Entry {
            uris: words.next()?.to_owned(),
            suites: words.next()?.to_owned(),
            components: words.collect::<Vec<_>>().join(" "),
            signed_by: signed_by.unwrap_or_default().to_owned(),
        })
    };
    text.lines().filter_map(entry).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn source(deb822: bool, text: &str) -> Result<String> {
        sid_source(&[(deb822, text.to_owned())], "bookworm")
    }

    #[test]
    fn derived_from_a_deb822_source() {
        let text = "Types: deb\n# a mirror\nURIs: http://mirror/security\nSuites: bookworm-security\nComponents: main\n\n\
                    Types: deb\nURIs: http://mirror/debian\nSuites: bookworm bookworm-updates\nComponents:\n contrib\n main\n\
                    Signed-By: /keys/debian.gpg\n";
        let expected = "Types: deb\nURIs: http://mirror/debian\nSuites: sid\nComponents: main\nSigned-By: /keys/debian.gpg\n";
        assert_eq!(source(true, text).unwrap(), expected);
    }

    #[test]
    fn derived_from_a_one_line_source() {
        let text = "# deb http://old bookworm main\ndeb-src http://src bookworm main\n\
                    deb [arch=amd64 signed-by=/keys/d.gpg] http://mirror/debian bookworm contrib main\n";
        let expected =
            "Types: deb\nURIs: http://mirror/debian\nSuites: sid\nComponents: main\nSigned-By: /keys/d.gpg\n";
        assert_eq!(source(false, text).unwrap(), expected);
        let plain = source(false, "deb http://mirror/debian bookworm main\n").unwrap();
        assert!(plain.ends_with(&format!("Signed-By: {KEYRING}\n")), "{plain}");
    }

    #[test]
    fn disabled_and_foreign_sources_are_no_source() {
        let text = "Enabled: no\nTypes: deb\nURIs: http://mirror\nSuites: bookworm\nComponents: main\n";
        assert!(source(true, text).is_err());
        assert!(source(false, "deb http://vendor nodistro main\n").is_err());
    }

    #[test]
    fn a_key_inside_the_source_is_not_a_path() {
        let text =
            "URIs: http://mirror\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN PGP-----\n x\n";
        assert!(source(true, text).unwrap().ends_with(&format!("Signed-By: {KEYRING}\n")));
    }
}
