//! Sources of a patch where this host has no javac: the target's own compiles them, in the target's view, as its user,
//! whatever it is. jgraft is run where the JDKs of this machine are hidden; where a runtime has no javac, one is put there.

mod common;
#[path = "patch/mod.rs"]
mod patched;

use std::fs;
use std::os::unix::fs::{DirEntryExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, Run, ended, on_a_host_without_a_jdk, text};
use jgraft_jvm_harness::{Jdk, JvmBuilder, artifacts, cache, each_jdk, each_release, javac, skip};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use patched::{Classes, Service};
use tempfile::TempDir;

/// A user that no process of the machine has.
const UID: u32 = 45678;
const GID: u32 = 45679;

/// Surroundings of a JVM, and what they are called. Each has mounts of its own.
type Surroundings = (&'static str, fn(JvmBuilder<'_>) -> JvmBuilder<'_>);

const ALL: [Surroundings; 4] = [
    ("as another user", |jvm| jvm.own_tmp("").uid_gid(UID, GID)),
    ("in a container, as another user", |jvm| jvm.pid_namespace().uid_gid(UID, GID)),
    ("in a user namespace", |jvm| jvm.pid_namespace().uid_gid(UID, GID).user_namespace()),
    ("with a read-only root", |jvm| jvm.own_tmp("").read_only().uid_gid(UID, GID)),
];

/// A service, and files of ours.
struct Scene {
    service: Service,
    folder: TempDir,
    home: PathBuf,
    root: PathBuf,
}

