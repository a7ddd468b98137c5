//! `cargo xtask tidy`: the rules of the house that no compiler checks. ARCHITECTURE.md says why each is there.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use jgraft_jvm_harness::cache;

use crate::cargo::{cargo, run as run_command};

/// Past this a file hides something that wants a name of its own.
const LONGEST_FILE: usize = 600;

/// Which crates a crate of ours may depend on; dev-dependencies are free.
const MAY_IMPORT: [(&str, &[&str]); 12] = [
    ("crates/attach", &[]),
    ("crates/classfile", &[]),
    ("crates/protocol", &[]),
    ("crates/jvmti", &[]),
    ("crates/jvmti/panics", &["jvmti"]),
    ("crates/agent-link", &[]),
    ("crates/agentjar", &["classfile"]),
    ("crates/jvm-harness", &["attach", "protocol"]),
    ("native-agent", &["classfile", "protocol", "jvmti"]),
    ("injector", &["attach", "agentjar", "protocol", "classfile"]),
    ("xtask", &["attach", "jvm-harness", "protocol"]),
    ("examples/05-rust-agent", &["jvmti"]),
];

/// The only places that may hold unsafe code.
const MAY_BE_UNSAFE: [&str; 8] = [
    "crates/attach/src/sys.rs",
    "crates/attach/src/event_memory.rs",
    "crates/attach/src/janitor.rs",
    "crates/attach/src/openj9/sys.rs",
    "crates/attach/src/run_inside/sys.rs",
    "crates/jvm-harness/src/fake_jvm/sys.rs",
    "crates/jvmti/",
    "native-agent/",
];

/// Files that are never edited again, by git's hash of their content. A JVM keeps the first stub that it sees for life.
const FROZEN: [(&str, &str); 2] = [
    ("agent-java/src/io/jgraft/agent/Stub.java", "526df28cfd761ae8a9375ae5e53c54c1413b072f"),
    ("agent-java/src/io/jgraft/agent/Sha256.java", "415590779ae1dd922fceee526e08b123ac85d3c0"),
];

/// Checks everything and names all that is wrong.
pub(crate) fn run() -> Result<()> {
    run_command(&mut cargo(&["fmt", "--all", "--check"]))?;
    let clippy = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    run_command(&mut cargo(&clippy))?;
    // A workspace of its own, which nothing else builds.
    let mut fuzz = cargo(&["clippy", "--quiet", "--manifest-path", "fuzz/Cargo.toml", "--bin", "mutate"]);
    fuzz.arg("--target-dir").arg(cache::target_dir()).args(["--", "--deny", "warnings"]);
    run_command(fuzz.current_dir(cache::workspace()))?;
    let mut wrong = String::new();
    let files = tracked_files()?;
    for file in &files {
        if let Ok(text) = fs::read_to_string(cache::workspace().join(file)) {
            check_file(file, &text, &mut wrong);
        }
    }
    for (folder, allowed) in MAY_IMPORT {
        check_imports(folder, allowed, &mut wrong)?;
    }
    for (file, hash) in FROZEN {
        check_frozen(file, hash, &mut wrong)?;
    }
    for needed in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"] {
        if !files.iter().any(|file| file == Path::new(needed)) {
            let _ = writeln!(wrong, "{needed}: is missing");
        }
    }
    if !wrong.is_empty() {
        bail!("tidy:\n{}", wrong.trim_end());
    }
    println!("tidy: {} files in order", files.len());
    Ok(())
}

/// Everything git tracks or would track.
fn tracked_files() -> Result<Vec<PathBuf>> {
    let args = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output =
        Command::new("git").args(args).current_dir(cache::workspace()).output().context("can't run git")?;
    if !output.status.success() {
        bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(PathBuf::from).collect())
}

fn check_file(file: &Path, text: &str, wrong: &mut String) {
    let name = file.display();
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or_default();
    for (at, line) in text.lines().enumerate() {
        if line.ends_with([' ', '\t']) && extension != "md" {
            let _ = writeln!(wrong, "{name}:{}: blanks at the end of the line", at + 1);
        }
    }
    match extension {
        "rs" => {
            if !text.starts_with("//!") {
                let _ = writeln!(wrong, "{name}: does not begin with a module head (//!)");
            }
            if text.contains("allow(unsafe_code")
                && !MAY_BE_UNSAFE.iter().any(|p| file.starts_with(p))
                && name.to_string() != "xtask/src/tidy.rs"
            {
                let _ = writeln!(wrong, "{name}: unsafe code is confined to {}", MAY_BE_UNSAFE.join(", "));
            }
        }
        "java" if !text.starts_with("//") && !text.starts_with("/*") => {
            let _ = writeln!(wrong, "{name}: does not begin with a comment that says what it is for");
        }
        _ => {}
    }
    if matches!(extension, "rs" | "java") && text.lines().count() > LONGEST_FILE {
        let _ = writeln!(wrong, "{name}: longer than {LONGEST_FILE} lines");
    }
    if name.to_string() == "ARCHITECTURE.md" && text.lines().count() >= 200 {
        let _ = writeln!(wrong, "{name}: 200 lines or more; nobody reads that");
    }
}

fn check_frozen(file: &str, hash: &str, wrong: &mut String) -> Result<()> {
    let mut git = Command::new("git");
    let output = git.args(["hash-object", "--", file]).current_dir(cache::workspace()).output();
    let output = output.context("can't run git")?;
    if String::from_utf8_lossy(&output.stdout).trim() != hash {
        let _ = writeln!(wrong, "{file}: is frozen and was edited; agent-java/README.md says why");
    }
    Ok(())
}

/// Reads `[dependencies]` of one manifest: one line a dependency of ours.
fn check_imports(folder: &str, allowed: &[&str], wrong: &mut String) -> Result<()> {
    let manifest = cache::workspace().join(folder).join("Cargo.toml");
    let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
    let mut section = "";
    for line in text.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let Some(rest) = line.strip_prefix("jgraft-").filter(|_| section == "[dependencies]") else {
            continue;
        };
        let name = rest.split(['.', ' ', '=']).next().unwrap_or_default();
        if !allowed.contains(&name) {
            let _ = writeln!(wrong, "{folder}/Cargo.toml: may not depend on jgraft-{name}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(file: &str, text: &str) -> String {
        let mut wrong = String::new();
        check_file(Path::new(file), text, &mut wrong);
        wrong
    }

    #[test]
    fn names_what_is_wrong() {
        assert!(findings("a.rs", "fn main() {}\n").contains("module head"));
        assert!(findings("a.rs", "//! x\nfn a() {} \n").contains("a.rs:2"));
        assert!(findings("a.rs", "//! x\n#![allow(unsafe_code)]\n").contains("confined"));
        assert!(findings("A.java", "class A {}\n").contains("comment"));
        assert!(findings("a.rs", &format!("//! x\n{}", "// y\n".repeat(600))).contains("longer"));
        let mut wrong = String::new();
        for (file, hash) in FROZEN {
            check_frozen(file, hash, &mut wrong).unwrap();
        }
        assert_eq!(wrong, "");
        check_frozen(FROZEN[0].0, FROZEN[1].1, &mut wrong).unwrap();
        assert!(wrong.contains("frozen"));
        assert_eq!(findings("crates/attach/src/sys.rs", "//! x\n#![allow(unsafe_code)]\n"), "");
    }
}
