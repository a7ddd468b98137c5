//! The READMEs of the examples, run: what their console blocks start is started, what they load is loaded, and the
//! service prints what the first text block says it prints.
//!
//! Only `$ java` (the service) and `$ jgraft` lines are run; jars and classes named there are made by the harness, and
//! the name of a service is replaced by its pid, since the same example runs on several JDKs at once.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, bundled_agent_beside_jgraft, jgraft, text, unharmed};
use jgraft_jvm_harness::{Jdk, Jvm, agents, artifacts, cache, each_jdk, javac, targets};

#[test]
fn example_01_does_what_its_readme_says() {
    each_jdk("transcripts::example_01", .., |jdk| {
        let jar = agents::example("01-load-jar-agent", "MANIFEST.MF")?;
        let names = [("reprice.jar", jar), ("service", targets::order_service_classes()?)];
        run("01-load-jar-agent", &names.into(), jdk)?;
        Ok(())
    });
}

/// One command after the other: the service shows each change before the next is made.
#[test]
fn example_03_does_what_its_readme_says() {
    each_jdk("transcripts::example_03", .., |jdk| {
        artifacts::native_agent()?;
        bundled_agent_beside_jgraft()?;
        let service_classes = targets::order_service_classes()?;
        let fix = cache::target_dir().join("harness/03-hot-patch");
        let source = cache::workspace().join("examples/03-hot-patch/Pricing.java");
        javac::compile(&[source], &fix, &["-cp", text(&service_classes)])?;
        let names =
            BTreeMap::from([("service", service_classes), ("fix/Pricing.class", fix.join("Pricing.class"))]);
        let readme = readme("03-hot-patch")?;
        let commands = block_lines(&readme, "console");
        let java = commands.iter().find_map(|line| line.strip_prefix("$ java ")).context("no $ java line")?;
        let service = start(java, &names, jdk)?;
        service.wait_ready()?;
        let texts: Vec<&str> = blocks(&readme, "text").collect();
        let [diff, applied, reverted] = texts[..] else { anyhow::bail!("{} text blocks", texts.len()) };
        let prints = |expected: &str| -> Result<()> {
            for wanted in expected.lines().map(same_numbers) {
                let mark = service.stdout_mark();
                service.wait_for_stdout_after(mark, |line| same_numbers(line) == wanted, PATIENCE)?;
            }
            Ok(())
        };
        let (before, after) = applied.split_once('\n').context("one line")?;
        prints(before)?;
        for command in commands.iter().filter_map(|line| line.strip_prefix("$ jgraft ")) {
            let mut words: Vec<String> = command.split(' ').map(|word| with_paths(word, &names)).collect();
            let target = words.iter().position(|word| word == "OrderService").context("no target")?;
            words[target] = service.pid().to_string();
            let run = jgraft(words.iter().map(String::as_str))?.expect(0)?;
            match words.get(2).map(String::as_str) {
                Some("diff") => ensure!(run.stdout == diff, "{}", run.stdout),
                Some("apply") => prints(after)?,
                Some("list") => ensure!(run.stdout.contains("; advertised-for-999"), "{}", run.stdout),
                Some("revert") => prints(reverted)?,
                _ => ensure!(run.stdout.contains("patch lamps: 2 methods"), "{}", run.stdout),
            }
        }
        unharmed(&service)
    });
}

#[test]
fn example_04_does_what_its_readme_says() {
    each_jdk("transcripts::example_04", .., |jdk| {
        let folder = cache::workspace().join("examples/04-transformer-chain");
        let made = cache::target_dir().join("harness/04-transformer-chain");
        let mut names = BTreeMap::from([("target-classes", made.join("target-classes"))]);
        javac::compile(&java_files(&folder.join("target"))?, &names["target-classes"], &[])?;
        let classes = made.join("agent-classes");
        javac::compile(&java_files(&folder.join("agent"))?, &classes, &[])?;
        for (name, manifest) in [("A.jar", "A.MF"), ("B.jar", "B.MF"), ("C.jar", "C.MF")] {
            let text = std::fs::read_to_string(folder.join("manifests").join(manifest))?;
            javac::jar(&text, &classes, &made.join(name))?;
            names.insert(name, made.join(name));
        }
        run("04-transformer-chain", &names, jdk)?;
        Ok(())
    });
}