impl Scene {
    fn start(test: &str, jdk: &Jdk, with: fn(JvmBuilder<'_>) -> JvmBuilder<'_>) -> Result<Option<Scene>> {
        if !geteuid().is_root() {
            skip(test, "needs root to make namespaces");
            return Ok(None);
        }
        let service = Classes::made()?.start_in(jdk, &[], with)?;
        let root = jdk.root.clone().unwrap_or_else(|| "/".into());
        let of_8 = jdk.home.join("jre");
        let is_of_8 = root.join(of_8.strip_prefix("/")?).is_dir();
        let home = if is_of_8 { of_8 } else { jdk.home.clone() };
        Ok(Some(Scene { service, folder: tempfile::tempdir()?, home, root }))
    }

    /// A path of its view, on our side of its mounts.
    fn path(&self, path: &Path) -> Result<PathBuf> {
        Ok(self.root.join(path.strip_prefix("/")?))
    }

    fn tmp(&self) -> PathBuf {
        format!("/proc/{}/root/tmp", self.service.pid()).into()
    }

    fn mount(&self, what: &Path, at: &Path) -> Result<()> {
        let (pid, at) = (self.service.pid(), self.path(at)?);
        let mut command = Command::new("nsenter");
        command.args(["-t", &pid, "-m", "mount", "--bind"]).arg(what).arg(&at);
        ensure!(command.status()?.success(), "{} is not mounted at {}", what.display(), at.display());
        Ok(())
    }

    /// A script for its javac, in the place of an earlier one.
    fn javac(&self, script: &str) -> Result<()> {
        let text = self.folder.path().join("script");
        fs::write(&text, format!("#!{}/bin/sh\n{script}\n", self.home.display()))?;
        // In its own /tmp, which its mounts can have.
        let bin = self.tmp().join("bin");
        let is_new = !bin.exists();
        // By other processes: one that a test forks meanwhile must not inherit a file open for writing (ETXTBSY).
        let install = "umask 022; mkdir -p \"$2\" && cp -L /bin/sh \"$2\" && cp \"$1\" \"$2/javac\" && chmod 755 \"$2\" \"$2\"/*";
        let mut command = Command::new("sh");
        command.args(["-c", install, "sh", common::text(&text)]).arg(&bin);
        ensure!(command.status()?.success(), "no javac is made");
        if is_new {
            self.mount(&self.path(Path::new("/tmp/bin"))?, &self.home.join("bin"))?;
        }
        Ok(())
    }

    /// A javac, where it has none itself.
    fn any_javac(&self) -> Result<()> {
        if self.path(&self.home.join("bin/javac"))?.exists() {
            return Ok(());
        }
        let jdk = whole_jdk()?;
        fs::create_dir(self.tmp().join("jdk"))?;
        self.mount(&jdk.home, Path::new("/tmp/jdk"))?;
        self.javac("exec /tmp/jdk/bin/javac \"$@\"")
    }

    fn source(&self, body: &str) -> Result<PathBuf> {
        let file = self.folder.path().join("Shade.java");
        fs::write(&file, format!("enum Shade {{ DARK, LIGHT; String says() {{ {body} }} }}\n"))?;
        Ok(file)
    }

    /// The socket of its attach listener: that very file.
    fn listener(&self) -> Result<Vec<(String, u64)>> {
        let entries = fs::read_dir(self.tmp())?.flatten();
        let sockets = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry));
        let sockets = sockets.filter(|(name, _)| name.starts_with(".java_pid"));
        let sockets: Vec<_> = sockets.map(|(name, entry)| (name, entry.ino())).collect();
        ensure!(sockets.len() == 1, "{sockets:?}");
        Ok(sockets)
    }

    /// Patching with a source, where the JDKs are hidden.
    fn start_patch(&self, source: &Path, more: &[&str]) -> Result<Patching> {
        let mut command = on_a_host_without_a_jdk();
        command.args(["patch", &self.service.pid(), "apply", text(source)]).args(more);
        Ok(Patching {
            child: command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?,
        })
    }

    /// What came of it.
    fn patch(&self, source: &Path, more: &[&str]) -> Result<Run> {
        self.start_patch(source, more)?.end()
    }

    /// Nothing of ours and of the compiler's is there any more, and the service is as it was.
    fn is_clean(&self) -> Result<()> {
        for place in ["tmp", "var/tmp", "dev/shm"] {
            let entries = fs::read_dir(format!("/proc/{}/root/{place}", self.service.pid()));
            for entry in entries.into_iter().flatten() {
                let path = entry?.path();
                if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".jgraft-")) {
                    let of_ours = fs::read_dir(&path)?.flatten().map(|entry| entry.file_name());
                    let left: Vec<_> =
                        of_ours.filter(|name| name.to_string_lossy().contains("-workshop")).collect();
                    ensure!(left.is_empty(), "left in {}: {left:?}", path.display());
                }
            }
        }
        self.service.is_unharmed()
    }
}

/// One with a javac that needs nothing outside of its home: packages of distributions have their settings in /etc.
fn whole_jdk() -> Result<&'static Jdk> {
    let is_whole = |jdk: &&Jdk| {
        let settings = fs::canonicalize(jdk.home.join("conf/security/java.security"));
        let home = fs::canonicalize(&jdk.home);
        jdk.root.is_none()
            && jdk.has_tool("javac")
            && settings.is_ok_and(|settings| home.is_ok_and(|home| settings.starts_with(home)))
    };
    // Whatever JDKs the tests are told to run on.
    let known = [8, 11, 17, 21, 25].into_iter().rev().filter_map(Jdk::compiler_for);
    known.into_iter().find(is_whole).context("no JDK with a javac is whole")
}

/// jgraft at work.
struct Patching {
    child: Child,
}

impl Patching {
    /// Nothing that it has started is there then.
    fn end(self) -> Result<Run> {
        let pid = self.child.id();
        let run = ended(self.child)?;
        let left = processes(&format!("/s-{pid}-"));
        ensure!(left.is_empty(), "left: {left:?}");
        Ok(run)
    }
}

/// Processes whose command line has this word.
fn processes(word: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(word)).collect()
}

