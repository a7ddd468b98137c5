//! A patch of a class that its loader cannot give again: it was made from bytes, its jar is gone, or another lies there. The
//! JVM is asked for it then, by a retransformation that is agreed to, unless another agent changes the class.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, agent_jar, bundled_agent_beside_jgraft, jgraft, load, text};
use jgraft_jvm_harness::{Jdk, Jvm, artifacts, cache, each_release, javac};
use tempfile::TempDir;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/patch/base");
const KINDS: [&str; 3] = ["Made", "Gone", "Replaced"];

/// The folder with the service's class and with those of each version.
fn made() -> Result<PathBuf> {
    use std::sync::OnceLock;
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let made = MADE.get_or_init(|| make().map_err(|error| format!("{error:#}")));
    made.clone().map_err(anyhow::Error::msg)
}

fn make() -> Result<PathBuf> {
    let folder = cache::target_dir().join("patched-base");
    let service = Path::new(SOURCES).join("Base.java");
    javac::compile(&[service], &folder.join("service"), &["--release", "8", "-nowarn"])?;
    let source = fs::read_to_string(Path::new(SOURCES).join("Kind.java.txt"))?;
    for (version, word) in [("old", "OLD"), ("new", "NEW"), ("other", "OTHER")] {
        let from = folder.join(format!("{version}-source"));
        fs::create_dir_all(&from)?;
        let mut files = Vec::new();
        for kind in KINDS {
            let file = from.join(format!("{kind}.java"));
            let mut text = source.replace("KIND", kind).replace("WORD", word);
            if version == "other" {
                // Of another shape too.
                text =
                    text.replace("private int calls;", "private int calls; public int more() { return 1; }");
            }
            if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
                fs::write(&file, text)?;
            }
            files.push(file);
        }
        let classes = folder.join(version);
        javac::compile(&files, &classes, &["--release", "8", "-nowarn"])?;
        javac::jar("", &classes, &folder.join(format!("{version}.jar")))?;
    }
    Ok(folder)
}

struct Service {
    jvm: Jvm,
    made: PathBuf,
    _classes: TempDir,
}

impl Service {
    /// Ready, and what it was loaded from is not there any more.
    fn start(jdk: &Jdk) -> Result<Service> {
        artifacts::native_agent()?;
        bundled_agent_beside_jgraft()?;
        let made = made()?;
        let classes = tempfile::tempdir_in(cache::target_dir())?;
        for (from, to) in [("old", "gone"), ("old", "replaced"), ("other", "other")] {
            let to = classes.path().join(format!("{to}.jar"));
            fs::copy(made.join(format!("{from}.jar")), to)?;
        }
        for inner in ["Made.class", "Made$Inner.class"] {
            fs::copy(made.join("old").join(inner), classes.path().join(inner))?;
        }
        let jvm = Jvm::builder(jdk).class_path(made.join("service")).main("Base");
        let jvm = jvm.program_args([classes.path()]).start()?;
        jvm.wait_ready()?;
        fs::remove_file(classes.path().join("gone.jar"))?;
        fs::rename(classes.path().join("other.jar"), classes.path().join("replaced.jar"))?;
        Ok(Service { jvm, made, _classes: classes })
    }

    /// What each kind says.
    fn says(&self) -> Result<String> {
        let line = self.jvm.ask("say", |line| line.starts_with("says "))?;
        Ok(line.trim_start_matches("says ").to_owned())
    }

    fn patch(&self, words: &[&str]) -> Result<common::Run> {
        let pid = self.jvm.pid().to_string();
        jgraft(["patch", &pid].into_iter().chain(words.iter().copied()))
    }

    fn patched(&self, kind: &str) -> String {
        self.made.join("new").join(format!("{kind}.class")).display().to_string()
    }
}