#[test]
fn example_05_does_what_its_readme_says() {
    each_jdk("transcripts::example_05", .., |jdk| {
        let library = artifacts::agent("class-log")?;
        let names = [
            ("libclass_log.so", library),
            ("reprice.jar", agents::example("01-load-jar-agent", "MANIFEST.MF")?),
            ("service", targets::order_service_classes()?),
        ];
        let service = run("05-rust-agent", &names.into(), jdk)?;
        // The last block is what `grep` finds; what the agent saw of the JDK's own classes is another in each JDK.
        let log = std::fs::read_to_string(service.cwd().join("classes.log"))?;
        let found: Vec<_> = log.lines().filter(|line| line.starts_with("example")).collect();
        let readme = readme("05-rust-agent")?;
        let expected = blocks(&readme, "text").last().context("no text block")?;
        ensure!(found == expected.lines().collect::<Vec<_>>(), "it logs {found:?}");
        unharmed(&service)
    });
}

fn java_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    agents::java_files(folder, &mut files)?;
    files.sort();
    Ok(files)
}

fn readme(folder: &str) -> Result<String> {
    let file = cache::workspace().join("examples").join(folder).join("README.md");
    std::fs::read_to_string(&file).with_context(|| file.display().to_string())
}

/// Runs one README on one JDK; the service, which goes on. `names` are the files that the README speaks of.
fn run(folder: &str, names: &BTreeMap<&str, PathBuf>, jdk: &'static Jdk) -> Result<Jvm> {
    let readme = readme(folder)?;
    let commands = block_lines(&readme, "console");
    let expected: Vec<String> = first_block(&readme, "text").lines().map(same_numbers).collect();
    let java = commands.iter().find_map(|line| line.strip_prefix("$ java ")).context("no $ java line")?;
    let service = start(java, names, jdk)?;
    service.wait_ready()?;
    let first = expected.first().context("no text block")?;
    service.wait_for_stdout(|line| same_numbers(line) == *first, PATIENCE)?;
    let mut loads = 0;
    for command in commands.iter().filter_map(|line| line.strip_prefix("$ jgraft ")) {
        let mut words: Vec<String> = command.split(' ').map(|word| with_paths(word, names)).collect();
        *words.get_mut(1).context("no target")? = service.pid().to_string();
        jgraft(words.iter().map(String::as_str))?.expect(0)?;
        loads += 1;
    }
    ensure!(loads > 0, "{folder}/README.md has no $ jgraft line");
    // Every expected line, in this order; a service may print others between.
    let mut seen = 0;
    let all = |line: &str| {
        seen += usize::from(same_numbers(line) == expected[seen]);
        seen == expected.len()
    };
    service.wait_for_stdout(all, PATIENCE)?;
    Ok(service)
}

/// `[-javaagent:JAR=OPTIONS] -cp CLASSES MAIN`.
fn start(words: &str, names: &BTreeMap<&str, PathBuf>, jdk: &'static Jdk) -> Result<Jvm> {
    let mut builder = Jvm::builder(jdk);
    let mut words = words.split(' ');
    while let Some(word) = words.next() {
        builder = match word {
            "-cp" => builder.class_path(with_paths(words.next().context("-cp of what?")?, names)),
            option if option.starts_with('-') => builder.args([with_paths(option, names)]),
            main => builder.main(main),
        };
    }
    builder.start()
}

/// The first of the names in a word as the path where it really is.
fn with_paths(word: &str, names: &BTreeMap<&str, PathBuf>) -> String {
    let named = |name: &&str| {
        let (option, rest) = word.split_once(':').filter(|(o, _)| o.starts_with('-')).unwrap_or(("", word));
        (rest.split('=').next() == Some(*name)).then_some(option)
    };
    match names.iter().find(|(name, _)| named(name).is_some()) {
        Some((name, path)) => word.replacen(*name, text(path), 1),
        None => word.to_owned(),
    }
}

/// Pids and the numbers of orders differ from run to run.
fn same_numbers(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    for at in 1..words.len() {
        if matches!(words[at - 1], "pid" | "order") && words[at].starts_with(|c: char| c.is_ascii_digit()) {
            words[at] = "N";
        }
    }
    words.join(" ")
}

/// The lines of all blocks of a kind.
fn block_lines<'r>(readme: &'r str, kind: &str) -> Vec<&'r str> {
    blocks(readme, kind).flat_map(str::lines).collect()
}

fn first_block<'r>(readme: &'r str, kind: &str) -> &'r str {
    blocks(readme, kind).next().unwrap_or_default()
}

fn blocks<'r>(readme: &'r str, kind: &str) -> impl Iterator<Item = &'r str> {
    let fence = format!("```{kind}\n");
    readme
        .match_indices(&fence)
        .map(|(at, fence)| (at, fence.len()))
        .collect::<Vec<_>>()
        .into_iter()
        .filter_map(move |(at, length)| {
            let body = &readme[at + length..];
            Some(&body[..body.find("```")?])
        })
}