#[test]
fn sources_are_compiled_by_the_target_s_own_javac() {
    for (what, with) in ALL {
        each_jdk(&format!("patch_javac_inside::compiled {what}"), .., |jdk| {
            let Some(scene) = Scene::start("patch_javac_inside::compiled", jdk, with)? else { return Ok(()) };
            scene.any_javac()?;
            common::jgraft(["jcmd", &scene.service.pid(), "VM.version"])?.expect(0)?;
            let listener = scene.listener()?;
            let source = scene.source("return \"NEW\";")?;
            scene.patch(&source, &["--yes"])?.expect(0)?;
            ensure!(scene.listener()? == listener, "javac has removed the service's attach socket");
            ensure!(scene.service.says("enum")? == "NEW");
            scene.service.patch(&["revert"])?.expect(0)?;
            ensure!(scene.service.says("enum")? == "OLD");

            // What only our side has comes along: a folder and a jar.
            let [folder, jar] = given()?;
            let source = scene.source("return InFolder.WORD + InJar.WORD;")?;
            let more = ["--class-path", text(&folder), "--class-path", text(&jar), "--yes"];
            scene.patch(&source, &more)?.expect(0)?;
            ensure!(scene.service.says("enum")? == "NEW");
            scene.service.patch(&["revert"])?.expect(0)?;

            let source = scene.source("return Nowhere.says();")?;
            let refused = scene.patch(&source, &["--yes"])?.expect(1)?.explained("javac refuses them")?;
            let line = format!("  {}:1: error: cannot find symbol", source.display());
            ensure!(refused.stderr.lines().any(|said| said == line), "{line} expected: {refused:#?}");
            ensure!(refused.stderr.contains("return Nowhere.says();"), "{refused:#?}");
            scene.is_clean()
        });
    }
}

/// A folder and a jar with a constant each, which javac copies into who names it.
fn given() -> Result<[PathBuf; 2]> {
    let folder = cache::target_dir().join("patched-given");
    let mut made = Vec::new();
    for (class, word) in [("InFolder", "NE"), ("InJar", "W")] {
        let source = folder.join(format!("{class}.java"));
        let text = format!("final class {class} {{ static final String WORD = \"{word}\"; }}\n");
        fs::create_dir_all(&folder)?;
        if fs::read_to_string(&source).ok().as_ref() != Some(&text) {
            fs::write(&source, text)?;
        }
        javac::compile(&[source], &folder.join(class), &[])?;
        made.push(folder.join(class));
    }
    let jar = folder.join("in.jar");
    javac::jar("Created-By: jgraft", &made[1], &jar)?;
    Ok([made.swap_remove(0), jar])
}

/// Where there is none, that is said, and so it is where it could not be run.
#[test]
fn without_any_javac_the_sources_are_refused() {
    each_jdk("patch_javac_inside::none", .., |jdk| {
        let Some(scene) = Scene::start("patch_javac_inside::none", jdk, ALL[0].1)? else {
            return Ok(());
        };
        let source = scene.source("return \"NEW\";")?;
        if !scene.path(&scene.home.join("bin/javac"))?.exists() {
            let said = scene.patch(&source, &["--json"])?.expect(3)?.json()?;
            ensure!(said["code"] == "no-javac", "{said}");
            ensure!(said["evidence"].as_str().is_some_and(|words| words.contains("nor has pid")), "{said}");
        }
        scene.javac("exit 0")?;
        let javac = scene.path(&scene.home.join("bin/javac"))?;
        let javac = format!("/proc/{}/root{}", scene.service.pid(), javac.display());
        let javac = match jdk.root {
            Some(_) => format!("/proc/{}/root{}/bin/javac", scene.service.pid(), scene.home.display()),
            None => javac,
        };
        fs::set_permissions(javac, fs::Permissions::from_mode(0o644))?;
        let said = scene.patch(&source, &["--json"])?.expect(3)?.json()?;
        ensure!(said["code"] == "no-javac", "{said}");
        for (key, words) in [("evidence", "its user may not execute it"), ("remedy", "/bin/javac where pid")]
        {
            ensure!(said[key].as_str().is_some_and(|said| said.contains(words)), "{words} expected: {said}");
        }
        ensure!(scene.service.says("enum")? == "OLD");
        scene.is_clean()
    });
}