#[test]
fn what_no_loader_has_any_more_is_asked_of_the_jvm() {
    each_release("patch_base::handed", .., |jdk| {
        let service = Service::start(jdk)?;
        ensure!(service.says()? == "OLD OLD OLD", "{}", service.says()?);
        for (kind, code, after) in [
            ("Made", "no-base", "NEW OLD OLD"),
            ("Gone", "no-base", "OLD NEW OLD"),
            ("Replaced", "unknown-base", "OLD OLD NEW"),
        ] {
            let new = service.patched(kind);
            // A jvm of 8 takes the jar that it has open for the one that lies there now, where that is of the same second.
            let may_be_open = kind == "Replaced" && jdk.feature == 8;
            if !may_be_open {
                is_not_asked_to_look_only(&service, &new, code)?;
            }
            let applied =
                service.patch(&["apply", &new, "--yes", "--json"]).and_then(|run| run.expect(0)?.json());
            let applied = applied.context(kind)?;
            let base = &applied["classes"][0]["base"];
            ensure!(base == "handed" || may_be_open && base == "resource", "{applied}");
            ensure!(service.says()? == after, "{kind}: {}", service.says()?);
            service.patch(&["revert"])?.expect(0)?;
            ensure!(service.says()? == "OLD OLD OLD", "{kind}: {}", service.says()?);
            // An old jvm may have put patched bytes aside, so the base is kept there and nobody has to be asked again.
            if jdk.feature <= 19 {
                let planned = service.patch(&["apply", &new, "--dry-run", "--json"])?.expect(0)?.json()?;
                ensure!(planned["classes"][0]["base"] == "kept", "{planned}");
            }
        }
        let all: Vec<String> = KINDS.iter().map(|kind| service.patched(kind)).collect();
        service.patch(&["apply", &all[0], &all[1], &all[2], "--yes"])?.expect(0)?;
        ensure!(service.says()? == "NEW NEW NEW", "{}", service.says()?);
        service.patch(&["revert"])?.expect(0)?;
        ensure!(service.says()? == "OLD OLD OLD", "{}", service.says()?);
        Ok(())
    });
}

/// Dry runs and diffs say that it would be needed, and change nothing.
fn is_not_asked_to_look_only(service: &Service, new: &str, code: &str) -> Result<()> {
    for words in [["apply", new, "--dry-run"], ["diff", new, "--json"]] {
        let run = service.patch(&words)?.expect(3)?;
        ensure!((run.stdout.clone() + &run.stderr).contains("by a retransformation"), "{run:?}");
    }
    let refused = service.patch(&["apply", new, "--dry-run", "--json"])?.expect(3)?.json()?;
    ensure!(refused["code"] == code, "{refused}");
    ensure!(service.says()? == "OLD OLD OLD", "{}", service.says()?);
    Ok(())
}

/// What another agent has put there would come twice, were it taken for the base.
#[test]
fn what_another_agent_changes_is_no_base() {
    each_release("patch_base::edited", .., |jdk| {
        let service = Service::start(jdk)?;
        let source = fs::read_to_string(Path::new(SOURCES).join("Twice.java"))?;
        let agent =
            agent_jar("twice", "Twice", &source, "Agent-Class: Twice\nCan-Retransform-Classes: true\n")?;
        load(service.jvm.pid(), &format!("{}=Made", text(&agent)), &[])?.expect(0)?;
        service.jvm.wait_for_stdout(|line| line == "twice is there", PATIENCE)?;
        let before = service.says()?;
        let refused =
            service.patch(&["apply", &service.patched("Made"), "--yes", "--json"])?.expect(3)?.json()?;
        ensure!(refused["code"] == "no-base", "{refused}");
        let evidence = refused["evidence"].as_str().unwrap_or_default();
        ensure!(evidence.contains("another agent changes it"), "{refused}");
        ensure!(service.says()? == before, "{} instead of {before}", service.says()?);
        // The others are none of its business.
        service.patch(&["apply", &service.patched("Gone"), "--yes"])?.expect(0)?;
        Ok(())
    });
}
