//! Re-based classes in real JVMs: a program prints the same, and a redefinition costs next to no metaspace.

#[path = "rebase/shuffle.rs"]
mod shuffle;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use jgraft_classfile::ClassFile;
use jgraft_classfile::rebase::rebase;
use jgraft_jvm_harness::cache::{lock, target_dir};
use jgraft_jvm_harness::jdks::no_jdk_hint;
use jgraft_jvm_harness::{Jdk, Jvm, each_release, javac, skip};

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rebase");

#[test]
fn a_program_prints_the_same_on_other_pools() {
    if Jdk::compiler().is_none() {
        return skip("rebase::program", no_jdk_hint());
    }
    let original = compile("golden", "17", &[Path::new(TESTS).join("Golden.java")]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    // On its own pool in another order, and on the pool of the largest.
    let largest = fs::read(original.join("Golden.class")).unwrap();
    let (shuffled, foreign) = (dir.path().join("shuffled"), dir.path().join("foreign"));
    for (n, file) in fs::read_dir(&original).unwrap().enumerate() {
        let file = file.unwrap();
        let bytes = fs::read(file.path()).unwrap();
        let class = ClassFile::parse(&bytes).unwrap();
        let own = shuffle::shuffle(&class, 1 + n as u64);
        for (folder, base) in [(&shuffled, &own), (&foreign, &largest)] {
            fs::create_dir_all(folder).unwrap();
            let base = ClassFile::parse(base).unwrap();
            fs::write(folder.join(file.file_name()), rebase(&base, &class).unwrap()).unwrap();
        }
    }
    each_release("rebase::program", 17.., |jdk| {
        let run = |classes: &Path| -> Result<String> {
            let jvm = Jvm::builder(jdk).class_path(classes).main("Golden").ready_when("done").start()?;
            jvm.wait_ready().with_context(|| jvm.stderr())?;
            Ok(jvm.stdout())
        };
        let expected = run(&original)?;
        ensure!(expected.lines().count() > 50, "{expected}");
        for folder in [&shuffled, &foreign] {
            let said = run(folder)?;
            let lines = said.lines().zip(expected.lines());
            let (theirs, ours) = lines.clone().find(|(said, expected)| said != expected).unwrap_or_default();
            ensure!(said == expected, "{}: {theirs:?} instead of {ours:?}", folder.display());
        }
        Ok(())
    });
}

#[test]
fn a_rebased_class_costs_no_metaspace() {
    if Jdk::compiler().is_none() {
        return skip("rebase::metaspace", no_jdk_hint());
    }
    let dir = target_dir().join("rebase-live");
    let source = |version: &str, text: String| -> Result<PathBuf> {
        let file = dir.join(version).join("Big.java");
        if fs::read_to_string(&file).ok().as_deref() != Some(&text) {
            fs::create_dir_all(file.parent().context("a folder")?)?;
            fs::write(&file, text)?;
        }
        Ok(file)
    };
    fs::create_dir_all(&dir).unwrap();
    let (old, new) = {
        let _lock = lock(&dir.join("sources")).unwrap();
        (source("old-source", big("old", 200)).unwrap(), source("new-source", big("new", 0)).unwrap())
    };
    let old = compile("old", "8", &[old]).unwrap();
    let new = compile("new", "8", &[new]).unwrap();
    let harness = compile("harness", "8", &[Path::new(TESTS).join("Metaspace.java")]).unwrap();
    let agent = dir.join("metaspace.jar");
    javac::jar("Premain-Class: Metaspace\nCan-Redefine-Classes: true\n", &harness, &agent).unwrap();
    let plain = new.join("Big.class");
    let (old_bytes, new_bytes) = (fs::read(old.join("Big.class")).unwrap(), fs::read(&plain).unwrap());
    let (base, class) = (ClassFile::parse(&old_bytes).unwrap(), ClassFile::parse(&new_bytes).unwrap());
    let scratch = tempfile::tempdir().unwrap();
    let rebased = scratch.path().join("Big.class");
    fs::write(&rebased, rebase(&base, &class).unwrap()).unwrap();
    each_release("rebase::metaspace", 8.., |jdk| {
        let jvm = Jvm::builder(jdk)
            .args([format!("-javaagent:{}", agent.display())])
            .class_path(&harness)
            .visible(&dir)
            .visible(scratch.path())
            .main("Metaspace")
            // The first is for what a VM makes once.
            .program_args([&old, &rebased, &rebased, &plain])
            .ready_when("done")
            .start()?;
        jvm.wait_ready().with_context(|| jvm.stderr())?;
        let said = jvm.stdout();
        let rows: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("grown\t")).collect();
        let [_, rebased, plain] = rows.as_slice() else { anyhow::bail!("{said}") };
        let grown = |row: &str| -> Result<i64> {
            let (bytes, result) = row.split_once('\t').context("two columns")?;
            ensure!(result == "new k5", "{row}");
            Ok(bytes.parse()?)
        };
        let (rebased, plain) = (grown(rebased)?, grown(plain)?);
        println!("JDK {jdk}: a class of {} bytes: {rebased} bytes re-based, {plain} plain", old_bytes.len());
        ensure!(rebased < 1 << 20, "{rebased}");
        ensure!(plain > 5 << 20, "{plain}");
        Ok(())
    });
}

/// A class of some 48 KB that loads string constants 2,400 times. Others come before them: without these, they are low
/// in the pool, and ldc is short.
fn big(version: &str, others: usize) -> String {
    let mut text = String::from("public class Big {\n    static String first(int i) {\n");
    for n in 0..others {
        let _ = writeln!(text, "        if (i == {n}) return \"other {n}\";");
    }
    text += "        return \"none\";\n    }\n";
    for method in 0..4 {
        let _ = writeln!(text, "    static String m{method}(int i) {{\n        String s = \"k0\";");
        for n in 0..600 {
            let _ = writeln!(text, "        if (i == {n}) s = \"k{}\";", n % 100);
        }
        text += "        return s;\n    }\n";
    }
    let _ = writeln!(text, "    public static String say(int i) {{ return \"{version} \" + m0(i); }}\n}}");
    text
}

fn compile(name: &str, release: &str, sources: &[PathBuf]) -> Result<PathBuf> {
    let dir = target_dir().join("rebase-live");
    fs::create_dir_all(&dir)?;
    let out = dir.join(name);
    javac::compile(sources, &out, &["--release", release, "-g", "-parameters"])?;
    Ok(out)
}