/// To the kernel it is the host's root, whatever keeps the target in.
#[test]
fn for_a_target_that_is_root_elsewhere_it_is_not_run() {
    each_release("patch_javac_inside::root", .., |jdk| {
        let Some(scene) = Scene::start("patch_javac_inside::root", jdk, |jvm| jvm.own_tmp(""))? else {
            return Ok(());
        };
        scene.javac("touch /tmp/was-run")?;
        let said = scene.patch(&scene.source("return \"NEW\";")?, &["--json"])?.expect(3)?.json()?;
        ensure!(said["code"] == "no-javac", "{said}");
        ensure!(said["evidence"].as_str().is_some_and(|words| words.contains("would run as root")), "{said}");
        ensure!(!scene.tmp().join("was-run").exists(), "it was run");
        scene.is_clean()
    });
}

/// What it is told, as a script has it: the folder of ours, and in it the one for classes.
const OPTIONS: &str =
    "for word; do case $word in @*) options=${word#@}; esac; done; here=${options%/options}";

/// What a hostile one does, and what is said to that.
const HOSTILE: [(&str, i32, &str, &str); 10] = [
    ("while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done", 1, "not-compiled", "more than 1048576 bytes"),
    ("ln -s /etc/shadow $here/classes/Shade.class", 1, "not-compiled", "Shade.class: not a plain file"),
    ("ln -s /etc $here/classes/folder", 1, "not-compiled", "folder: "),
    ("mkfifo $here/classes/Shade.class", 1, "not-compiled", "exit status: 1"),
    ("mv $here/classes $here/away; ln -s /etc $here/classes", 1, "not-compiled", "has made none"),
    ("truncate -s 20000000 $here/classes/Shade.class", 1, "not-compiled", "Shade.class: longer than"),
    ("echo no class >$here/classes/Shade.class", 3, "broken-class", ""),
    ("cd $here/classes; seq 20001 | xargs touch", 1, "not-compiled", "there is too much"),
    ("setsid sh -c 'exec sleep 5000 $0' $here/ & exit 0", 1, "not-compiled", "has made none"),
    ("printf '\\033[2J\\n'; kill -9 -1; exit 5", 1, "not-compiled", "exit status: 5"),
];

#[test]
fn whatever_it_is_it_ends_with_a_word_and_nothing_is_left() {
    each_release("patch_javac_inside::hostile", 17.., |jdk| {
        // In a chroot there are no tools for it.
        if jdk.root.is_some() {
            return Ok(());
        }
        for with in [ALL[0].1] {
            for (script, exit, code, words) in HOSTILE {
                let Some(scene) = Scene::start("patch_javac_inside::hostile", jdk, with)? else {
                    return Ok(());
                };
                let source = scene.source("return \"NEW\";")?;
                scene.javac(&format!("{OPTIONS}\n{script}"))?;
                let said = scene.patch(&source, &["--json"])?.expect(exit)?.json()?;
                ensure!(said["code"] == code, "{script}: {code} expected: {said}");
                let has_words = said["evidence"].as_str().is_some_and(|said| said.contains(words));
                ensure!(has_words, "{script}: {words} expected: {said}");
                ensure!(scene.service.says("enum")? == "OLD");
                scene.is_clean().context(script)?;
            }
        }
        Ok(())
    });
}

#[test]
fn ctrl_c_and_a_kill_end_it() {
    each_release("patch_javac_inside::ctrl_c", 17.., |jdk| {
        let Some(scene) = Scene::start("patch_javac_inside::ctrl_c", jdk, ALL[0].1)? else { return Ok(()) };
        let source = scene.source("return \"NEW\";")?;
        // What it says to be for is in its command line, and so in that of the shell that waits.
        scene.javac("trap '' INT TERM HUP; while :; do :; done")?;
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
            let patching = scene.start_patch(&source, &["--json"])?;
            let pid = patching.child.id();
            let mark = format!("/s-{pid}-");
            let start = Instant::now();
            while processes(&mark).is_empty() {
                ensure!(start.elapsed() < PATIENCE, "javac is not run");
            }
            kill(Pid::from_raw(pid.cast_signed()), signal)?;
            match signal {
                Signal::SIGKILL => {
                    drop(patching.child.wait_with_output()?);
                    while !processes(&mark).is_empty() {
                        ensure!(start.elapsed() < PATIENCE, "javac outlives jgraft");
                    }
                }
                _ => {
                    let said = patching.end()?.expect(130)?.json()?;
                    ensure!(said["code"] == "interrupted", "{said}");
                    scene.is_clean()?;
                }
            }
        }
        // What one that was killed has left goes with the next that stages there.
        scene.service.patch(&["diff", &Classes::made()?.file("new", "Shade")])?.expect(0)?;
        scene.is_clean()
    });
}

/// Without a right of root, for one's own service on a host whose JDK lies where none is looked for.
#[test]
fn one_s_own_needs_no_right() {
    each_jdk("patch_javac_inside::own", .., |jdk| {
        let own: fn(JvmBuilder<'_>) -> JvmBuilder<'_> = |jvm| jvm.own_tmp("").uid_gid(UID, GID);
        // Those that lie where JDKs are looked for cannot be hidden there.
        if jdk.root.is_some() || jdk.home.starts_with("/usr/lib/jvm") {
            return Ok(());
        }
        let Some(scene) = Scene::start("patch_javac_inside::own", jdk, own)? else { return Ok(()) };
        let built = Path::new(env!("CARGO_BIN_EXE_jgraft"));
        for file in [built.to_owned(), built.with_file_name("jgraft-agent.jar")] {
            ensure!(Command::new("cp").arg(file).arg(scene.tmp()).status()?.success());
        }
        ensure!(Command::new("cp").arg(artifacts::native_agent()?).arg(scene.tmp()).status()?.success());
        let compiler = whole_jdk()?;
        fs::create_dir(scene.tmp().join("jdk"))?;
        scene.mount(&compiler.home, Path::new("/tmp/jdk"))?;
        scene.javac("echo 'an error' >&2; exec /tmp/jdk/bin/javac \"$@\"")?;
        let hide = ["-t", &scene.service.pid(), "-m", "mount", "-t", "tmpfs", "none", "/usr/lib/jvm"];
        ensure!(Command::new("nsenter").args(hide).status()?.success());
        fs::write(scene.tmp().join("Shade.java"), fs::read(scene.source("return \"NEW\";")?)?)?;
        let pid = scene.service.pid();
        let (uid, gid) = (format!("--reuid={UID}"), format!("--regid={GID}"));
        let own = |words: &[&str]| -> Result<Run> {
            let mut command = Command::new("nsenter");
            command.args(["-t", &pid, "-m", "setpriv", &uid, &gid, "--clear-groups"]);
            command
                .args(["env", "PATH=/usr/bin:/bin", "JAVA_HOME=", "/tmp/jgraft", "patch", &pid])
                .args(words);
            common::run(&mut command)
        };
        own(&["apply", "/tmp/Shade.java", "--yes"])?.expect(0)?;
        let words = fs::read_to_string(scene.tmp().join("Shade.java"))?.replace("return", "retrun");
        fs::create_dir(scene.tmp().join("wrong"))?;
        fs::write(scene.tmp().join("wrong/Shade.java"), words)?;
        let refused = own(&["apply", "/tmp/wrong/Shade.java"])?.expect(1)?.explained("javac refuses them")?;
        // That it was this one is seen by its words.
        ensure!(
            refused.stderr.contains("an error") && refused.stderr.contains("/tmp/wrong/Shade.java:1: error"),
            "{refused:#?}"
        );
        ensure!(scene.service.says("enum")? == "NEW");
        own(&["revert"])?.expect(0)?;
        ensure!(scene.service.says("enum")? == "OLD");
        scene.is_clean()
    });
}
